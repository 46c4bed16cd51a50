//! Instants, as microseconds since 1970-01-01T00:00:00Z.

use prost_types::Timestamp;

const YEAR_1: i64 = -62_135_596_800;
const YEAR_10000: i64 = 253_402_300_800;

/// Why a timestamp is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Seconds outside the years 1 to 9999.
    #[error("must lie in the years 1 to 9999")]
    OutOfRange,
    /// Nanoseconds below 0 or a second and more.
    #[error("nanos must be 0 to 999999999")]
    BadNanos,
}

/// The instant of a timestamp, rounded down to a microsecond.
///
/// # Errors
/// [`TimeError`] when it is not a valid `google.protobuf.Timestamp`.
pub fn parse_timestamp(timestamp: &Timestamp) -> Result<i64, TimeError> {
    let Timestamp { seconds, nanos } = *timestamp;
    if !(YEAR_1..YEAR_10000).contains(&seconds) {
        return Err(TimeError::OutOfRange);
    }
    if !(0..1_000_000_000).contains(&nanos) {
        return Err(TimeError::BadNanos);
    }
    Ok(seconds * 1_000_000 + i64::from(nanos / 1_000))
}

/// The timestamp of an instant.
pub fn to_timestamp(micros: i64) -> Timestamp {
    let nanos = micros.rem_euclid(1_000_000) * 1_000;
    Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(nanos).expect("below a second"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_the_way_to_the_wire_and_back() {
        for micros in [0, 1, -1, 1_720_000_000_123_456, -62_135_596_800_000_000] {
            assert_eq!(parse_timestamp(&to_timestamp(micros)), Ok(micros));
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        let refused = |seconds, nanos| parse_timestamp(&Timestamp { seconds, nanos });
        assert_eq!(refused(0, -1), Err(TimeError::BadNanos));
        assert_eq!(refused(0, 1_000_000_000), Err(TimeError::BadNanos));
        assert_eq!(refused(YEAR_10000, 0), Err(TimeError::OutOfRange));
        assert_eq!(refused(i64::MIN, 0), Err(TimeError::OutOfRange));
    }
}
