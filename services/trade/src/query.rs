//! Reading figures: one, a page, as of an instant.

use proto::trade::v1 as wire;
use proto::r#type::v1::Source as WireSource;
use proto::{Code, Commodity, ObservationKey, Slug, observation_name, to_timestamp};
use store::{Micros, State};

use crate::block::Block;
use crate::dataset::Record;
use crate::error::Error;
use crate::figure::Figure;
use crate::keys::{self, BlockKey, Part};
use prost::Message;

/// The figures of a block as of an instant: of each code the version that was recorded last by then.
///
/// A version lives from its vintage until it is superseded, so it is either in the block, recorded by
/// then, or in the history of what was superseded later.
pub(crate) fn figures_as_of(
    state: &State<'_>,
    key: &BlockKey,
    now: Block,
    as_of: Option<Micros>,
) -> Result<Block, store::Error> {
    let Some(instant) = as_of else {
        return Ok(now);
    };
    if now.figures().iter().all(|figure| figure.since <= instant) {
        return Ok(now);
    }
    let mut then: Vec<Figure> = now.figures().to_vec();
    let (start, end) = key.history_after(instant);
    for superseded in state.range(&start, &end) {
        then.extend_from_slice(Block::decode(&superseded?.1)?.figures());
    }
    then.retain(|figure| figure.since <= instant);
    Ok(Block::new(then))
}

/// One figure of a block as of an instant; without one, no other figure of the block is looked at.
pub(crate) fn figure_as_of(
    state: &State<'_>,
    key: &BlockKey,
    block: &[u8],
    code: Code,
    as_of: Option<Micros>,
) -> Result<Option<Figure>, store::Error> {
    if as_of.is_none() {
        return Block::find(block, code);
    }
    let figures = figures_as_of(state, key, Block::decode(block)?, as_of)?;
    Ok(figures.get(code).copied())
}

/// One figure by its name.
pub(crate) fn get(
    state: &State<'_>,
    dataset: &Slug,
    key: &ObservationKey,
    as_of: Option<Micros>,
) -> Result<wire::Observation, Error> {
    let record = Record::find(state, dataset, as_of)?;
    let ObservationKey {
        reporter,
        partner,
        flow,
        commodity,
        period,
    } = *key;
    let block = BlockKey {
        dataset: record.number,
        reporter,
        partner,
        flow,
        part: Part::of(commodity.code),
        period,
        classification: commodity.classification,
    };
    let stored = state.get(&block.block())?;
    let figure = match stored {
        Some(stored) => figure_as_of(state, &block, &stored, commodity.code, as_of)?,
        None => None,
    };
    let figure = figure.ok_or_else(|| Error::NotFound(observation_name(dataset, key)))?;
    Ok(observation(state, dataset, &record, &block, &figure)?)
}

/// A figure with all that its block and dataset say of it.
pub(crate) fn observation(
    state: &State<'_>,
    dataset: &Slug,
    record: &Record,
    key: &BlockKey,
    figure: &Figure,
) -> Result<wire::Observation, store::Error> {
    let commodity = Commodity {
        classification: key.classification,
        code: figure.code,
    };
    let name = ObservationKey {
        reporter: key.reporter,
        partner: key.partner,
        flow: key.flow,
        commodity,
        period: key.period,
    };
    let text = |amount: Option<proto::Scaled>| amount.map(|a| a.to_string()).unwrap_or_default();
    Ok(wire::Observation {
        name: observation_name(dataset, &name),
        reporter: key.reporter.to_string(),
        partner: key.partner.to_string(),
        flow: key.flow.to_wire().into(),
        commodity: Some(commodity.into()),
        period: key.period.to_string(),
        value: Some(proto::r#type::v1::Money {
            currency_code: record.currency_code.clone(),
            amount: figure.value.to_string(),
        }),
        valuation: record.valuation(key.flow).into(),
        net_weight: text(figure.net_weight),
        quantity: text(figure.quantity),
        quantity_unit: figure.unit.into(),
        flags: figure.flags.to_wire(),
        source: source(state, record, figure.source)?,
        vintage: Some(to_timestamp(figure.since)),
    })
}

/// A source by its number within the dataset.
pub(crate) fn source(
    state: &State<'_>,
    record: &Record,
    number: u32,
) -> Result<Option<WireSource>, store::Error> {
    let stored = state.get(&keys::source(record.number, number))?;
    let parse = |bytes: store::Value| WireSource::decode(&*bytes);
    let parsed = stored.map(parse).transpose();
    parsed.map_err(|error| store::Error::View(format!("a source: {error}")))
}
