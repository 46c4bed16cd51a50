//! Parquet: exact decimals, instants in UTC, flags as a list; the dataset and its terms as metadata.
//!
//! A column chunk is written at once, so the rows of a row group wait in memory: some 40 MB.

mod column;

use std::sync::Arc;

use ::parquet::basic::{Compression, GzipLevel};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use anyhow::Context;
use proto::trade::v1::Valuation;

use self::column::Column;
use super::figure::{Figure, instant};
use super::subject::{Subject, valuation_code};
use super::{Out, Sink};

/// Rows of a row group.
const ROWS: usize = 1 << 16;

pub(super) struct Parquet {
    writer: SerializedFileWriter<Out>,
    columns: Vec<Box<dyn Column>>,
    waiting: usize,
    rows: u64,
}

impl Parquet {
    pub(super) fn new(out: Out, subject: &Subject) -> anyhow::Result<Parquet> {
        let schema = Arc::new(parse_message_type(column::SCHEMA)?);
        let writer = SerializedFileWriter::new(out, schema, properties(subject)?)?;
        Ok(Parquet {
            writer,
            columns: column::all(),
            waiting: 0,
            rows: 0,
        })
    }

    /// Writes the rows that wait as a row group.
    fn flush(&mut self) -> anyhow::Result<()> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let writer = group.next_column()?;
            column.write(writer.context("the schema has fewer columns")?)?;
        }
        group.close()?;
        self.waiting = 0;
        Ok(())
    }
}

impl Sink for Parquet {
    fn row(&mut self, figure: &Figure<'_>) -> anyhow::Result<()> {
        for column in &mut self.columns {
            column.take(figure);
        }
        self.rows += 1;
        self.waiting += 1;
        if self.waiting == ROWS {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn finish(mut self: Box<Self>, as_of: Option<i64>) -> anyhow::Result<()> {
        if self.waiting > 0 {
            self.flush()?;
        }
        let mut add = |key, value| self.writer.append_key_value_metadata(pair(key, value));
        add("figures", self.rows.to_string());
        if let Some(as_of) = as_of {
            add("as_of", instant(as_of));
        }
        // The file is whole when its last bytes are out.
        let mut out = self.writer.into_inner()?;
        Ok(out.flush()?)
    }
}

fn properties(subject: &Subject) -> anyhow::Result<WriterPropertiesPtr> {
    let properties = WriterProperties::builder()
        .set_created_by(format!("entente {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::GZIP(GzipLevel::try_new(4)?))
        .set_key_value_metadata(Some(metadata(subject)));
    Ok(Arc::new(properties.build()))
}

/// What holds for all figures.
fn metadata(subject: &Subject) -> Vec<KeyValue> {
    use proto::Flow;
    let source = subject.source();
    let valuation = |flow| match subject.valuation(flow) {
        Valuation::Unspecified => "not stated".to_owned(),
        stated @ (Valuation::Cif | Valuation::Fob) => valuation_code(stated).to_owned(),
    };
    vec![
        pair("dataset", subject.name().to_owned()),
        pair("title", subject.title()),
        pair("currency", subject.currency().to_owned()),
        pair("import_valuation", valuation(Flow::Import)),
        pair("export_valuation", valuation(Flow::Export)),
        pair("source_title", source.title.clone()),
        pair("source_publisher", source.publisher.clone()),
        pair("source_uri", source.uri.clone()),
        pair("licence", source.licence.clone()),
        pair(
            "may_be_shown_outside",
            source.may_be_shown_outside.to_string(),
        ),
    ]
}

fn pair(key: &str, value: String) -> KeyValue {
    KeyValue::new(format!("entente.{key}"), value)
}
