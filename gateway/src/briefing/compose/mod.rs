//! The sections put together: sources numbered over all of them, and what may not be shown left out and counted.
//!
//! Each section has a file of its own, with all that it needs of a briefing under way ([`Composing`]).

mod changes;
mod culture;
mod events;
mod references;
mod themes;
mod trade;

use std::collections::BTreeMap;

use prost::Message;
use proto::gateway::v1 as wire;
use proto::r#type::v1::Source;
use tonic::Status;
use wire::{Audience, Briefing, BriefingSection as Section, Omission, OmissionReason, Unreachable};

use super::left::Left;
use super::outcome::{Asked, Outcome};
use super::query::Query;
use super::sources::{Sources, let_out};
use crate::outage::unreachable;
use crate::which::Which;

/// The briefing of what the services came to.
///
/// # Errors
/// That of a service without which a required section is missing.
pub(crate) fn compose(query: &Query, outcome: Outcome) -> Result<Briefing, Status> {
    let mut composing = Composing::new(query);
    let Outcome {
        positions,
        trade,
        events,
        culture,
        changes,
    } = outcome;
    let mut briefing = composing.head();
    if let Some(gathered) = composing.answered(Which::Trade.name(), trade, &[Section::Trade])? {
        briefing.trade = Some(composing.trade(gathered));
    }
    let of_events = [Section::Meetings, Section::Events, Section::Agreements];
    if let Some(gathered) = composing.answered(Which::Events.name(), events, &of_events)? {
        composing.events(gathered, &mut briefing);
    }
    let of_culture = [Section::Exchange, Section::Visa];
    if let Some(gathered) = composing.answered(Which::Culture.name(), culture, &of_culture)? {
        composing.culture(gathered, &mut briefing);
    }
    briefing.changes = composing.changes(changes)?;
    if query.is_public {
        let withheld = references::withhold(&mut briefing);
        composing.omit(Section::Exchange, OmissionReason::Licence, withheld, false);
    }
    briefing.themes = themes::of(&briefing);
    briefing.sources = composing.sources.into_list();
    briefing.unreachable = composing.unreachable;
    briefing.omissions = composing.omissions.into_iter().map(told).collect();
    let digest = proto::query_digest(&[&briefing.encode_to_vec()]);
    briefing.etag = format!("{digest:016x}");
    briefing.positions = positions;
    Ok(briefing)
}

/// A briefing under way.
struct Composing<'a> {
    query: &'a Query,
    sources: Sources,
    unreachable: Vec<Unreachable>,
    omissions: BTreeMap<(Section, OmissionReason), (usize, bool)>,
}

impl<'a> Composing<'a> {
    fn new(query: &'a Query) -> Composing<'a> {
        Composing {
            query,
            sources: Sources::default(),
            unreachable: Vec::new(),
            omissions: BTreeMap::new(),
        }
    }

    fn head(&self) -> Briefing {
        let [country, partner] = self.query.codes();
        let audience = if self.query.is_public {
            Audience::Public
        } else {
            Audience::Internal
        };
        Briefing {
            country,
            partner,
            day: Some(self.query.day.into()),
            period: self.query.period.to_string(),
            audience: audience.into(),
            ..Default::default()
        }
    }

    /// What a service came to, if it was asked and answered. One that did not is unreachable, unless a section that
    /// needs it is required.
    fn answered<T>(
        &mut self,
        service: &str,
        asked: Asked<T>,
        sections: &[Section],
    ) -> Result<Option<T>, Status> {
        let status = match asked {
            None => return Ok(None),
            Some(Ok(gathered)) => return Ok(Some(gathered)),
            Some(Err(status)) => status,
        };
        let missing = sections
            .iter()
            .filter(|section| self.query.wants(**section));
        let missing: Vec<Section> = missing.copied().collect();
        if missing
            .iter()
            .any(|section| self.query.required.contains(section))
        {
            return Err(status);
        }
        self.miss(service, &status, &missing);
        Ok(None)
    }

    /// Names a service that did not answer, once, with all that is missing for it.
    fn miss(&mut self, service: &str, status: &Status, missing: &[Section]) {
        let mut known = self.unreachable.iter();
        let known = known.position(|named| named.service == service);
        let at = known.unwrap_or_else(|| {
            self.unreachable.push(unreachable(service, status));
            self.unreachable.len() - 1
        });
        let missing = missing.iter().copied().map(i32::from);
        self.unreachable[at].sections.extend(missing);
    }

    fn omit(&mut self, section: Section, reason: OmissionReason, count: usize, at_least: bool) {
        if count > 0 || at_least {
            let entry = self.omissions.entry((section, reason)).or_default();
            entry.0 += count;
            entry.1 |= at_least;
        }
    }

    fn leave(&mut self, section: Section, left: Left) {
        let Left {
            too_many,
            after_day,
            is_at_least,
        } = left;
        self.omit(section, OmissionReason::TooMany, too_many, is_at_least);
        self.omit(section, OmissionReason::AfterDay, after_day, false);
    }

    /// Whether something with these sources may be shown; if not, it is counted.
    fn shows(&mut self, section: Section, sources: &[Source]) -> bool {
        let shows = !self.query.is_public || let_out(sources);
        self.omit(section, OmissionReason::Licence, usize::from(!shows), false);
        shows
    }
}

fn told(
    ((section, reason), (count, at_least)): ((Section, OmissionReason), (usize, bool)),
) -> Omission {
    Omission {
        section: section.into(),
        reason: reason.into(),
        count: i32::try_from(count).unwrap_or(i32::MAX),
        at_least,
    }
}
