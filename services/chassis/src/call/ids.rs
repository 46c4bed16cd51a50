//! Names of calls: request ids and trace ids.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::hash::{BuildHasher, RandomState};

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Span;

use crate::telemetry::recording;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const MAX_REQUEST_ID: usize = 128;
/// `version-trace-parent-flags`.
const TRACEPARENT_BYTES: usize = 2 + 1 + 32 + 1 + 16 + 1 + 2;

/// Where a call stands in a trace, as W3C Trace Context has it: what is done for it belongs there too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: u128,
    /// Whose child whatever comes of the call is: the call itself where it is recorded, else whose child it is.
    parent: u64,
    flags: u8,
}

/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

impl Trace {
    /// The caller's.
    pub(super) fn find(headers: &HeaderMap) -> Option<Self> {
        parse(headers.get(TRACEPARENT)?.as_bytes())
    }

    /// A new one, which nobody records.
    pub(super) fn new() -> Self {
        Self {
            id: random(),
            parent: parent(),
            flags: 0,
        }
    }

    /// Its id, as every log has it.
    pub(crate) fn id(self) -> TraceId {
        TraceId(self.id)
    }

    /// The id of the parent.
    pub(crate) fn parent(self) -> u64 {
        self.parent
    }

    /// Whether it is recorded, by whoever can.
    pub(crate) fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// A number from 0 to 1 that nothing follows from.
    pub(crate) fn chance() -> f64 {
        let drawn = u32::try_from(random() >> 96).expect("a quarter of it");
        f64::from(drawn) / f64::from(u32::MAX)
    }

    /// The same trace, recorded and under another parent.
    pub(crate) fn under(self, parent: u64) -> Self {
        Self {
            parent,
            flags: self.flags | SAMPLED,
            ..self
        }
    }

    /// The same trace for what is asked within a span.
    #[must_use]
    pub fn within(self, span: &Span) -> Self {
        recording::under(self, span)
    }

    /// Writes it for whom a call is passed to.
    pub fn hand_on(self, headers: &mut HeaderMap) {
        let Self { id, parent, flags } = self;
        let mut text = BytesMut::with_capacity(TRACEPARENT_BYTES);
        write!(text, "00-{id:032x}-{parent:016x}-{flags:02x}").expect("a buffer takes all");
        let mut value = HeaderValue::from_maybe_shared(text.freeze()).expect("visible ASCII");
        // HTTP/2 would keep it in the table of headers that come again, and push those out.
        value.set_sensitive(true);
        headers.insert(TRACEPARENT, value);
    }
}

/// The id of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceId(pub(crate) u128);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The id of a part of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpanId(pub(super) u64);

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// An id for a call or what is done for it, which is never zero.
fn parent() -> u64 {
    u64::try_from(random() >> 64).expect("half of it") | 1
}

/// The caller's request id if it can stand in a log as it is, or a new UUID; the request has it too
/// from then on, for whom the call is passed to.
pub(super) fn request_id(headers: &mut HeaderMap) -> HeaderValue {
    if let Some(given) = headers.get(REQUEST_ID).filter(|id| is_plain(id)) {
        return given.clone();
    }
    let id = fresh();
    headers.insert(REQUEST_ID, id.clone());
    id
}

fn is_plain(id: &HeaderValue) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

fn fresh() -> HeaderValue {
    let uuid = uuid::Builder::from_random_bytes(random().to_be_bytes()).into_uuid();
    let mut text = uuid::Uuid::encode_buffer();
    HeaderValue::from_str(uuid.hyphenated().encode_lower(&mut text))
        .expect("hexadecimal digits and hyphens are visible ASCII")
}

/// `version-trace-parent-flags`; a later version may say more behind them.
fn parse(traceparent: &[u8]) -> Option<Trace> {
    let mut parts = traceparent.splitn(4, |byte| *byte == b'-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, rest) = (parts.next()?, parts.next()?);
    let (flags, more) = rest.split_at_checked(2)?;
    let known = version == b"00" && more.is_empty();
    let later = version != b"00" && version != b"ff" && (more.is_empty() || more[0] == b'-');
    hex(version, 2).filter(|_| known || later)?;
    Some(Trace {
        id: hex(trace, 32).filter(|id| *id != 0)?,
        parent: u64::try_from(hex(parent, 16)?).ok().filter(|id| *id != 0)?,
        flags: u8::try_from(hex(flags, 2)?).ok()?,
    })
}

fn hex(digits: &[u8], count: usize) -> Option<u128> {
    let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let valid = digits.len() == count && digits.iter().all(lower);
    let text = std::str::from_utf8(digits).ok().filter(|_| valid)?;
    u128::from_str_radix(text, 16).ok()
}

/// The next state of a generator that does not come by the same one twice, started by the operating
/// system once a thread: ids need to differ, not to be secret, and a system call for each would show.
fn random() -> u128 {
    const FACTOR: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
    const STEP: u128 = 0x5851_f42d_4c95_7f2d_1405_7b7e_f767_814f;
    thread_local! {
        static STATE: Cell<u128> = Cell::new(seed());
    }
    let state = STATE.get().wrapping_mul(FACTOR).wrapping_add(STEP);
    STATE.set(state);
    // Its low bits change in a pattern; the high ones hide it.
    state ^ (state >> 64)
}

fn seed() -> u128 {
    let half = |side: u8| u128::from(RandomState::new().hash_one(side));
    half(0) << 64 | half(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn trace(traceparent: &str) -> Option<String> {
        parse(traceparent.as_bytes()).map(|trace| trace.id().to_string())
    }

    fn given(id: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(id))])
    }

    #[test]
    fn a_trace_is_taken_over() {
        let sent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(trace(&sent).as_deref(), Some(TRACE));
        let later = format!("01-{TRACE}-00f067aa0ba902b7-01-what-comes-one-day");
        assert_eq!(trace(&later).as_deref(), Some(TRACE));
    }

    fn handed_on(trace: Trace) -> String {
        let mut headers = HeaderMap::new();
        trace.hand_on(&mut headers);
        headers[TRACEPARENT].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_trace_that_is_not_recorded_here_is_handed_on_as_it_came() {
        let sent = format!("00-{TRACE}-00f067aa0ba902b7-03");
        let given = parse(sent.as_bytes()).unwrap();
        assert_eq!(handed_on(given), sent);
        let recorded = handed_on(given.under(0xa5));
        assert_eq!(recorded, format!("00-{TRACE}-00000000000000a5-03"));
    }

    #[test]
    fn a_new_trace_is_one_that_nobody_records() {
        let handed = handed_on(Trace::new());
        assert!(handed.ends_with("-00"), "{handed}");
        assert!(trace(&handed).is_some(), "{handed}");
    }

    #[test]
    fn junk_is_no_trace() {
        let zeros = "0".repeat(32);
        for junk in [
            String::new(),
            "-".repeat(60),
            "junk".to_owned(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-1"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("01-{TRACE}-00f067aa0ba902b7-01more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("0-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{zeros}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-+{}-00f067aa0ba902b7-01", &TRACE[1..]),
            format!("00-{TRACE}-00f067aa0ba902b7-é"),
        ] {
            assert_eq!(trace(&junk), None, "{junk:?}");
        }
    }

    #[test]
    fn a_request_id_is_kept_if_it_can_stand_in_a_log() {
        assert_eq!(request_id(&mut given("desk-7:42")), "desk-7:42");
        for refused in ["", "two words", "tab\tbed"] {
            let mut headers = given(refused);
            let id = request_id(&mut headers);
            assert!(uuid::Uuid::parse_str(id.to_str().unwrap()).is_ok());
            assert_eq!(headers[REQUEST_ID], id);
        }
    }

    #[test]
    fn a_request_id_is_bounded() {
        let (most, more) = ("a".repeat(128), "a".repeat(129));
        assert!(is_plain(&HeaderValue::from_str(&most).unwrap()));
        assert!(!is_plain(&HeaderValue::from_str(&more).unwrap()));
    }

    #[test]
    fn no_two_are_alike() {
        let threads = [(); 4].map(|()| std::thread::spawn(|| [(); 1_000].map(|()| random())));
        let made = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        assert_eq!(made.collect::<HashSet<_>>().len(), 4_000);
    }
}
