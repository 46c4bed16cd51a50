//! Lists of figures: pages of a walk by filter, all as of the first one.

use std::ops::ControlFlow;

use prost::Message;
use proto::Slug;
use proto::trade::v1 as wire;
use proto::{PageToken, PageTokenError, Violations, parse_dataset_name, parse_timestamp};
use store::{Micros, State};

use crate::dataset::Record;
use crate::error::Error;
use crate::filter::{Filter, Resume, Walk};
use crate::keys::BlockKey;
use crate::query::observation;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1_000;
/// A page that has reached this size ends; a client takes 4 MiB if nobody told it otherwise.
pub(crate) const PAGE_BYTES: usize = 1 << 20;

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    filter: Filter,
    page_size: usize,
    as_of: Option<Micros>,
    digest: u64,
    cursor: Option<Cursor>,
}

/// Where the next page starts.
#[derive(Debug)]
struct Cursor {
    /// All pages answer as of this.
    as_of: Micros,
    from: Resume,
}

impl Cursor {
    fn encode(&self) -> Vec<u8> {
        let Resume { key, skip } = &self.from;
        [&self.as_of.to_be_bytes()[..], &skip.to_be_bytes(), key].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Cursor> {
        let (as_of, rest) = bytes.split_first_chunk()?;
        let (skip, key) = rest.split_first_chunk()?;
        Some(Cursor {
            as_of: Micros::from_be_bytes(*as_of),
            from: Resume {
                skip: u32::from_be_bytes(*skip),
                key: key.to_vec(),
            },
        })
    }
}

impl TryFrom<wire::ListObservationsRequest> for Query {
    type Error = Error;

    fn try_from(request: wire::ListObservationsRequest) -> Result<Query, Error> {
        let digest = digest(&request);
        let wire::ListObservationsRequest {
            parent,
            filter,
            page_size,
            page_token,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let dataset = violations.check("parent", parse_dataset_name(&parent));
        let filter = Filter::try_from(filter.unwrap_or_default());
        let filter = violations.check_nested("filter", filter);
        let size = proto::page_size(page_size, DEFAULT_PAGE, MAX_PAGE);
        let size = violations.check_nested("", size);
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        let (Some(dataset), Some(filter), Some(size), Some(as_of)) = (dataset, filter, size, as_of)
        else {
            return Err(violations.into());
        };
        Ok(Query {
            dataset,
            filter,
            page_size: size as usize,
            as_of,
            digest,
            cursor: parse_token(&page_token, digest)?,
        })
    }
}

fn parse_token(token: &str, digest: u64) -> Result<Option<Cursor>, PageTokenError> {
    if token.is_empty() {
        return Ok(None);
    }
    let cursor = PageToken::decode(token, digest)?;
    let cursor = Cursor::decode(&cursor).ok_or(PageTokenError::Malformed)?;
    Ok(Some(cursor))
}

/// What a page token is bound to: everything but the page.
fn digest(request: &wire::ListObservationsRequest) -> u64 {
    let query = wire::ListObservationsRequest {
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    proto::query_digest(&[&query.encode_to_vec()])
}

/// A page of figures, and the token of the next.
pub(crate) fn list(
    state: &State<'_>,
    query: Query,
) -> Result<wire::ListObservationsResponse, Error> {
    let Query {
        dataset,
        filter,
        page_size,
        as_of,
        digest,
        cursor,
    } = query;
    let record = Record::find(state, &dataset, as_of)?;
    // What comes after the first page's instant is on no page.
    let as_of = cursor.as_ref().map(|cursor| cursor.as_of).or(as_of);
    let now = state.stamp().time;
    let walk = Walk {
        filter: &filter,
        dataset: record.number,
        as_of: as_of.map_or(now, |asked| asked.min(now)),
    };
    let from = cursor.map(|cursor| checked(cursor.from, record.number));
    let mut page = Vec::new();
    let mut bytes = 0;
    let next = walk.go(state, from.transpose()?, |key, figure| {
        if page.len() == page_size || bytes > PAGE_BYTES {
            return Ok(ControlFlow::Break(()));
        }
        let observation = observation(state, &dataset, &record, key, figure)?;
        bytes += observation.encoded_len();
        page.push(observation);
        Ok(ControlFlow::Continue(()))
    })?;
    let as_of = walk.as_of;
    let token = next.map(|from| PageToken::encode(digest, &Cursor { as_of, from }.encode()));
    Ok(wire::ListObservationsResponse {
        observations: page,
        next_page_token: token.unwrap_or_default(),
    })
}

/// A token is bound to its query, so only a forged one leads outside the dataset.
fn checked(from: Resume, dataset: u32) -> Result<Resume, PageTokenError> {
    match BlockKey::parse(&from.key) {
        Some(parsed) if parsed.dataset == dataset => Ok(from),
        Some(_) | None => Err(PageTokenError::Malformed),
    }
}
