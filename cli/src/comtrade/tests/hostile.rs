//! Files that are too large, never end, or are nothing at all.

use std::io::{self, Cursor};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;

/// A start and then the same piece again and again, made as it is read; it counts what is drawn.
struct Endless {
    start: Cursor<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    left: usize,
    drawn: Arc<AtomicUsize>,
}

impl Endless {
    fn new(start: &str, piece: &str, size: usize) -> Self {
        Self {
            start: Cursor::new(start.as_bytes().to_vec()),
            piece: piece.repeat(1 + 1000 / piece.len()).into_bytes(),
            at: 0,
            left: size,
            drawn: Arc::default(),
        }
    }

    fn repeat(&mut self, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < buffer.len().min(self.left) {
            let rest = &self.piece[self.at..];
            let length = rest
                .len()
                .min(buffer.len() - filled)
                .min(self.left - filled);
            buffer[filled..filled + length].copy_from_slice(&rest[..length]);
            self.at = (self.at + length) % self.piece.len();
            filled += length;
        }
        self.left -= filled;
        filled
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match self.start.read(buffer)? {
            0 => self.repeat(buffer),
            length => length,
        };
        self.drawn.fetch_add(length, Ordering::Relaxed);
        Ok(length)
    }
}

const GIGABYTE: usize = 1 << 30;
/// A row, and what is read ahead of it.
const AHEAD: usize = (1 << 20) + (256 << 10);

fn header_and_row() -> (String, String) {
    let file = csv(&FIGURE, &[("cmdDesc", "\"Vehicles, electric\"")]);
    let (header, row) = file.split_once('\n').unwrap();
    (format!("{header}\n"), row.to_owned())
}

/// The error of a file that goes on for a gigabyte, of which only a little is drawn.
fn early_error(start: &str, piece: &str) -> ReadError {
    let source = Endless::new(start, piece, GIGABYTE);
    let drawn = Arc::clone(&source.drawn);
    let error = read(source).unwrap_err();
    let drawn = drawn.load(Ordering::Relaxed);
    assert!(
        drawn <= start.len() + AHEAD,
        "{drawn} bytes drawn before: {error}"
    );
    error
}

#[test]
fn a_quote_that_never_closes_ends_early_with_its_line() {
    let (header, row) = header_and_row();
    let open = row.replace("electric\"", "electric");
    let start = format!("{header}{row}{row}{open}");
    let error = early_error(&start, &row.replace('"', ""));
    assert!(
        matches!(error, ReadError::UnclosedQuote { line: 4 }),
        "{error}"
    );
    let error = early_error(
        &format!("{header}\"two\nlines\",\"open"),
        &row.replace('"', ""),
    );
    assert!(
        matches!(error, ReadError::UnclosedQuote { line: 3 }),
        "{error}"
    );
}

#[test]
fn a_quote_that_is_open_at_the_end_is_told_too() {
    let (header, row) = header_and_row();
    for end in ["\"", "\"a", "a,\"b\nc\n", "\"a\"\"\n"] {
        let file = format!("{header}{row}{end}");
        let error = read(file.as_bytes()).unwrap_err();
        assert!(
            matches!(error, ReadError::UnclosedQuote { line: 3 }),
            "{end:?}: {error}"
        );
    }
}

#[test]
fn rows_and_fields_without_end_are_refused_early() {
    let (header, row) = header_and_row();
    let start = format!("{header}{row}");
    let error = early_error(&start, "x");
    assert!(
        matches!(error, ReadError::FieldTooLarge { line: 3 }),
        "{error}"
    );
    let error = early_error(&start, "some text,");
    assert!(
        matches!(error, ReadError::RowTooLarge { line: 3 }),
        "{error}"
    );
    let error = early_error(&start, ",");
    assert!(
        matches!(error, ReadError::RowTooLarge { line: 3 }),
        "{error}"
    );
    let error = early_error("", "typeCode");
    assert!(
        matches!(error, ReadError::FieldTooLarge { line: 1 }),
        "{error}"
    );
    let error = early_error("", " \n");
    assert!(matches!(error, ReadError::OtherKind { .. }), "{error}");
}

#[test]
fn json_without_end_is_refused_early() {
    for start in [
        "[\n{\"cmdCode\": \"",
        "[\n{\"",
        "[\n{\"netWgt\": 1",
        "[\n{\"x\": \"",
    ] {
        let error = early_error(start, "1");
        assert!(
            matches!(error, ReadError::RowTooLarge { line: 2 }),
            "{start}: {error}"
        );
    }
    let error = early_error("[", "[");
    assert!(matches!(error, ReadError::Json { line: 1, .. }), "{error}");
    let error = early_error("{\"data\": [], \"error\": \"", "x");
    assert!(matches!(error, ReadError::RowTooLarge { .. }), "{error}");
    let long = format!("[{{\"cmdCode\": \"{}\"}}]", "1".repeat(70_000));
    let error = read(long.as_bytes()).unwrap_err();
    assert!(
        matches!(error, ReadError::FieldTooLarge { line: 1 }),
        "{error}"
    );
}

/// Reads a long stream, and checks that no more was drawn than was handed out.
fn stream(start: &str, row: &str, size: usize) -> u64 {
    let source = Endless::new(start, row, size);
    let drawn = Arc::clone(&source.drawn);
    let mut reader = Reader::new(source).unwrap();
    let mut handed = start.len();
    while let Some(Ok(record)) = reader.next() {
        assert!(matches!(record, Record::Row(_)));
        handed += row.len();
        assert!(drawn.load(Ordering::Relaxed) <= handed + (256 << 10));
    }
    reader.summary().rows
}

/// As large as a few seconds allow.
fn long() -> usize {
    if cfg!(debug_assertions) {
        10_000_000
    } else {
        200_000_000
    }
}

#[test]
fn a_long_file_of_csv_streams() {
    let (header, row) = header_and_row();
    let times = long() / row.len();
    assert_eq!(stream(&header, &row, times * row.len()), times as u64);
}

#[test]
fn a_long_file_of_json_streams() {
    let members: Vec<_> = FIGURE
        .iter()
        .map(|(name, text)| format!("\"{name}\": \"{text}\""))
        .collect();
    let row = format!(",\n{{{}}}", members.join(", "));
    let times = long() / 4 / row.len();
    let start = format!("{{\"count\": 1, \"data\": [{}", &row[1..]);
    // The array stays open: what counts is what comes before.
    assert_eq!(stream(&start, &row, times * row.len()), times as u64 + 1);
}

/// Reads whatever it is, to its end.
fn survive(bytes: &[u8]) {
    if let Ok(reader) = Reader::new(bytes) {
        reader.for_each(|record| assert!(!format!("{record:?}").is_empty()));
    }
}

/// Pieces from which files of every form are made, right and wrong.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let (header, row) = header_and_row();
    let words = [
        header.as_str(),
        row.as_str(),
        "\"",
        "\n",
        "\r",
        ",",
        ";",
        "\t",
        "{",
        "}",
        "[",
        "]",
        ":",
        "\"data\":[",
        "\"cmdCode\":",
        "null",
        "1e5",
        "-0.0",
        "\u{feff}",
        "é",
        "\\u00e9",
        "TOTAL",
    ];
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    let raw = [
        vec![0xff, 0xfe],
        vec![0xfe, 0xff],
        vec![0x1f, 0x8b, 8, 0],
        vec![0],
        vec![0xc3],
    ];
    prop_oneof![
        4 => proptest::sample::select([words, raw.to_vec()].concat()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        survive(&bytes);
    }

    #[test]
    fn no_mixture_makes_it_panic(pieces in proptest::collection::vec(piece(), 0..30)) {
        survive(&pieces.concat());
    }

    #[test]
    fn no_cell_makes_it_panic(column in 0..FIGURE.len(), text in "\\PC{0,40}") {
        let quoted = format!("\"{}\"", text.replace('"', "\"\""));
        survive(csv(&FIGURE, &[(FIGURE[column].0, &quoted)]).as_bytes());
    }

    #[test]
    fn a_decimal_is_read_as_it_is_written(whole in 0..10u64.pow(12), decimals in 0..1_000_000u64) {
        let row = taken(&[("primaryValue", &format!("{whole}.{decimals:06}"))]);
        let scaled = proto::Scaled::parse(&format!("{whole}.{decimals:06}"));
        prop_assert_eq!(Ok(row.value), scaled);
    }
}
