//! Tables, JSON and CSV.

use std::io::{self, Write};
use std::sync::LazyLock;

use anyhow::Context;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

/// A line above, below the titles and at the end; none between rows.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(proto::DESCRIPTORS).expect("the schema was compiled with this binary")
});

/// Writes a message as canonical protobuf JSON.
pub(crate) fn json(out: &mut dyn Write, name: &str, message: &impl Message) -> anyhow::Result<()> {
    let descriptor = POOL.get_message_by_name(name).context("unknown message")?;
    let message = DynamicMessage::decode(descriptor, &*message.encode_to_vec())?;
    let mut serializer = serde_json::Serializer::pretty(&mut *out);
    message.serialize_with_options(&mut serializer, &SerializeOptions::new())?;
    writeln!(out)?;
    Ok(())
}

/// Reads a message from canonical protobuf JSON.
pub(crate) fn from_json<M: Message + Default>(name: &str, json: &str) -> anyhow::Result<M> {
    let descriptor = POOL.get_message_by_name(name).context("unknown message")?;
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let message = DynamicMessage::deserialize(descriptor, &mut deserializer)?;
    Ok(M::decode(&*message.encode_to_vec())?)
}

/// A table with a title for each column; those in `numbers` are aligned to the right.
pub(crate) fn table(titles: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(titles.to_vec());
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Writes CSV rows.
pub(crate) fn csv<'a>(
    out: &'a mut dyn Write,
    titles: &[&str],
) -> csv::Result<csv::Writer<&'a mut dyn Write>> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(titles)?;
    Ok(writer)
}

/// A text cell that no spreadsheet takes for a formula.
pub(crate) fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{text}");
    }
    text.to_owned()
}

/// Standard output, buffered.
pub(crate) fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::new(io::stdout().lock())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_in_a_text_cell_is_disarmed() {
        assert_eq!(safe("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(safe("Desht"), "Desht");
    }

    #[test]
    fn a_message_survives_the_way_to_json_and_back() {
        let money = proto::r#type::v1::Money {
            currency_code: "USD".into(),
            amount: "17620000000".into(),
        };
        let mut text = Vec::new();
        json(&mut text, "entente.type.v1.Money", &money).unwrap();
        let text = String::from_utf8(text).unwrap();
        let back: proto::r#type::v1::Money = from_json("entente.type.v1.Money", &text).unwrap();
        assert_eq!(back, money);
    }
}
