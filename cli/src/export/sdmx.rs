//! SDMX-CSV 2.0: `docs/sdmx.md` says what each column holds.

use super::csv::truth;
use super::figure::{Figure, date, decimal, instant};
use super::subject::valuation_code;
use super::{Out, Sink};
use crate::sdmx::text::armed;
use crate::sdmx::{Column, STRUCTURE_ID, period, status};

pub(super) struct Sdmx {
    writer: ::csv::Writer<Out>,
}

impl Sdmx {
    pub(super) fn new(out: Out) -> anyhow::Result<Sdmx> {
        let mut writer = ::csv::Writer::from_writer(out);
        writer.write_record(Column::all().map(Column::title))?;
        Ok(Sdmx { writer })
    }
}

impl Sink for Sdmx {
    fn row(&mut self, figure: &Figure<'_>) -> anyhow::Result<()> {
        for column in Column::all() {
            self.writer.write_field(cell(figure, column))?;
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn finish(mut self: Box<Self>, _: Option<i64>) -> anyhow::Result<()> {
        Ok(self.writer.flush()?)
    }
}

fn cell(figure: &Figure<'_>, column: Column) -> String {
    let Figure { key, source, .. } = figure;
    match column {
        Column::Structure => "dataflow".into(),
        Column::StructureId => STRUCTURE_ID.into(),
        Column::Action => "I".into(),
        Column::Dataset => figure.subject.id().into(),
        Column::Reporter => key.reporter.to_string(),
        Column::Partner => key.partner.to_string(),
        Column::Flow => key.flow.code().into(),
        Column::Classification => key.classification.as_str().into(),
        Column::Code => figure.code.as_str().into(),
        Column::Frequency => period::frequency(key.period).into(),
        Column::Period => period::format(key.period),
        Column::Value => figure.value.to_string(),
        Column::Status => status::letter(figure.flags).into(),
        Column::Currency => figure.subject.currency().into(),
        Column::Multiplier => "0".into(),
        Column::Valuation => valuation_code(figure.valuation()).into(),
        Column::NetWeight => decimal(figure.net_weight),
        Column::Quantity => decimal(figure.quantity),
        Column::QuantityUnit => match figure.quantity_unit {
            0 => String::new(),
            unit => unit.to_string(),
        },
        Column::Flags => status::names(figure.flags),
        Column::SourceTitle => armed(&source.title).into(),
        Column::SourcePublisher => armed(&source.publisher).into(),
        Column::SourceUri => armed(&source.uri).into(),
        Column::SourcePublishedOn => date(source.published_on),
        Column::SourceReadOn => date(source.read_on),
        Column::SourceLicence => armed(&source.licence).into(),
        Column::SourceShownOutside => truth(source.may_be_shown_outside).into(),
        Column::SourceNote => armed(&source.note).into(),
        Column::Vintage => figure.vintage.map(instant).unwrap_or_default(),
    }
}
