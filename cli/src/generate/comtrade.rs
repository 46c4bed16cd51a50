//! Figures in the layout of UN Comtrade's bulk files, which `entente import comtrade` reads.

use std::io::{self, Write};

use proto::Country;
use proto::trade::v1::{Flow, ObservationFlag, ObservationGroup, ObservationRow};

use super::figures::{Edition, Figures, Plan};

const TITLES: &str = "dataset_code,type_code,freq_code,ref_period_id,ref_year,ref_month,period,reporter_code,\
    flow_code,partner_code,partner2code,classification_search_code,classification_code,\
    is_original_classification,cmd_code,customs_code,mos_code,mot_code,qty_unit_code,qty,is_qty_estimated,\
    alt_qty_unit_code,alt_qty,is_alt_qty_estimated,net_wgt,is_net_wgt_estimated,gross_wgt,is_gross_wgt_estimated,\
    cifvalue,fobvalue,primary_value,legacy_estimation_flag,is_reported,is_aggregate";

/// Writes a plan's figures.
pub(super) fn write(out: &mut impl Write, plan: Plan) -> io::Result<()> {
    writeln!(out, "{TITLES}")?;
    for group in Figures::new(plan, Edition::First) {
        let head = Head::of(&group);
        for row in &group.rows {
            head.write(out, row)?;
        }
    }
    Ok(())
}

/// What the rows of a group share.
struct Head {
    /// The columns before the code.
    before: String,
    is_import: bool,
}

impl Head {
    fn of(group: &ObservationGroup) -> Head {
        let is_import = group.flow() == Flow::Import;
        let (year, month) = group.period.split_once('-').unwrap_or((&group.period, ""));
        let (frequency, reference) = match month {
            "" => ("A", "52"),
            month => ("M", month),
        };
        let first = if month.is_empty() { "01" } else { month };
        let (reporter, partner) = (area(&group.reporter), area(&group.partner));
        let flow = if is_import { "M" } else { "X" };
        let classification = &group.classification;
        let reference = reference.trim_start_matches('0');
        let before = format!(
            "2{reporter:04}{year}{first}052000,C,{frequency},{year}{first}01,{year},{reference},{year}{month},{reporter},\
             {flow},{partner},0,{classification},{classification},1"
        );
        Head { before, is_import }
    }

    fn write(&self, out: &mut impl Write, row: &ObservationRow) -> io::Result<()> {
        let ObservationRow {
            code,
            value,
            net_weight,
            quantity,
            quantity_unit,
            ..
        } = row;
        let estimated = row
            .flags()
            .any(|flag| flag == ObservationFlag::NetWeightEstimated);
        let unit = if quantity.is_empty() {
            -1
        } else {
            *quantity_unit
        };
        let (cif, fob) = if self.is_import {
            (value.as_str(), "")
        } else {
            ("", value.as_str())
        };
        let aggregate = u8::from(code.len() != 6);
        let before = &self.before;
        let estimated = u8::from(estimated);
        writeln!(
            out,
            "{before},{code},C00,0,0,{unit},{quantity},0,-1,,0,{net_weight},{estimated},,0,{cif},{fob},{value},0,1,\
             {aggregate}"
        )
    }
}

/// UN Comtrade's code of a country.
fn area(country: &str) -> u16 {
    let known = Country::from_alpha3(country).and_then(Country::comtrade);
    known.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(seed: u64, rows: u64) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, Plan { seed, rows }).unwrap();
        out
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_on_every_machine() {
        let digest = xxhash_rust::xxh3::xxh3_128(&written(7, 30_000));
        assert_eq!(format!("{digest:032x}"), "1001fa00f73d30579a13abeae2c9ea8a");
    }

    #[test]
    fn the_reader_of_comtrade_takes_every_row() {
        let text = written(1, 5_000);
        let lines = std::str::from_utf8(&text).unwrap().lines();
        let columns = TITLES.split(',').count();
        assert_eq!(columns, 34);
        assert!(lines.clone().all(|line| line.split(',').count() == columns));
        assert_eq!(lines.count(), 5_001);
    }
}
