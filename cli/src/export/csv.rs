//! CSV for spreadsheets: one row a figure, with the terms under which it may be passed on.

use super::figure::{Figure, decimal, instant};
use super::{Out, Sink};
use crate::figures;
use crate::output::safe;

const TITLES: [&str; 20] = [
    "dataset",
    "reporter",
    "partner",
    "flow",
    "classification",
    "code",
    "period",
    "value",
    "currency",
    "valuation",
    "net_weight_kg",
    "quantity",
    "quantity_unit",
    "flags",
    "source_title",
    "source_publisher",
    "source_uri",
    "source_licence",
    "may_be_shown_outside",
    "vintage",
];

pub(super) struct Csv {
    writer: ::csv::Writer<Out>,
}

impl Csv {
    pub(super) fn new(out: Out) -> anyhow::Result<Csv> {
        let mut writer = ::csv::Writer::from_writer(out);
        writer.write_record(TITLES)?;
        Ok(Csv { writer })
    }
}

impl Sink for Csv {
    fn row(&mut self, figure: &Figure<'_>) -> anyhow::Result<()> {
        let flags: Vec<i32> = figure.flags.iter().map(Into::into).collect();
        let source = figure.source;
        self.writer.write_record([
            figure.subject.name(),
            &figure.key.reporter.to_string(),
            &figure.key.partner.to_string(),
            figure.key.flow.code(),
            figure.key.classification.as_str(),
            figure.code.as_str(),
            &figure.key.period.to_string(),
            &figure.value.to_string(),
            figure.subject.currency(),
            figures::valuation(figure.valuation().into()),
            &decimal(figure.net_weight),
            &decimal(figure.quantity),
            &figure.quantity_unit.to_string(),
            &figures::flags(&flags),
            &safe(&source.title),
            &safe(&source.publisher),
            &safe(&source.uri),
            &safe(&source.licence),
            truth(source.may_be_shown_outside),
            &figure.vintage.map(instant).unwrap_or_default(),
        ])?;
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: Option<i64>) -> anyhow::Result<()> {
        Ok(self.writer.flush()?)
    }
}

/// `true` or `false`.
pub(super) fn truth(truth: bool) -> &'static str {
    if truth { "true" } else { "false" }
}
