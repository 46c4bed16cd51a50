//! Records below each other.

use std::io::Write;

use prost::Message;

use super::Shown;
use crate::args::answer::Output;
use crate::output;
use crate::sources::Footnotes;

/// Whether a list goes on behind what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// This is all.
    No,
    /// `--limit` kept the rest away.
    Yes,
}

impl More {
    /// By the token of what follows.
    pub(crate) fn of(next: &str) -> More {
        if next.is_empty() { More::No } else { More::Yes }
    }

    /// What stands behind the count.
    pub(crate) fn remark(self) -> &'static str {
        match self {
            More::No => "",
            More::Yes => "; there are more, raise --limit",
        }
    }
}

/// Writes records as a table with footnotes, as the service's message, or as CSV.
pub(crate) fn write_list<K: Shown>(
    records: &[K::Record],
    language: &str,
    more: More,
    output: Output,
    message: (&str, &impl Message),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match output {
        Output::Table => table::<K>(records, language, more, out),
        Output::Json => output::json(out, message.0, message.1),
        Output::Csv => csv::<K>(records, language, out),
    }
}

fn table<K: Shown>(
    records: &[K::Record],
    language: &str,
    more: More,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut table = output::table(K::TITLES, &[]);
    output::wrap(&mut table);
    let mut notes = Footnotes::default();
    for record in records {
        table.add_row(K::row(record, language, &mut notes));
    }
    output::hide_empty(&mut table);
    let (count, noun) = (records.len(), K::NOUN);
    writeln!(out, "{table}\n{count} {noun}s{}", more.remark())?;
    notes.write(out)
}

/// Writes records as CSV.
pub(super) fn csv<K: Shown>(
    records: &[K::Record],
    language: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut writer = output::csv(out, K::CSV)?;
    for record in records {
        writer.write_record(K::cells(record, language))?;
    }
    Ok(writer.flush()?)
}
