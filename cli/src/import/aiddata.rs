//! `AidData`'s dataset of China's public diplomacy: a country and a year a row, a figure a cell.
//!
//! `N/A` says that there is no figure, which is not zero. `total_elite_visits` is the dataset's own sum of government
//! and military visits: it is kept as an item of its own and never added to them.

use std::collections::HashMap;

use proto::culture::v1 as wire;
use proto::r#type::v1::Source;
use proto::{Country, format_decimal, parse_decimal};
use wire::measure::Subject;
use wire::{Direction, Measure, MeasureFlag, MeasureKind};

use super::cells::{Cells, checked, parse_rows};
use super::countries;
use super::measures::Figure;
use super::sheet::{Rejection, Sheet};

/// What a column counts.
struct Meaning {
    column: &'static str,
    kind: MeasureKind,
    item: &'static str,
    unit: &'static str,
    /// Whether it goes from the country to China.
    to_china: bool,
    note: &'static str,
}

const fn meaning(
    column: &'static str,
    kind: MeasureKind,
    item: &'static str,
    unit: &'static str,
) -> Meaning {
    Meaning {
        column,
        kind,
        item,
        unit,
        to_china: false,
        note: "",
    }
}

/// Visits are counted as China's diplomacy towards a country, whoever travels.
const VISITS: &str = "The direction is that of the diplomacy that the dataset counts: from China towards the \
                      country. It does not say which side travels.";

const MEANINGS: [Meaning; 10] = [
    meaning(
        "confucius_institutes",
        MeasureKind::Items,
        "confucius-institutes",
        "institutes",
    ),
    meaning(
        "sister_cities_established",
        MeasureKind::Items,
        "sister-cities",
        "agreements",
    ),
    Meaning {
        note: VISITS,
        ..meaning(
            "government_visits",
            MeasureKind::Visitors,
            "government-visits",
            "visits",
        )
    },
    Meaning {
        note: VISITS,
        ..meaning(
            "military_visits",
            MeasureKind::Visitors,
            "military-visits",
            "visits",
        )
    },
    Meaning {
        note: "The dataset's own sum of government and military visits, not to be added to them; where it has no \
               figure of military visits, the sum is of government visits alone.",
        ..meaning(
            "total_elite_visits",
            MeasureKind::Visitors,
            "elite-visits-total",
            "visits",
        )
    },
    meaning(
        "ambassador_op_eds",
        MeasureKind::Items,
        "ambassador-op-eds",
        "articles",
    ),
    Meaning {
        note: VISITS,
        ..meaning(
            "journalist_visits",
            MeasureKind::Visitors,
            "journalist-visits",
            "visits",
        )
    },
    meaning(
        "media_partnerships",
        MeasureKind::Items,
        "media-partnerships",
        "partnerships",
    ),
    // Students have no item: the figure is of all of them.
    meaning(
        "outbound_chinese_students",
        MeasureKind::Students,
        "",
        "persons",
    ),
    Meaning {
        to_china: true,
        ..meaning(
            "inbound_students_to_china",
            MeasureKind::Students,
            "",
            "persons",
        )
    },
];

/// The columns that are read.
pub(super) fn required() -> Vec<&'static str> {
    let figures = MEANINGS.iter().map(|meaning| meaning.column);
    ["receiving_country", "year"]
        .into_iter()
        .chain(figures)
        .collect()
}

/// The figures of a file. A row whose country or year is not known is rejected whole, else a cell that is no figure.
pub(super) fn figures(sheet: &mut Sheet) -> Vec<Figure> {
    let mut rejected = Vec::new();
    // Twice in one file, the later row would be told as a revision that nobody published, at every import again.
    let mut seen = HashMap::new();
    let rows = parse_rows(sheet, |cells| {
        let key = [
            cells.required("receiving_country")?,
            cells.required("year")?,
        ]
        .map(str::to_owned);
        if let Some(line) = seen.insert(key, cells.line()) {
            return Err(cells.reject("", format!("the same country and year as line {line}")));
        }
        row(cells, &mut rejected)
    });
    sheet.rejected.extend(rejected);
    rows.into_iter().flat_map(|(_, figures)| figures).collect()
}

fn row(cells: &Cells<'_>, rejected: &mut Vec<Rejection>) -> Result<Vec<Figure>, Rejection> {
    let country = countries::by_name(cells.required("receiving_country")?);
    let country = country.map_err(|reason| cells.reject("receiving_country", reason))?;
    let year = cells.required("year")?;
    let year = year.parse().ok().and_then(proto::Period::year);
    let year = year.ok_or_else(|| cells.reject("year", "a year is expected"))?;
    let source = source().map_err(|reason| cells.reject("", reason))?;
    let mut figures = Vec::new();
    for meaning in &MEANINGS {
        match measure(cells, meaning, country, year, &source) {
            Ok(measure) => figures.push(Figure {
                line: cells.line(),
                column: meaning.column,
                measure,
            }),
            Err(rejection) => rejected.push(rejection),
        }
    }
    Ok(figures)
}

fn measure(
    cells: &Cells<'_>,
    meaning: &Meaning,
    country: Country,
    year: proto::Period,
    source: &Source,
) -> Result<Measure, Rejection> {
    let (value, flags) = match cells.required(meaning.column)? {
        "N/A" => (String::new(), vec![MeasureFlag::NotAvailable.into()]),
        cell => {
            let value = parse_decimal(cell).ok();
            let value = value.filter(|value| !value.is_sign_negative());
            let value = value.ok_or_else(|| {
                let reason = format!("`{cell}` is neither a figure nor N/A");
                cells.reject(meaning.column, reason)
            })?;
            (format_decimal(value), Vec::new())
        }
    };
    let (china, country) = ("CHN".to_owned(), country.to_string());
    let (from, to) = if meaning.to_china {
        (country, china)
    } else {
        (china, country)
    };
    Ok(Measure {
        subject: Some(Subject::Direction(Direction { from, to })),
        kind: meaning.kind.into(),
        item: meaning.item.to_owned(),
        unit: meaning.unit.to_owned(),
        period: year.to_string(),
        value,
        flags,
        source: Some(source.clone()),
        note: meaning.note.to_owned(),
        ..Default::default()
    })
}

fn source() -> Result<Source, String> {
    let source = Source {
        title: "China's Public Diplomacy Dashboard Dataset, Version 2.0".into(),
        publisher: "AidData at William & Mary".into(),
        uri: "https://www.aiddata.org/data/chinas-public-diplomacy-dashboard-dataset-version-2".into(),
        note: "Figures by country and year, from several sources that the dataset's own documents name.".into(),
        ..Default::default()
    };
    checked(source).map_err(|(field, reason)| format!("{field}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tests::sample;

    fn read(row: &str) -> (Vec<Figure>, Vec<Rejection>) {
        let text = format!("{}\n{row}\n", required().join(","));
        let mut sheet = Sheet::parse_whole("a.csv", text.as_bytes(), &required()).unwrap();
        let figures = figures(&mut sheet);
        (figures, sheet.rejected)
    }

    fn way(measure: &Measure) -> (&str, &str) {
        match measure.subject.as_ref().unwrap() {
            Subject::Direction(way) => (&way.from, &way.to),
            Subject::Programme(name) => panic!("{name}"),
        }
    }

    #[test]
    fn each_cell_is_a_figure_and_what_is_not_available_is_not_zero() {
        let (figures, rejected) = read("\"Kazakhstan\",2017,1,0,11,N/A,11,N/A,6,N/A,N/A,14224");
        assert_eq!(rejected, []);
        assert_eq!(figures.len(), 10);
        let of = |column: &str| {
            let found = figures.iter().find(|figure| figure.column == column);
            &found.unwrap().measure
        };
        let students = of("inbound_students_to_china");
        assert_eq!(way(students), ("KAZ", "CHN"));
        assert_eq!((&*students.value, &*students.unit), ("14224", "persons"));
        let zero = of("sister_cities_established");
        assert_eq!((&*zero.value, zero.flags.len()), ("0", 0));
        let missing = of("military_visits");
        assert_eq!(missing.value, "");
        assert_eq!(missing.flags, [i32::from(MeasureFlag::NotAvailable)]);
        assert_eq!(way(of("government_visits")), ("CHN", "KAZ"));
        assert_eq!(of("total_elite_visits").item, "elite-visits-total");
    }

    #[test]
    fn a_cell_that_is_no_figure_is_rejected_and_the_others_stay() {
        let (figures, rejected) = read("Kazakhstan,2017,1,few,11,-1,11,,6,N/A,N/A,14224");
        let columns: Vec<&str> = rejected.iter().map(|one| one.column.as_str()).collect();
        assert_eq!(
            columns,
            [
                "sister_cities_established",
                "military_visits",
                "ambassador_op_eds"
            ]
        );
        assert_eq!(figures.len(), 7);
        let (none, rejected) = read("Ruritania,2017,1,1,1,1,1,1,1,1,1,1");
        assert!(none.is_empty());
        assert_eq!(rejected[0].column, "receiving_country");
    }

    #[test]
    fn no_two_columns_are_the_same_figure() {
        let (figures, _) = read("Kazakhstan,2017,1,1,1,1,1,1,1,1,1,1");
        let mut keys = std::collections::HashSet::new();
        for Figure { measure, .. } in &figures {
            let key = (way(measure), measure.kind, &measure.item, &measure.unit);
            assert!(keys.insert(key), "{key:?}");
        }
    }

    #[test]
    fn the_whole_dataset_is_read() {
        let Some(text) = sample("culture/aiddata_ChinesePublicDiplomacy.csv") else {
            return;
        };
        let mut sheet = Sheet::parse_whole("aiddata.csv", &text, &required()).unwrap();
        let figures = figures(&mut sheet);
        assert_eq!(sheet.rejected, []);
        assert_eq!(figures.len(), 7_410);
        let missing = figures.iter().filter(|one| one.measure.value.is_empty());
        assert_eq!(missing.count(), 1_918);
    }
}
