//! A small CSV file with titles: its rows, and what became of them.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};

use super::Imported;

/// Tables of codes and claims have a few MiB at most; a file of figures belongs to another import.
const MAX_BYTES: u64 = 32 << 20;
/// Characters of a message that a rejected row is told with.
const MAX_SHOWN: usize = 600;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The rows of a file, with the cells of the columns that were asked for.
#[derive(Debug)]
pub(super) struct Sheet {
    /// What the file is called in messages.
    pub(super) name: String,
    /// The titles of the file, in its order.
    pub(super) titles: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Lines that are no rows.
    pub(super) rejected: Vec<Rejection>,
}

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    /// The line on which it starts, from 1.
    pub(super) line: u64,
    /// One cell for each column asked for, in that order, without space around; empty where the file has no
    /// such column.
    pub(super) cells: Vec<String>,
}

/// Why a row was left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) line: u64,
    /// The column at fault; empty for the row.
    pub(super) column: String,
    pub(super) reason: String,
}

/// A column that is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) required: bool,
}

impl Rejection {
    pub(super) fn new(line: u64, column: &str, reason: impl Into<String>) -> Rejection {
        Rejection {
            line,
            column: column.to_owned(),
            reason: reason.into(),
        }
    }
}

impl Sheet {
    /// Reads a file, or standard input for `-`.
    pub(super) fn open(path: &Path, columns: &[Column]) -> anyhow::Result<Sheet> {
        let (name, text) = read(path)?;
        Sheet::parse(&name, &text, columns).with_context(|| format!("reading {name}"))
    }

    /// Reads a file whose titles say what is in it: a row has a cell for each title, in the order of the file.
    pub(super) fn open_whole(path: &Path, required: &[&str]) -> anyhow::Result<Sheet> {
        let (name, text) = read(path)?;
        Sheet::parse_whole(&name, &text, required).with_context(|| format!("reading {name}"))
    }

    pub(super) fn parse_whole(name: &str, text: &[u8], required: &[&str]) -> anyhow::Result<Sheet> {
        Sheet::parse_with(name, text, |titles| {
            for (at, title) in titles.iter().enumerate() {
                ensure!(
                    !titles[..at].contains(title),
                    "two columns are called `{title}`"
                );
            }
            let missing = required
                .iter()
                .find(|title| !titles.iter().any(|given| given == *title));
            if let Some(missing) = missing {
                let given = shown(&titles.join(", "));
                bail!("there is no column `{missing}`; there are: {given}");
            }
            Ok((0..titles.len()).map(Some).collect())
        })
    }

    fn parse(name: &str, text: &[u8], columns: &[Column]) -> anyhow::Result<Sheet> {
        Sheet::parse_with(name, text, |titles| places(titles, columns))
    }

    fn parse_with(
        name: &str,
        text: &[u8],
        places: impl FnOnce(&[String]) -> anyhow::Result<Vec<Option<usize>>>,
    ) -> anyhow::Result<Sheet> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let mut lines = Lines {
            text,
            from: 0,
            line: 1,
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        let titles = reader
            .headers()
            .context("the titles are not UTF-8")?
            .clone();
        let titles: Vec<String> = titles.iter().map(normalised).collect();
        let places = places(&titles)?;
        let mut sheet = Sheet {
            name: name.to_owned(),
            titles,
            rows: Vec::new(),
            rejected: Vec::new(),
        };
        for record in reader.byte_records() {
            let record = record?;
            let line = lines.at(record.position().map_or(0, csv::Position::byte));
            match row(line, &record, sheet.titles.len(), &places) {
                Ok(row) => sheet.rows.push(row),
                Err(rejection) => sheet.rejected.push(rejection),
            }
        }
        Ok(sheet)
    }

    /// The file's own name, without folders.
    pub(super) fn file_name(&self) -> &str {
        let path = Path::new(&self.name).file_name();
        path.and_then(|name| name.to_str()).unwrap_or(&self.name)
    }

    /// Tells what became of the file: rejected rows on standard error, the sums on standard output.
    pub(super) fn tell(&mut self, sums: &[String]) -> anyhow::Result<Imported> {
        self.rejected.sort_by_key(|rejection| rejection.line);
        let mut err = std::io::stderr().lock();
        for Rejection {
            line,
            column,
            reason,
        } in &self.rejected
        {
            let place = match column.as_str() {
                "" => format!("line {line}"),
                column => format!("line {line}, {column}"),
            };
            writeln!(
                err,
                "{}: {}",
                self.name,
                shown(&format!("{place}: {reason}"))
            )?;
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}: {}", self.name, sums.join("\n  "))?;
        Ok(if self.rejected.is_empty() {
            Imported::Whole
        } else {
            Imported::WithRejections
        })
    }
}

/// What came from a file, as a terminal may have it: without what steers it, and not for ever.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let steers = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    shown.chars().map(steers).collect()
}

/// The name and the bytes of a file, or of standard input for `-`.
fn read(path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let source: Box<dyn Read> = if is_stdin {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).with_context(|| format!("opening {name}"))?)
    };
    let mut text = Vec::new();
    let read = source.take(MAX_BYTES + 1).read_to_end(&mut text);
    read.with_context(|| format!("reading {name}"))?;
    ensure!(
        text.len() as u64 <= MAX_BYTES,
        "{name} is larger than {} MiB",
        MAX_BYTES >> 20
    );
    Ok((name, text))
}

/// Counts lines up to a record. The reader's own count is one behind where lines end with CR and LF.
struct Lines<'a> {
    text: &'a [u8],
    from: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that begins at or after a byte, which is behind the one before.
    fn at(&mut self, byte: u64) -> u64 {
        let start = usize::try_from(byte)
            .unwrap_or(usize::MAX)
            .min(self.text.len());
        let is_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let start = start + self.text[start..].iter().take_while(is_end).count();
        let passed = &self.text[self.from.min(start)..start];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.from = start;
        self.line
    }
}

/// A title without regard to case, spaces and `-`.
fn normalised(title: &str) -> String {
    title.trim().to_lowercase().replace([' ', '-'], "_")
}

/// Where each column stands in the file.
fn places(titles: &[String], columns: &[Column]) -> anyhow::Result<Vec<Option<usize>>> {
    let mut places = Vec::new();
    for column in columns {
        let place = titles.iter().position(|title| title == column.title);
        if place.is_none() && column.required {
            let given = titles.join(", ");
            bail!("there is no column `{}`; there are: {given}", column.title);
        }
        places.push(place);
    }
    Ok(places)
}

fn row(
    line: u64,
    record: &csv::ByteRecord,
    width: usize,
    places: &[Option<usize>],
) -> Result<Row, Rejection> {
    if record.len() != width {
        let reason = format!("{} cells, where the titles are {width}", record.len());
        return Err(Rejection::new(line, "", reason));
    }
    let cell = |place: &Option<usize>| {
        let bytes = place.and_then(|at| record.get(at)).unwrap_or_default();
        std::str::from_utf8(bytes).map(|text| text.trim().to_owned())
    };
    let cells: Result<Vec<String>, _> = places.iter().map(cell).collect();
    let cells = cells.map_err(|_| Rejection::new(line, "", "not UTF-8"))?;
    Ok(Row { line, cells })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column {
            title: "code",
            required: true,
        },
        Column {
            title: "name",
            required: true,
        },
        Column {
            title: "note",
            required: false,
        },
    ];

    fn parse(text: &[u8]) -> anyhow::Result<Sheet> {
        Sheet::parse("names.csv", text, &COLUMNS)
    }

    #[test]
    fn columns_are_found_by_their_titles_in_any_order() {
        let sheet = parse(b"\xef\xbb\xbfName , CODE\r\n\"Cars, new\", 8703\r\n").unwrap();
        assert_eq!(sheet.rows[0].cells, ["8703", "Cars, new", ""]);
        assert_eq!(sheet.rows[0].line, 2);
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = parse(b"code,text\n87,x\n").unwrap_err();
        assert!(error.to_string().contains("no column `name`"), "{error}");
    }

    #[test]
    fn a_file_that_is_read_whole_keeps_its_own_columns() {
        let whole = |text: &[u8]| Sheet::parse_whole("a.csv", text, &["id"]);
        let sheet = whole(b"title_fr,ID\nVisite,v\n").unwrap();
        assert_eq!(sheet.titles, ["title_fr", "id"]);
        assert_eq!(sheet.rows[0].cells, ["Visite", "v"]);
        assert!(whole(b"title_fr\nVisite\n").is_err());
        let twice = whole(b"id,Id\na,b\n").unwrap_err();
        assert!(twice.to_string().contains("two columns"), "{twice}");
    }

    #[test]
    fn a_message_does_not_steer_the_terminal() {
        assert_eq!(shown("a\u{1b}[31mb"), "a\u{FFFD}[31mb");
        let long = shown(&"x".repeat(1 << 20));
        assert_eq!(long.chars().count(), MAX_SHOWN + 1);
    }

    #[test]
    fn a_line_that_is_no_row_is_left_out_and_named() {
        let sheet = parse(b"code,name\n87,a\n88\n89,\"b\nc\"\n90,\xff\n").unwrap();
        assert_eq!(sheet.rows.len(), 2);
        let lines: Vec<u64> = sheet.rejected.iter().map(|one| one.line).collect();
        assert_eq!(lines, [3, 6]);
        assert!(sheet.rejected[0].reason.contains("1 cells"));
        assert!(sheet.rejected[1].reason.contains("UTF-8"));
    }
}
