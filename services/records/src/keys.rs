//! Every key of a service's records, in one place. A service's own keys begin with other bytes.
//!
//! | first byte | then | value |
//! |---|---|---|
//! | `RECORD` | kind, id | [`Version`](crate::Version): the record as it is now |
//! | `RECORD_HISTORY` | kind, id, 0, when superseded | [`Version`](crate::Version): the one that was superseded then |
//! | `PLACE` | kind, index, group, date, id | the last day that it may touch, or nothing: the record stands, or once stood, there |
//! | `CHANGED` | 0, when recorded, kind, id | nothing: a version was recorded then |
//! | `CHANGED` | 1, topic, when recorded, kind, id | the same, of a record about a topic, before or after |
//!
//! Numbers are big-endian, so that keys sort as what they mean.

use store::Micros;

use crate::place::Place;
use crate::topic::Topic;

const RECORD: u8 = 0x50;
const RECORD_HISTORY: u8 = 0x51;
const PLACE: u8 = 0x53;
const CHANGED: u8 = 0x54;

pub(crate) fn record(kind: u8, id: &str) -> Vec<u8> {
    [&[RECORD, kind], id.as_bytes()].concat()
}

/// The keys before the first and after the last record of a kind.
pub(crate) fn records(kind: u8) -> (Vec<u8>, Vec<u8>) {
    (vec![RECORD, kind], vec![RECORD, kind + 1])
}

/// The id in the key of a record.
pub(crate) fn record_id(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.get(2..)?).ok()
}

pub(crate) fn record_history(kind: u8, id: &str, superseded: Micros) -> Vec<u8> {
    // The zero keeps the versions of an id apart from those of an id that continues it.
    let id = id.as_bytes();
    [&[RECORD_HISTORY, kind], id, &[0], &superseded.to_be_bytes()].concat()
}

/// Keys of all versions of a record that were superseded after `instant`.
pub(crate) fn record_history_after(kind: u8, id: &str, instant: Micros) -> (Vec<u8>, Vec<u8>) {
    (
        record_history(kind, id, instant.saturating_add(1)),
        [&record_history(kind, id, Micros::MAX)[..], &[0]].concat(),
    )
}

/// What stands before the dates in the places of a group.
pub(crate) fn group(kind: u8, index: u8, group: &[u8]) -> Vec<u8> {
    [&[PLACE, kind, index], group].concat()
}

pub(crate) fn place(kind: u8, place: &Place, id: &str) -> Vec<u8> {
    let group = group(kind, place.index, &place.group);
    [&group[..], &place.at.to_be_bytes(), id.as_bytes()].concat()
}

/// The keys before the first and after the last place of a kind.
pub(crate) fn places(kind: u8) -> (Vec<u8>, Vec<u8>) {
    (vec![PLACE, kind], vec![PLACE, kind + 1])
}

/// What stands before the instants of changes, of a topic or of all.
pub(crate) fn changes(topic: Option<Topic>) -> Vec<u8> {
    match topic {
        None => vec![CHANGED, 0],
        Some(topic) => [&[CHANGED, 1], &topic.bytes()[..]].concat(),
    }
}

pub(crate) fn change(topic: Option<Topic>, recorded: Micros, kind: u8, id: &str) -> Vec<u8> {
    let of = changes(topic);
    [&of[..], &recorded.to_be_bytes(), &[kind], id.as_bytes()].concat()
}

/// The kind of the record in the key of a change.
pub(crate) fn kind_of_change(key: &[u8]) -> Option<u8> {
    let instant = match key.get(1)? {
        0 => 2,
        _ => 6,
    };
    key.get(instant + 8).copied()
}

/// The keys before the first and after the last change of any topic.
pub(crate) fn all_changes() -> (Vec<u8>, Vec<u8>) {
    (vec![CHANGED], vec![CHANGED + 1])
}
