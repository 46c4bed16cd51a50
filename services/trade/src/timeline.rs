//! What was said and published of the trade of two countries, in one order. On one date statements come before figures.

use std::collections::{BTreeMap, BTreeSet};

use proto::trade::v1 as wire;
use proto::{Day, Period, Slug, dataset_name};
use records::{Ahead, Error, Lane, Page, Span, Stop, TimelineQuery, record_lane};
use store::{Micros, State};
use wire::{
    ListTimelineRequest, ListTimelineResponse, TimelineEntry, TimelineFigures, TimelineKind,
    TimelineStatement,
};
use wire::{Statement, timeline_entry::Entry};

use crate::changes::{self, Counts, Walked};
use crate::keys::{ChangeKey, Part, ReleaseKey};
use crate::releases::Release;
use crate::statement::{BY_DAY, date_of};
use crate::{Model, dataset};

/// Entries of the index that are looked at for one day.
const MAX_STEPS: usize = 500;
/// Periods that are told of one day.
const MAX_PERIODS: usize = 60;
/// Totals that are told of one day.
const MAX_TOTALS: usize = 12;

records::timeline_request!(
    Model,
    ListTimelineRequest,
    ListTimelineResponse { TimelineEntry of TimelineKind }
);

/// A page of a timeline.
pub(crate) fn list(state: &State<'_>, query: &TimelineQuery) -> Result<Page<TimelineEntry>, Error> {
    query.page(state, |as_of| {
        let mut lanes = Vec::new();
        if query.wants(TimelineKind::Statement) {
            lanes.push(statements(state, query, as_of));
        }
        if query.wants(TimelineKind::Figures) {
            lanes.push(figures(state, query, as_of));
        }
        lanes
    })
}

fn statements<'s>(
    state: &'s State<'_>,
    query: &'s TimelineQuery,
    as_of: Micros,
) -> Lane<'s, TimelineEntry> {
    let span = Span::of(BY_DAY, query.pair.bytes()).dated(query.window);
    record_lane::<Model, Statement, _>(state, span, as_of, |_, statement| {
        let date = date_of(&statement).filter(|(date, _)| query.window.may_hold(*date));
        let entry = date.map(|(date, dated_by_period)| TimelineEntry {
            date: Some(date.into()),
            entry: Some(Entry::Statement(TimelineStatement {
                statement: Some(statement),
                dated_by_period,
            })),
        });
        entry.into_iter().collect()
    })
}

fn figures<'s>(
    state: &'s State<'_>,
    query: &'s TimelineQuery,
    as_of: Micros,
) -> Lane<'s, TimelineEntry> {
    Box::new(move |ahead: &Ahead| {
        let [low, high] = query.pair.countries();
        let prefix = ReleaseKey::pair(low, high);
        let day = |day: Option<Day>| day.map_or(0, Day::ordinal).to_be_bytes();
        let start = [&prefix[..], &day(query.window.start())].concat();
        let end = match query.window.end() {
            Some(end) => [&prefix[..], &day(Some(end))].concat(),
            None => [&prefix[..], &[u8::MAX; 5]].concat(),
        };
        let (start, end) = ahead.keys(&prefix, (start, end));
        let mut telling = Telling {
            state,
            as_of,
            datasets: BTreeMap::new(),
        };
        let stop = move |met: Result<(store::Value, store::Value), store::Error>| {
            let (key, release) = met?;
            let key = ReleaseKey::parse(&key);
            let key = key.ok_or_else(|| store::Error::View("the key of a release".into()))?;
            telling.stop(key, &Release::parse(&release)?)
        };
        if ahead.back {
            Box::new(state.range_back(&start, &end).map(stop))
        } else {
            Box::new(state.range(&start, &end).map(stop))
        }
    })
}

/// Days of figures as they are told as of an instant.
struct Telling<'s> {
    state: &'s State<'s>,
    as_of: Micros,
    /// The datasets that were met, each as it was then.
    datasets: BTreeMap<u32, wire::Dataset>,
}

impl Telling<'_> {
    fn stop(
        &mut self,
        key: ReleaseKey,
        release: &Release,
    ) -> Result<Stop<TimelineEntry>, store::Error> {
        let mut stop = Stop {
            at: key.day,
            id: key.id(),
            entries: Vec::new(),
            looks: 1,
        };
        if release.first <= self.as_of {
            let (figures, looks) = self.figures(key, release)?;
            stop.looks += looks;
            stop.entries.push(TimelineEntry {
                date: Day::of_instant(release.first).map(Into::into),
                entry: Some(Entry::Figures(figures)),
            });
        }
        Ok(stop)
    }

    /// What was recorded on a day by the instant, and what was looked at for it.
    fn figures(
        &mut self,
        key: ReleaseKey,
        release: &Release,
    ) -> Result<(TimelineFigures, usize), store::Error> {
        let until = release.last.min(self.as_of);
        let day = changes::Stretch {
            reporter: key.reporter,
            partner: key.partner,
            dataset: key.dataset,
            times: (release.first, until),
        };
        let Walked {
            entries,
            steps: mut looks,
            is_cut,
        } = day.walk(self.state, MAX_STEPS)?;
        let (recorded, revised, at_least) = if until == release.last {
            (release.recorded, release.revised, false)
        } else {
            let counted = changes::count(self.state, &entries, MAX_STEPS)?;
            looks += counted.steps;
            (counted.recorded, counted.revised, is_cut || counted.is_cut)
        };
        let (periods, more_periods) = periods(&entries);
        let totals: Vec<(ChangeKey, u16)> = entries.iter().filter_map(total).collect();
        let more_totals = totals.len() > MAX_TOTALS;
        let (totals, steps) = changes::totals(self.state, &latest(totals), self.as_of)?;
        looks += steps;
        let dataset = self.dataset(key.dataset)?;
        let figures = TimelineFigures {
            dataset: dataset.name.clone(),
            display_name: dataset.display_name.clone(),
            source: dataset.source.clone(),
            reporter: key.reporter.to_string(),
            partner: key.partner.to_string(),
            recorded: recorded.cast_signed(),
            revised: revised.cast_signed(),
            at_least,
            periods,
            totals,
            cut: is_cut || more_periods || more_totals,
        };
        Ok((figures, looks))
    }

    fn dataset(&mut self, number: u32) -> Result<&wire::Dataset, store::Error> {
        if !self.datasets.contains_key(&number) {
            let (id, _) = dataset::numbered(self.state, number)?;
            let found = self.find(&id)?;
            self.datasets.insert(number, found);
        }
        Ok(&self.datasets[&number])
    }

    fn find(&self, id: &Slug) -> Result<wire::Dataset, store::Error> {
        let found = records::find::<Model, wire::Dataset>(self.state, id, Some(self.as_of))?;
        found.ok_or_else(|| store::Error::View(format!("{} is not there", dataset_name(id))))
    }
}

/// The latest periods that entries are of, in the order of time, and whether there are more.
fn periods(entries: &[(ChangeKey, Counts)]) -> (Vec<String>, bool) {
    let all: BTreeSet<Period> = entries.iter().map(|(key, _)| key.period).collect();
    let skipped = all.len().saturating_sub(MAX_PERIODS);
    let told = all.iter().skip(skipped).map(Period::to_string);
    (told.collect(), skipped > 0)
}

/// The total among what an entry holds.
fn total((key, counts): &(ChangeKey, Counts)) -> Option<(ChangeKey, u16)> {
    counts.get(&Part::TOTAL).map(|count| (*key, *count))
}

/// The entries of the latest periods, in the order of time; then by flow, and by when they were recorded.
fn latest(mut entries: Vec<(ChangeKey, u16)>) -> Vec<(ChangeKey, u16)> {
    entries.sort_by_key(|(key, _)| (key.period, key.flow.id(), key.recorded));
    let skipped = entries.len().saturating_sub(MAX_TOTALS);
    entries.split_off(skipped)
}
