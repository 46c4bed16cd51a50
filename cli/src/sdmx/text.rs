//! Free text that no spreadsheet takes for a formula, and back.
//!
//! A `'` before a text is what spreadsheets take off again. A text that begins with one by itself gets a
//! second, so that taking one off always gives the text: the way back is exact. Only files of our own
//! structure went this way, so only theirs go back.

use std::borrow::Cow;

/// The text as a cell.
pub(crate) fn armed(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}

/// The text of a cell.
pub(super) fn disarmed(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_formula_is_disarmed() {
        assert_eq!(armed("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(armed("'s-Hertogenbosch"), "''s-Hertogenbosch");
        assert_eq!(armed("Desht"), "Desht");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), near in "['=+@-]{0,3}") {
            for text in [text, near] {
                let cell = armed(&text).into_owned();
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
                prop_assert_eq!(disarmed(&cell), text);
            }
        }
    }
}
