//! Figures of exchange against a map of them: recorded in batches, revised, deleted, recorded again.

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost_types::Timestamp;
use proto::culture::v1 as wire;
use proto::culture::v1::culture_service_client::CultureServiceClient;
use store::Store;
use tempfile::TempDir;
use tonic::{Code, Status};
use wire::{Direction, Measure, MeasureKind, RecordMeasuresRequest, measure::Subject};

use super::programme::Client;
use super::{copy, never, open};

/// Figures that are written to: few, so that they meet.
const FIGURES: usize = 8;

/// What is done.
#[derive(Clone, Debug)]
pub enum Step {
    /// Figures are recorded together.
    Record(Vec<(usize, u32)>),
    /// One is deleted.
    Delete(usize),
    /// The process ends where it stands, and its view is lost.
    CrashWithoutView,
    /// The process ends where it stands.
    Crash,
}

/// Any order of steps.
pub fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    // Few values, so that some are as they were.
    let figures = prop::collection::vec((0..FIGURES, 0..3_u32), 1..5);
    let step = prop_oneof![
        6 => figures.prop_map(Step::Record),
        2 => (0..FIGURES).prop_map(Step::Delete),
        1 => Just(Step::CrashWithoutView),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..25)
}

/// Each differs from the others in one part of what identifies it.
fn measure(figure: usize, value: u32) -> Measure {
    let direction = |from: &str, to: &str| {
        Subject::Direction(Direction {
            from: from.into(),
            to: to.into(),
        })
    };
    let subject = match figure {
        1 => direction("CHN", "KAZ"),
        2 => Subject::Programme("programmes/workshop".into()),
        _ => direction("KAZ", "CHN"),
    };
    let kind = if figure == 3 {
        MeasureKind::People
    } else {
        MeasureKind::Students
    };
    let mut source = crate::source("A yearbook");
    if figure == 7 {
        source.publisher = "A ministry".into();
    }
    Measure {
        subject: Some(subject),
        kind: kind.into(),
        item: if figure == 4 {
            "scholarships".into()
        } else {
            String::new()
        },
        unit: if figure == 5 {
            "grants".into()
        } else {
            "persons".into()
        },
        period: if figure == 6 {
            "2018".into()
        } else {
            "2017".into()
        },
        value: value.to_string(),
        source: Some(source),
        ..Measure::default()
    }
}

/// The service and the map.
struct House {
    folder: TempDir,
    store: Store<culture::Model>,
    client: Client,
    /// By figure all values; `None` for a deletion.
    map: BTreeMap<usize, Vec<Option<u32>>>,
    names: BTreeMap<usize, String>,
    past: Vec<(Timestamp, BTreeMap<usize, u32>)>,
}

fn client(store: &Store<culture::Model>) -> Client {
    CultureServiceClient::new(culture::Culture::new(store.clone(), never()).server())
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path());
        House {
            client: client(&store),
            store,
            folder,
            map: BTreeMap::new(),
            names: BTreeMap::new(),
            past: Vec::new(),
        }
    }

    fn there(&self) -> BTreeMap<usize, u32> {
        let current = self
            .map
            .iter()
            .filter_map(|(figure, values)| Some((*figure, (*values.last()?)?)));
        current.collect()
    }

    async fn record(&mut self, figures: &[(usize, u32)]) {
        let request = RecordMeasuresRequest {
            measures: figures
                .iter()
                .map(|(figure, value)| measure(*figure, *value))
                .collect(),
            request_id: String::new(),
        };
        let answer = self.client.record_measures(request).await;
        let twice = |at: usize| {
            figures[..at]
                .iter()
                .any(|(figure, _)| *figure == figures[at].0)
        };
        if (0..figures.len()).any(twice) {
            let code = answer.map_or_else(|status| status.code(), |_| Code::Ok);
            assert_eq!(code, Code::InvalidArgument, "{figures:?}");
            return;
        }
        let answer = answer.expect("recorded").into_inner();
        let there = self.there();
        let mut counts = [0; 3];
        for ((figure, value), recorded) in figures.iter().zip(&answer.measures) {
            let count = match there.get(figure) {
                None => 0,
                Some(now) if now == value => 2,
                Some(_) => 1,
            };
            counts[count] += 1;
            if count < 2 {
                self.map.entry(*figure).or_default().push(Some(*value));
            }
            let name = self
                .names
                .entry(*figure)
                .or_insert_with(|| recorded.name.clone());
            assert_eq!(*name, recorded.name, "a figure keeps its name");
        }
        assert_eq!(
            [answer.new, answer.revised, answer.unchanged],
            counts,
            "{figures:?}"
        );
    }

    async fn delete(&mut self, figure: usize) {
        let is_there = self.there().contains_key(&figure);
        let name = self.names.get(&figure).cloned();
        let request = wire::DeleteMeasureRequest {
            name: name.unwrap_or_else(|| "measures/none".into()),
            ..wire::DeleteMeasureRequest::default()
        };
        let answer = self.client.delete_measure(request).await;
        let code = answer.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(code, if is_there { Code::Ok } else { Code::NotFound });
        if is_there {
            self.map.entry(figure).or_default().push(None);
        }
    }

    async fn take_up(&mut self, folder: TempDir) {
        self.store.close().await;
        self.store = open(folder.path());
        self.client = client(&self.store);
        self.folder = folder;
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Record(figures) => self.record(figures).await,
            Step::Delete(figure) => self.delete(*figure).await,
            Step::CrashWithoutView => {
                let left = self.left();
                std::fs::remove_dir_all(left.path().join("view")).expect("a view");
                self.take_up(left).await;
            }
            Step::Crash => {
                let left = self.left();
                self.take_up(left).await;
            }
        }
    }

    /// What `kill -9` leaves.
    fn left(&self) -> TempDir {
        let left = tempfile::tempdir().expect("a folder");
        copy(self.folder.path(), left.path());
        left
    }

    async fn listed(&self, as_of: Option<Timestamp>) -> Result<BTreeMap<String, String>, Status> {
        let (mut found, mut page_token) = (BTreeMap::new(), String::new());
        loop {
            let request = wire::ListMeasuresRequest {
                page_size: 3,
                page_token,
                as_of,
                ..wire::ListMeasuresRequest::default()
            };
            let page = self
                .client
                .clone()
                .list_measures(request)
                .await?
                .into_inner();
            found.extend(page.measures.into_iter().map(|one| (one.name, one.value)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(found);
            }
        }
    }

    async fn check(&self) {
        let named = |there: &BTreeMap<usize, u32>| -> BTreeMap<String, String> {
            let named = there
                .iter()
                .map(|(figure, value)| (self.names[figure].clone(), value.to_string()));
            named.collect()
        };
        assert_eq!(
            self.listed(None).await.expect("a list"),
            named(&self.there())
        );
        for (instant, past) in &self.past {
            assert_eq!(
                self.listed(Some(*instant)).await.expect("a list"),
                named(past)
            );
        }
        for (figure, values) in &self.map {
            let request = wire::ListMeasureVersionsRequest {
                name: self.names[figure].clone(),
                page_size: 500,
                page_token: String::new(),
            };
            let versions = self.client.clone().list_measure_versions(request).await;
            let versions = versions.expect("versions").into_inner().versions;
            let told = versions
                .into_iter()
                .rev()
                .map(|one| one.measure.map(|measure| measure.value));
            let expected = values
                .iter()
                .map(|value| value.map(|value| value.to_string()));
            assert_eq!(told.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
        let wrong = self
            .store
            .read(records::recompute::<culture::Model, Measure>);
        assert_eq!(wrong.expect("it can be read"), Vec::<Vec<u8>>::new());
    }
}

/// Takes steps, and compares after each.
pub async fn run(steps: &[Step]) {
    let mut house = House::new();
    for step in steps {
        house
            .past
            .push((proto::to_timestamp(house.store.last().time), house.there()));
        house.past.truncate(4);
        house.step(step).await;
        house.check().await;
    }
}
