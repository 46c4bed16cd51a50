//! The dataset of an export, and its terms in words.

use proto::trade::v1 as wire;
use proto::r#type::v1::Source;
use proto::{Flow, LocalizedText};
use wire::Valuation;

/// A dataset whose figures are written.
pub(super) struct Subject {
    dataset: wire::Dataset,
    source: Source,
}

impl Subject {
    pub(super) fn new(mut dataset: wire::Dataset) -> Subject {
        let source = dataset.source.take().unwrap_or_default();
        Subject { dataset, source }
    }

    /// `datasets/{dataset}`.
    pub(super) fn name(&self) -> &str {
        &self.dataset.name
    }

    /// The dataset's id.
    pub(super) fn id(&self) -> &str {
        let name = self.name();
        name.strip_prefix("datasets/").unwrap_or(name)
    }

    /// In English where it has that.
    pub(super) fn title(&self) -> String {
        let texts = self.dataset.display_name.clone().unwrap_or_default();
        let texts = LocalizedText::try_from(texts);
        texts.map_or_else(|_| self.id().to_owned(), |texts| texts.get("en").to_owned())
    }

    pub(super) fn currency(&self) -> &str {
        &self.dataset.currency_code
    }

    /// Where figures come from that name no source of their own.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// How a flow is valued; total trade is a mixture.
    pub(super) fn valuation(&self, flow: Flow) -> Valuation {
        if flow.is_import_side() {
            self.dataset.import_valuation()
        } else if flow.is_export_side() {
            self.dataset.export_valuation()
        } else {
            Valuation::Unspecified
        }
    }

    /// The terms for people: whoever exports passes figures on.
    pub(super) fn terms(&self) -> String {
        let licence = match self.source.licence.as_str() {
            "" => "no licence stated",
            licence => licence,
        };
        let outside = if self.source.may_be_shown_outside {
            "may be shown outside your organisation"
        } else {
            "may not be shown outside your organisation"
        };
        format!(
            "{} ({}, {}): {licence}; {outside}",
            self.name(),
            self.title(),
            self.currency()
        )
    }
}

/// `CIF`, `FOB`, or nothing.
pub(super) fn valuation_code(valuation: Valuation) -> &'static str {
    match valuation {
        Valuation::Unspecified => "",
        Valuation::Cif => "CIF",
        Valuation::Fob => "FOB",
    }
}
