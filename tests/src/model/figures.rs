//! Figures of trade against a map of them: recorded in batches and revised. The timeline must tell how many, and the
//! index that it is told from must be what the journal makes it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost_types::Timestamp;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use proto::trade::v1::trade_service_server::TradeServiceServer;
use store::Store;
use tempfile::TempDir;

use super::{copy, never, open};
use crate::wire::ingest_observations_request::Part;
use crate::wire::timeline_entry::Entry;
use crate::wire::{IngestObservationsRequest, ListObservationsRequest, ListTimelineRequest};
use crate::{batch, dataset, header, pages, shape};

type Client = TradeServiceClient<TradeServiceServer<trade::Trade>>;

const DATASETS: [&str; 2] = ["customs", "yearbook"];
/// Each differs from others in one part of what it is of.
const FIGURES: [&str; 10] = [
    "CHN KAZ X H6 TOTAL 2023",
    "CHN KAZ X H6 84 2023",
    "CHN KAZ X H6 8703 2023",
    "CHN KAZ X H5 TOTAL 2023",
    "CHN KAZ X H6 TOTAL 2023-01",
    "CHN KAZ M H6 TOTAL 2023",
    "KAZ CHN M H6 TOTAL 2023",
    "KAZ CHN X H6 84 2023",
    "CHN UZB X H6 TOTAL 2023",
    "CHN CHN X H6 TOTAL 2023",
];
/// Earlier instants that are asked about, at most.
const REMEMBERED: usize = 4;

/// What is done.
#[derive(Clone, Debug)]
pub enum Step {
    /// Figures of a dataset are recorded together.
    Record(usize, BTreeMap<usize, u32>),
    /// The store is closed and opened again.
    Restart,
    /// The process ends where it stands, and its view is lost.
    CrashWithoutView,
    /// The process ends where it stands.
    Crash,
}

/// Any order of steps.
pub fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    // Few values, so that some are as they were.
    let figures = prop::collection::btree_map(0..FIGURES.len(), 1..4_u32, 1..6);
    let step = prop_oneof![
        8 => (0..DATASETS.len(), figures).prop_map(|(dataset, figures)| Step::Record(dataset, figures)),
        1 => Just(Step::Restart),
        1 => Just(Step::CrashWithoutView),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..25)
}

/// All values of each figure of each dataset.
type Map = BTreeMap<(usize, usize), Vec<u32>>;

/// Figures that were recorded and revised, by dataset and reporter.
type Told = BTreeMap<(String, String), [i64; 2]>;

/// What a timeline of two countries must tell.
fn told_of(map: &Map, country: &str, partner: &str) -> Told {
    let mut told = Told::new();
    for ((dataset, figure), values) in map {
        let words: Vec<&str> = FIGURES[*figure].split(' ').collect();
        if [[country, partner], [partner, country]].contains(&[words[0], words[1]]) {
            let key = (
                format!("datasets/{}", DATASETS[*dataset]),
                words[0].to_owned(),
            );
            let [recorded, revised] = told.entry(key).or_default();
            *recorded += 1;
            *revised += i64::try_from(values.len() - 1).expect("few");
        }
    }
    told
}

/// The service and the map.
struct House {
    folder: TempDir,
    store: Store<trade::Model>,
    client: Client,
    map: Map,
    ingests: usize,
    past: Vec<(Timestamp, Map)>,
}

fn client(store: &Store<trade::Model>) -> Client {
    TradeServiceClient::new(trade::Trade::new(store.clone(), never()).server())
}

impl House {
    async fn new() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path());
        let mut client = client(&store);
        for id in DATASETS {
            client.create_dataset(dataset(id)).await.expect("created");
        }
        House {
            client,
            store,
            folder,
            map: Map::new(),
            ingests: 0,
            past: Vec::new(),
        }
    }

    async fn record(&mut self, dataset: usize, figures: &BTreeMap<usize, u32>) {
        self.ingests += 1;
        let line = |(figure, value): (&usize, &u32)| format!("{} {value}\n", FIGURES[*figure]);
        let table: String = figures.iter().map(line).collect();
        let header = header(DATASETS[dataset], &format!("ingest-{}", self.ingests));
        let parts = [Part::Header(header), Part::Batch(batch(1, &table))];
        let messages = parts.map(|part| IngestObservationsRequest { part: Some(part) });
        let sent = self
            .client
            .ingest_observations(tokio_stream::iter(messages));
        let answer = sent.await.expect("taken").into_inner();
        assert!(answer.rejections.is_empty(), "{:?}", answer.rejections);
        for (figure, value) in figures {
            let values = self.map.entry((dataset, *figure)).or_default();
            if values.last() != Some(value) {
                values.push(*value);
            }
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
            Step::Record(dataset, figures) => self.record(*dataset, figures).await,
            Step::Restart => {
                self.store.close().await;
                self.take_up(self.left()).await;
            }
            Step::CrashWithoutView => {
                let left = self.left();
                std::fs::remove_dir_all(left.path().join("view")).expect("a view");
                self.take_up(left).await;
            }
            Step::Crash => self.take_up(self.left()).await,
        }
    }

    /// What `kill -9` leaves, or a close.
    fn left(&self) -> TempDir {
        let left = tempfile::tempdir().expect("a folder");
        copy(self.folder.path(), left.path());
        left
    }

    async fn timeline(&self, country: &str, partner: &str, as_of: Option<Timestamp>) -> Told {
        let pages = pages(async |page_token| {
            let asked = ListTimelineRequest {
                country: country.into(),
                partner: partner.into(),
                page_size: 2,
                page_token,
                as_of,
                ..ListTimelineRequest::default()
            };
            let page = self.client.clone().list_timeline(asked).await;
            let page = page.expect("a page").into_inner();
            (page.entries, page.next_page_token)
        });
        let mut told = Told::new();
        for entry in pages.await.concat() {
            let Some(Entry::Figures(figures)) = entry.entry else {
                panic!("nothing but figures was recorded");
            };
            // A day is an entry, and the steps may go past midnight.
            let key = (figures.dataset, figures.reporter);
            let [recorded, revised] = told.entry(key).or_default();
            *recorded += figures.recorded;
            *revised += figures.revised;
        }
        told
    }

    async fn listed(&self, dataset: usize) -> BTreeMap<String, String> {
        let asked = ListObservationsRequest {
            parent: format!("datasets/{}", DATASETS[dataset]),
            page_size: 1_000,
            ..ListObservationsRequest::default()
        };
        let page = self.client.clone().list_observations(asked).await;
        let figures = page.expect("a page").into_inner().observations;
        let shapes = figures.iter().map(shape);
        shapes.map(|(key, value, _)| (key, value)).collect()
    }

    async fn check_timelines(&self, map: &Map, as_of: Option<Timestamp>) {
        for (country, partner) in [("CHN", "KAZ"), ("UZB", "CHN")] {
            let told = self.timeline(country, partner, as_of).await;
            assert_eq!(
                told,
                told_of(map, country, partner),
                "{country} {partner} {as_of:?}"
            );
        }
    }

    async fn check(&self) {
        for dataset in 0..DATASETS.len() {
            let here = self.map.iter().filter(|((of, _), _)| *of == dataset);
            let expected = here.map(|((_, figure), values)| {
                let value = values.last().expect("a value").to_string();
                (FIGURES[*figure].replace(' ', "."), value)
            });
            assert_eq!(self.listed(dataset).await, expected.collect());
        }
        self.check_timelines(&self.map, None).await;
        for (instant, past) in &self.past {
            self.check_timelines(past, Some(*instant)).await;
        }
        let wrong = trade::recompute(&self.store).expect("it can be read");
        assert_eq!(wrong, Vec::<Vec<u8>>::new());
    }
}

/// Takes steps, and compares after each.
pub async fn run(steps: &[Step]) {
    let mut house = House::new().await;
    for step in steps {
        let instant = proto::to_timestamp(house.store.last().time);
        house.past.push((instant, house.map.clone()));
        house.past.truncate(REMEMBERED);
        house.step(step).await;
        house.check().await;
    }
}
