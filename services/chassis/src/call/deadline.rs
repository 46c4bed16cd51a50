//! Deadlines: `grpc-timeout` is read, held to the limits and kept, for the head and for the stream.
//!
//! The header is taken out of the request, so that nothing behind this counts it a second time from
//! its own start: [`Deadline`] is what remains, and says what is left of it.

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request};
use proto::Violations;
use proto::error::v1::ErrorReason;
use tokio::time::{Instant, Sleep};
use tonic::{Code, Status};

use crate::Config;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// When the caller stops waiting; in the extensions of every request that has a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// What is left of it, for the calls made on its behalf.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

#[derive(Debug)]
pub(super) struct Deadlines {
    unary: HashSet<String>,
    default: Duration,
    max: Duration,
}

/// Ends one call. Most calls end without waiting, so the runtime's timer is asked for at the first wait.
#[derive(Debug, Default)]
pub(super) struct Timer {
    deadline: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadlines {
    pub(super) fn new(unary: HashSet<String>, config: &Config) -> Self {
        Self {
            unary,
            default: config.default_deadline,
            max: config.max_deadline,
        }
    }

    /// The timer of a call that started at `started`; refuses one whose deadline is none or over.
    pub(super) fn timer<B>(
        &self,
        request: &mut Request<B>,
        started: Instant,
    ) -> Result<Timer, Status> {
        let asked = match request.headers_mut().remove(GRPC_TIMEOUT) {
            Some(value) => Some(parse(&value)?),
            None => None,
        };
        let Some(timeout) = self.granted(request.uri().path(), asked) else {
            return Ok(Timer::default());
        };
        if timeout.is_zero() {
            return Err(exceeded());
        }
        let deadline = started + timeout;
        request.extensions_mut().insert(Deadline(deadline));
        Ok(Timer::until(deadline))
    }

    /// Whether the method at a path streams neither way.
    pub(super) fn is_unary(&self, path: &str) -> bool {
        self.unary.contains(path)
    }

    /// Streams may be as long as they like: an upload of hours is answered at its end only.
    fn granted(&self, path: &str, asked: Option<Duration>) -> Option<Duration> {
        match asked {
            Some(timeout) if timeout <= self.max => Some(timeout),
            Some(timeout) if !self.unary.contains(path) => Some(timeout),
            Some(_) => Some(self.max),
            None => self.unary.contains(path).then_some(self.default),
        }
    }
}

impl Timer {
    pub(super) fn until(deadline: Instant) -> Self {
        Self {
            deadline: Some(deadline),
            sleep: None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Fails once the deadline has passed.
    pub(super) fn check(&self) -> Result<(), Status> {
        match self.deadline {
            Some(deadline) if deadline <= Instant::now() => Err(exceeded()),
            Some(_) | None => Ok(()),
        }
    }

    /// Ready once the deadline has passed.
    pub(super) fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        sleep.as_mut().poll(cx).map(|()| exceeded())
    }
}

/// One to eight digits and a unit.
fn parse(value: &HeaderValue) -> Result<Duration, Status> {
    let parsed = value.as_bytes().split_last().and_then(|(unit, digits)| {
        let digits = std::str::from_utf8(digits).ok()?;
        let plain = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let amount = digits.parse().ok().filter(|_| plain)?;
        duration(*unit, amount)
    });
    parsed.ok_or_else(malformed)
}

fn duration(unit: u8, amount: u64) -> Option<Duration> {
    match unit {
        b'H' => Some(Duration::from_secs(amount * 3_600)),
        b'M' => Some(Duration::from_secs(amount * 60)),
        b'S' => Some(Duration::from_secs(amount)),
        b'm' => Some(Duration::from_millis(amount)),
        b'u' => Some(Duration::from_micros(amount)),
        b'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

fn exceeded() -> Status {
    proto::status(
        Code::DeadlineExceeded,
        ErrorReason::DeadlineExceeded,
        "the deadline of the call passed before its end",
        [],
    )
}

fn malformed() -> Status {
    let rule = "one to eight digits and one of H, M, S, m, u, n";
    Violations::one("grpc-timeout", rule).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: &str = "/trade/Get";

    fn deadlines() -> Deadlines {
        let unary = HashSet::from([METHOD.to_owned()]);
        Deadlines::new(unary, &Config::default())
    }

    fn parsed(text: &str) -> Result<Duration, Code> {
        let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
        parse(&value).map_err(|status| status.code())
    }

    #[test]
    fn every_unit_is_read() {
        let minute = Duration::from_secs(60);
        assert_eq!(parsed("2H"), Ok(120 * minute));
        assert_eq!(parsed("3M"), Ok(3 * minute));
        assert_eq!(parsed("60S"), Ok(minute));
        assert_eq!(parsed("60000m"), Ok(minute));
        assert_eq!(parsed("60000000u"), Ok(minute));
        assert_eq!(parsed("99999999n"), Ok(Duration::from_nanos(99_999_999)));
        assert_eq!(
            parsed("99999999H"),
            Ok(Duration::from_secs(99_999_999 * 3_600))
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "S",
            "1",
            "+1S",
            "-1S",
            "1 S",
            "1s",
            "100000000S",
            "1.5S",
            "١S",
            "1SS",
        ] {
            assert_eq!(parsed(text), Err(Code::InvalidArgument), "{text:?}");
        }
    }

    #[test]
    fn a_unary_call_always_has_a_deadline_and_a_stream_only_its_own() {
        let (deadlines, config) = (deadlines(), Config::default());
        let day = Duration::from_secs(86_400);
        let second = Duration::from_secs(1);
        assert_eq!(
            deadlines.granted(METHOD, None),
            Some(config.default_deadline)
        );
        assert_eq!(deadlines.granted(METHOD, Some(second)), Some(second));
        assert_eq!(
            deadlines.granted(METHOD, Some(day)),
            Some(config.max_deadline)
        );
        assert_eq!(deadlines.granted("/trade/Watch", None), None);
        assert_eq!(deadlines.granted("/trade/Watch", Some(day)), Some(day));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_of_a_deadline_shrinks() {
        let mut request = Request::new(());
        *request.uri_mut() = http::Uri::from_static(METHOD);
        let value = HeaderValue::from_static("2S");
        request.headers_mut().insert(GRPC_TIMEOUT, value);
        deadlines().timer(&mut request, Instant::now()).unwrap();
        assert!(!request.headers().contains_key(GRPC_TIMEOUT));

        tokio::time::advance(Duration::from_millis(500)).await;
        let deadline = *request.extensions().get::<Deadline>().unwrap();
        assert_eq!(deadline.remaining(), Duration::from_millis(1_500));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(deadline.remaining(), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_deadline_of_nothing_is_over_before_the_handler_sees_it() {
        let mut request = Request::new(());
        let value = HeaderValue::from_static("0n");
        request.headers_mut().insert(GRPC_TIMEOUT, value);
        let refused = deadlines().timer(&mut request, Instant::now()).unwrap_err();
        assert_eq!(refused.code(), Code::DeadlineExceeded);
    }
}
