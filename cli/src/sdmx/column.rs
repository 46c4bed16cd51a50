//! The columns of a figure, and what else publishers call them.

use std::fmt;
use std::str::FromStr;

/// A column of Entente's own files, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// What the next column names: `dataflow`.
    Structure,
    /// Which structure; in SDMX-CSV 1.0 the first column, `DATAFLOW`.
    StructureId,
    /// What to do with the row.
    Action,
    /// Whose dataset it was taken from; not read.
    Dataset,
    /// Whose statistics.
    Reporter,
    /// With whom.
    Partner,
    /// In which direction.
    Flow,
    /// The classification of the code.
    Classification,
    /// The commodity.
    Code,
    /// How long the period is.
    Frequency,
    /// When.
    Period,
    /// How much.
    Value,
    /// What qualifies it, in SDMX's one letter.
    Status,
    /// In which currency.
    Currency,
    /// Times ten to this power.
    Multiplier,
    /// CIF or FOB.
    Valuation,
    /// Kilograms.
    NetWeight,
    /// So many units.
    Quantity,
    /// UN Comtrade's code of the unit.
    QuantityUnit,
    /// What qualifies it, in full.
    Flags,
    /// The source's title.
    SourceTitle,
    /// Who published it.
    SourcePublisher,
    /// Its address.
    SourceUri,
    /// When it was published.
    SourcePublishedOn,
    /// When it was read.
    SourceReadOn,
    /// Its terms.
    SourceLicence,
    /// Whether they let it be shown outside.
    SourceShownOutside,
    /// What a reader must know.
    SourceNote,
    /// When the version was recorded; not read.
    Vintage,
}

/// How many columns there are.
pub(crate) const COLUMNS: usize = 29;

/// Each column with its title and other titles that are known, in the order of [`Column`].
const TITLES: [(Column, &str, &[&str]); COLUMNS] = [
    (Column::Structure, "STRUCTURE", &[]),
    (Column::StructureId, "STRUCTURE_ID", &["DATAFLOW"]),
    (Column::Action, "ACTION", &[]),
    (Column::Dataset, "DATASET", &[]),
    (
        Column::Reporter,
        "REPORTER",
        &[
            "REF_AREA",
            "DECLARANT",
            "REPORTING_COUNTRY",
            "REPORTER_CODE",
        ],
    ),
    (
        Column::Partner,
        "PARTNER",
        &[
            "COUNTERPART_AREA",
            "COUNTERPART",
            "PARTNER_COUNTRY",
            "PARTNER_CODE",
        ],
    ),
    (
        Column::Flow,
        "FLOW",
        &["TRADE_FLOW", "FLOW_CODE", "TRADE_FLOW_CODE"],
    ),
    (
        Column::Classification,
        "CLASSIFICATION",
        &["CLASSIFICATION_CODE", "COMMODITY_CLASSIFICATION"],
    ),
    (
        Column::Code,
        "CODE",
        &[
            "PRODUCT",
            "PRODUCT_CODE",
            "COMMODITY",
            "COMMODITY_CODE",
            "CMD_CODE",
        ],
    ),
    (Column::Frequency, "FREQ", &["FREQUENCY"]),
    (Column::Period, "TIME_PERIOD", &["TIME"]),
    (Column::Value, "OBS_VALUE", &[]),
    (Column::Status, "OBS_STATUS", &[]),
    (Column::Currency, "UNIT_MEASURE", &["CURRENCY"]),
    (Column::Multiplier, "UNIT_MULT", &["UNIT_MULTIPLIER"]),
    (Column::Valuation, "VALUATION", &[]),
    (Column::NetWeight, "NET_WEIGHT", &["NET_WEIGHT_KG"]),
    (Column::Quantity, "QUANTITY", &[]),
    (Column::QuantityUnit, "QUANTITY_UNIT", &[]),
    (Column::Flags, "FLAGS", &[]),
    (Column::SourceTitle, "SOURCE_TITLE", &[]),
    (Column::SourcePublisher, "SOURCE_PUBLISHER", &[]),
    (Column::SourceUri, "SOURCE_URI", &[]),
    (Column::SourcePublishedOn, "SOURCE_PUBLISHED_ON", &[]),
    (Column::SourceReadOn, "SOURCE_READ_ON", &[]),
    (Column::SourceLicence, "SOURCE_LICENCE", &[]),
    (Column::SourceShownOutside, "SOURCE_SHOWN_OUTSIDE", &[]),
    (Column::SourceNote, "SOURCE_NOTE", &[]),
    (Column::Vintage, "VINTAGE", &[]),
];

/// Without these no row is a figure.
pub(super) const REQUIRED: [Column; 7] = [
    Column::Reporter,
    Column::Partner,
    Column::Flow,
    Column::Classification,
    Column::Code,
    Column::Period,
    Column::Value,
];

impl Column {
    /// All of them, in order.
    pub(crate) fn all() -> impl Iterator<Item = Column> {
        TITLES.iter().map(|(column, ..)| *column)
    }

    /// Its title in Entente's own files.
    pub(crate) fn title(self) -> &'static str {
        TITLES[self as usize].1
    }

    /// By its own title, in any case.
    pub(super) fn titled(title: &str) -> Option<Column> {
        Column::all().find(|column| same(column.title(), title))
    }

    /// By a title that another publisher gives it.
    pub(super) fn known_as(title: &str) -> Option<Column> {
        let found = TITLES
            .iter()
            .find(|(.., others)| others.iter().any(|other| same(other, title)));
        found.map(|(column, ..)| *column)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

/// Whether two titles have one id, in any case, with or without `_` and spaces: of `FREQ: Frequency` the part
/// before the colon, of `FLAGS[;]` the part before the bracket.
pub(super) fn same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn letters(title: &str) -> impl Iterator<Item = char> {
    let id = title.split([':', '[']).next().unwrap_or_default();
    id.chars()
        .filter(|c| !c.is_whitespace() && *c != '_')
        .flat_map(char::to_uppercase)
}

/// A column by its own title, and what is said of it on the command line: `REPORTER=DECLARANT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) column: Column,
    pub(crate) text: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Assignment, String> {
        let (name, text) = text
            .split_once('=')
            .ok_or("it looks like REPORTER=REF_AREA")?;
        let column = Column::titled(name).ok_or_else(|| {
            let names: Vec<&str> = Column::all().map(Column::title).collect();
            format!("{name} is none of {}", names.join(", "))
        })?;
        if text.is_empty() {
            return Err(format!("nothing stands behind {name}="));
        }
        let text = text.to_owned();
        Ok(Assignment { column, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_stand_in_the_order_of_the_columns() {
        for (place, column) in Column::all().enumerate() {
            assert_eq!(column as usize, place);
        }
    }

    #[test]
    fn a_title_is_known_in_any_case_and_with_its_label() {
        assert_eq!(Column::titled("obs_value"), Some(Column::Value));
        assert_eq!(Column::titled("FREQ: Frequency"), Some(Column::Frequency));
        assert_eq!(Column::titled("STRUCTURE[;]"), Some(Column::Structure));
        assert_eq!(Column::known_as("Ref_Area"), Some(Column::Reporter));
        assert_eq!(Column::titled(""), None);
        assert_eq!(Column::known_as("REMARK"), None);
    }

    #[test]
    fn an_assignment_names_a_column() {
        let given: Assignment = "code=CN8".parse().unwrap();
        assert_eq!((given.column, given.text.as_str()), (Column::Code, "CN8"));
        for wrong in ["CODE", "CODE=", "PRODUCT=CN8", "=x"] {
            assert!(wrong.parse::<Assignment>().is_err(), "{wrong}");
        }
    }
}
