//! Pages of records in the order of their ids, as of the instant of the first page.

use prost_types::Timestamp;
use proto::{PageToken, PageTokenError, Violations, parse_timestamp};
use store::{Micros, State};

use crate::record::{Record, Refused, Version};

/// A page that has reached this size ends; a client takes 4 MiB if nobody told it otherwise.
const PAGE_BYTES: usize = 1 << 20;
/// Records that one page may look at.
const MAX_LOOKS: usize = 2_000;

/// The page of a list that is asked for.
#[derive(Debug)]
pub(crate) struct Paging {
    size: usize,
    as_of: Option<Micros>,
    digest: u64,
    token: String,
}

/// A page and the token of the next one; empty on the last.
pub(crate) type Page<M> = (Vec<M>, String);

impl Paging {
    /// Parses what all lists have in common. `digest` is what a token is bound to, `sizes` the default and
    /// the largest page.
    pub(crate) fn parse(
        digest: u64,
        sizes: (u32, u32),
        page_size: i32,
        page_token: String,
        as_of: Option<&Timestamp>,
        violations: &mut Violations,
    ) -> Option<Paging> {
        let size = proto::page_size(page_size, sizes.0, sizes.1);
        let size = violations.check_nested("", size);
        let as_of = violations.check("as_of", as_of.map(parse_timestamp).transpose());
        Some(Paging {
            size: size? as usize,
            as_of: as_of?,
            digest,
            token: page_token,
        })
    }

    /// Where the page starts, and as of when it answers: what comes after the first page's instant is on
    /// no page.
    fn start(&self, state: &State<'_>) -> Result<Cursor, PageTokenError> {
        if self.token.is_empty() {
            let now = state.stamp().time;
            return Ok(Cursor {
                as_of: self.as_of.map_or(now, |asked| asked.min(now)),
                after: Vec::new(),
            });
        }
        let cursor = PageToken::decode(&self.token, self.digest)?;
        Cursor::decode(&cursor).ok_or(PageTokenError::Malformed)
    }
}

struct Cursor {
    as_of: Micros,
    /// The id that the page before looked at last.
    after: Vec<u8>,
}

impl Cursor {
    fn encode(&self) -> Vec<u8> {
        [&self.as_of.to_be_bytes()[..], &self.after].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Cursor> {
        let (as_of, after) = bytes.split_first_chunk()?;
        Some(Cursor {
            as_of: Micros::from_be_bytes(*as_of),
            after: after.to_vec(),
        })
    }
}

/// A page of the records of one kind.
pub(crate) fn page<M: Record>(
    state: &State<'_>,
    paging: &Paging,
    keep: impl Fn(&M) -> bool,
) -> Result<Page<M>, Refused> {
    let prefix = crate::keys::record(M::KIND, "");
    walk(state, paging, &prefix, keep, |_, value| {
        Version::parse(value).map(Some)
    })
}

/// A page of the records whose ids stand in an index behind `prefix`.
pub(crate) fn page_by_index<M: Record>(
    state: &State<'_>,
    paging: &Paging,
    prefix: &[u8],
    keep: impl Fn(&M) -> bool,
) -> Result<Page<M>, Refused> {
    walk(state, paging, prefix, keep, |id, _| {
        Version::current(state, M::KIND, id)
    })
}

fn walk<M: Record>(
    state: &State<'_>,
    paging: &Paging,
    prefix: &[u8],
    keep: impl Fn(&M) -> bool,
    version: impl Fn(&str, &[u8]) -> Result<Option<Version>, store::Error>,
) -> Result<Page<M>, Refused> {
    let mut cursor = paging.start(state)?;
    let start = match &cursor.after[..] {
        [] => prefix.to_vec(),
        after => [prefix, after, &[0]].concat(),
    };
    let end = [prefix, &[u8::MAX]].concat();
    let (mut page, mut bytes, mut looks) = (Vec::new(), 0, 0);
    for entry in state.range(&start, &end) {
        let (key, value) = entry?;
        if page.len() == paging.size || bytes > PAGE_BYTES || looks == MAX_LOOKS {
            let token = PageToken::encode(paging.digest, &cursor.encode());
            return Ok((page, token));
        }
        looks += 1;
        let id = std::str::from_utf8(&key[prefix.len()..]);
        let id = id.map_err(|_| store::Error::View("the id of a record".into()))?;
        cursor.after = id.as_bytes().to_vec();
        let Some(version) = version(id, &value)? else {
            continue;
        };
        let record = version.record_as_of::<M>(state, id, cursor.as_of)?;
        if let Some(record) = record.filter(|record| keep(record)) {
            bytes += record.encoded_len();
            page.push(record);
        }
    }
    Ok((page, String::new()))
}
