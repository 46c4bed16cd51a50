//! What a recorded or deleted record does to the state.

use std::collections::{BTreeMap, BTreeSet};

use proto::Slug;
use store::{Model, Stamp, State};

use crate::keys;
use crate::place;
use crate::record::{Record, Times};
use crate::topic::Topic;
use crate::version::{Version, id_in};

/// Applies that a record was created or changed.
pub fn apply_recorded<S: Model, M: Record<S>>(
    state: &mut State<'_>,
    record: &M,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let id = id_of::<S, M>(record.name())?;
    let before = Version::current(state, M::KIND, id.as_str())?;
    let times = Times {
        created: before.as_ref().map_or(stamp.time, Version::created),
        updated: stamp.time,
    };
    let mut record = record.clone();
    record.complete(M::NAME(&id), times);
    for place in record.places() {
        let key = keys::place(M::KIND, &place, id.as_str());
        let beside = match before {
            Some(_) => state.get(&key)?,
            None => None,
        };
        state.put(key, place::value(beside.as_deref(), record.until()))?;
    }
    supersede::<S, M>(state, &id, before, Some(&record), stamp)
}

/// Applies that a record was deleted.
pub fn apply_deleted<S: Model, M: Record<S>>(
    state: &mut State<'_>,
    name: &str,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let id = id_of::<S, M>(name)?;
    let before = Version::current(state, M::KIND, id.as_str())?;
    supersede::<S, M>(state, &id, before, None, stamp)
}

fn supersede<S: Model, M: Record<S>>(
    state: &mut State<'_>,
    id: &Slug,
    before: Option<Version>,
    record: Option<&M>,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let (kind, id) = (M::KIND, id.as_str());
    let version = Version::next(before.as_ref(), stamp.time, record);
    let mut topics: BTreeSet<Topic> = record
        .map(Record::topics)
        .unwrap_or_default()
        .into_iter()
        .collect();
    if let Some(before) = before {
        let was: Option<M> = before.record()?;
        topics.extend(was.as_ref().map(Record::topics).unwrap_or_default());
        let history = keys::record_history(kind, id, stamp.time);
        state.put(history, prost::Message::encode_to_vec(&before))?;
    }
    for topic in topics.into_iter().map(Some).chain([None]) {
        state.put(keys::change(topic, stamp.time, kind, id), Vec::new())?;
    }
    state.put(
        keys::record(kind, id),
        prost::Message::encode_to_vec(&version),
    )
}

fn id_of<S: Model, M: Record<S>>(name: &str) -> Result<Slug, store::Error> {
    let id = M::PARSE_NAME(name);
    id.map_err(|error| store::Error::View(format!("the name of a recorded change: {error}")))
}

/// Keys of the indexes that are not there although a version of a record of this kind asks for them, and those that
/// are there and no version asks for: none, unless the view is wrong. Changes of other kinds are passed over. It
/// reads all versions: a check for tests and for verification, not for calls.
pub fn recompute<S: Model, M: Record<S>>(state: &State<'_>) -> Result<Vec<Vec<u8>>, store::Error> {
    let mut wanted: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let (records, end) = keys::records(M::KIND);
    for entry in state.range(&records, &end) {
        let (key, value) = entry?;
        let id = id_in(&key)?;
        let mut version = Some(Version::parse(&value)?);
        while let Some(now) = version {
            let before = now.before(state, M::KIND, id)?;
            let mut topics = BTreeSet::from([None]);
            if let Some(record) = now.record::<M>()? {
                for place in record.places() {
                    let key = keys::place(M::KIND, &place, id);
                    let beside = wanted.get(&key).map(Vec::as_slice);
                    let value = place::value(beside, record.until());
                    wanted.insert(key, value);
                }
                topics.extend(record.topics().into_iter().map(Some));
            }
            let was: Option<M> = Version::record_of(before.as_ref())?;
            topics.extend(was.iter().flat_map(Record::topics).map(Some));
            let changes = topics.into_iter();
            let changes = changes.map(|topic| keys::change(topic, now.since(), M::KIND, id));
            wanted.extend(changes.map(|change| (change, Vec::new())));
            version = before;
        }
    }
    let mut there = BTreeMap::new();
    let (places, end) = keys::places(M::KIND);
    for entry in state.range(&places, &end) {
        let (key, value) = entry?;
        there.insert(key.to_vec(), value.to_vec());
    }
    let (changes, end) = keys::all_changes();
    for entry in state.range(&changes, &end) {
        let key = entry?.0;
        if keys::kind_of_change(&key) == Some(M::KIND) {
            there.insert(key.to_vec(), Vec::new());
        }
    }
    let keys: BTreeSet<&Vec<u8>> = wanted.keys().chain(there.keys()).collect();
    let differ = keys
        .into_iter()
        .filter(|key| wanted.get(*key) != there.get(*key));
    Ok(differ.cloned().collect())
}
