//! The columns that a row needs, and how each layout titles them.

use std::fmt;

use crate::rows::{ReadError, excerpt};

/// How a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// JSON from the API: an envelope with `data`, or the bare array.
    ApiJson,
    /// CSV from the API: 47 columns, names among them.
    ApiCsv,
    /// A bulk "final" file: 34 columns, codes only.
    BulkCsv,
    /// CSV of the site that closed in 2023: 22 or 35 columns.
    LegacyCsv,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A column that matters here, by what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// `typeCode`: goods or services.
    Type,
    /// `freqCode`: annual, monthly.
    Frequency,
    /// `refYear`
    Year,
    /// `refMonth`, 52 for a year.
    Month,
    /// `period`
    Period,
    /// `reporterCode`
    Reporter,
    /// `flowCode`
    Flow,
    /// `partnerCode`
    Partner,
    /// `partner2Code`
    SecondPartner,
    /// `classificationCode`
    Classification,
    /// `cmdCode`
    Commodity,
    /// `aggrLevel`
    Level,
    /// `customsCode`
    Customs,
    /// `mosCode`
    Supply,
    /// `motCode`
    Transport,
    /// `qtyUnitCode`
    Unit,
    /// `qty`
    Quantity,
    /// `isQtyEstimated`
    QuantityEstimated,
    /// `netWgt`
    NetWeight,
    /// `isNetWgtEstimated`
    NetWeightEstimated,
    /// `primaryValue`
    Value,
    /// `legacyEstimationFlag`
    EstimationFlag,
    /// `isAggregate`
    Aggregate,
}

/// How many columns matter.
pub(super) const COLUMNS: usize = 23;

/// Each column with its title in the API and bulk layouts and in the old one, in the order of
/// [`Column`]. Empty: the layout has no such column.
const TITLES: [(Column, &str, &str); COLUMNS] = [
    (Column::Type, "typeCode", ""),
    (Column::Frequency, "freqCode", ""),
    (Column::Year, "refYear", "Year"),
    (Column::Month, "refMonth", ""),
    (Column::Period, "period", "Period"),
    (Column::Reporter, "reporterCode", "Reporter Code"),
    (Column::Flow, "flowCode", "TradeFlow Code"),
    (Column::Partner, "partnerCode", "Partner Code"),
    (Column::SecondPartner, "partner2Code", "2nd Partner Code"),
    (
        Column::Classification,
        "classificationCode",
        "Classification",
    ),
    (Column::Commodity, "cmdCode", "Commodity Code"),
    (Column::Level, "aggrLevel", "Aggregate Level"),
    (Column::Customs, "customsCode", "Customs Proc. Code"),
    (Column::Supply, "mosCode", ""),
    (Column::Transport, "motCode", "Mode of Transport Code"),
    (Column::Unit, "qtyUnitCode", "Qty Unit Code"),
    (Column::Quantity, "qty", "Qty"),
    (Column::QuantityEstimated, "isQtyEstimated", ""),
    (Column::NetWeight, "netWgt", "Netweight (kg)"),
    (Column::NetWeightEstimated, "isNetWgtEstimated", ""),
    (Column::Value, "primaryValue", "TradeValue (US$)"),
    (Column::EstimationFlag, "legacyEstimationFlag", "Flag"),
    (Column::Aggregate, "isAggregate", ""),
];

/// Without the three that tell a total from its breakdowns, parts would be taken for the whole.
const REQUIRED: [Column; 12] = [
    Column::Type,
    Column::Frequency,
    Column::Period,
    Column::Reporter,
    Column::Flow,
    Column::Partner,
    Column::SecondPartner,
    Column::Classification,
    Column::Commodity,
    Column::Customs,
    Column::Transport,
    Column::Value,
];

/// The old site's 22-column form held totals only.
const REQUIRED_LEGACY: [Column; 7] = [
    Column::Period,
    Column::Reporter,
    Column::Flow,
    Column::Partner,
    Column::Classification,
    Column::Commodity,
    Column::Value,
];

/// So many known titles make a file a Comtrade file, if perhaps an incomplete one.
const RESEMBLANCE: usize = 4;

impl Column {
    fn titles(self) -> (&'static str, &'static str) {
        let (_, api, legacy) = TITLES[self as usize];
        (api, legacy)
    }
}

impl fmt::Display for Column {
    /// The official name, as in the API.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.titles().0)
    }
}

impl Layout {
    /// In words.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ApiJson => "JSON from the API",
            Self::ApiCsv => "CSV from the API",
            Self::BulkCsv => "a bulk \"final\" file",
            Self::LegacyCsv => "CSV of the old site",
        }
    }

    fn title(self, column: Column) -> &'static str {
        let (api, legacy) = column.titles();
        match self {
            Self::ApiJson | Self::ApiCsv | Self::BulkCsv => api,
            Self::LegacyCsv => legacy,
        }
    }

    /// The column of a title without regard to case, spaces and punctuation.
    pub(super) fn column(self, title: &str) -> Option<Column> {
        let wanted = plain(title);
        TITLES
            .iter()
            .map(|(column, ..)| *column)
            .find(|column| !wanted.is_empty() && plain(self.title(*column)) == wanted)
    }

    fn required(self) -> &'static [Column] {
        match self {
            Self::ApiJson | Self::ApiCsv | Self::BulkCsv => &REQUIRED,
            Self::LegacyCsv => &REQUIRED_LEGACY,
        }
    }

    /// Refuses rows that lack what every row needs; `seen` tells which columns they have.
    pub(super) fn check(self, seen: impl Fn(Column) -> bool) -> Result<(), ReadError> {
        let required = self.required().iter();
        let columns: Vec<String> = required
            .filter(|column| !seen(**column))
            .map(|column| self.title(*column).to_owned())
            .collect();
        if columns.is_empty() {
            return Ok(());
        }
        Err(ReadError::MissingColumns {
            file: self.as_str(),
            columns,
            hint: "",
        })
    }
}

/// A CSV header: which of a row's fields is which column.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) layout: Layout,
    pub(super) titles: Vec<String>,
    places: [Option<usize>; COLUMNS],
}

impl Header {
    pub(super) fn read(titles: Vec<String>) -> Result<Self, ReadError> {
        refuse_duplicates(&titles)?;
        let Some(layout) = resembled(&titles) else {
            let seen = format!("it starts with {}", excerpt(&titles.join(",")));
            return Err(not_comtrade(seen));
        };
        let mut places = [None; COLUMNS];
        for (place, title) in titles.iter().enumerate() {
            if let Some(column) = layout.column(title) {
                places[column as usize] = Some(place);
            }
        }
        layout.check(|column| places[column as usize].is_some())?;
        Ok(Self {
            layout,
            titles,
            places,
        })
    }

    /// The place of each column in a row.
    pub(super) fn places(&self) -> &[Option<usize>; COLUMNS] {
        &self.places
    }

    /// A column's title in this file.
    pub(super) fn title(&self, column: Column) -> String {
        let place = self.places[column as usize];
        place.map_or_else(|| column.to_string(), |place| self.titles[place].clone())
    }
}

/// A file of another kind, by what was seen of it.
pub(super) fn not_comtrade(seen: impl Into<String>) -> ReadError {
    ReadError::OtherKind {
        wanted: "a UN Comtrade file",
        seen: seen.into(),
        accepted: "Accepted are JSON or CSV from the API, bulk \"final\" CSV and the CSV of the old site; \
                   plain or gzip; UTF-8 or UTF-16",
    }
}

fn refuse_duplicates(titles: &[String]) -> Result<(), ReadError> {
    let mut seen = std::collections::HashSet::new();
    for title in titles {
        let name = plain(title);
        if !name.is_empty() && !seen.insert(name) {
            return Err(ReadError::DuplicateColumn {
                column: excerpt(title),
            });
        }
    }
    Ok(())
}

/// The layout with the most titles in common, if they are enough.
fn resembled(titles: &[String]) -> Option<Layout> {
    let common = |layout: Layout| {
        titles
            .iter()
            .filter_map(|title| layout.column(title))
            .count()
    };
    let (api, legacy) = (common(Layout::ApiCsv), common(Layout::LegacyCsv));
    if api.max(legacy) < RESEMBLANCE {
        None
    } else if legacy > api {
        Some(Layout::LegacyCsv)
    } else if titles.iter().any(|title| plain(title) == "datasetcode") {
        Some(Layout::BulkCsv)
    } else {
        Some(Layout::ApiCsv)
    }
}

/// A title's letters and digits in lower case; `TradeValue in US$`, `Trade Value (US$)`,
/// `TradeValueUSD` and `TradeValueUS` are one.
pub(super) fn plain(title: &str) -> String {
    let mut name: String = title
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    for ending in ["inusd", "inus", "usd"] {
        if name.starts_with("tradevalue") && name.ends_with(ending) {
            name.truncate(name.len() - ending.len());
            name.push_str("us");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEGACY: &str =
        "Classification,Year,Period,Trade Flow Code,Reporter Code,Partner Code,Commodity Code";

    fn header(line: &str) -> Result<Header, ReadError> {
        Header::read(line.split(',').map(str::to_owned).collect())
    }

    #[test]
    fn titles_stand_in_the_order_of_the_columns() {
        for (place, (column, ..)) in TITLES.iter().enumerate() {
            assert_eq!(*column as usize, place);
        }
    }

    #[test]
    fn a_title_is_known_in_any_spelling() {
        for title in ["partner2code", "PARTNER2_CODE", "Partner 2 Code"] {
            assert_eq!(Layout::BulkCsv.column(title), Some(Column::SecondPartner));
        }
        let spelled = [
            "TradeValueUS",
            "Trade Value (US$)",
            "TradeValue in US$",
            "trade_value_usd",
        ];
        for title in spelled {
            assert_eq!(
                Layout::LegacyCsv.column(title),
                Some(Column::Value),
                "{title}"
            );
        }
        assert_eq!(
            Layout::LegacyCsv.column("Netweightkg"),
            Some(Column::NetWeight)
        );
        assert_eq!(Layout::LegacyCsv.column("CIF TradeValue"), None);
        assert_eq!(Layout::LegacyCsv.column(""), None);
    }

    #[test]
    fn the_order_is_free_and_unknown_columns_are_passed_over() {
        let header = header(&format!("Remark,trade value us$,{LEGACY}")).unwrap();
        assert_eq!(header.layout, Layout::LegacyCsv);
        assert_eq!(header.places()[Column::Value as usize], Some(1));
        assert_eq!(header.title(Column::Value), "trade value us$");
    }

    #[test]
    fn all_missing_columns_are_told_at_once() {
        let error =
            header("typeCode,freqCode,refYear,period,reporterCode,partnerCode").unwrap_err();
        assert_eq!(
            error.to_string(),
            "CSV from the API without the columns flowCode, partner2Code, classificationCode, \
             cmdCode, customsCode, motCode, primaryValue"
        );
        let error = header(LEGACY).unwrap_err().to_string();
        assert_eq!(
            error,
            "CSV of the old site without the columns TradeValue (US$)"
        );
    }

    #[test]
    fn a_column_named_twice_is_refused() {
        let error = header(&format!("{LEGACY},year")).unwrap_err();
        assert!(
            matches!(error, ReadError::DuplicateColumn { .. }),
            "{error}"
        );
        assert!(header(&format!(",,{LEGACY},TradeValueUS")).is_ok());
    }

    #[test]
    fn another_kind_of_file_is_told_with_what_it_starts_with() {
        let error = header("DATAFLOW,REPORTER,PARTNER,TIME_PERIOD").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("`DATAFLOW,REPORTER,PARTNER,TIME_PERIOD`"),
            "{text}"
        );
        assert!(text.contains("Accepted are JSON or CSV"), "{text}");
    }
}
