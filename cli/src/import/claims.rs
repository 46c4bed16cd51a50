//! A claim of the press as a row, and the statement that it becomes.
//!
//! The layout says less than a statement holds, so what is derived is derived by these rules and no others:
//!
//! * The id is `claim-` and the claim's own. The first country of the pair is the one that the statement is
//!   about, unless the metric names another (`KAZ exports to CHN`).
//! * Value and growth are exact decimals; each is as precise as its last digit.
//! * The statistical side names a side where it is a country code, alone or before a bracket: `CHN (GACC)`.
//!   `KAZ president quoting` is a speaker, not a side. The text is kept as the speaker where it names
//!   somebody, and in the note in any case.
//! * `UNVERIFIED` and `lower bound`, in the side or the note, become flags.
//! * The layout has no title and no publisher. The address without its scheme stands for the one, its host for
//!   the other; without an address, the claim's place in the file. The source's note says so.

use proto::trade::v1 as wire;
use proto::r#type::v1::{Money, Source};
use proto::{CivilDate, Country, Decimal, Period, Slug, format_decimal};
use wire::{CreateStatementRequest, ObservationFlag, StatedMeasure, Statement};

use super::sheet::{Column, Rejection, Row};
use crate::args::amount::Amount;

/// The columns of the layout.
pub(super) const COLUMNS: [Column; 10] = [
    required("claim_id"),
    required("pair"),
    required("metric"),
    required("period"),
    required("value_usd_bn"),
    optional("growth_pct"),
    optional("statistical_side"),
    optional("source_url"),
    optional("source_date"),
    optional("note"),
];

const fn required(title: &'static str) -> Column {
    Column {
        title,
        required: true,
    }
}

const fn optional(title: &'static str) -> Column {
    Column {
        title,
        required: false,
    }
}

/// Central Asia: what `CA5` stands for.
const CENTRAL_ASIA: [&str; 5] = ["KAZ", "KGZ", "TJK", "TKM", "UZB"];
const MAX_TITLE: usize = 500;
const MAX_PUBLISHER: usize = 200;

/// The statement of a row, or the column that keeps it from being one.
pub(super) fn statement(row: &Row, file: &str) -> Result<CreateStatementRequest, Rejection> {
    let [
        id,
        pair,
        metric,
        period,
        value,
        growth,
        side,
        url,
        date,
        note,
    ] = row.cells.as_slice()
    else {
        return Err(Rejection::new(row.line, "", "too few cells"));
    };
    let at = |column: &'static str| move |reason: String| Rejection::new(row.line, column, reason);
    let statement_id = Slug::parse(&format!("claim-{id}"));
    let statement_id = statement_id.map_err(|error| at("claim_id")(error.to_string()))?;
    let pair = parse_pair(pair).map_err(at("pair"))?;
    let subject = parse_metric(metric, &pair).map_err(at("metric"))?;
    let period = period.parse::<Period>();
    let period = period.map_err(|error| at("period")(error.to_string()))?;
    let billion = Decimal::from(1_000_000_000);
    let value = Amount::scaled(value, billion).map_err(at("value_usd_bn"))?;
    let growth = match growth.as_str() {
        "" => None,
        growth => {
            let growth = Amount::scaled(growth, Decimal::new(1, 2));
            Some(growth.map_err(at("growth_pct"))?)
        }
    };
    let source = source(url, date, id, file).map_err(|(column, reason)| at(column)(reason))?;
    let statement = Statement {
        speaker: speaker(side),
        country: subject.country.to_string(),
        partners: subject.partners,
        measure: subject.measure.into(),
        side: side_of(side)
            .map(|side| side.to_string())
            .unwrap_or_default(),
        period: period.to_string(),
        value: Some(Money {
            currency_code: "USD".into(),
            amount: format_decimal(value.value),
        }),
        value_precision: value.precision_text(),
        growth: growth
            .as_ref()
            .map(|growth| format_decimal(growth.value))
            .unwrap_or_default(),
        growth_precision: growth.map(|g| g.precision_text()).unwrap_or_default(),
        flags: flags(side, note),
        source: Some(source),
        note: remark(side, note),
        ..Default::default()
    };
    Ok(CreateStatementRequest {
        statement_id: statement_id.to_string(),
        statement: Some(statement),
        request_id: String::new(),
    })
}

/// A country, and one or several others.
struct Pair {
    first: Country,
    second: Vec<Country>,
    /// As the file writes it: a code, or the name of a group.
    second_name: String,
}

fn parse_pair(text: &str) -> Result<Pair, String> {
    let (first, second_name) = text
        .split_once('-')
        .ok_or("two countries with `-` between: CHN-KAZ")?;
    let first = country(first)?;
    let second = match second_name {
        "CA5" => CENTRAL_ASIA
            .map(country)
            .into_iter()
            .collect::<Result<_, _>>()?,
        code => vec![country(code)?],
    };
    if second.contains(&first) {
        return Err(format!("{first} with itself"));
    }
    Ok(Pair {
        first,
        second,
        second_name: second_name.to_owned(),
    })
}

fn country(code: &str) -> Result<Country, String> {
    code.parse()
        .map_err(|error: proto::CountryError| error.to_string())
}

/// Whose trade with whom, and what of it.
struct Subject {
    country: Country,
    partners: Vec<String>,
    measure: StatedMeasure,
}

fn parse_metric(text: &str, pair: &Pair) -> Result<Subject, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (measure, from, to) = match words.as_slice() {
        ["turnover"] => return Ok(subject(pair, StatedMeasure::Turnover)),
        [
            "mirror",
            "gap",
            exporter,
            "exports",
            "vs",
            importer,
            "imports",
        ] => (StatedMeasure::MirrorGap, exporter, importer),
        [from, "exports", "to", to] => (StatedMeasure::Exports, from, to),
        [to, "imports", "from", from] => (StatedMeasure::Imports, to, from),
        _ => {
            return Err(
                "one of: turnover, CHN exports to KAZ, KAZ imports from CHN, \
                        mirror gap CHN exports vs KAZ imports"
                    .into(),
            );
        }
    };
    let first = pair.first.to_string();
    if *from == first && *to == pair.second_name {
        return Ok(subject(pair, measure));
    }
    match pair.second.as_slice() {
        [second] if *from == pair.second_name && *to == first => Ok(Subject {
            country: *second,
            partners: vec![first],
            measure,
        }),
        _ => Err(format!(
            "about {from} and {to}, which is not the pair {first}-{}",
            pair.second_name
        )),
    }
}

/// As the first country of the pair sees it.
fn subject(pair: &Pair, measure: StatedMeasure) -> Subject {
    Subject {
        country: pair.first,
        partners: pair.second.iter().map(ToString::to_string).collect(),
        measure,
    }
}

/// The country whose statistics are named: a code alone, or before a bracket.
fn side_of(text: &str) -> Option<Country> {
    let code = text.split('(').next().unwrap_or_default().trim();
    code.parse().ok()
}

fn is_unverified(text: &str) -> bool {
    text.contains("UNVERIFIED")
}

/// Who said it, where the side's text names somebody.
fn speaker(side: &str) -> String {
    let nobody = side == "both" || is_unverified(side) || side.parse::<Country>().is_ok();
    if nobody {
        String::new()
    } else {
        side.to_owned()
    }
}

fn flags(side: &str, note: &str) -> Vec<i32> {
    let mut flags = Vec::new();
    if [side, note]
        .iter()
        .any(|text| text.to_lowercase().contains("lower bound"))
    {
        flags.push(ObservationFlag::LowerBound.into());
    }
    if [side, note].iter().any(|text| is_unverified(text)) {
        flags.push(ObservationFlag::Unverified.into());
    }
    flags
}

/// The file's note, and the side's text as it stands there.
fn remark(side: &str, note: &str) -> String {
    let side = match side {
        "" => String::new(),
        side => format!("Side as stated: {side}."),
    };
    let parts = [note, side.as_str()];
    let given = parts.into_iter().filter(|text| !text.is_empty());
    given.collect::<Vec<_>>().join(" · ")
}

fn source(url: &str, date: &str, id: &str, file: &str) -> Result<Source, (&'static str, String)> {
    let published_on = match date {
        "" => None,
        date => {
            let date = date.parse::<CivilDate>();
            Some(date.map_err(|error| ("source_date", error.to_string()))?)
        }
    };
    let (title, publisher, note) = match url {
        "" => (
            format!("Claim {id} in {file}"),
            "not stated".to_owned(),
            "The file names no source.",
        ),
        url => {
            let (title, publisher) = by_address(url).map_err(|reason| ("source_url", reason))?;
            let note = "Title and publisher are the address and its host; the file gives neither.";
            (title, publisher, note)
        }
    };
    Ok(Source {
        title: shortened(&title, MAX_TITLE),
        publisher: shortened(&publisher, MAX_PUBLISHER),
        uri: url.to_owned(),
        published_on: published_on.map(Into::into),
        note: note.to_owned(),
        ..Default::default()
    })
}

/// The address without its scheme, and its host without `www.`.
pub(super) fn by_address(url: &str) -> Result<(String, String), String> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or("an address begins with http:// or https://")?;
    let title = rest.trim_end_matches('/');
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() {
        return Err("an address without a host".into());
    }
    let publisher = host.strip_prefix("www.").unwrap_or(host);
    Ok((title.to_owned(), publisher.to_owned()))
}

fn shortened(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row with these cells in place of a good one's.
    fn row(changes: &[(&str, &str)]) -> Row {
        let good = [
            "9",
            "CHN-KAZ",
            "turnover",
            "2023-01..2023-10",
            "32.7",
            "28.5",
            "CHN (ambassador)",
            "https://www.example.org/trade/?id=1",
            "2024-01",
            "",
        ];
        let cells = COLUMNS.iter().zip(good).map(|(column, good)| {
            let change = changes.iter().find(|(title, _)| *title == column.title);
            change.map_or(good, |(_, cell)| cell).to_owned()
        });
        Row {
            line: 7,
            cells: cells.collect(),
        }
    }

    fn read(changes: &[(&str, &str)]) -> Statement {
        let request = statement(&row(changes), "claims.csv").unwrap();
        assert_eq!(request.statement_id, "claim-9");
        request.statement.unwrap()
    }

    #[test]
    fn figures_are_exact_and_as_precise_as_their_last_digit() {
        let turnover = read(&[]);
        assert_eq!(turnover.value.unwrap().amount, "32700000000");
        assert_eq!(turnover.value_precision, "100000000");
        assert_eq!(
            (&*turnover.growth, &*turnover.growth_precision),
            ("0.285", "0.001")
        );
        assert_eq!(turnover.side, "CHN");
        assert_eq!(turnover.speaker, "CHN (ambassador)");
        let round = read(&[("value_usd_bn", "41.0"), ("growth_pct", "")]);
        assert_eq!(round.value.unwrap().amount, "41000000000");
        assert_eq!(round.value_precision, "100000000");
        assert_eq!(round.growth, "");
    }

    #[test]
    fn the_metric_says_whose_trade_it_is() {
        let about = |metric: &str, pair: &str| {
            let found = read(&[("metric", metric), ("pair", pair)]);
            let measure = StatedMeasure::try_from(found.measure).unwrap();
            (found.country, found.partners.join(" "), measure)
        };
        assert_eq!(
            about("CHN exports to KAZ", "CHN-KAZ"),
            ("CHN".into(), "KAZ".into(), StatedMeasure::Exports)
        );
        assert_eq!(
            about("KAZ imports from CHN", "CHN-KAZ"),
            ("KAZ".into(), "CHN".into(), StatedMeasure::Imports)
        );
        assert_eq!(
            about("mirror gap CHN exports vs KAZ imports", "CHN-KAZ"),
            ("CHN".into(), "KAZ".into(), StatedMeasure::MirrorGap)
        );
        assert_eq!(
            about("turnover", "CHN-CA5"),
            (
                "CHN".into(),
                "KAZ KGZ TJK TKM UZB".into(),
                StatedMeasure::Turnover
            )
        );
        assert_eq!(
            about("turnover", "FRA-DEU"),
            ("FRA".into(), "DEU".into(), StatedMeasure::Turnover)
        );
    }

    #[test]
    fn a_side_is_a_code_alone_or_before_a_bracket() {
        let side = |text: &str| {
            let found = read(&[("statistical_side", text)]);
            assert!(found.note.contains(text), "{}", found.note);
            (found.side, found.speaker)
        };
        assert_eq!(side("CHN"), ("CHN".into(), String::new()));
        assert_eq!(side("KAZ (BNS)"), ("KAZ".into(), "KAZ (BNS)".into()));
        let quoting = "quoted by KAZ foreign minister";
        assert_eq!(side(quoting), (String::new(), quoting.into()));
        assert_eq!(side("KAZ president quoting").0, "");
        assert_eq!(side("both"), (String::new(), String::new()));
        assert_eq!(side("UNVERIFIED (given)"), (String::new(), String::new()));
    }

    #[test]
    fn reservations_become_flags() {
        let bound = read(&[("note", "a lower bound")]);
        assert_eq!(bound.flags, [i32::from(ObservationFlag::LowerBound)]);
        let unverified = read(&[("statistical_side", "UNVERIFIED (given)")]);
        assert_eq!(unverified.flags, [i32::from(ObservationFlag::Unverified)]);
    }

    #[test]
    fn an_address_stands_for_title_and_publisher_and_may_be_missing() {
        let source = read(&[]).source.unwrap();
        assert_eq!(source.title, "www.example.org/trade/?id=1");
        assert_eq!(source.publisher, "example.org");
        assert_eq!(source.published_on.unwrap().month, 1);
        let none = read(&[("source_url", ""), ("source_date", "")])
            .source
            .unwrap();
        assert_eq!((&*none.title, &*none.uri), ("Claim 9 in claims.csv", ""));
        assert_eq!(none.published_on, None);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        let wrong = [
            ("claim_id", "a b"),
            ("pair", "CHN"),
            ("pair", "CHN-XXX"),
            ("pair", "CHN-CHN"),
            ("metric", "friendship"),
            ("metric", "CHN exports to FRA"),
            ("period", "2023-13"),
            ("value_usd_bn", "32,7"),
            ("value_usd_bn", ""),
            ("growth_pct", "many"),
            ("source_url", "ftp://example.org"),
            ("source_date", "January"),
        ];
        for (column, cell) in wrong {
            let rejection = statement(&row(&[(column, cell)]), "claims.csv").unwrap_err();
            assert_eq!((rejection.line, &*rejection.column), (7, column), "{cell}");
            assert!(!rejection.reason.is_empty());
        }
    }
}
