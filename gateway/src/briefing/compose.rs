//! The sections put together: sources numbered over all of them, and what may not be shown left out and counted.

use std::collections::{BTreeMap, HashSet};

use prost::Message;
use proto::culture::v1::{FindVisaRulesResponse, Programme, VisaRule, VisaRulesOnDay};
use proto::events::v1::{
    AgreementOnDay, Event, EventKind, FindMeetingsResponse, OfficeLevel, Participant,
};
use proto::gateway::v1 as wire;
use proto::trade::v1::growth::Outcome;
use proto::trade::v1::{Growth, Mirror, Series, SeriesPoint, Statement, StatementCheck};
use proto::r#type::v1::{Source, Theme};
use proto::{Period, to_timestamp};
use tonic::Status;
use wire::{
    AgreementPoint, AgreementsSection, Audience, Briefing, BriefingSection as Section,
    ChangesSection, EventPoint, EventsSection, ExchangeSection, MeasureFigure, MeetingsAtLevel,
    MeetingsSection, Movers, Omission, OmissionReason, ProgrammePoint, StatementPoint, ThemeGroup,
    TradeSection, TradeSide, Unreachable, VisaDirection, VisaRulePoint, relationship_change,
};

use super::outcome::{self, Asked};
use super::query::Query;
use super::sources::{Sources, cites_openly, let_out};
use super::{Left, changes, culture, events, trade};

/// Changes that are shown: the latest.
const MAX_CHANGES: usize = 200;

/// The briefing of what the services came to.
///
/// # Errors
/// That of a service without which a required section is missing.
pub(crate) fn compose(query: &Query, outcome: outcome::Outcome) -> Result<Briefing, Status> {
    let mut composing = Composing::new(query);
    let outcome::Outcome {
        positions,
        trade,
        events,
        culture,
        changes,
    } = outcome;
    let mut briefing = composing.head();
    if let Some(gathered) = composing.answered("trade", trade, &[Section::Trade])? {
        briefing.trade = Some(composing.trade(gathered));
    }
    let of_events = [Section::Meetings, Section::Events, Section::Agreements];
    if let Some(gathered) = composing.answered("events", events, &of_events)? {
        composing.events(gathered, &mut briefing);
    }
    let of_culture = [Section::Exchange, Section::Visa];
    if let Some(gathered) = composing.answered("culture", culture, &of_culture)? {
        composing.culture(gathered, &mut briefing);
    }
    briefing.changes = composing.changes(changes)?;
    briefing.themes = themes(&briefing);
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
        let missing = missing.into_iter().map(i32::from);
        match self
            .unreachable
            .iter_mut()
            .find(|named| named.service == service)
        {
            Some(named) => named.sections.extend(missing),
            None => self.unreachable.push(Unreachable {
                service: service.to_owned(),
                sections: missing.collect(),
                code: proto::code_name(status.code()).to_owned(),
                message: status.message().to_owned(),
            }),
        }
        Ok(None)
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

    fn trade(&mut self, gathered: trade::Gathered) -> TradeSection {
        let trade::Gathered {
            sides,
            mirrors,
            statements,
            left,
        } = gathered;
        self.leave(Section::Trade, left);
        let sides = sides
            .into_iter()
            .filter_map(|side| self.side(side))
            .collect();
        let mirrors = mirrors
            .into_iter()
            .filter_map(|mirror| self.mirror(mirror))
            .collect();
        let statements = statements.into_iter();
        let statements = statements.filter_map(|(said, check)| self.statement(said, check));
        TradeSection {
            sides,
            mirrors,
            statements: statements.collect(),
        }
    }

    /// A side with its series; none without anything that may be shown.
    fn side(&mut self, gathered: trade::GatheredSide) -> Option<TradeSide> {
        let trade::GatheredSide {
            side,
            series,
            movers,
        } = gathered;
        let series = series.into_iter().filter_map(|series| self.series(series));
        let series: Vec<Series> = series.collect();
        let found = movers.movers.into_iter();
        let shown = found.filter_map(|(movers, sources)| self.movers(movers, &sources));
        let shown: Vec<Movers> = shown.collect();
        if series.is_empty() && shown.is_empty() {
            return None;
        }
        let dataset = side.dataset.unwrap_or_default();
        Some(TradeSide {
            dataset: dataset.name,
            display_name: dataset.display_name,
            reporter: side.reporter,
            partner: side.partner,
            series,
            movers: shown,
            gaps: movers.gaps,
        })
    }

    /// A series with the points of the years that are shown, and that may be.
    fn series(&mut self, mut series: Series) -> Option<Series> {
        if self.query.is_public {
            let withheld = withhold(&mut series);
            self.omit(Section::Trade, OmissionReason::Licence, withheld, false);
        }
        let first = self.query.first_year();
        series.points.retain(|point| {
            let period: Option<Period> = point.period.parse().ok();
            period.is_none_or(|period| period.start().year() >= first)
        });
        if series.points.is_empty() {
            return None;
        }
        self.sources.cite(&mut series);
        Some(series)
    }

    fn movers(&mut self, mut movers: Movers, sources: &[Source]) -> Option<Movers> {
        if !self.shows(Section::Trade, sources) {
            return None;
        }
        let entries = movers
            .movers
            .iter_mut()
            .filter_map(|mover| mover.entry.as_mut());
        for entry in entries.chain(&mut movers.largest) {
            for number in &mut entry.sources {
                *number = self.sources.renumbered(*number, sources);
            }
        }
        Some(movers)
    }

    fn mirror(&mut self, mut mirror: Mirror) -> Option<Mirror> {
        if !self.shows(Section::Trade, &mirror.sources) {
            return None;
        }
        self.sources.cite(&mut mirror);
        Some(mirror)
    }

    fn statement(
        &mut self,
        mut statement: Statement,
        mut check: StatementCheck,
    ) -> Option<StatementPoint> {
        let source = statement.source.take().unwrap_or_default();
        if !self.shows(Section::Trade, std::slice::from_ref(&source)) {
            return None;
        }
        let shows_check = self.shows(Section::Trade, &check.sources);
        let source = self.sources.number(source);
        if shows_check {
            self.sources.cite(&mut check);
        }
        Some(StatementPoint {
            statement: Some(statement),
            source,
            check: shows_check.then_some(check),
        })
    }

    fn events(&mut self, gathered: events::Gathered, briefing: &mut Briefing) {
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
            let next = found.next.and_then(|event| self.event(section, event));
            let uncertain = found.uncertain.into_iter();
            let uncertain = uncertain.filter_map(|event| self.event(section, event));
            MeetingsAtLevel {
                level: level.into(),
                last,
                next,
                uncertain: uncertain.collect(),
            }
        });
        let levels =
            levels.filter(|at| at.last.is_some() || at.next.is_some() || !at.uncertain.is_empty());
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
        let pair = self.query.codes();
        let events = events.into_iter();
        let (multilateral, bilateral): (Vec<_>, Vec<_>) =
            events.partition(|event| is_multilateral(event, &pair));
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

    fn culture(&mut self, gathered: culture::Gathered, briefing: &mut Briefing) {
        let culture::Gathered { exchange, visa } = gathered;
        briefing.exchange = exchange.map(|exchange| self.exchange(exchange));
        briefing.visa = visa.map(|rules| self.visa(rules));
    }

    fn exchange(&mut self, gathered: culture::GatheredExchange) -> ExchangeSection {
        let culture::GatheredExchange {
            programmes,
            measures,
            left,
        } = gathered;
        self.leave(Section::Exchange, left);
        let programmes = programmes.into_iter();
        let programmes = programmes.filter_map(|programme| self.programme(programme));
        let programmes = programmes.collect();
        let mut figures = Vec::new();
        for (subject, mut line, sources) in measures {
            let cited: Vec<i32> = line.points.iter().map(|point| point.source).collect();
            if self.query.is_public && !cites_openly(&sources, &cited) {
                self.omit(Section::Exchange, OmissionReason::Licence, 1, false);
                continue;
            }
            for point in &mut line.points {
                point.source = self.sources.renumbered(point.source, &sources);
            }
            figures.push(MeasureFigure {
                subject: Some(subject),
                line: Some(line),
            });
        }
        ExchangeSection {
            programmes,
            measures: figures,
        }
    }

    fn programme(&mut self, mut programme: Programme) -> Option<ProgrammePoint> {
        if !self.shows(Section::Exchange, &programme.sources) {
            return None;
        }
        let sources = self.sources.numbers(programme.sources.clone());
        self.sources.cite(&mut programme);
        Some(ProgrammePoint {
            programme: Some(programme),
            sources,
        })
    }

    fn visa(&mut self, found: FindVisaRulesResponse) -> wire::VisaSection {
        let directions = found.directions.into_iter().map(|direction| {
            let VisaRulesOnDay {
                citizens_of,
                destination,
                in_force,
                uncertain,
            } = direction;
            let mut points = |rules: Vec<VisaRule>| {
                let points = rules.into_iter().filter_map(|rule| self.visa_rule(rule));
                points.collect::<Vec<VisaRulePoint>>()
            };
            VisaDirection {
                citizens_of,
                destination,
                in_force: points(in_force),
                uncertain: points(uncertain),
            }
        });
        wire::VisaSection {
            directions: directions.collect(),
        }
    }

    fn visa_rule(&mut self, mut rule: VisaRule) -> Option<VisaRulePoint> {
        if !self.shows(Section::Visa, &rule.sources) {
            return None;
        }
        let sources = self.sources.numbers(std::mem::take(&mut rule.sources));
        Some(VisaRulePoint {
            visa_rule: Some(rule),
            sources,
        })
    }

    /// What all services recorded, in one order. Unset where it was not asked for, or none answered.
    fn changes(
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
        if self.query.is_public {
            let found = all.len();
            all.retain(is_open);
            all.iter_mut().for_each(forget_previous);
            self.omit(
                Section::Changes,
                OmissionReason::Licence,
                found - all.len(),
                false,
            );
        }
        all.sort_by_cached_key(changes::instant);
        let more = all.len().saturating_sub(MAX_CHANGES);
        all.drain(..more);
        self.omit(Section::Changes, OmissionReason::TooMany, more, false);
        Ok(Some(ChangesSection {
            since: self.query.since.map(to_timestamp),
            changes: all,
        }))
    }
}

/// Leaves out what a series may not show: points, and a growth whose base is not shown. How many points that were.
fn withhold(series: &mut Series) -> usize {
    let all = std::mem::take(&mut series.points);
    let open = |point: &SeriesPoint| {
        let first = std::slice::from_ref(&point.source);
        cites_openly(&series.sources, first) && cites_openly(&series.sources, &point.sources)
    };
    let (mut shown, withheld): (Vec<_>, Vec<_>) = all.into_iter().partition(open);
    let periods: HashSet<String> = shown.iter().map(|point| point.period.clone()).collect();
    for point in &mut shown {
        let has_base = |growth: &mut Growth| periods.contains(&growth.base_period);
        point
            .growth
            .take_if(|growth| growth_is_said(growth) && !has_base(growth));
    }
    series.points = shown;
    withheld.len()
}

fn growth_is_said(growth: &Growth) -> bool {
    matches!(growth.outcome, Some(Outcome::Ratio(_)))
}

/// Whether what changed may be shown. Nobody knows of a deleted record whether it might have been.
fn is_open(change: &wire::RelationshipChange) -> bool {
    let sources = changes::sources(change);
    !sources.is_empty() && let_out(&sources)
}

/// What a figure was before may come from another source.
fn forget_previous(change: &mut wire::RelationshipChange) {
    if let Some(relationship_change::Change::Observation(change)) = &mut change.change {
        change.previous_value.clear();
        change.revision.clear();
    }
}

/// Whether others than the two take part, or it is held in an organisation, or is a meeting of many by its kind.
fn is_multilateral(event: &Event, pair: &[String; 2]) -> bool {
    let is_other = |country: &String| !country.is_empty() && !pair.contains(country);
    let is_conference = matches!(event.kind(), EventKind::Summit | EventKind::Ministerial);
    let is_of_many = |participant: &Participant| {
        let organisation = participant.organisation.as_ref();
        let is_coded = organisation.is_some_and(|of| !of.code.is_empty());
        is_other(&participant.country) || (is_conference && is_coded)
    };
    event.kind() == EventKind::MultilateralMeeting || event.participants.iter().any(is_of_many)
}

/// The names of the records of a briefing by theme, those without one last.
fn themes(briefing: &Briefing) -> Vec<ThemeGroup> {
    let mut groups: BTreeMap<i32, ThemeGroup> = BTreeMap::new();
    let mut put = |themes: &[i32], add: &dyn Fn(&mut ThemeGroup)| {
        let none = [i32::from(Theme::Unspecified)];
        let themes = if themes.is_empty() { &none[..] } else { themes };
        for theme in themes {
            let group = groups.entry(*theme).or_insert_with(|| ThemeGroup {
                theme: *theme,
                ..Default::default()
            });
            add(group);
        }
    };
    let sections = briefing.events.iter();
    let points = sections.flat_map(|section| section.bilateral.iter().chain(&section.multilateral));
    for event in points.filter_map(|point| point.event.as_ref()) {
        put(&event.themes, &|group| {
            group.events.push(event.name.clone());
        });
    }
    let points = briefing
        .agreements
        .iter()
        .flat_map(|section| &section.agreements);
    let on_day = points.filter_map(|point| point.agreement.as_ref());
    for agreement in on_day.filter_map(|on_day| on_day.agreement.as_ref()) {
        put(&agreement.themes, &|group| {
            group.agreements.push(agreement.name.clone());
        });
    }
    let points = briefing
        .exchange
        .iter()
        .flat_map(|section| &section.programmes);
    for programme in points.filter_map(|point| point.programme.as_ref()) {
        put(&programme.themes, &|group| {
            group.programmes.push(programme.name.clone());
        });
    }
    let last = groups.remove(&i32::from(Theme::Unspecified));
    groups.into_values().chain(last).collect()
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
