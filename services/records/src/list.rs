//! Pages of records, as of the instant of the first page.

use prost::Message;
use prost_types::Timestamp;
use proto::{PageToken, PageTokenError, Violations, parse_timestamp};
use store::{Micros, Model, State};

use crate::error::Error;
use crate::keys;
use crate::place::{Span, standing};
use crate::record::Record;
use crate::request::ListRequest;
use crate::version::{Version, id_in};

/// A page that has reached this size ends; a client takes 4 MiB if nobody told it otherwise.
const PAGE_BYTES: usize = 1 << 20;
/// Records that one page may look at.
const MAX_LOOKS: usize = 2_000;
const INSTANT: usize = 8;

/// The page of a list that is asked for.
#[derive(Clone, Debug)]
pub struct Paging {
    size: usize,
    as_of: Option<Micros>,
    digest: u64,
    token: String,
}

/// A page and the token of the next one; empty on the last.
pub type Page<M> = (Vec<M>, String);

impl Paging {
    /// Parses what all requests for a page have in common, and takes it out of the request. `sizes` are the default
    /// and the largest page.
    pub fn take<S, Q: ListRequest<S>>(
        request: &mut Q,
        sizes: (u32, u32),
        violations: &mut Violations,
    ) -> Option<Paging> {
        let (size, token) = request.take_page();
        let digest = proto::query_digest(&[Q::METHOD.as_bytes(), &request.encode_to_vec()]);
        let size = proto::page_size(size, sizes.0, sizes.1);
        let size = violations.check_nested("", size);
        let as_of = request
            .as_of()
            .map(|as_of: &Timestamp| parse_timestamp(as_of));
        let as_of = violations.check("as_of", as_of.transpose());
        Some(Paging {
            size: size? as usize,
            as_of: as_of?,
            digest,
            token,
        })
    }

    /// What a token is bound to.
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    /// Whether a page of so many entries and bytes ends here.
    pub fn is_full(&self, entries: usize, bytes: usize) -> bool {
        entries >= self.size || bytes > PAGE_BYTES
    }

    /// The cursor of the page before; `None` on the first page.
    ///
    /// # Errors
    /// [`PageTokenError`] when the token is of another query, or none.
    pub(crate) fn cursor(&self) -> Result<Option<Vec<u8>>, PageTokenError> {
        if self.token.is_empty() {
            return Ok(None);
        }
        PageToken::decode(&self.token, self.digest).map(Some)
    }

    /// As of when the page answers, and after what: what comes after the first page's instant is on no page.
    ///
    /// # Errors
    /// [`PageTokenError`] when the token is of another query, or none.
    pub fn start(&self, state: &State<'_>) -> Result<(Micros, Vec<u8>), PageTokenError> {
        let Some(cursor) = self.cursor()? else {
            let now = state.stamp().time;
            return Ok((self.as_of.map_or(now, |asked| asked.min(now)), Vec::new()));
        };
        let (as_of, after) = cursor
            .split_first_chunk::<INSTANT>()
            .ok_or(PageTokenError::Malformed)?;
        Ok((Micros::from_be_bytes(*as_of), after.to_vec()))
    }

    /// The token of the page after one that answered as of an instant and came as far as `after`.
    pub fn token(&self, as_of: Micros, after: &[u8]) -> String {
        PageToken::encode(self.digest, &[&as_of.to_be_bytes()[..], after].concat())
    }
}

/// A page of what a walk meets: what it has looked at, and how much it has kept.
struct Gathering<'a, M> {
    paging: &'a Paging,
    as_of: Micros,
    after: Vec<u8>,
    page: Vec<M>,
    bytes: usize,
    looks: usize,
}

impl<'a, M: Message> Gathering<'a, M> {
    fn new(paging: &'a Paging, as_of: Micros) -> Gathering<'a, M> {
        Gathering {
            paging,
            as_of,
            after: Vec::new(),
            page: Vec::new(),
            bytes: 0,
            looks: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.looks == MAX_LOOKS || self.paging.is_full(self.page.len(), self.bytes)
    }

    fn look(&mut self, after: Vec<u8>, record: Option<M>) {
        self.looks += 1;
        self.after = after;
        if let Some(record) = record {
            self.bytes += record.encoded_len();
            self.page.push(record);
        }
    }

    fn unfinished(self) -> Page<M> {
        let token = self.paging.token(self.as_of, &self.after);
        (self.page, token)
    }
}

/// A page of the records of one kind, in the order of their ids.
///
/// # Errors
/// [`Error::PageToken`].
pub fn page<S: Model, M: Record<S>>(
    state: &State<'_>,
    paging: &Paging,
    keep: impl Fn(&M) -> bool,
) -> Result<Page<M>, Error> {
    let (as_of, after) = paging.start(state)?;
    let (first, end) = keys::records(M::KIND);
    let start = match &after[..] {
        [] => first,
        after => [&first[..], after, &[0]].concat(),
    };
    let mut gathering = Gathering::new(paging, as_of);
    for entry in state.range(&start, &end) {
        let (key, value) = entry?;
        if gathering.is_full() {
            return Ok(gathering.unfinished());
        }
        let id = id_in(&key)?;
        let version = Version::parse(&value)?.stepped_back(state, M::KIND, id, as_of)?;
        let record = Version::record_of(version.as_ref())?;
        gathering.look(id.as_bytes().to_vec(), record.filter(&keep));
    }
    Ok((gathering.page, String::new()))
}

/// A page of the records along a span, in the order of their dates and ids.
///
/// # Errors
/// [`Error::PageToken`].
pub fn page_along<S: Model, M: Record<S>>(
    state: &State<'_>,
    paging: &Paging,
    span: &Span,
    keep: impl Fn(&M) -> bool,
) -> Result<Page<M>, Error> {
    let (as_of, after) = paging.start(state)?;
    let after = match after.split_first_chunk() {
        Some((at, id)) => {
            let id = std::str::from_utf8(id).map_err(|_| PageTokenError::Malformed)?;
            Some((u32::from_be_bytes(*at), id))
        }
        None => None,
    };
    let mut gathering = Gathering::new(paging, as_of);
    for standing in standing::<S, M>(state, span, as_of, false, after) {
        let standing = standing?;
        if gathering.is_full() {
            return Ok(gathering.unfinished());
        }
        let cursor = standing.cursor();
        gathering.look(cursor, standing.record.filter(&keep));
    }
    Ok((gathering.page, String::new()))
}
