//! The samples beside the project, where they are; none of them may be copied into it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use super::*;
use crate::comtrade::{Layout, Summary};

fn sample(name: &str) -> Option<Reader<File>> {
    let folder = std::env::var_os("ENTENTE_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")),
        PathBuf::from,
    );
    let path = folder.join("comtrade").join(name);
    let Ok(file) = File::open(&path) else {
        println!("passed over: {} is not there", path.display());
        return None;
    };
    Some(Reader::new(file).unwrap())
}

fn rows(reader: &mut Reader<File>) -> Vec<Row> {
    reader.map(|record| figure(record.unwrap())).collect()
}

fn flows(rows: &[Row]) -> BTreeMap<&'static str, usize> {
    let mut flows = BTreeMap::new();
    for row in rows {
        *flows.entry(row.key.flow.code()).or_default() += 1;
    }
    flows
}

fn whole(rows: u64) -> Summary {
    Summary {
        rows,
        ..Summary::default()
    }
}

#[test]
fn thailand_s_shrimps_are_read_whole() {
    let Some(mut reader) = sample("comtradr_vignette_3_THA_imports_shrimp_2007.csv") else {
        return;
    };
    let rows = rows(&mut reader);
    assert_eq!(reader.layout(), Layout::ApiCsv);
    assert_eq!(reader.summary(), &whole(1586));
    assert_eq!(
        flows(&rows),
        BTreeMap::from([("M", 388), ("RM", 15), ("X", 1183)])
    );
    assert_eq!(rows[1585].place.line, 1587);
    let flagged = |flags: usize| move |row: &&Row| row.flags.iter().count() == flags;
    assert_eq!(rows.iter().filter(flagged(2)).count(), 85);
    assert_eq!(rows.iter().filter(flagged(1)).count(), 2, "no weight given");
}

#[test]
fn argentina_s_bulk_file_is_read_whole() {
    let Some(mut reader) = sample("comtradr_bulkfile_ARG_2000_H0_first100.csv") else {
        return;
    };
    let rows = rows(&mut reader);
    assert_eq!(reader.layout(), Layout::BulkCsv);
    assert_eq!(reader.summary(), &whole(100));
    assert_eq!(rows[0].value.to_string(), "26341029193");
    assert_eq!(rows[0].key.reporter.to_string(), "ARG");
    assert_eq!(rows[0].key.partner.to_string(), "WLD");
}

#[test]
fn china_s_exports_are_read_whole_in_spite_of_padded_codes() {
    let Some(mut reader) = sample("comtradr_vignette_2_CHN_KOR_etc_exports_2012.csv") else {
        return;
    };
    let rows = rows(&mut reader);
    assert_eq!(reader.summary(), &whole(33));
    assert_eq!(rows[0].value.to_string(), "87673764182");
    assert_eq!(rows.iter().filter(|row| !row.flags.is_empty()).count(), 24);
    assert!(
        rows.iter()
            .all(|row| row.net_weight.is_none() && row.quantity.is_none())
    );
}

#[test]
fn the_usa_s_imports_are_aggregates_without_weight() {
    let Some(mut reader) = sample("comtradr_vignette_1_USA_FRA_2018_TOTAL.csv") else {
        return;
    };
    let rows = rows(&mut reader);
    assert_eq!(reader.summary(), &whole(20));
    assert_eq!(rows[0].value.to_string(), "53621601767");
    assert!(
        rows.iter()
            .all(|row| format!("{:?}", row.flags) == "{Aggregated}")
    );
}

#[test]
fn the_old_site_s_file_is_read_whole() {
    let Some(mut reader) = sample("legacy_comtrade_2016_HS01_excerpt.csv") else {
        return;
    };
    let rows = rows(&mut reader);
    assert_eq!(reader.layout(), Layout::LegacyCsv);
    assert_eq!(reader.summary(), &whole(12));
    assert_eq!(
        flows(&rows),
        BTreeMap::from([("M", 6), ("RM", 1), ("RX", 2), ("X", 3)])
    );
    assert_eq!(rows[0].value.to_string(), "91128858");
    assert_eq!(rows[0].code.to_string(), "01");
}

#[test]
fn the_api_s_json_is_read_whole() {
    let Some(mut reader) = sample("api_get_C_A_HS_CHN_imports_2010_2011.json") else {
        return;
    };
    let rows = rows(&mut reader);
    assert_eq!(reader.layout(), Layout::ApiJson);
    assert_eq!(reader.summary(), &whole(4));
    assert_eq!(rows[0].value.to_string(), "6804128143");
    assert_eq!(rows[1].place.row, 2);
}

#[test]
fn nothing_found_is_a_success() {
    let Some(mut reader) = sample("bulk_error.json") else {
        return;
    };
    assert_eq!(rows(&mut reader), []);
    assert_eq!(reader.summary(), &whole(0));
}
