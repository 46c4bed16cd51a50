//! Vintages: the versions of one figure, the latest first.
//!
//! A version takes the place of another at its vintage, and the history holds what was superseded by that
//! instant. So each version leads to the one before it, whatever became of the figures around it.

use prost::Message;
use proto::trade::v1 as wire;
use proto::{ObservationKey, PageToken, PageTokenError, Slug, Violations, observation_name};
use proto::{parse_observation_name, parse_timestamp, to_timestamp};
use store::{Micros, State};

use crate::error::Error;
use crate::figure::Figure;
use crate::list::PAGE_BYTES;
use crate::query::{Found, find, observation, superseded_at};

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 1_000;
/// Versions that one page may look at.
const MAX_STEPS: usize = 2_000;

/// A page of the versions of a figure.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    key: ObservationKey,
    page_size: usize,
    as_of: Option<Micros>,
    digest: u64,
    cursor: Option<Cursor>,
}

/// Where the next page starts.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    /// All pages answer as of this.
    as_of: Micros,
    /// The next page starts with the version that was superseded then.
    superseded: Micros,
}

impl Cursor {
    fn encode(self) -> Vec<u8> {
        [self.as_of.to_be_bytes(), self.superseded.to_be_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Cursor> {
        let (as_of, rest) = bytes.split_first_chunk()?;
        Some(Cursor {
            as_of: Micros::from_be_bytes(*as_of),
            superseded: Micros::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

impl TryFrom<wire::ListVintagesRequest> for Query {
    type Error = Error;

    fn try_from(request: wire::ListVintagesRequest) -> Result<Query, Error> {
        let digest = digest(&request);
        let wire::ListVintagesRequest {
            name,
            page_size,
            page_token,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let name = violations.check("name", parse_observation_name(&name));
        let size = proto::page_size(page_size, DEFAULT_PAGE, MAX_PAGE);
        let size = violations.check_nested("", size);
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        let (Some((dataset, key)), Some(size), Some(as_of)) = (name, size, as_of) else {
            return Err(violations.into());
        };
        Ok(Query {
            dataset,
            key,
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
    let cursor = Cursor::decode(&PageToken::decode(token, digest)?);
    Ok(Some(cursor.ok_or(PageTokenError::Malformed)?))
}

/// What a page token is bound to: everything but the page.
fn digest(request: &wire::ListVintagesRequest) -> u64 {
    let query = wire::ListVintagesRequest {
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    proto::query_digest(&[&query.encode_to_vec()])
}

/// A version, and when it was superseded.
#[derive(Clone, Copy, Debug)]
struct Version {
    figure: Figure,
    superseded: Option<Micros>,
}

/// A page of versions, and the token of the next.
pub(crate) fn list(state: &State<'_>, query: &Query) -> Result<wire::ListVintagesResponse, Error> {
    let Query {
        dataset,
        key,
        page_size,
        as_of,
        digest,
        cursor,
    } = query;
    let now = state.stamp().time;
    let as_of = match cursor {
        Some(cursor) => cursor.as_of,
        None => as_of.map_or(now, |asked| asked.min(now)),
    };
    let found = find(state, dataset, key, None)?;
    let first = first_version(state, &found, *cursor)?;
    let first = first.ok_or_else(|| Error::not_found(observation_name(dataset, key)))?;
    let mut page = Page {
        vintages: Vec::new(),
        size: *page_size,
        as_of,
    };
    let next = page.fill(state, dataset, &found, first)?;
    // What took the place of the first version here stands on a page before, if it was there by then.
    let before = first
        .superseded
        .is_some_and(|superseded| superseded <= as_of);
    if page.vintages.is_empty() && next.is_none() && !before {
        return Err(Error::not_found(observation_name(dataset, key)));
    }
    let token = next.map(|superseded| {
        let cursor = Cursor { as_of, superseded };
        PageToken::encode(*digest, &cursor.encode())
    });
    Ok(wire::ListVintagesResponse {
        vintages: page.vintages,
        next_page_token: token.unwrap_or_default(),
    })
}

/// The version that a page starts with; `None` when the figure never was there.
fn first_version(
    state: &State<'_>,
    found: &Found,
    cursor: Option<Cursor>,
) -> Result<Option<Version>, Error> {
    let Some(Cursor { superseded, .. }) = cursor else {
        let superseded = None;
        return Ok(found.figure.map(|figure| Version { figure, superseded }));
    };
    // A token is bound to its query, so only a forged one leads to where no version is.
    let figure = superseded_at(state, &found.block, found.code, superseded)?;
    let figure = figure.ok_or(PageTokenError::Malformed)?;
    let superseded = Some(superseded);
    Ok(Some(Version { figure, superseded }))
}

/// A page that is being filled.
struct Page {
    vintages: Vec<wire::Vintage>,
    size: usize,
    as_of: Micros,
}

impl Page {
    /// Fills the page from a version on; when the version was superseded that the next page starts with.
    fn fill(
        &mut self,
        state: &State<'_>,
        dataset: &Slug,
        found: &Found,
        first: Version,
    ) -> Result<Option<Micros>, store::Error> {
        let mut version = first;
        let mut bytes = 0;
        for step in 0.. {
            let Version { figure, superseded } = version;
            let full = self.vintages.len() == self.size || bytes > PAGE_BYTES;
            if full || step == MAX_STEPS {
                return Ok(superseded);
            }
            if figure.since <= self.as_of {
                let vintage = self.vintage(state, dataset, found, version)?;
                bytes += vintage.encoded_len();
                self.vintages.push(vintage);
            }
            match superseded_at(state, &found.block, found.code, figure.since)? {
                None => break,
                Some(before) => {
                    version = Version {
                        figure: before,
                        superseded: Some(figure.since),
                    }
                }
            }
        }
        Ok(None)
    }

    fn vintage(
        &self,
        state: &State<'_>,
        dataset: &Slug,
        found: &Found,
        version: Version,
    ) -> Result<wire::Vintage, store::Error> {
        let Version { figure, superseded } = version;
        let observation = observation(state, dataset, &found.record, &found.block, &figure)?;
        let by_then = superseded.filter(|superseded| *superseded <= self.as_of);
        Ok(wire::Vintage {
            observation: Some(observation),
            superseded: by_then.map(to_timestamp),
        })
    }
}
