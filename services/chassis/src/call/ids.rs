//! Names of calls: request ids and trace ids.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::hash::{BuildHasher, RandomState};

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const MAX_REQUEST_ID: usize = 128;
/// `version-trace-parent-flags`.
const TRACEPARENT_BYTES: usize = 2 + 1 + 32 + 1 + 16 + 1 + 2;

/// The trace id of W3C Trace Context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceId(u128);

impl TraceId {
    /// The caller's, or a new one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(TRACEPARENT);
        given
            .and_then(|value| parse(value.as_bytes()))
            .unwrap_or_else(|| Self(random()))
    }

    /// Writes it for whom a call is passed to, with a parent id of its own and the caller's flags.
    pub(super) fn hand_on(self, headers: &mut HeaderMap) {
        let flags = headers.get(TRACEPARENT).and_then(flags).unwrap_or(0);
        let parent = random() >> 64 | 1;
        let mut text = BytesMut::with_capacity(TRACEPARENT_BYTES);
        write!(text, "00-{self}-{parent:016x}-{flags:02x}").expect("a buffer takes all");
        let mut value = HeaderValue::from_maybe_shared(text.freeze()).expect("visible ASCII");
        // HTTP/2 would keep it in the table of headers that come again, and push those out.
        value.set_sensitive(true);
        headers.insert(TRACEPARENT, value);
    }
}

/// The flags of a trace that is taken over.
fn flags(traceparent: &HeaderValue) -> Option<u8> {
    parse(traceparent.as_bytes())?;
    let digits = traceparent.as_bytes().get(53..55)?;
    u8::try_from(hex(digits, 2)?).ok()
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
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
fn parse(traceparent: &[u8]) -> Option<TraceId> {
    let mut parts = traceparent.splitn(4, |byte| *byte == b'-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, rest) = (parts.next()?, parts.next()?);
    let (flags, more) = rest.split_at_checked(2)?;
    let known = version == b"00" && more.is_empty();
    let later = version != b"00" && version != b"ff" && (more.is_empty() || more[0] == b'-');
    hex(version, 2).filter(|_| known || later)?;
    hex(flags, 2)?;
    hex(parent, 16).filter(|id| *id != 0)?;
    hex(trace, 32).filter(|id| *id != 0).map(TraceId)
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
        parse(traceparent.as_bytes()).map(|id| id.to_string())
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

    #[test]
    fn a_trace_that_is_handed_on_keeps_its_id_and_flags_and_gets_another_parent() {
        let sent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let value = HeaderValue::from_str(&sent).unwrap();
        let mut headers = HeaderMap::from_iter([(TRACEPARENT, value)]);
        TraceId::of(&headers).hand_on(&mut headers);
        let handed = headers[TRACEPARENT].to_str().unwrap();
        assert_eq!(trace(handed).as_deref(), Some(TRACE));
        assert!(handed.ends_with("-01"), "{handed}");
        assert!(!handed.contains("00f067aa0ba902b7"), "{handed}");
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
