//! Content lines, written and read: RFC 5545, 3.1, and RFC 6868 for the values of parameters.

use std::iter;

/// Octets of a written line without its end.
const MAX_OCTETS: usize = 75;
/// What a remark repeats of a name.
const MAX_NAME: usize = 64;

/// Lines that are written, each folded and ended by CRLF.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

impl Lines {
    /// Writes a value that is no text: it stands as it is.
    pub(super) fn raw(&mut self, name: &str, value: &str) {
        self.line(name, &[], value);
    }

    /// Writes a text. A parameter without a value is left out.
    pub(super) fn text(&mut self, name: &str, params: &[(&str, &str)], text: &str) {
        self.line(name, params, &escaped(text));
    }

    /// Writes a value as it is, after parameters.
    pub(super) fn line(&mut self, name: &str, params: &[(&str, &str)], value: &str) {
        let mut line = name.to_owned();
        for (param, value) in params.iter().filter(|(_, value)| !value.is_empty()) {
            line.push(';');
            line.push_str(param);
            line.push('=');
            line.push_str(&param_value(value));
        }
        line.push(':');
        line.push_str(value);
        self.fold(&line);
    }

    fn fold(&mut self, line: &str) {
        let mut room = MAX_OCTETS;
        for c in line.chars().filter(|c| !is_control(*c)) {
            if c.len_utf8() > room {
                self.0.push_str("\r\n ");
                room = MAX_OCTETS - 1;
            }
            room -= c.len_utf8();
            self.0.push(c);
        }
        self.0.push_str("\r\n");
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// What no content line may hold.
fn is_control(c: char) -> bool {
    c.is_ascii_control() && c != '\t'
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let text = text.replace("\r\n", "\n");
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' | '\r' => escaped.push_str("\\n"),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => text.push('\n'),
            Some(escaped @ ('\\' | ';' | ',')) => text.push(escaped),
            // Whoever writes this means it.
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}

fn param_value(value: &str) -> String {
    let mut written = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '^' => written.push_str("^^"),
            '"' => written.push_str("^'"),
            '\n' => written.push_str("^n"),
            _ => written.push(c),
        }
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if written.chars().all(is_plain) {
        return written;
    }
    format!("\"{written}\"")
}

fn param_text(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('^') {
        text.push_str(before);
        let (meant, length) = match after.as_bytes().first() {
            Some(b'^') => ('^', 1),
            Some(b'\'') => ('"', 1),
            Some(b'n') => ('\n', 1),
            Some(_) | None => ('^', 0),
        };
        text.push(meant);
        rest = &after[length..];
    }
    text + rest
}

/// A content line that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins in the file, from 1.
    pub(super) at: usize,
    /// In upper case.
    pub(super) name: String,
    params: Vec<(String, String)>,
    value: String,
}

impl Line {
    /// The first value of a parameter, by its name in upper case.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        let mut params = self.params.iter();
        let (_, value) = params.find(|(param, _)| param == name)?;
        Some(value)
    }

    /// The value as it stands, but for white space around it.
    pub(super) fn value(&self) -> &str {
        self.value.trim()
    }

    /// The value as a text.
    pub(super) fn text(&self) -> String {
        unescaped(&self.value)
    }
}

/// Why a line is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line of the file, from 1.
    pub(super) at: usize,
    /// Its property, as far as it can be told.
    pub(super) property: String,
    pub(super) text: String,
}

/// The lines of a calendar, unfolded, in one pass. Empty ones are passed over.
pub(super) fn read(content: &[u8]) -> impl Iterator<Item = Result<Line, Fault>> {
    let mut rows = rows(content).map(|(row, _)| row).zip(1..).peekable();
    iter::from_fn(move || {
        let (first, at) = rows.find(|(row, _)| !row.is_empty())?;
        let mut unfolded = Unfolded {
            at,
            bytes: first.to_vec(),
            ends: vec![first.len()],
        };
        while let Some((row, _)) = rows.next_if(|(row, _)| matches!(row, [b' ' | b'\t', ..])) {
            unfolded.bytes.extend_from_slice(&row[1..]);
            unfolded.ends.push(unfolded.bytes.len());
        }
        Some(unfolded.parse())
    })
}

/// The first line that ends with CR or LF alone, from 1.
pub(super) fn bare_end(content: &[u8]) -> Option<usize> {
    let at = rows(content).position(|(_, end)| matches!(end, b"\r" | b"\n"))?;
    Some(at + 1)
}

/// The lines as they stand in the file, and how each ends.
fn rows(content: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = content;
    iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (row, after) = rest.split_at(end.unwrap_or(rest.len()));
        let length = if after.starts_with(b"\r\n") {
            2
        } else {
            after.len().min(1)
        };
        let (end, after) = after.split_at(length);
        rest = after;
        Some((row, end))
    })
}

/// A line without its folds, and where each part of it ends.
struct Unfolded {
    at: usize,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Unfolded {
    fn parse(self) -> Result<Line, Fault> {
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(error) => return Err(self.no_text(error.valid_up_to())),
        };
        if let Some((place, c)) = text.char_indices().find(|(_, c)| is_control(*c)) {
            let why = format!("control character U+{:04X}", u32::from(c));
            return Err(self.fault(place, why));
        }
        match parse(text) {
            Ok((name, params, value)) => Ok(Line {
                at: self.at,
                name: name.to_ascii_uppercase(),
                params,
                value: value.to_owned(),
            }),
            Err(why) => Err(self.fault(0, why.to_owned())),
        }
    }

    fn no_text(&self, place: usize) -> Fault {
        let byte = self.bytes.get(place).copied().unwrap_or_default();
        self.fault(place, format!("byte {byte:#04X} is not UTF-8"))
    }

    /// A fault at a byte.
    fn fault(&self, place: usize, text: String) -> Fault {
        let folds = self.ends.iter().take_while(|end| **end <= place).count();
        let name = self.bytes.iter().take(MAX_NAME);
        let name = name.take_while(|byte| is_name(**byte));
        Fault {
            // Past the end of the last part there is no line.
            at: self.at + folds.min(self.ends.len() - 1),
            property: name.map(|b| char::from(b.to_ascii_uppercase())).collect(),
            text,
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// Splits off a name.
fn name(text: &str) -> Option<(&str, &str)> {
    let length = text.bytes().position(|byte| !is_name(byte))?;
    (length > 0).then(|| text.split_at(length))
}

type Params = Vec<(String, String)>;

fn parse(text: &str) -> Result<(&str, Params, &str), &'static str> {
    let Some((name, mut rest)) = name(text) else {
        return Err("is no property: a name, parameters, a colon and a value are needed");
    };
    let mut params = Params::new();
    while let Some(after) = rest.strip_prefix(';') {
        rest = param(after, &mut params)?;
    }
    let value = rest
        .strip_prefix(':')
        .ok_or("has no colon after its name")?;
    let is_quoted = |(_, value): &(String, String)| value.eq_ignore_ascii_case("QUOTED-PRINTABLE");
    if params.iter().any(is_quoted) {
        return Err("is QUOTED-PRINTABLE, which a calendar of version 2.0 may not hold");
    }
    Ok((name, params, value))
}

/// Reads `NAME=value,value` and answers what follows.
fn param<'a>(text: &'a str, params: &mut Params) -> Result<&'a str, &'static str> {
    let (name, rest) = name(text).ok_or("has a parameter without a name")?;
    let mut rest = rest
        .strip_prefix('=')
        .ok_or("has a parameter without a value")?;
    loop {
        let (value, after) = one_value(rest)?;
        params.push((name.to_ascii_uppercase(), param_text(value)));
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return Ok(after),
        }
    }
}

fn one_value(text: &str) -> Result<(&str, &str), &'static str> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted
            .split_once('"')
            .ok_or("has a parameter whose quotation mark is not closed");
    }
    let end = text.find([';', ':', ',']);
    Ok(text.split_at(end.unwrap_or(text.len())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(name: &str, params: &[(&str, &str)], text: &str) -> String {
        let mut lines = Lines::default();
        lines.text(name, params, text);
        lines.0
    }

    fn read_all(content: &[u8]) -> Vec<Line> {
        read(content).map(Result::unwrap).collect()
    }

    fn fault(content: &[u8]) -> (usize, String, String) {
        let fault = read(content).find_map(Result::err).unwrap();
        (fault.at, fault.property, fault.text)
    }

    #[test]
    fn a_long_line_is_folded_between_characters() {
        let text = "习近平主席对哈萨克斯坦进行国事访问，".repeat(20);
        let line = written("SUMMARY", &[], &text);
        let rows: Vec<&str> = line.split("\r\n").collect();
        assert!(rows.iter().all(|row| row.len() <= 75));
        assert!(
            rows[1..rows.len() - 1]
                .iter()
                .all(|row| row.starts_with(' '))
        );
        assert_eq!(read_all(line.as_bytes())[0].text(), text);
    }

    #[test]
    fn a_text_is_escaped_and_a_parameter_quoted() {
        let params = [
            ("LANGUAGE", "zh-Hans"),
            ("X-EMPTY", ""),
            ("X-NOTE", "\"a^b\":\nc"),
        ];
        assert_eq!(
            written("SUMMARY", &params, "a,b;c\\d\ne"),
            "SUMMARY;LANGUAGE=zh-Hans;X-NOTE=\"^'a^^b^':^nc\":a\\,b\\;c\\\\d\\ne\r\n"
        );
    }

    #[test]
    fn a_line_is_read_whatever_its_end() {
        let lines = read_all(b"A;x=1,\"2;:\";Y=^^:v\nB:1\r 2\r\n\n\nC:\\N\\x\\");
        assert_eq!(lines[0].param("X"), Some("1"));
        assert_eq!(lines[0].param("Y"), Some("^"));
        assert_eq!((lines[0].value(), lines[1].value()), ("v", "12"));
        assert_eq!((lines[2].at, &lines[2].text()[..]), (6, "\n\\x\\"));
        assert_eq!(bare_end(b"A:1\r\nB:1\rC:1"), Some(2));
        assert_eq!(bare_end(b"A:1\r\nB:1"), None);
    }

    #[test]
    fn a_fault_names_its_own_line_of_the_file() {
        let wrong = fault(b"A:1\r\nB:1\r\n 2\r\n \xFF\r\n");
        assert_eq!(wrong, (4, "B".into(), "byte 0xFF is not UTF-8".into()));
        let wrong = fault(b"A:1\r\nB:1\r\n 2\r\n 3\0");
        assert_eq!(wrong, (4, "B".into(), "control character U+0000".into()));
        // A character that a fold has cut is whole again.
        assert_eq!(read_all(b"A:\xC3\r\n \xA9")[0].text(), "é");
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for wrong in [
            "DTSTART",
            " goes on",
            ":value",
            "A;B:c",
            "A;=1:c",
            "A;B=\"c:d",
            "Ä:1",
            "A B:1",
            "A;ENCODING=quoted-printable:=20",
        ] {
            assert_eq!(fault(wrong.as_bytes()).0, 1, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_writing_and_reading(text in "[^\\x00-\\x08\\x0B-\\x1F\\x7F]*") {
            let line = written("X-ANY", &[], &text);
            prop_assert!(line.split("\r\n").all(|row| row.len() <= 75));
            let lines = read_all(line.as_bytes());
            prop_assert_eq!(lines.len(), 1);
            prop_assert_eq!(lines[0].text(), text);
        }

        #[test]
        fn any_parameter_survives_writing_and_reading(value in "[^\\x00-\\x08\\x0B-\\x1F\\x7F]+") {
            let line = written("X-ANY", &[("X-PARAM", &value)], "text");
            let lines = read_all(line.as_bytes());
            prop_assert_eq!(lines[0].param("X-PARAM"), Some(&value[..]));
            prop_assert_eq!(lines[0].text(), "text");
        }

        #[test]
        fn any_bytes_are_lines_or_faults(content in proptest::collection::vec(any::<u8>(), 0..500)) {
            let rows = rows(&content).count();
            for line in read(&content) {
                let at = line.map_or_else(|fault| fault.at, |line| line.at);
                prop_assert!((1..=rows).contains(&at));
            }
        }
    }
}
