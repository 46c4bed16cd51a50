//! The releases counted anew from the journal: what their index must hold if the view is right.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Day, parse_dataset_name};
use store::{Error, Micros, State, Store};
use wire::{ObservationGroup, ObservationsRecorded, TradeChange, trade_change::Change};

use crate::Model;
use crate::dataset;
use crate::keys::ReleaseKey;
use crate::releases::Release;

/// What tells a figure from all others: its dataset, its group's key and its code.
type Name = (String, [String; 4], i32, String);

/// A day of a dataset's reporter with a partner.
type Place = (String, String, String, u32);

/// Keys of releases that are not what the journal's figures make them: none, unless the view is wrong. It reads the
/// whole journal and remembers every figure's name, while nothing may be written: a check for tests and for
/// verification, not for calls.
pub fn recompute(store: &Store<Model>) -> Result<Vec<Vec<u8>>, Error> {
    let mut counted = Counted::default();
    let (mut journal, last) = (store.entries(0)?, store.last().position);
    while let Some(entry) = journal.next(last)? {
        for (stamp, write) in entry.stamped_writes()? {
            for change in write.changes {
                let change = TradeChange::decode(change);
                let change = change.map_err(|error| entry.undecodable(&error))?.change;
                if let Some(Change::ObservationsRecorded(recorded)) = change {
                    counted.take(&recorded, stamp.time);
                }
            }
        }
    }
    store.read(|state| counted.differing(state))
}

/// What was recorded up to a place in the journal.
#[derive(Default)]
struct Counted {
    figures: HashSet<Name>,
    releases: BTreeMap<Place, Release>,
}

impl Counted {
    fn take(&mut self, recorded: &ObservationsRecorded, time: Micros) {
        for group in &recorded.groups {
            for row in &group.rows {
                let is_new = self
                    .figures
                    .insert(name(&recorded.dataset, group, &row.code));
                let release = self.release(&recorded.dataset, group, time);
                release.last = time;
                release.recorded += u64::from(is_new);
                release.revised += u64::from(!is_new);
            }
        }
    }

    fn release(&mut self, dataset: &str, group: &ObservationGroup, time: Micros) -> &mut Release {
        let day = Day::of_instant(time).map_or(0, Day::ordinal);
        let (reporter, partner) = (group.reporter.clone(), group.partner.clone());
        let place = (dataset.to_owned(), reporter, partner, day);
        self.releases.entry(place).or_insert_with(|| Release {
            first: time,
            ..Release::default()
        })
    }

    fn differing(self, state: &State<'_>) -> Result<Vec<Vec<u8>>, Error> {
        let mut wanted = BTreeMap::new();
        for (place, release) in self.releases {
            wanted.insert(key(state, &place)?, release);
        }
        let mut there = BTreeMap::new();
        let (first, end) = ReleaseKey::all();
        for entry in state.range(&first, &end) {
            let (key, release) = entry?;
            there.insert(key.to_vec(), Release::parse(&release)?);
        }
        let keys: BTreeSet<&Vec<u8>> = wanted.keys().chain(there.keys()).collect();
        let differ = keys
            .into_iter()
            .filter(|key| wanted.get(*key) != there.get(*key));
        Ok(differ.cloned().collect())
    }
}

fn name(dataset: &str, group: &ObservationGroup, code: &str) -> Name {
    let ObservationGroup {
        reporter,
        partner,
        flow,
        classification,
        period,
        rows: _,
    } = group;
    let group = [reporter, partner, classification, period].map(String::clone);
    (dataset.to_owned(), group, *flow, code.to_owned())
}

fn key(state: &State<'_>, place: &Place) -> Result<Vec<u8>, Error> {
    let (dataset, reporter, partner, day) = place;
    let unreadable = || {
        Error::View(format!(
            "figures of {dataset} between {reporter} and {partner}"
        ))
    };
    let id = parse_dataset_name(dataset).map_err(|_| unreadable())?;
    let found = dataset::Record::find(state, &id, None).map_err(|_| unreadable())?;
    let key = ReleaseKey {
        reporter: reporter.parse().map_err(|_| unreadable())?,
        partner: partner.parse().map_err(|_| unreadable())?,
        day: *day,
        dataset: found.number,
    };
    Ok(key.bytes())
}
