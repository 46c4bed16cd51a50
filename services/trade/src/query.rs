//! Reading figures: one, a page, as of an instant.

use proto::trade::v1 as wire;
use proto::r#type::v1::Source as WireSource;
use proto::{Code, Commodity, ObservationKey, Slug, observation_name, to_timestamp};
use store::{Micros, State};

use crate::block::Block;
use crate::dataset::Record;
use crate::error::Error;
use crate::figure::Figure;
use crate::keys::{self, BlockKey};
use crate::shelf;
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

/// One figure of a block as of an instant; no other figure of the block is looked at.
pub(crate) fn figure_as_of(
    state: &State<'_>,
    key: &BlockKey,
    block: &[u8],
    code: Code,
    as_of: Option<Micros>,
) -> Result<Option<Figure>, store::Error> {
    let mut version = Block::find(block, code)?;
    while let (Some(figure), Some(instant)) = (version, as_of) {
        if figure.since <= instant {
            break;
        }
        version = superseded_at(state, key, code, figure.since)?;
    }
    Ok(version)
}

/// The version of a figure that was superseded at an instant: at its vintage a version takes the place of
/// the one before.
pub(crate) fn superseded_at(
    state: &State<'_>,
    key: &BlockKey,
    code: Code,
    instant: Micros,
) -> Result<Option<Figure>, store::Error> {
    let kept = state.get(&key.history(instant))?;
    kept.map_or(Ok(None), |block| Block::find(&block, code))
}

/// A name, and what it leads to.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) record: Record,
    pub(crate) block: BlockKey,
    pub(crate) code: Code,
    /// `None` when there is no such figure.
    pub(crate) figure: Option<Figure>,
}

impl Found {
    pub(crate) fn observation(
        &self,
        state: &State<'_>,
        dataset: &Slug,
    ) -> Result<Option<wire::Observation>, store::Error> {
        let Found {
            record,
            block,
            code: _,
            figure,
        } = self;
        let described = |figure: &Figure| observation(state, dataset, record, block, figure);
        figure.as_ref().map(described).transpose()
    }
}

/// What a name leads to, as of an instant.
pub(crate) fn find(
    state: &State<'_>,
    dataset: &Slug,
    key: &ObservationKey,
    as_of: Option<Micros>,
) -> Result<Found, Error> {
    let record = Record::find(state, dataset, as_of)?;
    let block = BlockKey::of(record.number, key);
    let code = key.commodity.code;
    let figure = match shelf::get(state, &block)? {
        Some(stored) => figure_as_of(state, &block, &stored, code, as_of)?,
        None => None,
    };
    Ok(Found {
        record,
        block,
        code,
        figure,
    })
}

/// One figure by its name.
pub(crate) fn get(
    state: &State<'_>,
    dataset: &Slug,
    key: &ObservationKey,
    as_of: Option<Micros>,
) -> Result<wire::Observation, Error> {
    let found = find(state, dataset, key, as_of)?.observation(state, dataset)?;
    found.ok_or_else(|| Error::not_found(observation_name(dataset, key)))
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

/// A source by its number within the dataset; 0 is the dataset's own, as of when `record` is.
pub(crate) fn source(
    state: &State<'_>,
    record: &Record,
    number: u32,
) -> Result<Option<WireSource>, store::Error> {
    let number = if number == 0 {
        record.own_source
    } else {
        number
    };
    let stored = state.get(&keys::source(record.number, number))?;
    let parse = |bytes: store::Value| WireSource::decode(&*bytes);
    let parsed = stored.map(parse).transpose();
    parsed.map_err(|error| store::Error::View(format!("a source: {error}")))
}
