//! The sectors that are shipped: what a service takes, in codes that there are.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use prost_reflect::{DescriptorPool, DynamicMessage};
use proto::trade::v1::{CreateSectorRequest, Sector};
use proto::{Classification, Code, LocalizedText, Slug};

/// The shipped file, as canonical protobuf JSON of requests.
fn shipped() -> Vec<CreateSectorRequest> {
    let text = include_str!("../demo/sectors.json");
    let values: Vec<serde_json::Value> = serde_json::from_str(text).expect("a list");
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("a schema");
    let request = pool.get_message_by_name("entente.trade.v1.CreateSectorRequest");
    let request = request.expect("a message");
    let parse = |value| DynamicMessage::deserialize(request.clone(), value).expect("a request");
    let requests = values.into_iter().map(parse);
    requests
        .map(|request| request.transcode_to().unwrap())
        .collect()
}

#[test]
fn each_sector_is_complete_and_stands_once() {
    let mut ids = BTreeSet::new();
    for request in shipped() {
        let id = Slug::parse(&request.sector_id).expect("an id");
        let Sector {
            display_name,
            description,
            classification,
            codes,
            ..
        } = request.sector.expect("a sector");
        let names = LocalizedText::try_from(display_name.expect("a name")).expect("texts");
        let languages: Vec<&str> = names.iter().map(|(language, _)| language).collect();
        assert_eq!(languages, ["en", "fr", "kk", "ru", "zh-Hans"], "{id}");
        LocalizedText::try_from(description.expect("why these codes")).expect("texts");
        let revision: Classification = classification.parse().expect("a revision");
        assert_eq!(revision, Classification::H6, "{id}");
        for (index, code) in codes.iter().enumerate() {
            let level = code.parse::<Code>().expect("a code").level();
            assert!([2, 4, 6].contains(&level), "{id}: {code}");
            let others = codes
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index);
            let above = others
                .map(|(_, other)| other)
                .find(|other| code.starts_with(*other));
            assert_eq!(above, None, "{id}: {code} would be counted twice");
        }
        assert!(!codes.is_empty(), "{id}");
        assert!(ids.insert(id.clone()), "{id} stands twice");
    }
    assert!(ids.len() >= 15);
}

#[test]
fn every_code_is_one_of_the_harmonized_system() {
    let folder = std::env::var_os("ENTENTE_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let file = folder.join("codes/harmonized-system.csv");
    if !file.is_file() {
        let why = "the code list is not at hand; ENTENTE_SHARED_DATA may name its folder";
        let required = std::env::var("ENTENTE_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|one| one == "samples"), "{why}");
        println!("NOT CHECKED: {why}");
        return;
    }
    let mut list = csv::Reader::from_path(file).expect("a table");
    let known: BTreeSet<String> = list
        .records()
        .map(|row| row.expect("a row")[1].to_owned())
        .collect();
    for request in shipped() {
        for code in request.sector.expect("a sector").codes {
            assert!(
                known.contains(&code),
                "{}: {code} is no code of H6",
                request.sector_id
            );
        }
    }
}
