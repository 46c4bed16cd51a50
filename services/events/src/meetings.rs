//! Meetings of a pair: the last, the next, how many.

use std::collections::BTreeMap;

use proto::events::v1 as wire;
use proto::{CivilDate, Day, Violations, is_multilateral, parse_timestamp};
use records::{Error, Span, Topic, standing};
use store::{Micros, State};
use wire::{CountMeetingsRequest, Event, EventStatus, FindMeetingsRequest, OfficeLevel};

use crate::Model;
use crate::event::{self, BY_LEVEL, level_group};

/// Events that are looked at for the last or the next.
const MAX_LOOKS: usize = 20_000;
/// Events that are counted.
const MAX_COUNTED: usize = 20_000;
const MAX_UNCERTAIN: usize = 20;

/// A question about the last and the next meeting.
#[derive(Debug)]
pub(crate) struct Find {
    pair: Topic,
    level: OfficeLevel,
    day: Day,
    as_of: Option<Micros>,
}

impl Find {
    /// Parses a request; `day` is the one that it asks about.
    pub(crate) fn parse(
        request: &FindMeetingsRequest,
        day: Result<Day, Violations>,
    ) -> Result<Find, Violations> {
        let FindMeetingsRequest {
            country,
            partner,
            level,
            day: _,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let pair = Topic::parse_pair(country, partner, &mut violations);
        let level =
            OfficeLevel::try_from(*level).map_err(|_| format!("{level} is no level of an office"));
        let level = violations.check("level", level);
        let day = violations.check_nested("day", day);
        let as_of = violations.check("as_of", as_of.as_ref().map(parse_timestamp).transpose());
        let (Some(pair), Some(level), Some(day), Some(as_of)) = (pair, level, day, as_of) else {
            return Err(violations);
        };
        violations.into_result(Find {
            pair,
            level,
            day,
            as_of,
        })
    }

    fn span(&self) -> Span {
        Span::of(BY_LEVEL, level_group(self.pair, self.level))
    }
}

fn is_held(event: &Event) -> bool {
    matches!(
        event.status(),
        EventStatus::UnderWay | EventStatus::Concluded
    )
}

fn is_off(event: &Event) -> bool {
    matches!(
        event.status(),
        EventStatus::Postponed | EventStatus::Cancelled
    )
}

/// The days on which a meeting may have begun.
fn beginning(event: &Event) -> Option<(Day, Day)> {
    let start = event::date(event.start_date)?;
    Some((start.first(), start.last()))
}

/// The last and the next meeting.
///
/// Dates sort by their first days, what is less precise first. So whatever may lie on either side of a day, or of a
/// meeting, stands where only the year or the month of that day is written.
pub(crate) fn find(state: &State<'_>, asked: &Find) -> Result<wire::FindMeetingsResponse, Error> {
    let as_of = asked.as_of.unwrap_or(Micros::MAX);
    let before = asked.span().between(0, Some(asked.day.ordinal() + 1));
    let has_begun = |event: &Event| {
        is_held(event) && beginning(event).is_some_and(|(_, latest)| latest <= asked.day)
    };
    let last = first_of(state, &before, as_of, true, has_begun)?;
    let is_of_two = |event: &Event| !is_multilateral(event, asked.pair.countries());
    let last_bilateral = match &last {
        Some(last) if !is_of_two(last) => first_of(state, &before, as_of, true, |event| {
            has_begun(event) && is_of_two(event)
        })?,
        Some(_) | None => None,
    };
    let after = asked.span().between(first_from(asked.day.plus(1)), None);
    let next = first_of(state, &after, as_of, false, |event| {
        !is_off(event) && beginning(event).is_some_and(|(earliest, _)| earliest > asked.day)
    })?;
    let mut uncertain = Uncertain {
        asked,
        as_of,
        found: Vec::new(),
    };
    uncertain.around(state, asked.day, |event| {
        let days = beginning(event);
        days.is_some_and(|(earliest, latest)| earliest <= asked.day && asked.day < latest)
    })?;
    if let Some((_, latest)) = last.as_ref().and_then(beginning) {
        // What may have been later than the last one.
        uncertain.around(state, latest, |event| {
            beginning(event).is_some_and(|(_, until)| until > latest && until <= asked.day)
        })?;
    }
    if let Some((earliest, latest)) = next.as_ref().and_then(beginning) {
        // What may be earlier than the next one.
        let within = asked
            .span()
            .between(earliest.ordinal(), Some(latest.ordinal() + 1));
        let may_be_earlier =
            |event: &Event| beginning(event).is_some_and(|(from, _)| from < latest);
        uncertain.gather(state, &within, may_be_earlier)?;
    }
    let Uncertain { mut found, .. } = uncertain;
    found.retain(|event| {
        ![&last, &last_bilateral, &next]
            .into_iter()
            .flatten()
            .any(|one| one.name == event.name)
    });
    Ok(wire::FindMeetingsResponse {
        last,
        next,
        uncertain: found,
        last_bilateral,
        day: Some(asked.day.into()),
    })
}

/// Where dates stand that begin with a day or later: a month or a year may begin with it.
fn first_from(day: Day) -> u32 {
    let date = day.date();
    match (date.month(), date.day()) {
        (Some(1), Some(1)) => event::start_of_year(day),
        (_, Some(1)) => start_of_month(day),
        _ => day.ordinal(),
    }
}

/// The ordinal of a day's month, where the day is not known.
fn start_of_month(day: Day) -> u32 {
    day.month().ordinal()
}

/// Meetings that may lie on either side, each once.
struct Uncertain<'a> {
    asked: &'a Find,
    as_of: Micros,
    found: Vec<Event>,
}

impl Uncertain<'_> {
    /// Those of which only the year or the month of a day is known.
    fn around(
        &mut self,
        state: &State<'_>,
        day: Day,
        keep: impl Fn(&Event) -> bool,
    ) -> Result<(), Error> {
        let year = event::start_of_year(day);
        let month = start_of_month(day);
        for at in [year, month] {
            let span = self.asked.span().between(at, Some(at + 1));
            self.gather(state, &span, &keep)?;
        }
        Ok(())
    }

    fn gather(
        &mut self,
        state: &State<'_>,
        span: &Span,
        keep: impl Fn(&Event) -> bool,
    ) -> Result<(), Error> {
        let met = standing::<Model, Event>(state, span, self.as_of, false, None);
        for (looks, met) in met.enumerate() {
            check_looks(looks)?;
            let Some(event) = met?.record else {
                continue;
            };
            let is_new = self.found.iter().all(|other| other.name != event.name);
            if is_new && !is_off(&event) && keep(&event) && self.found.len() < MAX_UNCERTAIN {
                self.found.push(event);
            }
        }
        Ok(())
    }
}

fn first_of(
    state: &State<'_>,
    span: &Span,
    as_of: Micros,
    back: bool,
    keep: impl Fn(&Event) -> bool,
) -> Result<Option<Event>, Error> {
    for (looks, met) in standing::<Model, Event>(state, span, as_of, back, None).enumerate() {
        check_looks(looks)?;
        if let Some(event) = met?.record.filter(&keep) {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// An answer that was cut short would say that there is none.
fn check_looks(looks: usize) -> Result<(), Error> {
    if looks < MAX_LOOKS {
        return Ok(());
    }
    let what = format!("more than {MAX_LOOKS} meetings lie before the one that is looked for");
    Err(Error::TooLarge(what))
}

/// A question about how many.
#[derive(Debug)]
pub(crate) struct Count {
    pair: Topic,
    span: (u32, Option<u32>),
    as_of: Option<Micros>,
}

impl TryFrom<CountMeetingsRequest> for Count {
    type Error = Violations;

    fn try_from(request: CountMeetingsRequest) -> Result<Count, Violations> {
        let CountMeetingsRequest {
            country,
            partner,
            start_year,
            end_year,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let pair = Topic::parse_pair(&country, &partner, &mut violations);
        let mut year = |field: &str, year: i32| {
            let is_year = (0..=9999).contains(&year);
            violations.check(field, is_year.then_some(year).ok_or("years are 1 to 9999"))
        };
        let (start, end) = (year("start_year", start_year), year("end_year", end_year));
        if let (Some(start), Some(end @ 1..)) = (start, end)
            && end <= start
        {
            violations.push("end_year", "must be after `start_year`");
        }
        let as_of = violations.check("as_of", as_of.as_ref().map(parse_timestamp).transpose());
        let (Some(pair), Some(start), Some(end), Some(as_of)) = (pair, start, end, as_of) else {
            return Err(violations);
        };
        let from = |year: i32| CivilDate::new(year, 0, 0).ok().map(CivilDate::ordinal);
        violations.into_result(Count {
            pair,
            span: (from(start).unwrap_or(0), from(end)),
            as_of,
        })
    }
}

/// How many meetings by year and kind.
pub(crate) fn count(
    state: &State<'_>,
    asked: &Count,
) -> Result<wire::CountMeetingsResponse, Error> {
    let as_of = asked.as_of.unwrap_or(Micros::MAX);
    let group = level_group(asked.pair, OfficeLevel::Unspecified);
    let span = Span::of(BY_LEVEL, group).between(asked.span.0, asked.span.1);
    let mut counts: BTreeMap<(i32, i32), i32> = BTreeMap::new();
    for (looks, standing) in standing::<Model, Event>(state, &span, as_of, false, None).enumerate()
    {
        if looks == MAX_COUNTED {
            let description = format!("more than {MAX_COUNTED} events; ask for fewer years");
            return Err(Error::TooLarge(description));
        }
        if let Some(event) = standing?.record.filter(is_held) {
            let year = event.start_date.map_or(0, |date| date.year);
            *counts.entry((year, event.kind)).or_default() += 1;
        }
    }
    let counts = counts
        .into_iter()
        .map(|((year, kind), count)| wire::MeetingCount { year, kind, count });
    Ok(wire::CountMeetingsResponse {
        counts: counts.collect(),
    })
}
