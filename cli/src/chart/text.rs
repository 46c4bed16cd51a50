//! Texts from outside, made to fit: titles, names and sources.

use textwrap::core::display_width;

/// The text on one line, without what controls a terminal, reorders a line or cannot stand in XML.
pub(crate) fn plain(text: &str) -> String {
    let visible = text.chars().filter_map(|c| match c {
        '\u{200B}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{061C}'
        | '\u{2060}'
        | '\u{FEFF}'
        | '\u{FFFE}'
        | '\u{FFFF}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2066}'..='\u{2069}' => None,
        '\n' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    });
    visible.collect()
}

/// How many columns of a terminal it takes; a Chinese character takes two.
pub(crate) fn width(text: &str) -> usize {
    display_width(text)
}

/// The text, or its beginning and `…` when it is wider.
pub(crate) fn clipped(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut clipped = String::new();
    for c in text.chars() {
        clipped.push(c);
        if width(&clipped) >= columns {
            clipped.pop();
            break;
        }
    }
    clipped.push('…');
    clipped
}

/// The text on so many lines at most; the last one is clipped when there is more.
pub(crate) fn wrapped(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let all = textwrap::wrap(text, columns.max(1));
    let more = all.len() > lines;
    let mut kept: Vec<String> = all.into_iter().take(lines).map(String::from).collect();
    if let (true, Some(last)) = (more, kept.last_mut()) {
        *last = clipped(&format!("{last} …"), columns);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_left_out() {
        assert_eq!(plain("a\u{202e}b\u{1b}[31m\u{0}\nc\u{feff}"), "ab[31m c");
    }

    #[test]
    fn a_long_text_is_clipped_by_the_columns_that_it_takes() {
        assert_eq!(clipped("Казахстан", 9), "Казахстан");
        assert_eq!(clipped("Казахстан", 5), "Каза…");
        assert_eq!(clipped("中华人民共和国", 7), "中华人…");
    }

    #[test]
    fn a_text_of_many_lines_says_that_there_is_more() {
        assert_eq!(wrapped("one two three", 7, 3), ["one two", "three"]);
        assert_eq!(wrapped("one two three four", 9, 1), ["one two …"]);
        assert_eq!(wrapped("abcdefghij", 4, 2), ["abcd", "efg…"]);
    }
}
