//! Events and agreements: who met and meets, what happened, what was agreed and where it stands.

use futures_util::FutureExt;
use proto::events::v1 as wire;
use proto::gateway::v1::BriefingSection as Section;
use proto::r#type::v1::DateWindow;
use proto::{CivilDate, Day};
use tonic::Status;
use wire::{
    Agreement, AgreementFilter, AgreementOnDay, AgreementState, AgreementStep, Event, EventFilter,
    EventStatus, FindMeetingsRequest, FindMeetingsResponse, ListAgreementStatesRequest,
    ListEventsRequest, OfficeLevel,
};

use super::left::{Left, first, known, nearest};
use super::query::Query;
use super::taken;
use crate::ask::{Asking, Events, all, listed};
use crate::stand::Stand;

/// Levels of meetings, the highest first; then any.
const LEVELS: [OfficeLevel; 4] = [
    OfficeLevel::HeadOfState,
    OfficeLevel::HeadOfGovernment,
    OfficeLevel::Minister,
    OfficeLevel::Unspecified,
];
/// How far events are looked ahead, in days.
pub(crate) const AHEAD: i32 = 92;
/// Events, and agreements, that are shown.
const MAX_SHOWN: usize = 100;
/// Events, and agreements, that are looked at.
const MAX_LOOKED_AT: usize = 2_000;

/// Events as they were gathered; `None` for what was not asked for.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) meetings: Option<Vec<(OfficeLevel, FindMeetingsResponse)>>,
    pub(crate) events: Option<GatheredEvents>,
    pub(crate) agreements: Option<GatheredAgreements>,
}

/// Events in a window of days.
#[derive(Debug)]
pub(crate) struct GatheredEvents {
    pub(crate) window: [Day; 2],
    pub(crate) events: Vec<Event>,
    pub(crate) left: Left,
}

/// Agreements with their states.
#[derive(Debug)]
pub(crate) struct GatheredAgreements {
    pub(crate) agreements: Vec<AgreementOnDay>,
    pub(crate) left: Left,
}

/// Gathers what is asked for.
pub(crate) async fn gather(
    client: Events,
    query: &Query,
    stand: Stand,
    asking: &Asking,
) -> Result<Gathered, Status> {
    let gathering = Gathering {
        client,
        query,
        as_of: Some(stand.as_of(query.as_of)),
        asking,
    };
    let (meetings, events, agreements) = tokio::try_join!(
        wanted(query, Section::Meetings, gathering.meetings()),
        wanted(query, Section::Events, gathering.events()),
        wanted(query, Section::Agreements, gathering.agreements()),
    )?;
    Ok(Gathered {
        meetings,
        events,
        agreements,
    })
}

/// What a section needs, if it is asked for.
pub(crate) async fn wanted<T>(
    query: &Query,
    section: Section,
    gather: impl Future<Output = Result<T, Status>>,
) -> Result<Option<T>, Status> {
    if query.wants(section) {
        return gather.await.map(Some);
    }
    Ok(None)
}

/// One briefing's questions to the events service.
#[derive(Debug)]
struct Gathering<'a> {
    client: Events,
    query: &'a Query,
    as_of: Option<prost_types::Timestamp>,
    asking: &'a Asking,
}

impl Gathering<'_> {
    async fn meetings(&self) -> Result<Vec<(OfficeLevel, FindMeetingsResponse)>, Status> {
        let calls = LEVELS.map(|level| self.meetings_at(level).boxed());
        let found = all(calls.into()).await?;
        let is_known = |(_, found): &(OfficeLevel, FindMeetingsResponse)| {
            found.last.is_some() || found.next.is_some() || !found.uncertain.is_empty()
        };
        Ok(found.into_iter().filter(is_known).collect())
    }

    async fn meetings_at(
        &self,
        level: OfficeLevel,
    ) -> Result<(OfficeLevel, FindMeetingsResponse), Status> {
        let [country, partner] = self.query.codes();
        let asked = FindMeetingsRequest {
            country,
            partner,
            level: level.into(),
            day: Some(self.query.day.into()),
            as_of: self.as_of,
        };
        let mut client = self.client.clone();
        let found = client.find_meetings(self.asking.call(asked)).await?;
        let mut found = found.into_inner();
        found.next.take_if(|event| !tell(event, self.query));
        Ok((level, found))
    }

    /// Events from the first year that is shown until some time after the day; of many those that are nearest to it.
    async fn events(&self) -> Result<GatheredEvents, Status> {
        let start = CivilDate::new(self.query.first_year().into(), 1, 1)?;
        let window = [start.first(), self.query.day.plus(AHEAD)];
        let [country, partner] = self.query.codes();
        let filter = EventFilter {
            country,
            partner,
            window: Some(DateWindow {
                start: Some(window[0].into()),
                end: Some(window[1].into()),
            }),
            ..Default::default()
        };
        let asked = ListEventsRequest {
            filter: Some(filter),
            page_size: 500,
            as_of: self.as_of,
            ..Default::default()
        };
        let call = listed!(last_pages(MAX_LOOKED_AT), self, list_events(asked), events);
        let day = self.query.day;
        let (mut all, mut left) = known(call.await?, |event| {
            tell_ahead(event, day, self.query.is_public)
        });
        left.too_many = nearest(&mut all, MAX_SHOWN, |event| {
            let date = taken(event.start_date);
            date.map(|date| date.first().days_until(day).abs())
        });
        Ok(GatheredEvents {
            window,
            events: all,
            left,
        })
    }

    /// Agreements of which anything is known by the day, with the steps that are; the latest first.
    async fn agreements(&self) -> Result<GatheredAgreements, Status> {
        let [country, partner] = self.query.codes();
        let filter = AgreementFilter {
            country,
            partner,
            ..Default::default()
        };
        let day = self.query.day;
        let asked = ListAgreementStatesRequest {
            filter: Some(filter),
            day: Some(day.into()),
            page_size: 500,
            as_of: self.as_of,
            ..Default::default()
        };
        let call = listed!(
            pages(MAX_LOOKED_AT),
            self,
            list_agreement_states(asked),
            agreements
        );
        let (mut all, mut left) = known(call.await?, |on_day| is_begun(on_day));
        for agreement in &mut all {
            forget_later_steps(agreement, day);
        }
        all.sort_by_cached_key(|agreement| std::cmp::Reverse(last_step(agreement)));
        left.too_many = first(&mut all, MAX_SHOWN);
        Ok(GatheredAgreements {
            agreements: all,
            left,
        })
    }
}

/// Tells an event as it could be told on the day, however far ahead it is; whether it could.
pub(crate) fn tell(event: &mut Event, query: &Query) -> bool {
    !is_hindsight(event, query.day) && tell_ahead(event, query.day, query.is_public)
}

/// Tells an event that begins after the day as it was told ahead: from what was not surely published later, without how
/// it went. Whether anything is left to know it from. For the public a source that may not be shown stays whenever it
/// was published: what the record says may come from it, so the whole of it is withheld.
fn tell_ahead(event: &mut Event, day: Day, is_public: bool) -> bool {
    let is_by_the_day = |date: CivilDate| date.first() <= day;
    if taken(event.start_date).is_none_or(is_by_the_day) {
        return true;
    }
    event.sources.retain(|source| {
        let is_closed = is_public && !source.may_be_shown_outside;
        is_closed || taken(source.published_on).is_none_or(is_by_the_day)
    });
    event.summary = None;
    if is_over(event) {
        event.status = EventStatus::Unspecified.into();
    }
    !event.sources.is_empty()
}

fn is_over(event: &Event) -> bool {
    matches!(
        event.status(),
        EventStatus::UnderWay | EventStatus::Concluded
    )
}

/// Whether nobody can have known of it on the day: it lies far ahead, and what is recorded of it is how it went.
fn is_hindsight(event: &Event, day: Day) -> bool {
    let is_far = taken(event.start_date).is_some_and(|date| date.first() > day.plus(AHEAD));
    is_far && is_over(event)
}

/// Whether any step may have been taken by the day, or none is known at all.
fn is_begun(on_day: &AgreementOnDay) -> bool {
    let has_steps = on_day
        .agreement
        .as_ref()
        .is_some_and(|agreement| !agreement.steps.is_empty());
    let is_unknown = on_day.state() == AgreementState::Unspecified;
    !(has_steps && is_unknown && on_day.possible_states.is_empty())
}

/// Whether a step may have been taken by the day.
fn is_taken_by(step: &AgreementStep, day: Day) -> bool {
    taken(step.date).is_none_or(|date| date.first() <= day)
}

/// Leaves out the steps that are surely after the day; whether any is left, or there was none at all.
pub(crate) fn remember_until(agreement: &mut Agreement, day: Day) -> bool {
    let has_steps = !agreement.steps.is_empty();
    agreement.steps.retain(|step| is_taken_by(step, day));
    !has_steps || !agreement.steps.is_empty()
}

/// Leaves out the steps that are surely after the day; the deciding ones are named by their new places.
fn forget_later_steps(on_day: &mut AgreementOnDay, day: Day) {
    let Some(agreement) = &mut on_day.agreement else {
        return;
    };
    let mut places = Vec::with_capacity(agreement.steps.len());
    let mut next = 0;
    agreement.steps.retain(|step| {
        let is_known = is_taken_by(step, day);
        next += i32::from(is_known);
        places.push(if is_known { next } else { 0 });
        is_known
    });
    let place = |step: &i32| {
        let old = usize::try_from(*step).ok()?.checked_sub(1)?;
        places.get(old).copied().filter(|place| *place > 0)
    };
    on_day.deciding_steps = on_day.deciding_steps.iter().filter_map(place).collect();
}

/// The last date of its steps, for their order.
fn last_step(on_day: &AgreementOnDay) -> Option<Day> {
    let steps = on_day
        .agreement
        .iter()
        .flat_map(|agreement| &agreement.steps);
    steps
        .filter_map(|step| taken(step.date))
        .map(CivilDate::first)
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::r#type::v1::CivilDate as Wire;

    fn day(year: i32, month: i32, day: i32) -> Day {
        Day::try_from(Wire { year, month, day }).unwrap()
    }

    fn step(year: i32, month: i32, day: i32) -> AgreementStep {
        AgreementStep {
            date: Some(Wire { year, month, day }),
            ..Default::default()
        }
    }

    #[test]
    fn a_step_after_the_day_is_not_told_and_the_deciding_ones_are_still_found() {
        let mut on_day = AgreementOnDay {
            agreement: Some(Agreement {
                steps: vec![step(2025, 1, 1), step(2023, 5, 18), step(2024, 0, 0)],
                ..Default::default()
            }),
            deciding_steps: vec![2, 3],
            ..Default::default()
        };
        forget_later_steps(&mut on_day, day(2024, 7, 1));
        assert_eq!(on_day.agreement.unwrap().steps.len(), 2);
        assert_eq!(on_day.deciding_steps, [1, 2]);
    }

    #[test]
    fn an_event_to_come_is_told_from_what_was_published_by_the_day() {
        let published = |year: i32, month: i32, day: i32| proto::r#type::v1::Source {
            published_on: Some(Wire { year, month, day }),
            ..Default::default()
        };
        let mut event = Event {
            start_date: Some(Wire {
                year: 2024,
                month: 7,
                day: 2,
            }),
            status: EventStatus::Concluded.into(),
            sources: vec![
                published(2024, 6, 25),
                published(2024, 7, 4),
                published(2024, 0, 0),
            ],
            ..Default::default()
        };
        let mut over = event.clone();
        assert!(tell_ahead(&mut over, day(2024, 7, 4), false));
        assert_eq!(
            (over.sources.len(), over.status()),
            (3, EventStatus::Concluded)
        );
        let mut public = event.clone();
        assert!(tell_ahead(&mut public, day(2024, 7, 1), true));
        assert_eq!(public.sources.len(), 3, "none of them may be shown");
        assert!(tell_ahead(&mut event, day(2024, 7, 1), false));
        assert_eq!(
            (event.sources.len(), event.status()),
            (2, EventStatus::Unspecified)
        );
        event.sources = vec![published(2024, 7, 4)];
        assert!(!tell_ahead(&mut event, day(2024, 7, 1), false));
    }
}
