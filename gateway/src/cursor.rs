//! How far a reader has come in the journals of all services: what a watch resumes with.

use proto::{PageToken, query_digest};

/// What a cursor is bound to: nothing but being one.
const DIGEST: &[u8] = b"entente.gateway.v1 cursor";
/// Stands for a position that is not known.
const UNKNOWN: u64 = u64::MAX;

/// How far a reader has come in a journal: past all entries up to a position, and all that was recorded up to an
/// instant. Of the two the later one counts: where only the instant is known, the position is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// The position.
    pub(crate) position: u64,
    /// The instant; -1 before the first.
    pub(crate) time: i64,
}

impl Point {
    /// Before all that was ever recorded.
    pub(crate) const START: Point = Point {
        position: 0,
        time: -1,
    };

    /// What follows an instant.
    pub(crate) fn after(time: i64) -> Point {
        Point { position: 0, time }
    }

    /// Adds it to bytes.
    pub(crate) fn encode(point: Option<Point>, bytes: &mut Vec<u8>) {
        let (position, time) = point.map_or((UNKNOWN, 0), |point| (point.position, point.time));
        bytes.extend(position.to_be_bytes());
        bytes.extend(time.to_be_bytes());
    }

    /// Takes one from the beginning of bytes.
    ///
    /// # Errors
    /// That there are too few of them.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Result<Option<Point>, TooShort> {
        let (position, rest) = bytes.split_first_chunk().ok_or(TooShort)?;
        let (time, rest) = rest.split_first_chunk().ok_or(TooShort)?;
        *bytes = rest;
        let (position, time) = (u64::from_be_bytes(*position), i64::from_be_bytes(*time));
        Ok((position != UNKNOWN).then_some(Point { position, time }))
    }
}

/// There are fewer bytes than a point has.
#[derive(Debug)]
pub(crate) struct TooShort;

/// How far a reader has come in trade, events and culture; `None`: in that journal it begins with what is recorded once
/// the service is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor(pub(crate) [Option<Point>; 3]);

impl Cursor {
    /// Before all that was ever recorded.
    pub(crate) const START: Cursor = Cursor([Some(Point::START); 3]);

    /// The cursor as text: 82 characters.
    pub(crate) fn encode(self) -> String {
        let mut bytes = Vec::with_capacity(48);
        for point in self.0 {
            Point::encode(point, &mut bytes);
        }
        PageToken::encode(query_digest(&[DIGEST]), &bytes)
    }

    /// The cursor in a text.
    ///
    /// # Errors
    /// That it is none.
    pub(crate) fn parse(text: &str) -> Result<Cursor, &'static str> {
        const REFUSED: &str = "is no cursor: take it from an answer, unchanged";
        let bytes = PageToken::decode(text, query_digest(&[DIGEST])).map_err(|_| REFUSED)?;
        let mut bytes = &bytes[..];
        let mut points = [None; 3];
        for point in &mut points {
            *point = Point::decode(&mut bytes).map_err(|_| REFUSED)?;
        }
        if bytes.is_empty() {
            Ok(Cursor(points))
        } else {
            Err(REFUSED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_short_and_survives_the_way_to_a_client_and_back() {
        let point = Point {
            position: u64::MAX - 1,
            time: i64::MAX,
        };
        for cursor in [
            Cursor::START,
            Cursor::default(),
            Cursor([Some(point), None, Some(Point::after(7))]),
        ] {
            let text = cursor.encode();
            assert!(text.len() <= 100, "{text}");
            assert_eq!(Cursor::parse(&text), Ok(cursor));
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let right = Cursor::START.encode();
        let cut = &right[..right.len() - 1];
        let token = PageToken::encode(7, &[0; 48]);
        let long = PageToken::encode(query_digest(&[DIGEST]), &[0; 49]);
        for wrong in ["", "a", cut, &token, &long] {
            assert!(Cursor::parse(wrong).is_err(), "{wrong}");
        }
    }
}
