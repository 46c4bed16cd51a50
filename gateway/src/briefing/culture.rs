//! Exchange: programmes, their latest figures, and who needs a visa for where.

use std::collections::HashMap;

use futures_util::FutureExt;
use proto::culture::v1 as wire;
use proto::gateway::v1::{BriefingSection as Section, measure_figure};
use proto::r#type::v1::Source;
use proto::{CivilDate, Month, Period, PeriodWindow};
use tonic::Status;
use wire::get_measure_series_request::Subject;
use wire::{
    Direction, FindVisaRulesRequest, FindVisaRulesResponse, GetMeasureSeriesRequest,
    ListProgrammesRequest, MeasureLine, MeasureSeries, Programme, ProgrammeFilter,
};

use super::events::{AHEAD, wanted};
use super::left::{Left, known, nearest};
use super::query::Query;
use super::taken;
use crate::ask::{Asking, Culture, all, listed};
use crate::stand::Stand;

/// Programmes that are shown.
const MAX_SHOWN: usize = 100;
/// Programmes that are looked at.
const MAX_LOOKED_AT: usize = 2_000;
/// Programmes whose figures are looked for: those that are nearest to the day.
const MAX_MEASURED: usize = 40;

/// Culture as it was gathered; `None` for what was not asked for.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) exchange: Option<GatheredExchange>,
    pub(crate) visa: Option<FindVisaRulesResponse>,
}

/// Programmes and the latest figures.
#[derive(Debug)]
pub(crate) struct GatheredExchange {
    pub(crate) programmes: Vec<Programme>,
    pub(crate) measures: Vec<Latest>,
    pub(crate) left: Left,
}

/// The latest figure of a line: what it is of, the line, and the sources that it cites.
pub(crate) type Latest = (measure_figure::Subject, MeasureLine, Vec<Source>);

/// Gathers what is asked for.
pub(crate) async fn gather(
    client: Culture,
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
    let (exchange, visa) = tokio::try_join!(
        wanted(query, Section::Exchange, gathering.exchange()),
        wanted(query, Section::Visa, gathering.visa()),
    )?;
    Ok(Gathered { exchange, visa })
}

/// One briefing's questions to the culture service.
#[derive(Debug)]
struct Gathering<'a> {
    client: Culture,
    query: &'a Query,
    as_of: Option<prost_types::Timestamp>,
    asking: &'a Asking,
}

impl Gathering<'_> {
    async fn exchange(&self) -> Result<GatheredExchange, Status> {
        let (programmes, mut left) = self.programmes().await?;
        let measures = self.measures(&programmes).await?;
        let found = measures.len();
        let measures = self.recent(measures);
        left.too_many += found - measures.len();
        Ok(GatheredExchange {
            programmes,
            measures,
            left,
        })
    }

    /// Programmes of which anything is known by the day, with what is.
    async fn programmes(&self) -> Result<(Vec<Programme>, Left), Status> {
        let [country, partner] = self.query.codes();
        let filter = ProgrammeFilter {
            country,
            partner,
            ..Default::default()
        };
        let asked = ListProgrammesRequest {
            filter: Some(filter),
            page_size: 500,
            as_of: self.as_of,
            ..Default::default()
        };
        let call = listed!(
            pages(MAX_LOOKED_AT),
            self,
            list_programmes(asked),
            programmes
        );
        let (mut all, mut left) = known(call.await?, |programme| {
            remember_until(programme, self.query)
        });
        left.too_many = nearest(&mut all, MAX_SHOWN, |programme| self.distance(programme));
        Ok((all, left))
    }

    /// How many days lie between the day and what is known of a programme's last date by it.
    fn distance(&self, programme: &Programme) -> Option<i32> {
        let milestones = programme.milestones.iter().map(|milestone| milestone.date);
        let dates = milestones.chain([programme.start_date]);
        let days = dates.filter_map(taken).map(CivilDate::first);
        days.map(|day| day.days_until(self.query.day).abs()).min()
    }

    /// The latest figure of each line by the day, between the two and of each programme.
    async fn measures(&self, programmes: &[Programme]) -> Result<Vec<Latest>, Status> {
        let [country, partner] = self.query.codes();
        let direction = |from: &str, to: &str| {
            Subject::Direction(Direction {
                from: from.to_owned(),
                to: to.to_owned(),
            })
        };
        let mut subjects = vec![direction(&country, &partner), direction(&partner, &country)];
        let mut near: Vec<&Programme> = programmes.iter().collect();
        nearest(&mut near, MAX_MEASURED, |programme| {
            self.distance(programme)
        });
        for programme in near {
            subjects.push(Subject::Programme(programme.name.clone()));
        }
        let calls = subjects
            .into_iter()
            .map(|subject| self.figures_of(subject).boxed());
        let found = all(calls.collect()).await?;
        let mut latest = Vec::new();
        for (subject, MeasureSeries { lines, sources }) in found {
            for line in lines.into_iter().filter_map(last_of) {
                latest.push((told(&subject), line, sources.clone()));
            }
        }
        latest.sort_by_key(|(_, line, _)| line.kind);
        Ok(latest)
    }

    async fn figures_of(&self, subject: Subject) -> Result<(Subject, MeasureSeries), Status> {
        let asked = self.series_request(subject.clone());
        let mut client = self.client.clone();
        let series = client.get_measure_series(self.asking.call(asked)).await?;
        Ok((subject, series.into_inner()))
    }

    /// Of the lines of several publishers about the same, those that reach into the years that are shown; the latest,
    /// where none does.
    fn recent(&self, all: Vec<Latest>) -> Vec<Latest> {
        let mut ends: HashMap<About, Month> = HashMap::new();
        for latest in &all {
            let end = ends.entry(about(latest)).or_insert_with(|| end_of(latest));
            *end = (*end).max(end_of(latest));
        }
        let first = Month::new(self.query.first_year(), 1);
        let is_recent = |latest: &Latest| {
            let end = end_of(latest);
            first.is_some_and(|first| end > first) || ends.get(&about(latest)) == Some(&end)
        };
        all.into_iter().filter(is_recent).collect()
    }

    fn series_request(&self, subject: Subject) -> GetMeasureSeriesRequest {
        let window = PeriodWindow::new(Month::new(1, 1), Some(self.query.end_of_figures()));
        GetMeasureSeriesRequest {
            subject: Some(subject),
            window: Some(window.unwrap_or_default().into()),
            as_of: self.as_of,
            ..Default::default()
        }
    }

    async fn visa(&self) -> Result<FindVisaRulesResponse, Status> {
        let [country, partner] = self.query.codes();
        let asked = FindVisaRulesRequest {
            country,
            partner,
            day: Some(self.query.day.into()),
            as_of: self.as_of,
            ..Default::default()
        };
        let mut client = self.client.clone();
        let found = client.find_visa_rules(self.asking.call(asked)).await?;
        Ok(found.into_inner())
    }
}

/// What a line is about, whoever publishes it.
type About = (String, i32, String, String);

fn about((subject, line, _): &Latest) -> About {
    let subject = match subject {
        measure_figure::Subject::Programme(name) => name.clone(),
        measure_figure::Subject::Direction(way) => format!("{} {}", way.from, way.to),
    };
    (subject, line.kind, line.item.clone(), line.unit.clone())
}

/// The month behind a line's last figure.
fn end_of((_, line, _): &Latest) -> Month {
    let last = line
        .points
        .last()
        .and_then(|point| point.period.parse::<Period>().ok());
    let first = Month::new(1, 1).expect("a month");
    last.map_or(first, Period::end)
}

fn told(subject: &Subject) -> measure_figure::Subject {
    match subject {
        Subject::Programme(name) => measure_figure::Subject::Programme(name.clone()),
        Subject::Direction(direction) => measure_figure::Subject::Direction(direction.clone()),
    }
}

/// Forgets what is surely after the day, and dates that are far ahead; whether anything is left, or nothing is dated at all.
pub(crate) fn remember_until(programme: &mut Programme, query: &Query) -> bool {
    let is_known = |date| taken(date).is_none_or(|date| date.first() <= query.day);
    let is_dated = programme.start_date.is_some() || !programme.milestones.is_empty();
    programme
        .milestones
        .retain(|milestone| is_known(milestone.date));
    programme
        .observed_statuses
        .retain(|status| is_known(status.date));
    programme
        .inferred_status
        .take_if(|status| !is_known(status.date));
    let starts = programme.start_date.is_some() && is_known(programme.start_date);
    let is_far = |date| taken(date).is_some_and(|date| date.first() > query.day.plus(AHEAD));
    programme.start_date.take_if(|date| is_far(Some(*date)));
    programme.end_date.take_if(|date| is_far(Some(*date)));
    !is_dated || starts || !programme.milestones.is_empty()
}

/// A line with its last point, and before it that of the same months a year before.
fn last_of(mut line: MeasureLine) -> Option<MeasureLine> {
    let last = line.points.pop()?;
    let base = last
        .period
        .parse::<Period>()
        .ok()
        .and_then(Period::year_before);
    let base = base.map(|period| period.to_string());
    line.points
        .retain(|point| base.as_ref() == Some(&point.period));
    line.points.push(last);
    Some(line)
}
