//! JSON lines: the service's `Observation` as canonical protobuf JSON, every key in every line.

use std::io::Write;

use proto::r#type::v1::{CivilDate, Source};
use serde_json::{Value, json};

use super::figure::{Figure, decimal, instant};
use super::{Out, Sink};

pub(super) struct JsonLines {
    out: Out,
}

impl JsonLines {
    pub(super) fn new(out: Out) -> JsonLines {
        JsonLines { out }
    }
}

impl Sink for JsonLines {
    fn row(&mut self, figure: &Figure<'_>) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.out, &observation(figure))?;
        Ok(self.out.write_all(b"\n")?)
    }

    fn finish(mut self: Box<Self>, _: Option<i64>) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
}

fn observation(figure: &Figure<'_>) -> Value {
    let key = &figure.key;
    let flags: Vec<&str> = figure.flags.iter().map(|flag| flag.as_str_name()).collect();
    json!({
        "name": name(figure),
        "reporter": key.reporter.to_string(),
        "partner": key.partner.to_string(),
        "flow": key.flow.to_wire().as_str_name(),
        "commodity": {
            "classification": key.classification.as_str(),
            "code": figure.code.as_str(),
        },
        "period": key.period.to_string(),
        "value": {
            "currencyCode": figure.subject.currency(),
            "amount": figure.value.to_string(),
        },
        "valuation": figure.valuation().as_str_name(),
        "netWeight": decimal(figure.net_weight),
        "quantity": decimal(figure.quantity),
        "quantityUnit": figure.quantity_unit,
        "flags": flags,
        "source": source(figure.source),
        "vintage": figure.vintage.map(instant),
    })
}

fn name(figure: &Figure<'_>) -> String {
    let key = &figure.key;
    format!(
        "{}/observations/{}.{}.{}.{}.{}.{}",
        figure.subject.name(),
        key.reporter,
        key.partner,
        key.flow,
        key.classification,
        figure.code,
        key.period
    )
}

fn source(source: &Source) -> Value {
    json!({
        "title": source.title,
        "publisher": source.publisher,
        "uri": source.uri,
        "publishedOn": source.published_on.map(date),
        "readOn": source.read_on.map(date),
        "licence": source.licence,
        "mayBeShownOutside": source.may_be_shown_outside,
        "note": source.note,
    })
}

fn date(date: CivilDate) -> Value {
    json!({"year": date.year, "month": date.month, "day": date.day})
}
