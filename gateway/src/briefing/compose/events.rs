//! The sections of meetings, events and agreements.

use proto::events::v1::{AgreementOnDay, Event, FindMeetingsResponse, OfficeLevel};
use proto::gateway::v1 as wire;
use proto::is_multilateral;
use wire::{
    AgreementPoint, AgreementsSection, Briefing, BriefingSection as Section, EventPoint,
    EventsSection, MeetingsAtLevel, MeetingsSection,
};

use super::Composing;
use crate::briefing::events;

impl Composing<'_> {
    pub(super) fn events(&mut self, gathered: events::Gathered, briefing: &mut Briefing) {
        let events::Gathered {
            meetings,
            events,
            agreements,
        } = gathered;
        briefing.meetings = meetings.map(|meetings| self.meetings(meetings));
        briefing.events = events.map(|events| self.events_around(events));
        briefing.agreements = agreements.map(|agreements| self.agreements(agreements));
    }

    fn meetings(&mut self, found: Vec<(OfficeLevel, FindMeetingsResponse)>) -> MeetingsSection {
        let levels = found.into_iter().map(|(level, found)| {
            let section = Section::Meetings;
            let last = found.last.and_then(|event| self.event(section, event));
            let bilateral = found.last_bilateral;
            let last_bilateral = bilateral.and_then(|event| self.event(section, event));
            let next = found.next.and_then(|event| self.event(section, event));
            let uncertain = found.uncertain.into_iter();
            let uncertain = uncertain.filter_map(|event| self.event(section, event));
            MeetingsAtLevel {
                level: level.into(),
                last,
                last_bilateral,
                next,
                uncertain: uncertain.collect(),
            }
        });
        let levels = levels.filter(|at| {
            let known = [&at.last, &at.last_bilateral, &at.next];
            known.into_iter().any(Option::is_some) || !at.uncertain.is_empty()
        });
        MeetingsSection {
            levels: levels.collect(),
        }
    }

    fn event(&mut self, section: Section, mut event: Event) -> Option<EventPoint> {
        if !self.shows(section, &event.sources) {
            return None;
        }
        let sources = self.sources.numbers(std::mem::take(&mut event.sources));
        Some(EventPoint {
            event: Some(event),
            sources,
        })
    }

    fn events_around(&mut self, gathered: events::GatheredEvents) -> EventsSection {
        let events::GatheredEvents {
            window: [start, end],
            events,
            left,
        } = gathered;
        self.leave(Section::Events, left);
        let pair = self.query.pair;
        let events = events.into_iter();
        let (multilateral, bilateral): (Vec<_>, Vec<_>) =
            events.partition(|event| is_multilateral(event, pair));
        let mut points = |events: Vec<Event>| {
            let points = events.into_iter();
            let points = points.filter_map(|event| self.event(Section::Events, event));
            points.collect::<Vec<EventPoint>>()
        };
        EventsSection {
            start_day: Some(start.into()),
            end_day: Some(end.into()),
            bilateral: points(bilateral),
            multilateral: points(multilateral),
        }
    }

    fn agreements(&mut self, gathered: events::GatheredAgreements) -> AgreementsSection {
        let events::GatheredAgreements { agreements, left } = gathered;
        self.leave(Section::Agreements, left);
        let agreements = agreements.into_iter();
        let points = agreements.filter_map(|agreement| self.agreement(agreement));
        AgreementsSection {
            agreements: points.collect(),
        }
    }

    fn agreement(&mut self, mut on_day: AgreementOnDay) -> Option<AgreementPoint> {
        let agreement = on_day.agreement.as_mut()?;
        if !self.shows(Section::Agreements, &agreement.sources) {
            return None;
        }
        let sources = self.sources.numbers(agreement.sources.clone());
        self.sources.cite(agreement);
        // The briefing says the day once.
        on_day.day = None;
        Some(AgreementPoint {
            agreement: Some(on_day),
            sources,
        })
    }
}
