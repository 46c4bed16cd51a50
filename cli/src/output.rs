//! Tables, JSON and CSV.

use std::io::{self, Write};
use std::sync::LazyLock;

use anyhow::Context;
use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

/// A line above, below the titles and at the end; none between rows.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// Columns of running text.
const WIDTH: usize = 100;
/// Columns of a text in a table.
const CELL: u16 = 48;

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

/// Writes a message as canonical protobuf JSON in one line.
pub(crate) fn json_line(
    out: &mut dyn Write,
    name: &str,
    message: &impl Message,
) -> anyhow::Result<()> {
    let descriptor = POOL.get_message_by_name(name).context("unknown message")?;
    let message = DynamicMessage::decode(descriptor, &*message.encode_to_vec())?;
    let mut serializer = serde_json::Serializer::new(&mut *out);
    message.serialize_with_options(&mut serializer, &SerializeOptions::new())?;
    writeln!(out)?;
    Ok(())
}

/// A message as canonical protobuf JSON.
pub(crate) fn value(name: &str, message: &impl Message) -> anyhow::Result<serde_json::Value> {
    let descriptor = POOL.get_message_by_name(name).context("unknown message")?;
    let message = DynamicMessage::decode(descriptor, &*message.encode_to_vec())?;
    Ok(message.serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())?)
}

/// Writes messages as a JSON list.
pub(crate) fn json_list(
    out: &mut dyn Write,
    name: &str,
    messages: &[impl Message],
) -> anyhow::Result<()> {
    write!(out, "[")?;
    for (at, message) in messages.iter().enumerate() {
        write!(out, "{}", if at == 0 { "" } else { "," })?;
        json(out, name, message)?;
    }
    Ok(writeln!(out, "]")?)
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

/// Hides the columns in which no row has anything, so that the others have room.
pub(crate) fn hide_empty(table: &mut Table) {
    for column in 0..table.column_count() {
        let cells = table
            .row_iter()
            .filter_map(|row| row.cell_iter().nth(column));
        let is_empty = cells.into_iter().all(|cell| cell.content().is_empty());
        if let Some(column) = table.column_mut(column).filter(|_| is_empty) {
            column.set_constraint(ColumnConstraint::Hidden);
        }
    }
}

/// Keeps texts from making a table wider than a page: in a cell, what is longer goes on below.
pub(crate) fn wrap(table: &mut Table) {
    let longest = ColumnConstraint::UpperBoundary(comfy_table::Width::Fixed(CELL));
    for column in table.column_iter_mut() {
        column.set_constraint(longest);
    }
}

/// Writes titled lines, without those that are empty; a long text goes on below its beginning.
pub(crate) fn lines(out: &mut dyn Write, rows: &[(String, String)]) -> anyhow::Result<()> {
    for (title, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
        paragraph(out, &format!("{title:<11} {text}"), "            ")?;
    }
    Ok(())
}

/// Writes running text; what has no room on its first line goes on below, behind an indent.
pub(crate) fn paragraph(out: &mut dyn Write, text: &str, indent: &str) -> io::Result<()> {
    let options = textwrap::Options::new(WIDTH)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .subsequent_indent(indent);
    writeln!(out, "{}", textwrap::fill(text, options))
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

/// What a list came to.
#[derive(Debug)]
pub(crate) struct Paged<T> {
    /// The entries, in order.
    pub(crate) entries: Vec<T>,
    /// The token of what follows; empty when nothing does.
    pub(crate) next: String,
}

/// Follows a list from page to page, to its end or until there are so many entries. The call is given the
/// page's token and how many entries are still wanted.
pub(crate) async fn pages<T>(
    limit: usize,
    mut call: impl AsyncFnMut(String, i32) -> Result<(Vec<T>, String), tonic::Status>,
) -> Result<Paged<T>, tonic::Status> {
    let mut entries = Vec::new();
    let mut next = String::new();
    loop {
        let left = i32::try_from(limit - entries.len()).unwrap_or(i32::MAX);
        let (page, token) = call(next, left).await?;
        entries.extend(page);
        entries.truncate(limit);
        next = token;
        if next.is_empty() || entries.len() >= limit {
            return Ok(Paged { entries, next });
        }
    }
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
