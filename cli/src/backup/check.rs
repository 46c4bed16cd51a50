//! What a copy holds, and whether it is whole.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

use super::{Reader, Seen};
use crate::{figures, output, words};

/// Reads a copy through, and says what was found up to its end or its first fault.
pub(super) fn run(path: &Path) -> anyhow::Result<()> {
    let checked = checked(path);
    checked.with_context(|| format!("checking {}", path.display()))
}

fn checked(path: &Path) -> anyhow::Result<()> {
    let mut reader = Reader::open(path)?;
    let mut seen = Seen::default();
    let whole = read_through(&mut reader, &mut seen);
    tell(&reader, &seen, whole.is_ok(), &mut io::stdout().lock())?;
    whole
}

fn read_through(reader: &mut Reader, seen: &mut Seen) -> anyhow::Result<()> {
    while let Some(part) = reader.part()? {
        seen.take(&part)?;
    }
    seen.whole()?;
    Ok(())
}

fn tell(reader: &Reader, seen: &Seen, is_whole: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let journal = seen.journal().map(|journal| journal.name.clone());
    let positions = match seen.last() {
        0 => "none".to_owned(),
        last => format!("1 to {last}"),
    };
    let committed = seen.time().map(proto::to_timestamp);
    let whole = if is_whole { "yes" } else { "no" };
    let rows = [
        ("journal", journal.unwrap_or_default()),
        ("positions", positions),
        ("entries", figures::grouped(&seen.last().to_string())),
        ("bytes", figures::grouped(&reader.bytes().to_string())),
        ("committed", words::second(committed.as_ref())),
        ("whole", whole.to_owned()),
    ];
    output::lines(out, &rows.map(|(title, text)| (title.to_owned(), text)))
}
