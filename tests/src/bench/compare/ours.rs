//! The trade service in a process of its own, asked over gRPC.

use anyhow::{Context, Result};
use proto::trade::v1::growth::Outcome;
use proto::trade::v1::{
    Frequency, GetMirrorRequest, GetObservationRequest, GetSeriesRequest, Mirror, MirrorFigure,
    MirrorSide, Observation, PeriodBasis, RankCommoditiesRequest, RankPartnersRequest, RankedEntry,
    Ranking, Series, SeriesPoint,
};

use super::contender::{Asked, Loaded, Step};
use super::figure::{millionths, thousandths};
use super::question::{Answer, Key, Question, TOP, text};
use super::world::{Area, Lane, World};
use crate::bench::generate::{self, DATASET, Pair};
use crate::bench::ingest::Filling;
use crate::bench::load::mebi;
use crate::bench::{Plan, bytes_below};

/// More chapters than there are.
const CHAPTERS: i32 = 100;

/// A server with the rows in it.
pub(super) struct Ours(Filling);

/// A call that is ready to be sent.
pub(super) enum Call {
    Point(GetObservationRequest),
    Series(GetSeriesRequest),
    Partners(RankPartnersRequest),
    Commodities(RankCommoditiesRequest),
    Mirror(GetMirrorRequest),
}

/// What a call was answered with.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, as the client has it"
)]
pub(super) enum Reply {
    Point(Observation),
    Series(Series),
    Ranking(Ranking),
    Mirror(Mirror),
}

impl Ours {
    /// Starts it on an empty store and ingests all rows of the world.
    pub(super) async fn load(plan: &Plan, world: World) -> Result<(Ours, Loaded)> {
        let mut filling = Filling::start(plan, Box::new(world.observations())).await?;
        filling.fill_to(u64::MAX).await?;
        let loaded = Loaded {
            rows: filling.rows,
            steps: vec![Step::new("IngestObservations", filling.took())],
            bytes: bytes_below(&filling.folder.join("journal"))?
                + bytes_below(&filling.folder.join("view"))?,
            about: format!(
                "Entente {}, gRPC over TCP on loopback",
                env!("CARGO_PKG_VERSION")
            ),
        };
        Ok((Ours(filling), loaded))
    }

    /// The most memory that the server has held, in mebibytes.
    pub(super) fn peak_memory(&self) -> f64 {
        mebi(self.0.server.peak_memory())
    }
}

impl Asked for Ours {
    type Call = Call;
    type Reply = Reply;

    fn call(&self, question: Question, key: &Key) -> Call {
        match question {
            Question::Point => Call::Point(point(key)),
            Question::Series => Call::Series(series(key)),
            Question::Partners => Call::Partners(partners(key)),
            Question::Commodities => Call::Commodities(commodities(key)),
            Question::Mirror => Call::Mirror(mirror(key)),
        }
    }

    async fn ask(&mut self, call: Call) -> Result<Reply> {
        let client = &mut self.0.client;
        Ok(match call {
            Call::Point(call) => Reply::Point(client.get_observation(call).await?.into_inner()),
            Call::Series(call) => Reply::Series(client.get_series(call).await?.into_inner()),
            Call::Partners(call) => Reply::Ranking(client.rank_partners(call).await?.into_inner()),
            Call::Commodities(call) => {
                Reply::Ranking(client.rank_commodities(call).await?.into_inner())
            }
            Call::Mirror(call) => Reply::Mirror(client.get_mirror(call).await?.into_inner()),
        })
    }

    fn answer(question: Question, reply: Reply) -> Result<Answer> {
        Ok(Answer(match reply {
            Reply::Point(observation) => vec![point_row(observation)?],
            Reply::Series(series) => series.points.into_iter().map(series_row).collect(),
            Reply::Ranking(ranking) => ranking_rows(question, ranking),
            Reply::Mirror(mirror) => mirror_rows(mirror)?,
        }))
    }
}

fn point(key: &Key) -> GetObservationRequest {
    let Lane {
        reporter,
        partner,
        flow,
    } = key.lane;
    let pair = Pair {
        reporter: reporter.code(),
        partner: partner.code(),
        flow,
    };
    let row = generate::plain(&key.code(), 0);
    let group = generate::group(pair, generate::month(key.month), Vec::new());
    GetObservationRequest {
        name: generate::name(&group, &row),
        as_of: None,
    }
}

fn series(key: &Key) -> GetSeriesRequest {
    GetSeriesRequest {
        parent: DATASET.into(),
        reporter: key.lane.reporter.code().into(),
        partner: key.lane.partner.code().into(),
        flow: key.lane.flow.into(),
        code: "TOTAL".into(),
        frequency: Frequency::Month.into(),
        ..GetSeriesRequest::default()
    }
}

fn partners(key: &Key) -> RankPartnersRequest {
    RankPartnersRequest {
        parent: DATASET.into(),
        reporter: key.lane.reporter.code().into(),
        flow: key.lane.flow.into(),
        period: key.year(),
        basis: PeriodBasis::SumOfMonths.into(),
        top: TOP,
        ..RankPartnersRequest::default()
    }
}

fn commodities(key: &Key) -> RankCommoditiesRequest {
    RankCommoditiesRequest {
        parent: DATASET.into(),
        reporter: key.lane.reporter.code().into(),
        partner: key.lane.partner.code().into(),
        flow: key.lane.flow.into(),
        level: 6,
        period: key.year(),
        basis: PeriodBasis::SumOfMonths.into(),
        top: TOP,
        ..RankCommoditiesRequest::default()
    }
}

fn mirror(key: &Key) -> GetMirrorRequest {
    let side = |area: Area| MirrorSide {
        dataset: DATASET.into(),
        reporter: area.code().into(),
    };
    GetMirrorRequest {
        first: Some(side(key.lane.reporter)),
        second: Some(side(key.lane.partner)),
        period: key.year(),
        basis: PeriodBasis::SumOfMonths.into(),
        level: 2,
        top: CHAPTERS,
        ..GetMirrorRequest::default()
    }
}

fn point_row(observation: Observation) -> Result<Vec<String>> {
    let value = observation.value.context("a figure without a value")?;
    let unit = Some(observation.quantity_unit).filter(|unit| *unit > 0);
    Ok(vec![
        value.amount,
        text(thousandths(&observation.net_weight)),
        text(thousandths(&observation.quantity)),
        text(unit),
    ])
}

fn series_row(point: SeriesPoint) -> Vec<String> {
    vec![point.period.replace('-', ""), point.value]
}

fn ranking_rows(question: Question, ranking: Ranking) -> Vec<Vec<String>> {
    let total = ranking.published_total;
    let entry = |entry: RankedEntry| {
        let key = match question {
            Question::Partners => text(Area::of_code(&entry.key).map(|area| area.0)),
            Question::Commodities | Question::Point | Question::Series | Question::Mirror => {
                entry.key
            }
        };
        let growth = match entry.growth.and_then(|growth| growth.outcome) {
            Some(Outcome::Ratio(ratio)) => ratio,
            Some(Outcome::Gap(_)) | None => String::new(),
        };
        vec![key, entry.value, text(millionths(&growth)), total.clone()]
    };
    ranking.entries.into_iter().map(entry).collect()
}

/// In the order of the codes, where the total comes last.
fn mirror_rows(mirror: Mirror) -> Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for (number, direction) in [("1", mirror.first_to_second), ("2", mirror.second_to_first)] {
        let direction = direction.context("a mirror without one of its directions")?;
        let lines = direction.lines.into_iter().chain(direction.total);
        rows.extend(lines.map(|line| {
            let value = |figure: Option<MirrorFigure>| text(figure.map(|figure| figure.value));
            let (exporter, importer) = (value(line.exporter_figure), value(line.importer_figure));
            vec![number.to_owned(), line.code, exporter, importer]
        }));
    }
    rows.sort();
    Ok(rows)
}
