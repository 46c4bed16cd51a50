//! What a reader is told besides the file: the dataset that takes the figures, and the names of columns.

use anyhow::Context;
use proto::trade::v1 as wire;
use proto::r#type::v1::Source;
use proto::{Currency, Flow};
use wire::Valuation;

use super::column::{Assignment, Column, same};

/// What holds for all rows.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The currency of the dataset.
    pub(super) currency: Currency,
    import_valuation: Valuation,
    export_valuation: Valuation,
    /// The dataset's own source.
    pub(super) source: Source,
    map: Vec<Assignment>,
    set: Vec<Assignment>,
}

impl Terms {
    /// For the figures of `dataset`. Nothing may be said of a column twice.
    pub(crate) fn new(
        dataset: wire::Dataset,
        map: &[Assignment],
        set: &[Assignment],
    ) -> anyhow::Result<Terms> {
        for (index, one) in map.iter().chain(set).enumerate() {
            let mut before = map.iter().chain(set).take(index);
            if before.any(|other| other.column == one.column) {
                anyhow::bail!("--map and --set speak of {} twice", one.column);
            }
        }
        Ok(Terms {
            currency: dataset
                .currency_code
                .parse()
                .context("the dataset's currency")?,
            import_valuation: dataset.import_valuation(),
            export_valuation: dataset.export_valuation(),
            source: dataset.source.unwrap_or_default(),
            map: map.to_vec(),
            set: set.to_vec(),
        })
    }

    /// How the dataset values a flow; total trade is a mixture.
    pub(super) fn valuation(&self, flow: Flow) -> Valuation {
        if flow.is_import_side() {
            self.import_valuation
        } else if flow.is_export_side() {
            self.export_valuation
        } else {
            Valuation::Unspecified
        }
    }

    /// What a title stands for. A column that is mapped or set is no other one.
    pub(super) fn role(&self, title: &str) -> Option<Column> {
        let mapped = self.map.iter().find(|one| same(&one.text, title));
        if let Some(mapped) = mapped {
            return Some(mapped.column);
        }
        let known = Column::titled(title).or_else(|| Column::known_as(title));
        let told = |column: &Column| {
            let mut all = self.map.iter().chain(&self.set);
            all.any(|one| one.column == *column)
        };
        known.filter(|column| !told(column))
    }

    /// What a column holds in every row, where that was said.
    pub(super) fn set(&self, column: Column) -> Option<&str> {
        let one = self.set.iter().find(|one| one.column == column);
        one.map(|one| one.text.as_str())
    }

    /// The title that a file was expected to have for a column.
    pub(super) fn expected(&self, column: Column) -> String {
        let one = self.map.iter().find(|one| one.column == column);
        one.map_or_else(|| column.to_string(), |one| one.text.clone())
    }
}
