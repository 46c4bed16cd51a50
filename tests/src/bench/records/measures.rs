//! Figures of exchange, of a direction each.

use anyhow::Result;
use proto::culture::v1 as wire;
use proto::culture::v1::culture_service_client::CultureServiceClient;
use proto::r#type::v1::PeriodWindow;
use tonic::transport::Channel;
use wire::{Direction, Measure, MeasureFilter, MeasureKind, measure::Subject as Of};

use super::{PAIRS, Subject, pair};

#[derive(Clone)]
pub(super) struct Measures(CultureServiceClient<Channel>);

fn direction(number: u64) -> Direction {
    let [from, to] = pair(number).map(str::to_owned);
    Direction { from, to }
}

/// Of a pair one item after another, each of seventy years.
fn measure(number: u64) -> Measure {
    let (year, item) = (number / PAIRS % 70, number / PAIRS / 70);
    Measure {
        subject: Some(Of::Direction(direction(number))),
        kind: MeasureKind::Students.into(),
        item: format!("item-{item}"),
        unit: "persons".into(),
        period: format!("{}", 1955 + year),
        value: format!("{}", 1 + number % 9_973),
        source: Some(crate::source("A yearbook")),
        ..Measure::default()
    }
}

impl Measures {
    async fn record(&mut self, measures: Vec<Measure>) -> Result<Vec<Measure>> {
        let request = wire::RecordMeasuresRequest {
            measures,
            request_id: String::new(),
        };
        Ok(self.0.record_measures(request).await?.into_inner().measures)
    }
}

impl Subject for Measures {
    const ROLE: &'static str = "culture";
    const NAME: &'static str = "measures";
    const BATCH: u64 = 1_000;
    const QUESTIONS: &'static [&'static str] = &[
        "first page of a pair",
        "a year of a pair",
        "series of one item",
    ];

    fn new(channel: Channel) -> Measures {
        Measures(CultureServiceClient::new(channel))
    }

    async fn write(mut self, number: u64) -> Result<()> {
        self.record(vec![measure(number)]).await?;
        Ok(())
    }

    async fn write_all(mut self, numbers: std::ops::Range<u64>) -> Result<String> {
        let recorded = self.record(numbers.map(measure).collect()).await?;
        Ok(recorded.into_iter().next().unwrap_or_default().name)
    }

    async fn read(mut self, name: String) -> Result<()> {
        let request = wire::GetMeasureRequest { name, as_of: None };
        self.0.get_measure(request).await?;
        Ok(())
    }

    async fn ask(mut self, question: usize, number: u64) -> Result<usize> {
        let Direction { from, to } = direction(number);
        if question == 2 {
            let request = wire::GetMeasureSeriesRequest {
                subject: Some(wire::get_measure_series_request::Subject::Direction(
                    direction(number),
                )),
                kind: MeasureKind::Students.into(),
                item: "item-0".into(),
                ..wire::GetMeasureSeriesRequest::default()
            };
            let lines = self.0.get_measure_series(request).await?.into_inner().lines;
            return Ok(lines.iter().map(|line| line.points.len()).sum());
        }
        let window = (question == 1).then(|| PeriodWindow {
            start: "1990".into(),
            end: "1991".into(),
        });
        let filter = MeasureFilter {
            country: from,
            partner: to,
            window,
            ..MeasureFilter::default()
        };
        let request = wire::ListMeasuresRequest {
            filter: Some(filter),
            page_size: 50,
            ..wire::ListMeasuresRequest::default()
        };
        Ok(self
            .0
            .list_measures(request)
            .await?
            .into_inner()
            .measures
            .len())
    }
}
