//! The messages of calls, most of them encoded before the run.

use std::time::Duration;

use anyhow::ensure;
use bytes::{Bytes, BytesMut};
use http::Request;
use proto::events::v1 as events;
use proto::gateway::v1 as gateway;
use proto::trade::v1 as trade;
use proto::r#type::v1::{CivilDate, Source};
use trade::ingest_observations_request::Part as IngestPart;

use super::keys::{Figure, Keys, Pair};
use super::kind::Kind;
use super::method::{self, About, Method};
use super::scenario::{self, Ingest, Pick, Scenario};
use super::wire::{Target, frame, framed};
use crate::generate::{Chance, Zipf, english};

/// Different messages of a part.
const MOST_MESSAGES: usize = 20_000;
/// The day that meetings and agreements are looked at from.
const DAY: CivilDate = CivilDate {
    year: 2024,
    month: 7,
    day: 1,
};

/// All calls of a scenario.
#[derive(Debug)]
pub(super) struct Calls {
    parts: Vec<Part>,
    weights: u64,
    seed: u64,
}

/// A part of the mix.
#[derive(Debug)]
pub(super) struct Part {
    /// As results name it.
    pub(super) name: String,
    /// None of a method that has no kind.
    pub(super) kind: Option<Kind>,
    /// The sum of the weights until this one.
    until: u64,
    head: Request<()>,
    messages: Messages,
}

/// What a part sends.
#[derive(Debug)]
enum Messages {
    /// One of these.
    Ready {
        pool: Vec<Bytes>,
        pick: Option<Zipf>,
    },
    /// Figures that nobody sent before.
    Ingest { run: String, ingest: Ingest },
    /// An event that says when it was to be recorded.
    Event { run: String, pair: [String; 2] },
}

/// A call that is to be made.
#[derive(Debug)]
pub(super) struct Call {
    /// Its part of the mix.
    pub(super) part: usize,
    pub(super) head: Request<()>,
    pub(super) messages: Bytes,
    /// Whether it may be made again.
    pub(super) repeatable: bool,
}

impl Calls {
    /// The calls of a scenario, in the name of a run. An interruption is heard after each part.
    pub(super) async fn new(
        scenario: &Scenario,
        keys: &Keys,
        target: &Target,
        run: &str,
    ) -> anyhow::Result<Calls> {
        let mut weights = 0;
        let mut parts = Vec::new();
        for (part, name) in scenario.mix.iter().zip(scenario.names()) {
            tokio::task::yield_now().await;
            weights += u64::from(part.weight);
            parts.push(Part {
                name,
                kind: part.call,
                until: weights,
                head: target.head(&part.path())?,
                messages: messages(part, scenario, keys, run)?,
            });
        }
        Ok(Calls {
            parts,
            weights,
            seed: scenario.keys.seed,
        })
    }

    /// The parts of the mix.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The part of the call of a number.
    pub(super) fn part(&self, number: u64) -> usize {
        self.drawn(&mut Chance::of(self.seed, &[number]))
    }

    fn drawn(&self, chance: &mut Chance) -> usize {
        let drawn = chance.below(self.weights);
        self.parts.partition_point(|part| part.until <= drawn)
    }

    /// The call of a number; `at` is when it was to be made, since the run's beginning.
    pub(super) fn call(&self, number: u64, at: Duration) -> Call {
        let mut chance = Chance::of(self.seed, &[number]);
        let part = self.drawn(&mut chance);
        let chosen = &self.parts[part];
        Call {
            part,
            head: chosen.head.clone(),
            messages: chosen.messages.make(number, at, &mut chance),
            repeatable: !chosen.kind.is_some_and(Kind::writes),
        }
    }
}

impl Messages {
    fn make(&self, number: u64, at: Duration, chance: &mut Chance) -> Bytes {
        match self {
            Messages::Ready { pool, pick } => {
                let place = match pick {
                    Some(zipf) => zipf.pick(chance),
                    None => usize::try_from(chance.below(pool.len() as u64)).unwrap_or_default(),
                };
                pool.get(place).cloned().unwrap_or_default()
            }
            Messages::Ingest { run, ingest } => ingested(run, ingest, number),
            Messages::Event { run, pair } => framed(&event(run, pair, number, at)),
        }
    }
}

fn messages(
    part: &scenario::Part,
    scenario: &Scenario,
    keys: &Keys,
    run: &str,
) -> anyhow::Result<Messages> {
    let pool = match part.call {
        Some(Kind::Ingest) => {
            return Ok(Messages::Ingest {
                run: run.to_owned(),
                ingest: scenario.ingest.clone(),
            });
        }
        Some(Kind::RecordEvent) => {
            return Ok(Messages::Event {
                run: run.to_owned(),
                pair: scenario.watched()?,
            });
        }
        Some(kind) => of_kind(kind, keys),
        None => of_method(part, keys)?,
    };
    ensure!(
        !pool.is_empty(),
        "the server has no figures that a call of `{}` could ask about",
        part.name()
    );
    let zipf = (scenario.keys.pick == Pick::Zipf).then(|| Zipf::of(pool.len()));
    Ok(Messages::Ready { pool, pick: zipf })
}

/// A message for each key.
fn of_kind(kind: Kind, keys: &Keys) -> Vec<Bytes> {
    let figures = || keys.figures.iter();
    let directed = || figures().filter(|figure| is_directed(figure));
    let mutual = || figures().filter(|figure| is_mutual(figure));
    match kind {
        Kind::Health => vec![framed(&())],
        Kind::PointRead => pool(figures(), point_read),
        Kind::Series => pool(figures(), series),
        Kind::Balance => pool(directed(), balance),
        Kind::Ranking => pool(directed(), ranking),
        Kind::Goods => pool(directed(), goods),
        Kind::Mirror => pool(mutual(), mirror),
        Kind::ListFigures => pool(figures(), list_figures),
        Kind::Events => pool(keys.pairs.iter(), list_events),
        Kind::Meetings => pool(keys.pairs.iter(), meetings),
        Kind::Agreements => pool(keys.pairs.iter(), agreements),
        Kind::Briefing => pool(keys.pairs.iter(), briefing),
        Kind::Timeline => pool(keys.pairs.iter(), timeline),
        // What they send is made as they are called.
        Kind::Ingest | Kind::RecordEvent => Vec::new(),
    }
}

/// A message for each key that the message of a method is about; of figures and pairs, for each figure with a pair by
/// turns.
fn of_method(part: &scenario::Part, keys: &Keys) -> anyhow::Result<Vec<Bytes>> {
    let name = part.method.as_deref().unwrap_or_default();
    let method = Method::find(name, &part.message)?;
    let [figures, pairs] = method::needs(&part.message);
    let figure = |figure| About {
        figure: Some(figure),
        pair: None,
    };
    let pair = |pair| About {
        figure: None,
        pair: Some(pair),
    };
    let keys: Vec<About<'_>> = match (figures, pairs) {
        (false, false) => vec![About::default()],
        (true, false) => keys.figures.iter().map(figure).collect(),
        (false, true) => keys.pairs.iter().map(pair).collect(),
        (true, true) => {
            let both = keys.figures.iter().zip(keys.pairs.iter().cycle());
            let both = both.map(|(figure, pair)| About {
                figure: Some(figure),
                pair: Some(pair),
            });
            both.collect()
        }
    };
    let asked = keys.into_iter().take(MOST_MESSAGES);
    asked.map(|about| method.ask(about)).collect()
}

/// A message for each key.
fn pool<'a, K: 'a, M: prost::Message>(
    keys: impl Iterator<Item = &'a K>,
    ask: impl Fn(&K) -> M,
) -> Vec<Bytes> {
    let keys = keys.take(MOST_MESSAGES);
    keys.map(|key| framed(&ask(key))).collect()
}

fn point_read(figure: &Figure) -> trade::GetObservationRequest {
    trade::GetObservationRequest {
        name: figure.name(),
        as_of: None,
    }
}

fn series(figure: &Figure) -> trade::GetSeriesRequest {
    trade::GetSeriesRequest {
        parent: figure.parent(),
        reporter: figure.reporter.clone(),
        partner: figure.partner.clone(),
        flow: figure.flow(),
        code: figure.code.clone(),
        frequency: figure.frequency().into(),
        ..trade::GetSeriesRequest::default()
    }
}

fn balance(figure: &Figure) -> trade::GetSeriesRequest {
    trade::GetSeriesRequest {
        flow: 0,
        measure: trade::Measure::Balance.into(),
        ..series(figure)
    }
}

fn ranking(figure: &Figure) -> trade::RankPartnersRequest {
    trade::RankPartnersRequest {
        parent: figure.parent(),
        reporter: figure.reporter.clone(),
        flow: figure.flow(),
        period: figure.period.clone(),
        ..trade::RankPartnersRequest::default()
    }
}

fn goods(figure: &Figure) -> trade::RankCommoditiesRequest {
    trade::RankCommoditiesRequest {
        parent: figure.parent(),
        reporter: figure.reporter.clone(),
        partner: figure.partner.clone(),
        flow: figure.flow(),
        level: 2,
        period: figure.period.clone(),
        ..trade::RankCommoditiesRequest::default()
    }
}

fn mirror(figure: &Figure) -> trade::GetMirrorRequest {
    let side = |reporter: &str| {
        Some(trade::MirrorSide {
            dataset: figure.parent(),
            reporter: reporter.to_owned(),
        })
    };
    trade::GetMirrorRequest {
        first: side(&figure.reporter),
        second: side(&figure.partner),
        period: figure.period.clone(),
        ..trade::GetMirrorRequest::default()
    }
}

fn list_figures(figure: &Figure) -> trade::ListObservationsRequest {
    trade::ListObservationsRequest {
        parent: figure.parent(),
        filter: Some(trade::ObservationFilter {
            reporter: figure.reporter.clone(),
            partner: figure.partner.clone(),
            ..trade::ObservationFilter::default()
        }),
        ..trade::ListObservationsRequest::default()
    }
}

/// Whether it is of exports or imports.
fn is_directed(figure: &Figure) -> bool {
    matches!(&*figure.flow, "X" | "M")
}

/// Whether its two countries can both have counted it.
fn is_mutual(figure: &Figure) -> bool {
    figure.partner != "WLD" && figure.partner != figure.reporter
}

fn list_events([country, partner]: &Pair) -> events::ListEventsRequest {
    events::ListEventsRequest {
        filter: Some(events::EventFilter {
            country: country.clone(),
            partner: partner.clone(),
            ..events::EventFilter::default()
        }),
        ..events::ListEventsRequest::default()
    }
}

fn meetings([country, partner]: &Pair) -> events::FindMeetingsRequest {
    events::FindMeetingsRequest {
        country: country.clone(),
        partner: partner.clone(),
        day: Some(DAY),
        ..events::FindMeetingsRequest::default()
    }
}

fn agreements([country, partner]: &Pair) -> events::ListAgreementStatesRequest {
    events::ListAgreementStatesRequest {
        filter: Some(events::AgreementFilter {
            country: country.clone(),
            partner: partner.clone(),
            ..events::AgreementFilter::default()
        }),
        day: Some(DAY),
        ..events::ListAgreementStatesRequest::default()
    }
}

fn briefing([country, partner]: &Pair) -> gateway::GetBriefingRequest {
    gateway::GetBriefingRequest {
        country: country.clone(),
        partner: partner.clone(),
        period: "2023".into(),
        day: Some(DAY),
        ..gateway::GetBriefingRequest::default()
    }
}

fn timeline([country, partner]: &Pair) -> gateway::ListTimelineRequest {
    gateway::ListTimelineRequest {
        country: country.clone(),
        partner: partner.clone(),
        descending: true,
        ..gateway::ListTimelineRequest::default()
    }
}

/// The id of the dataset that a run fills.
pub(super) fn dataset_of(run: &str) -> String {
    format!("load-{run}")
}

/// An ingest of a number: figures that no other one has.
fn ingested(run: &str, ingest: &Ingest, number: u64) -> Bytes {
    let mut bytes = BytesMut::new();
    let mut add = |part: IngestPart| {
        frame(
            &trade::IngestObservationsRequest { part: Some(part) },
            &mut bytes,
        );
    };
    add(IngestPart::Header(trade::IngestHeader {
        parent: format!("datasets/{}", dataset_of(run)),
        ingest_id: format!("load-{number}"),
        ..trade::IngestHeader::default()
    }));
    for batch in 0..u64::from(ingest.batches) {
        let group = group(number * u64::from(ingest.batches) + batch, ingest.rows);
        add(IngestPart::Batch(trade::ObservationBatch {
            sequence: i64::try_from(batch + 1).unwrap_or(i64::MAX),
            groups: vec![group],
            sources: Vec::new(),
        }));
    }
    bytes.freeze()
}

/// Reporters of what is ingested, and for each all others as partners.
const COUNTRIES: [&str; 12] = [
    "CHN", "KAZ", "DEU", "FRA", "USA", "JPN", "KOR", "IND", "UZB", "TUR", "ITA", "POL",
];
const FIRST_YEAR: u64 = 1_000;

/// The figures of a month that only this number has.
fn group(number: u64, rows: u16) -> trade::ObservationGroup {
    let (month, rest) = (number % 12, number / 12);
    let (flow, rest) = (rest % 2, rest / 2);
    let (reporter, rest) = (rest % 12, rest / 12);
    let (step, rest) = (rest % 11, rest / 11);
    let country =
        |place: u64| COUNTRIES[usize::try_from(place % 12).unwrap_or_default()].to_owned();
    let flow = if flow == 0 {
        trade::Flow::Export
    } else {
        trade::Flow::Import
    };
    let row = |row: u16| trade::ObservationRow {
        number: i64::from(row) + 1,
        code: format!("{:06}", 10_000 + u32::from(row) * 37),
        value: (1_000 + number * 7 % 1_000_000 + u64::from(row)).to_string(),
        ..trade::ObservationRow::default()
    };
    trade::ObservationGroup {
        reporter: country(reporter),
        partner: country(reporter + 1 + step),
        flow: flow.into(),
        classification: "H5".into(),
        period: format!("{:04}-{:02}", FIRST_YEAR + rest % 8_999, month + 1),
        rows: (0..rows).map(row).collect(),
    }
}

/// An event of a pair; its id says when it was to be recorded.
fn event(run: &str, pair: &Pair, number: u64, at: Duration) -> events::CreateEventRequest {
    let micros = at.as_micros();
    let participant = |country: &String| events::Participant {
        country: country.clone(),
        level: events::OfficeLevel::Official.into(),
        role: events::ParticipantRole::Party.into(),
        ..events::Participant::default()
    };
    let part = |count: u64, size: u64| i32::try_from(1 + number / count % size).unwrap_or(1);
    let event = events::Event {
        kind: events::EventKind::Consultation.into(),
        status: events::EventStatus::Concluded.into(),
        participants: pair.iter().map(participant).collect(),
        start_date: Some(CivilDate {
            year: 1_900 + part(336, 100),
            month: part(28, 12),
            day: part(1, 28),
        }),
        title: Some(english(&format!("Load test {run}, consultations {number}"))),
        sources: vec![Source {
            title: "A load test".into(),
            publisher: "entente load".into(),
            ..Source::default()
        }],
        ..events::Event::default()
    };
    events::CreateEventRequest {
        event_id: format!("{}{number}-{micros}", prefix_of(run)),
        event: Some(event),
        allow_duplicate: true,
        ..events::CreateEventRequest::default()
    }
}

fn prefix_of(run: &str) -> String {
    format!("load-{run}-")
}

/// The number of the call that recorded an event of a run, and when that was to be, since the run's beginning.
pub(super) fn intended(run: &str, name: &str) -> Option<(u64, Duration)> {
    let id = name
        .strip_prefix("events/")?
        .strip_prefix(&prefix_of(run))?;
    let (number, micros) = id.split_once('-')?;
    let at = Duration::from_micros(micros.parse().ok()?);
    Some((number.parse().ok()?, at))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_event_tells_when_it_was_to_be_recorded() {
        let pair = ["CHN".to_owned(), "KAZ".to_owned()];
        let at = Duration::from_micros(1_234_567);
        let request = event("20240701t120000", &pair, 9, at);
        let name = format!("events/{}", request.event_id);
        assert!(request.event_id.len() <= 63);
        assert_eq!(intended("20240701t120000", &name), Some((9, at)));
        assert_eq!(intended("20240702t120000", &name), None);
        assert_eq!(intended("20240701t120000", "events/visit-9"), None);
    }

    #[test]
    fn no_two_ingests_send_the_same_figure() {
        let mut seen = HashSet::new();
        for number in 0..50_000 {
            let group = group(number, 1);
            assert_ne!(group.reporter, group.partner);
            let key = (group.reporter, group.partner, group.flow, group.period);
            assert!(seen.insert(key));
        }
    }
}
