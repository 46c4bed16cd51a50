//! The section of what changed since.

use std::collections::BTreeMap;

use proto::gateway::v1 as wire;
use proto::trade::v1::ObservationChange;
use proto::{Period, dataset_name, parse_observation_name, to_timestamp};
use tonic::Status;
use wire::relationship_change::Change;
use wire::{
    BriefingSection as Section, ChangesSection, FigureChanges, OmissionReason, RelationshipChange,
};

use super::Composing;
use crate::briefing::outcome::Asked;
use crate::briefing::sources::let_out;
use crate::briefing::{changes, hindsight};

/// Changes that are shown: the latest.
const MAX_CHANGES: usize = 200;

impl Composing<'_> {
    /// What all services recorded, in one order. Unset where it was not asked for, or none answered.
    pub(super) fn changes(
        &mut self,
        asked: [(&'static str, Asked<changes::Gathered>); 3],
    ) -> Result<Option<ChangesSection>, Status> {
        let mut all = Vec::new();
        let mut is_told = false;
        for (service, asked) in asked {
            let Some(gathered) = self.answered(service, asked, &[Section::Changes])? else {
                continue;
            };
            is_told = true;
            all.extend(gathered.changes);
            let at_least = gathered.is_at_least;
            self.omit(Section::Changes, OmissionReason::TooMany, 0, at_least);
        }
        if !is_told {
            return Ok(None);
        }
        self.hold_back(&mut all);
        let figures = figures(&all);
        if self.query.is_public {
            all.iter_mut().for_each(forget_previous);
        }
        all.sort_by_cached_key(changes::instant);
        let more = cut(&mut all);
        self.omit(Section::Changes, OmissionReason::TooMany, more, false);
        Ok(Some(ChangesSection {
            since: self.query.since.map(to_timestamp),
            changes: all,
            figures,
        }))
    }

    /// Leaves out what may not be shown, judged by all of its sources, and then what was not known on the day.
    fn hold_back(&mut self, all: &mut Vec<RelationshipChange>) {
        let found = all.len();
        if self.query.is_public {
            all.retain(is_open);
        }
        let shown = all.len();
        all.retain_mut(|change| hindsight::tell(change, self.query));
        for (reason, left) in [
            (OmissionReason::Licence, found - shown),
            (OmissionReason::AfterDay, shown - all.len()),
        ] {
            self.omit(Section::Changes, reason, left, false);
        }
    }
}

/// Keeps the latest, and records before figures, which are counted besides; how many were left out.
fn cut(all: &mut Vec<RelationshipChange>) -> usize {
    let more = all.len().saturating_sub(MAX_CHANGES);
    let mut figures = 0;
    all.retain(|change| {
        let is_figure = matches!(change.change, Some(Change::Observation(_)));
        figures += usize::from(is_figure);
        !is_figure || figures > more
    });
    let rest = all.len().saturating_sub(MAX_CHANGES);
    all.drain(..rest);
    more
}

/// How many figures of each side were recorded and revised, and of which time.
fn figures(all: &[RelationshipChange]) -> Vec<FigureChanges> {
    let mut sides: BTreeMap<[String; 3], FigureChanges> = BTreeMap::new();
    for change in all {
        let Some(Change::Observation(change)) = &change.change else {
            continue;
        };
        let name = change.observation.as_ref().map(|figure| &figure.name);
        let Some(Ok((dataset, key))) = name.map(|name| parse_observation_name(name)) else {
            continue;
        };
        let [reporter, partner] = [key.reporter, key.partner].map(|side| side.to_string());
        let side = [dataset_name(&dataset), reporter, partner];
        count(sides.entry(side).or_default(), key.period, change);
    }
    let told = sides.into_iter().map(|(side, figures)| {
        let [dataset, reporter, partner] = side;
        FigureChanges {
            dataset,
            reporter,
            partner,
            ..figures
        }
    });
    told.collect()
}

fn count(figures: &mut FigureChanges, period: Period, change: &ObservationChange) {
    let is_new = change.previous_value.is_empty();
    figures.recorded += i32::from(is_new);
    figures.revised += i32::from(!is_new);
    let first = period.start().to_string();
    let last = period.end().plus(-1).map(|month| month.to_string());
    let last = last.unwrap_or_default();
    if figures.first_month.is_empty() || first < figures.first_month {
        figures.first_month = first;
    }
    if last > figures.last_month {
        figures.last_month = last;
    }
}

/// Whether what changed may be shown. Nobody knows of a deleted record whether it might have been.
fn is_open(change: &RelationshipChange) -> bool {
    let sources = changes::sources(change);
    !sources.is_empty() && let_out(&sources)
}

/// What a figure was before may come from another source.
fn forget_previous(change: &mut RelationshipChange) {
    if let Some(Change::Observation(change)) = &mut change.change {
        change.previous_value.clear();
        change.revision.clear();
    }
}
