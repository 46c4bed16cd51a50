//! What a message may repeat of an input: short, and only ASCII that prints.

use std::fmt;

/// The beginning of a text as it may be echoed in an error. Everything but printable ASCII is escaped,
/// so that a look-alike or a bidi control shows as what it is, and a row of megabytes stays short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(String);

const MAX_CHARS: usize = 24;

impl Excerpt {
    /// Of a text of any length.
    pub fn of(text: &str) -> Excerpt {
        let mut shown: String = text
            .chars()
            .take(MAX_CHARS)
            .flat_map(char::escape_default)
            .collect();
        if text.chars().nth(MAX_CHARS).is_some() {
            shown.push_str("...");
        }
        Excerpt(shown)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Excerpt;

    #[test]
    fn a_look_alike_shows_as_what_it_is() {
        assert_eq!(Excerpt::of("\u{421}HN").to_string(), "`\\u{421}HN`");
    }

    #[test]
    fn megabytes_stay_short() {
        let shown = Excerpt::of(&"x".repeat(1 << 20)).to_string();
        assert_eq!(shown, format!("`{}...`", "x".repeat(24)));
    }
}
