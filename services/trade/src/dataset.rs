//! Datasets: what a publisher's figures have in common.

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Currency, Flow, LocalizedText, Slug, Source, Violations, dataset_name, to_timestamp};
use store::{Decision, Micros, Origin, Request, Stamp, State};
use wire::{TradeChange, Valuation, trade_change::Change};

use crate::error::Error;
use crate::keys::{self, Counter};
use crate::list::PAGE_BYTES;

/// The largest dataset in bytes, texts and source together.
const MAX_BYTES: usize = 64 << 10;

/// What every read needs of a dataset; the rest is kept apart from it, see [`Record::dataset`].
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
}

impl Record {
    /// The record of `id`, as of an instant.
    pub(crate) fn find(
        state: &State<'_>,
        id: &Slug,
        as_of: Option<Micros>,
    ) -> Result<Record, Error> {
        let found = state.get(&keys::dataset(id.as_str()))?;
        let record = found.map(|bytes| Record::parse(&bytes)).transpose()?;
        record
            .filter(|record| as_of.is_none_or(|instant| record.created <= instant))
            .ok_or_else(|| Error::NotFound(dataset_name(id)))
    }

    fn parse(bytes: &[u8]) -> Result<Record, store::Error> {
        Record::decode(bytes).map_err(|error| malformed(&error))
    }

    /// The dataset in full.
    pub(crate) fn dataset(&self, state: &State<'_>) -> Result<wire::Dataset, store::Error> {
        let stored = state.get(&keys::description(self.number))?;
        let parsed = stored.map(|bytes| wire::Dataset::decode(&*bytes));
        let parsed = parsed.transpose().map_err(|error| malformed(&error))?;
        parsed.ok_or_else(|| store::Error::View("a dataset without its description".into()))
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

fn malformed(error: &prost::DecodeError) -> store::Error {
    store::Error::View(format!("a dataset: {error}"))
}

/// A dataset to be created.
#[derive(Debug)]
pub(crate) struct NewDataset {
    id: Slug,
    dataset: wire::Dataset,
}

impl NewDataset {
    /// Parses a request, with its id if it has one.
    pub(crate) fn parse(
        request: wire::CreateDatasetRequest,
    ) -> Result<(NewDataset, Origin), Violations> {
        let digest = digest(&request);
        let wire::CreateDatasetRequest {
            dataset_id,
            dataset,
            request_id,
        } = request;
        let mut violations = Violations::new();
        let id = violations.check("dataset_id", Slug::parse(&dataset_id));
        let request = violations.check("request_id", parse_request(&request_id, digest));
        let dataset = dataset.ok_or_else(|| Violations::one("", "is required"));
        let dataset = violations.check_nested("dataset", dataset.and_then(parse_dataset));
        match (id, dataset, request) {
            (Some(id), Some(mut dataset), Some(request)) => {
                dataset.name = dataset_name(&id);
                let origin = Origin {
                    who: String::new(),
                    request,
                };
                Ok((NewDataset { id, dataset }, origin))
            }
            _ => Err(violations),
        }
    }

    /// Decides to create it, or answers what an earlier request of the same id made.
    pub(crate) fn decide(
        mut self,
        state: &State<'_>,
        stamp: Stamp,
        request: Option<Request>,
    ) -> Result<Decision<TradeChange, wire::Dataset>, Error> {
        if let Some(request) = request
            && let Some(seen) = state.seen(&request.id)?
        {
            return self.again(state, &seen, request);
        }
        if state.get(&keys::dataset(self.id.as_str()))?.is_some() {
            return Err(Error::AlreadyExists(self.dataset.name));
        }
        complete(&mut self.dataset, stamp.time);
        let created = wire::DatasetCreated {
            dataset: Some(self.dataset.clone()),
        };
        let change = TradeChange {
            change: Some(Change::DatasetCreated(created)),
        };
        let name = self.dataset.name.clone();
        Ok(Decision::change(change, name, self.dataset))
    }

    fn again(
        self,
        state: &State<'_>,
        seen: &store::Seen,
        request: Request,
    ) -> Result<Decision<TradeChange, wire::Dataset>, Error> {
        if seen.digest != request.digest || seen.subject != self.dataset.name {
            return Err(Error::RequestIdReused);
        }
        let record = Record::find(state, &self.id, None)?;
        Ok(Decision::nothing(record.dataset(state)?))
    }
}

/// Fills in what follows from the entry that creates it.
fn complete(dataset: &mut wire::Dataset, created: Micros) {
    dataset.create_time = Some(to_timestamp(created));
    dataset.etag = format!("{created:x}");
}

/// What a request id stands for: the request without the id, which has more than one spelling.
fn digest(request: &wire::CreateDatasetRequest) -> u64 {
    let without_id = wire::CreateDatasetRequest {
        request_id: String::new(),
        ..request.clone()
    };
    proto::query_digest(&[&without_id.encode_to_vec()])
}

fn parse_request(id: &str, digest: u64) -> Result<Option<Request>, String> {
    if id.is_empty() {
        return Ok(None);
    }
    let id = uuid::Uuid::try_parse(id).map_err(|_| format!("`{id:.40}` is no UUID"))?;
    Ok(Some(Request {
        id: id.into_bytes(),
        digest,
    }))
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
    if dataset.encoded_len() > MAX_BYTES {
        let bytes = dataset.encoded_len();
        violations.push("", format!("{bytes} bytes in all; at most {MAX_BYTES}"));
    }
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
    let id = id_in(&dataset.name);
    let record = Record {
        number: next_number(state, Counter::Datasets)?,
        created: stamp.time,
        currency_code: dataset.currency_code.clone(),
        import_valuation: dataset.import_valuation,
        export_valuation: dataset.export_valuation,
    };
    let source = dataset.source.clone().unwrap_or_default();
    state.put(keys::dataset(id), record.encode_to_vec())?;
    state.put(keys::source(record.number, 0), source.encode_to_vec())?;
    state.put(keys::description(record.number), dataset.encode_to_vec())
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

/// A page of datasets after the id `after`, in the order of ids, and the id after which the next starts.
pub(crate) fn list(
    state: &State<'_>,
    after: &str,
    page_size: usize,
) -> Result<(Vec<wire::Dataset>, Option<String>), store::Error> {
    let mut start = keys::dataset(after);
    start.push(0);
    let mut page = Vec::new();
    let mut bytes = 0;
    for record in state.range(&start, &keys::datasets_end()) {
        if page.len() == page_size || bytes > PAGE_BYTES {
            let last = page
                .last()
                .map(|last: &wire::Dataset| id_in(&last.name).to_owned());
            return Ok((page, last));
        }
        let dataset = Record::parse(&record?.1)?.dataset(state)?;
        bytes += dataset.encoded_len();
        page.push(dataset);
    }
    Ok((page, None))
}

/// The id and the record of a dataset by its number.
pub(crate) fn numbered(state: &State<'_>, number: u32) -> Result<(Slug, Record), store::Error> {
    let missing = || store::Error::View(format!("there is no dataset numbered {number}"));
    let stored = state.get(&keys::description(number))?.ok_or_else(missing)?;
    let described = wire::Dataset::decode(&*stored).map_err(|error| malformed(&error))?;
    let id = Slug::parse(id_in(&described.name)).map_err(|_| missing())?;
    let record = state
        .get(&keys::dataset(id.as_str()))?
        .ok_or_else(missing)?;
    Ok((id, Record::parse(&record)?))
}

fn id_in(name: &str) -> &str {
    name.strip_prefix("datasets/").unwrap_or(name)
}
