//! The rules by which a row becomes a figure.

use proto::trade::v1::ObservationFlag as Flag;

use super::*;
use crate::comtrade::{Column, Place};

#[test]
fn a_figure_is_mapped_whole() {
    let row = taken(&[]);
    assert_eq!(row.place, Place { row: 1, line: 2 });
    assert_eq!(row.key.reporter.to_string(), "CHN");
    assert_eq!(row.key.partner.to_string(), "KAZ");
    assert_eq!(row.key.flow.code(), "X");
    assert_eq!(row.key.classification.to_string(), "H4");
    assert_eq!(row.key.period.to_string(), "2012");
    assert_eq!(row.code.to_string(), "870380");
    assert_eq!(row.value.to_string(), "250000");
    assert_eq!(row.net_weight.unwrap().to_string(), "18000.5");
    assert_eq!(row.quantity.unwrap().to_string(), "12");
    assert_eq!(row.quantity_unit, 5);
    assert!(row.flags.is_empty());
}

#[test]
fn a_month_is_a_period_of_its_own() {
    let month = [("freqCode", "M"), ("period", "201205"), ("refMonth", "5")];
    assert_eq!(taken(&month).key.period.to_string(), "2012-05");
}

#[test]
fn only_goods_are_taken() {
    assert_eq!(
        refused(&[("typeCode", "S")]),
        "typeCode: services: only goods (`C`) are taken"
    );
    assert!(refused(&[("typeCode", "")]).starts_with("typeCode: "));
    assert!(refused(&[("classificationCode", "EB")]).contains("services"));
}

#[test]
fn what_contradicts_itself_is_rejected_with_its_column() {
    let cases = [
        ("freqCode", "M"),
        ("freqCode", "Q"),
        ("freqCode", ""),
        ("refYear", "2013"),
        ("refMonth", "1"),
        ("refMonth", "x"),
        ("aggrLevel", "4"),
        ("aggrLevel", "0"),
        ("aggrLevel", "-6"),
    ];
    for (column, text) in cases {
        let told = refused(&[(column, text)]);
        assert!(
            told.starts_with(&format!("{column}: ")),
            "{column} {text}: {told}"
        );
    }
    assert!(refused(&[("cmdCode", "TOTAL")]).starts_with("aggrLevel: "));
    assert!(
        taken(&[("cmdCode", "TOTAL"), ("aggrLevel", "0")])
            .code
            .is_total()
    );
    taken(&[("refYear", ""), ("refMonth", ""), ("aggrLevel", "")]);
}

#[test]
fn codes_that_nobody_knows_are_rejected_with_column_and_code() {
    let cases = [
        ("reporterCode", "999"),
        ("reporterCode", ""),
        ("reporterCode", "CHN"),
        ("partnerCode", "70000"),
        ("partnerCode", "１５６"),
        ("partnerCode", "-1"),
        ("flowCode", "T"),
        ("flowCode", "1"),
        ("flowCode", ""),
        ("classificationCode", "HS"),
        ("classificationCode", "H9"),
        ("classificationCode", ""),
        ("cmdCode", "AG2"),
        ("cmdCode", ""),
        ("cmdCode", "8703801"),
        ("cmdCode", "８７"),
        ("period", "2012Q1"),
        ("period", "201213"),
        ("period", "10000"),
        ("period", ""),
        ("qtyUnitCode", "kg"),
        ("qtyUnitCode", "100"),
        ("isQtyEstimated", "maybe"),
        ("isNetWgtEstimated", "2"),
        ("isAggregate", "yes"),
        ("legacyEstimationFlag", "x"),
    ];
    for (column, text) in cases {
        let told = refused(&[(column, text)]);
        assert!(
            told.starts_with(&format!("{column}: ")),
            "{column} {text}: {told}"
        );
    }
    let told = refused(&[("partnerCode", "999")]);
    assert_eq!(told, "partnerCode: `999` is no area code of UN Comtrade");
}

#[test]
fn a_lost_leading_zero_is_no_other_code() {
    let told = refused(&[("cmdCode", "30613"), ("aggrLevel", "")]);
    assert_eq!(
        told,
        "cmdCode: `30613` has an odd number of digits: was a leading zero lost?"
    );
    assert!(refused(&[("cmdCode", "1"), ("aggrLevel", "")]).starts_with("cmdCode: "));
    let sitc = [
        ("classificationCode", "S3"),
        ("cmdCode", "781"),
        ("aggrLevel", "3"),
    ];
    assert_eq!(taken(&sitc).code.to_string(), "781");
    assert_eq!(taken(&[("cmdCode", "010121")]).code.to_string(), "010121");
}

#[test]
fn codes_win_over_the_names_beside_them() {
    let row = taken(&[
        ("reporterISO", "USA"),
        ("reporterCode", "699"),
        ("partnerCode", "490"),
    ]);
    assert_eq!(row.key.reporter.to_string(), "IND");
    assert_eq!(row.key.partner.to_string(), "CT490");
}

#[test]
fn codes_with_padding_or_as_floats_are_understood() {
    let row = taken(&[
        ("mosCode", "0 "),
        ("reporterCode", "156.0"),
        ("qtyUnitCode", "8.0"),
        ("partner2Code", "0.0"),
    ]);
    assert_eq!(row.quantity_unit, 8);
}

#[test]
fn a_value_is_a_plain_decimal_or_the_row_is_rejected() {
    let cases = [
        "NaN",
        "inf",
        "-inf",
        "1e400",
        "１２３",
        "1,234",
        "1 234",
        " 1",
        "-5",
        "=1+1",
        "1234567890123456789",
    ];
    for text in cases {
        let quoted = format!("\"{text}\"");
        for column in ["primaryValue", "netWgt", "qty"] {
            let told = refused(&[(column, &quoted)]);
            assert!(told.starts_with(&format!("{column}: ")), "{text}: {told}");
        }
    }
    assert_eq!(refused(&[("primaryValue", "")]), "primaryValue: no value");
    assert_eq!(
        refused(&[("primaryValue", "-5")]),
        "primaryValue: `-5`: negative"
    );
    let told = refused(&[("primaryValue", "\"\u{202e}=HYPERLINK(\"\"x\"\")\"")]);
    assert!(told.is_ascii(), "{told}");
}

#[test]
fn exponents_and_long_fractions_are_taken_exactly() {
    assert_eq!(
        taken(&[("primaryValue", "5.3621601767E10")])
            .value
            .to_string(),
        "53621601767"
    );
    assert_eq!(taken(&[("primaryValue", "0.0")]).value.to_string(), "0");
}

#[test]
fn rounded_figures_are_counted() {
    let file = csv(
        &FIGURE,
        &[("primaryValue", "1.0000005"), ("netWgt", "2.00000051")],
    );
    let mut reader = Reader::new(file.as_bytes()).unwrap();
    let row = figure(reader.next().unwrap().unwrap());
    assert_eq!(row.value.to_string(), "1");
    assert_eq!(row.net_weight.unwrap().to_string(), "2.000001");
    assert_eq!(reader.summary().rounded, 2);
}

#[test]
fn no_weight_is_not_zero_and_carries_no_flag() {
    for weight in ["", "0", "0.0"] {
        let row = taken(&[("netWgt", weight), ("isNetWgtEstimated", "True")]);
        assert_eq!(row.net_weight, None);
        assert!(row.flags.is_empty(), "{:?}", row.flags);
    }
}

#[test]
fn no_quantity_carries_no_flag() {
    for (unit, quantity) in [("-1", "0.0"), ("-1", "N/A"), ("", "5"), ("8", "")] {
        let row = taken(&[
            ("qtyUnitCode", unit),
            ("qty", quantity),
            ("isQtyEstimated", "1"),
        ]);
        assert_eq!(row.quantity, None);
        assert!(row.flags.is_empty(), "{:?}", row.flags);
    }
    assert_eq!(taken(&[("qtyUnitCode", "-1")]).quantity_unit, 0);
    assert_eq!(taken(&[("qtyUnitCode", "8"), ("qty", "")]).quantity_unit, 8);
}

fn flags(changes: &[Cell<'_>]) -> Vec<Flag> {
    taken(changes).flags.iter().collect()
}

#[test]
fn flags_of_their_own_win_over_the_old_bits() {
    let both = vec![Flag::QuantityEstimated, Flag::NetWeightEstimated];
    assert_eq!(
        flags(&[("isQtyEstimated", "True"), ("isNetWgtEstimated", "true")]),
        both
    );
    assert_eq!(flags(&[("legacyEstimationFlag", "6")]), []);
    let unset = [("isQtyEstimated", ""), ("isNetWgtEstimated", "")];
    let with = |bits| [unset[0], unset[1], ("legacyEstimationFlag", bits)];
    assert_eq!(flags(&with("6")), both);
    assert_eq!(flags(&with("2")), [Flag::QuantityEstimated]);
    assert_eq!(flags(&with("4")), [Flag::NetWeightEstimated]);
    assert_eq!(flags(&with("0")), []);
    assert_eq!(flags(&with("")), []);
}

#[test]
fn an_aggregate_is_flagged() {
    for truth in ["1", "True", "true"] {
        assert_eq!(flags(&[("isAggregate", truth)]), [Flag::Aggregated]);
    }
    let row = taken(&[("isAggregate", "1")]);
    assert!(row.flags.contains(Flag::Aggregated) && !row.flags.contains(Flag::Estimated));
    assert_eq!(format!("{:?}", row.flags), "{Aggregated}");
}

#[test]
fn a_breakdown_is_counted_by_its_column_and_never_mapped() {
    let cases = [
        ("partner2Code", "156", Column::SecondPartner),
        ("customsCode", "C04", Column::Customs),
        ("motCode", "1000", Column::Transport),
        ("mosCode", "Mode 1", Column::Supply),
    ];
    for (name, text, column) in cases {
        let file = csv(&FIGURE, &[(name, text), ("primaryValue", "NaN")]);
        let mut reader = Reader::new(file.as_bytes()).unwrap();
        let place = Place { row: 1, line: 2 };
        let record = reader.next().unwrap().unwrap();
        let said = format!("as breakdowns by {column}");
        assert!(matches!(record, Record::LeftOut { place: at, why } if at == place && why == said));
        assert_eq!(column.to_string(), name);
        assert_eq!(reader.summary().left_out[said.as_str()], 1);
        assert_eq!(reader.summary().rows, 0);
        taken(&[(name, "")]);
    }
}

#[test]
fn the_old_layout_has_its_own_words() {
    let legacy = |changes: &[Cell<'_>]| only(&csv(&LEGACY_FIGURE, changes));
    let row = figure(legacy(&[]));
    assert_eq!(row.key.flow.code(), "X");
    assert_eq!(row.key.period.to_string(), "2012-05");
    assert_eq!(
        (row.quantity_unit, row.value.to_string().as_str()),
        (5, "250000")
    );
    for (number, code) in [("1", "M"), ("2", "X"), ("3", "RX"), ("4", "RM")] {
        let row = figure(legacy(&[("Trade Flow Code", number)]));
        assert_eq!(row.key.flow.code(), code);
    }
    let row = figure(legacy(&[("Qty Unit Code", "1"), ("Flag", "6")]));
    assert_eq!((row.quantity, row.quantity_unit), (None, 0));
    assert_eq!(
        row.flags.iter().collect::<Vec<_>>(),
        [Flag::NetWeightEstimated]
    );
    let told = rejection(legacy(&[("Trade Flow Code", "5")]));
    assert_eq!(told.column, "Trade Flow Code");
    let told = rejection(legacy(&[("Trade Value (US$)", "")]));
    assert_eq!(
        (told.column.as_str(), told.reason.as_str()),
        ("Trade Value (US$)", "no value")
    );
    let told = rejection(legacy(&[("Year", "2011")]));
    assert_eq!(told.column, "Year");
    assert!(matches!(
        legacy(&[("2nd Partner Code", "36")]),
        Record::LeftOut { .. }
    ));
}
