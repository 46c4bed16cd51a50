//! Figures as a table in the text of a test, and their way into a service.

use std::collections::BTreeMap;

use proto::Flow;
use proto::r#type::v1::{LocalizedText, Source};
use tonic::Status;

use crate::wire::ingest_observations_request::Part;
use crate::wire::{
    CreateDatasetRequest, Dataset, IngestHeader, IngestObservationsRequest,
    IngestObservationsResponse, Observation, ObservationBatch, ObservationFlag, ObservationGroup,
    ObservationRow, Valuation,
};
use crate::{Client, Server};

/// A dataset in US dollars that nothing is wrong with: imports CIF, exports FOB.
pub fn dataset(id: &str) -> CreateDatasetRequest {
    let display_name = LocalizedText {
        texts: BTreeMap::from([("en".into(), format!("Figures of {id}"))]),
    };
    let source = Source {
        title: format!("Tables of {id}"),
        publisher: "Office of statistics".into(),
        ..Source::default()
    };
    CreateDatasetRequest {
        dataset_id: id.into(),
        dataset: Some(Dataset {
            display_name: Some(display_name),
            source: Some(source),
            currency_code: "USD".into(),
            import_valuation: Valuation::Cif.into(),
            export_valuation: Valuation::Fob.into(),
            ..Dataset::default()
        }),
        request_id: String::new(),
    }
}

/// Figures from a table with a figure a line: reporter, partner, flow, classification, code, period,
/// value, and then flags (`lower-bound`) and what else there is (`weight=`, `quantity=`, `unit=`,
/// `source=`). Rows are numbered from 1; lines that follow each other with the same key share a group.
/// Nothing is checked: what is wrong in the table arrives as it is.
pub fn groups(table: &str) -> Vec<ObservationGroup> {
    let mut groups: Vec<ObservationGroup> = Vec::new();
    let lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    for (line, number) in lines.zip(1..) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [
            reporter,
            partner,
            flow,
            classification,
            code,
            period,
            value,
            rest @ ..,
        ] = &words[..]
        else {
            panic!("a figure has seven words: {line}");
        };
        let row = row(number, code, value, rest);
        let group = ObservationGroup {
            reporter: (*reporter).into(),
            partner: (*partner).into(),
            flow: Flow::from_code(flow).map_or(0, |flow| flow.to_wire().into()),
            classification: (*classification).into(),
            period: (*period).into(),
            rows: Vec::new(),
        };
        match groups.last_mut().filter(|last| same_key(last, &group)) {
            Some(last) => last.rows.push(row),
            None => groups.push(ObservationGroup {
                rows: vec![row],
                ..group
            }),
        }
    }
    groups
}

fn row(number: i64, code: &str, value: &str, rest: &[&str]) -> ObservationRow {
    let mut row = ObservationRow {
        number,
        code: code.into(),
        value: value.into(),
        ..ObservationRow::default()
    };
    for word in rest {
        match word.split_once('=') {
            Some(("weight", weight)) => row.net_weight = weight.into(),
            Some(("quantity", quantity)) => row.quantity = quantity.into(),
            Some(("unit", unit)) => row.quantity_unit = unit.parse().expect("a number"),
            Some(("source", index)) => row.source = index.parse().expect("a number"),
            Some(_) => panic!("unknown word {word}"),
            None => row.flags.push(flag(word)),
        }
    }
    row
}

fn flag(word: &str) -> i32 {
    let name = word.to_ascii_uppercase().replace('-', "_");
    let flag = ObservationFlag::from_str_name(&format!("OBSERVATION_FLAG_{name}"));
    flag.expect("a flag").into()
}

fn same_key(a: &ObservationGroup, b: &ObservationGroup) -> bool {
    let key = |group: &ObservationGroup| {
        let ObservationGroup {
            reporter,
            partner,
            flow,
            classification,
            period,
            rows: _,
        } = group;
        [reporter, partner, &flow.to_string(), classification, period].map(String::clone)
    };
    key(a) == key(b)
}

/// A header that asks for nothing special.
pub fn header(dataset: &str, ingest: &str) -> IngestHeader {
    IngestHeader {
        parent: format!("datasets/{dataset}"),
        ingest_id: ingest.into(),
        ..IngestHeader::default()
    }
}

/// A batch of the figures of a table.
pub fn batch(sequence: i64, table: &str) -> ObservationBatch {
    ObservationBatch {
        sequence,
        groups: groups(table),
        sources: Vec::new(),
    }
}

/// Sends an ingest from its header to its end.
pub async fn ingest(
    client: &Client,
    header: IngestHeader,
    batches: Vec<ObservationBatch>,
) -> Result<IngestObservationsResponse, Status> {
    let header = Part::Header(header);
    let parts = [header]
        .into_iter()
        .chain(batches.into_iter().map(Part::Batch));
    let messages: Vec<_> = parts
        .map(|part| IngestObservationsRequest { part: Some(part) })
        .collect();
    let stream = tokio_stream::iter(messages);
    let response = client.clone().ingest_observations(stream).await?;
    Ok(response.into_inner())
}

/// Records a table as the only batch of an ingest.
pub async fn record(
    client: &Client,
    dataset: &str,
    ingest_id: &str,
    table: &str,
) -> IngestObservationsResponse {
    let sent = ingest(client, header(dataset, ingest_id), vec![batch(1, table)]).await;
    sent.unwrap_or_else(|status| panic!("{ingest_id} is refused: {status:?}"))
}

/// A client of a server whose dataset `comtrade` has the figures of a table.
pub async fn with_figures(server: &Server, table: &str) -> Client {
    let client = server.client();
    let created = client.clone().create_dataset(dataset("comtrade")).await;
    created.expect("created");
    let answer = record(&client, "comtrade", "figures", table).await;
    assert!(answer.rejections.is_empty(), "{:?}", answer.rejections);
    client
}

/// Records a thousand codes of China's exports to Kazakhstan in 2023, each with a source of its own of four
/// kilobytes: more than one answer takes.
pub async fn record_long_sources(client: &Client, dataset: &str) {
    for number in 0..10 {
        let source = |at: usize| Source {
            title: format!("Table {number} {at}"),
            publisher: "Office of statistics".into(),
            note: "ж".repeat(1_000),
            uri: format!("https://example.org/{}", "x".repeat(1_900)),
            ..Source::default()
        };
        let row = |at: usize| {
            let (code, source) = (number * 100 + at + 10_000, at + 1);
            format!("CHN KAZ X H6 {code:06} 2023 1 source={source}\n")
        };
        let sent = ObservationBatch {
            sources: (0..100).map(source).collect(),
            ..batch(1, &(0..100).map(row).collect::<String>())
        };
        let id = format!("sources-{number}");
        let taken = ingest(client, header(dataset, &id), vec![sent]).await;
        taken.expect("taken");
    }
}

/// What a figure says, without when and from where: its name's key, its value, its flags.
pub type Shape = (String, String, Vec<i32>);

/// The [`Shape`] of an observation.
pub fn shape(observation: &Observation) -> Shape {
    let key = observation.name.rsplit('/').next().unwrap_or_default();
    let value = observation.value.clone().unwrap_or_default().amount;
    (key.into(), value, observation.flags.clone())
}
