//! Datasets: what a publisher's figures have in common.

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Currency, Flow, LocalizedText, Slug, Source, Violations};
use proto::{dataset_name, parse_dataset_name};
use store::{Micros, Stamp, State};
use wire::{CreateDatasetRequest, ListDatasetsRequest, UpdateDatasetRequest};
use wire::{TradeChange, Valuation, trade_change::Change};

use crate::Model;
use crate::error::Error;
use crate::keys::{self, Counter};

records::fields!(
    Model,
    wire::Dataset,
    "dataset",
    [display_name, description, source],
    dataset_name,
    parse_dataset_name
);
records::create_request!(Model, CreateDatasetRequest, dataset_id, dataset: wire::Dataset);
records::update_request!(Model, UpdateDatasetRequest, dataset: wire::Dataset);
records::list_request!(Model, ListDatasetsRequest);

impl records::Record<Model> for wire::Dataset {
    const KIND: u8 = 1;

    fn check(self) -> Result<wire::Dataset, Violations> {
        parse_dataset(self)
    }

    fn recorded(self, before: Option<&wire::Dataset>) -> TradeChange {
        let dataset = Some(self);
        let change = match before {
            None => Change::DatasetCreated(wire::DatasetCreated { dataset }),
            Some(_) => Change::DatasetUpdated(wire::DatasetUpdated { dataset }),
        };
        TradeChange {
            change: Some(change),
        }
    }

    /// Nothing deletes a dataset: its figures name it.
    fn deleted(self) -> TradeChange {
        TradeChange { change: None }
    }
}

/// What every read needs of a dataset, which an update does not touch but for its source; its words are a
/// record of their own.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Record {
    /// Its number, by which keys name it.
    #[prost(uint32, tag = "1")]
    pub(crate) number: u32,
    /// When it was created.
    #[prost(int64, tag = "2")]
    created: Micros,
    #[prost(string, tag = "3")]
    pub(crate) currency_code: String,
    #[prost(enumeration = "Valuation", tag = "4")]
    import_valuation: i32,
    #[prost(enumeration = "Valuation", tag = "5")]
    export_valuation: i32,
    /// The number of its own source, that of figures without one: 0 until an update gives it another.
    #[prost(uint32, tag = "6")]
    pub(crate) own_source: u32,
    /// When it got it; 0 when it was created with it.
    #[prost(int64, tag = "7")]
    own_source_since: Micros,
}

impl Record {
    /// The record of `id`, as of an instant.
    pub(crate) fn find(
        state: &State<'_>,
        id: &Slug,
        as_of: Option<Micros>,
    ) -> Result<Record, Error> {
        let record = Record::current(state, id)?;
        let record = record.filter(|record| as_of.is_none_or(|instant| record.created <= instant));
        let record = record.ok_or_else(|| Error::not_found(dataset_name(id)))?;
        Ok(record.known_at(state, as_of)?)
    }

    /// The record as it was at an instant at which it was there.
    pub(crate) fn known_at(
        self,
        state: &State<'_>,
        as_of: Option<Micros>,
    ) -> Result<Record, store::Error> {
        match as_of {
            Some(instant) if instant < self.own_source_since => self.with_source_of(state, instant),
            Some(_) | None => Ok(self),
        }
    }

    fn current(state: &State<'_>, id: &Slug) -> Result<Option<Record>, store::Error> {
        let found = state.get(&keys::dataset(id.as_str()))?;
        found.map(|bytes| Record::parse(&bytes)).transpose()
    }

    fn parse(bytes: &[u8]) -> Result<Record, store::Error> {
        Record::decode(bytes).map_err(|error| store::Error::View(format!("a dataset: {error}")))
    }

    /// With the own source that it had at an instant.
    fn with_source_of(self, state: &State<'_>, instant: Micros) -> Result<Record, store::Error> {
        let (start, end) = keys::own_source_after(self.number, instant);
        let superseded = state.range(&start, &end).next().transpose()?;
        let own_source = match superseded {
            Some((_, number)) => parse_u32(&number)?,
            None => self.own_source,
        };
        Ok(Record { own_source, ..self })
    }

    /// How values of a flow are valued.
    pub(crate) fn valuation(&self, flow: Flow) -> Valuation {
        if flow.is_import_side() {
            self.import_valuation()
        } else if flow.is_export_side() {
            self.export_valuation()
        } else {
            Valuation::Unspecified
        }
    }
}

fn parse_dataset(dataset: wire::Dataset) -> Result<wire::Dataset, Violations> {
    let wire::Dataset {
        name: _,
        display_name,
        description,
        source,
        currency_code,
        import_valuation,
        export_valuation,
        etag: _,
        create_time: _,
        update_time: _,
    } = dataset;
    let mut violations = Violations::new();
    let missing = || Violations::one("", "is required");
    let display_name = display_name
        .ok_or_else(missing)
        .and_then(LocalizedText::try_from);
    let display_name = violations.check_nested("display_name", display_name);
    let description = description.map(LocalizedText::try_from).transpose();
    let description = violations.check_nested("description", description);
    let source = source.ok_or_else(missing).and_then(Source::try_from);
    let source = violations.check_nested("source", source);
    let currency = violations.check("currency_code", currency_code.parse::<Currency>());
    check_valuation(&mut violations, "import_valuation", import_valuation);
    check_valuation(&mut violations, "export_valuation", export_valuation);
    let dataset = wire::Dataset {
        name: String::new(),
        display_name: display_name.map(Into::into),
        description: description.flatten().map(Into::into),
        source: source.map(Into::into),
        currency_code: currency.map(|c| c.to_string()).unwrap_or_default(),
        import_valuation,
        export_valuation,
        etag: String::new(),
        create_time: None,
        update_time: None,
    };
    records::check_size(&dataset, &mut violations);
    violations.into_result(dataset)
}

fn check_valuation(violations: &mut Violations, field: &str, number: i32) {
    if Valuation::try_from(number).is_err() {
        violations.push(field, format!("{number} is no valuation"));
    }
}

/// Applies the creation of a dataset.
pub(crate) fn apply_created(
    state: &mut State<'_>,
    created: &wire::DatasetCreated,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let dataset = created.dataset.clone().unwrap_or_default();
    let record = Record {
        number: next_number(state, Counter::Datasets)?,
        created: stamp.time,
        currency_code: dataset.currency_code.clone(),
        import_valuation: dataset.import_valuation,
        export_valuation: dataset.export_valuation,
        own_source: 0,
        own_source_since: 0,
    };
    let source = dataset.source.clone().unwrap_or_default();
    let id = parse_dataset_name(&dataset.name).map_err(|error| unreadable(&error))?;
    state.put(keys::dataset(id.as_str()), record.encode_to_vec())?;
    state.put(keys::source(record.number, 0), source.encode_to_vec())?;
    records::apply_recorded::<Model, _>(state, &dataset, stamp)
}

fn unreadable(what: &dyn std::fmt::Display) -> store::Error {
    store::Error::View(format!("a recorded dataset cannot be applied: {what}"))
}

/// Applies the update of a dataset. Figures without a source of their own have the new one from now on.
pub(crate) fn apply_updated(
    state: &mut State<'_>,
    updated: &wire::DatasetUpdated,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let dataset = updated.dataset.clone().unwrap_or_default();
    let id = parse_dataset_name(&dataset.name).map_err(|error| unreadable(&error))?;
    let record = Record::current(state, &id)?.ok_or_else(|| unreadable(&dataset.name))?;
    let before: Option<wire::Dataset> = records::find::<Model, _>(state, &id, None)?;
    if before.is_none_or(|before| before.source != dataset.source) {
        let source = dataset.source.clone().unwrap_or_default();
        let own_source = crate::apply::number_of(state, record.number, &source)?;
        let superseded = keys::own_source(record.number, stamp.time);
        state.put(superseded, record.own_source.to_be_bytes().to_vec())?;
        let record = Record {
            own_source,
            own_source_since: stamp.time,
            ..record
        };
        state.put(keys::dataset(id.as_str()), record.encode_to_vec())?;
    }
    records::apply_recorded::<Model, _>(state, &dataset, stamp)
}

/// Takes the next number of a counter, from 1.
pub(crate) fn next_number(state: &mut State<'_>, counter: Counter) -> Result<u32, store::Error> {
    let key = keys::counter(counter);
    let count = state.get(&key)?.map_or(Ok(0), |value| parse_u32(&value))?;
    state.put(key, (count + 1).to_be_bytes().to_vec())?;
    Ok(count + 1)
}

pub(crate) fn parse_u32(bytes: &[u8]) -> Result<u32, store::Error> {
    let bytes = bytes.try_into();
    let bytes = bytes.map_err(|_| store::Error::View("a number does not parse".into()))?;
    Ok(u32::from_be_bytes(bytes))
}

/// All datasets, in the order of their ids.
fn all(state: &State<'_>) -> impl Iterator<Item = Result<(Slug, Record), store::Error>> {
    let (start, end) = keys::datasets();
    state.range(&start, &end).map(|dataset| {
        let (key, value) = dataset?;
        let id = keys::dataset_id(&key).ok_or_else(|| unreadable(&"its key"))?;
        Ok((id, Record::parse(&value)?))
    })
}

/// The ids of the datasets that there were at an instant.
pub(crate) fn ids(state: &State<'_>, as_of: Option<Micros>) -> Result<Vec<Slug>, store::Error> {
    let mut ids = Vec::new();
    for dataset in all(state) {
        let (id, record) = dataset?;
        if as_of.is_none_or(|instant| record.created <= instant) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// The id and the record of a dataset by its number. It looks through all datasets, of which there are few.
pub(crate) fn numbered(state: &State<'_>, number: u32) -> Result<(Slug, Record), store::Error> {
    let of_number = |dataset: &Result<(Slug, Record), store::Error>| {
        dataset
            .as_ref()
            .map_or(true, |(_, record)| record.number == number)
    };
    let missing = || store::Error::View(format!("there is no dataset numbered {number}"));
    all(state).find(of_number).unwrap_or_else(|| Err(missing()))
}
