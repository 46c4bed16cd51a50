//! What is wrong with a request, field by field.

use std::fmt;

const MAX_KEPT: usize = 100;
const MAX_FIELD_CHARS: usize = 200;
const MAX_DESCRIPTION_CHARS: usize = 400;

/// Violations of a request: field path and description, all of them at once.
///
/// The first 100 are kept and the rest is counted, so that a hostile message cannot make a large
/// answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    kept: Vec<Violation>,
    omitted: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    field: String,
    description: String,
}

impl Violations {
    /// None yet.
    pub fn new() -> Violations {
        Violations::default()
    }

    /// Exactly one.
    pub fn one(field: impl Into<String>, description: impl Into<String>) -> Violations {
        let mut violations = Violations::new();
        violations.push(field, description);
        violations
    }

    /// Adds one.
    pub fn push(&mut self, field: impl Into<String>, description: impl Into<String>) {
        if self.kept.len() == MAX_KEPT {
            self.omitted += 1;
            return;
        }
        self.kept.push(Violation {
            field: shortened(field.into(), MAX_FIELD_CHARS),
            description: shortened(description.into(), MAX_DESCRIPTION_CHARS),
        });
    }

    /// The value, or `None` after noting why `field` has none.
    pub fn check<T, E: fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(field, error.to_string());
                None
            }
        }
    }

    /// Takes over the violations of a part: `filter` and `reporter` give `filter.reporter`.
    pub fn nest(&mut self, prefix: &str, inner: Violations) {
        let Violations { kept, omitted } = inner;
        for Violation { field, description } in kept {
            let path = match (prefix, field.as_str()) {
                ("", field) => field.to_owned(),
                (prefix, "") => prefix.to_owned(),
                (prefix, field) => format!("{prefix}.{field}"),
            };
            self.push(path, description);
        }
        self.omitted += omitted;
    }

    /// The value of a part, or `None` after taking over its violations under `prefix`.
    pub fn check_nested<T>(&mut self, prefix: &str, result: Result<T, Violations>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(inner) => {
                self.nest(prefix, inner);
                None
            }
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are, with those that were counted only.
    pub fn len(&self) -> usize {
        self.kept.len() + self.omitted
    }

    /// How many were counted only.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Field path and description of each that was kept.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kept
            .iter()
            .map(|v| (v.field.as_str(), v.description.as_str()))
    }

    /// The value when nothing was noted.
    pub fn into_result<T>(self, value: T) -> Result<T, Violations> {
        if self.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (field, description)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{field}: {description}")?;
        }
        if self.omitted > 0 {
            write!(f, "; and {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

fn shortened(mut text: String, max_chars: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max_chars) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Violations;

    #[test]
    fn a_part_is_named_by_its_path() {
        let mut outer = Violations::new();
        outer.nest("filter", Violations::one("reporter", "unknown"));
        outer.nest("window", Violations::one("", "empty"));
        assert_eq!(outer.to_string(), "filter.reporter: unknown; window: empty");
    }

    #[test]
    fn after_a_hundred_the_rest_is_counted() {
        let mut violations = Violations::new();
        for row in 0..250 {
            violations.push(format!("rows[{row}]"), "bad");
        }
        assert_eq!(violations.len(), 250);
        assert_eq!(violations.iter().count(), 100);
        assert!(violations.to_string().ends_with("; and 150 more"));

        let mut outer = Violations::one("name", "empty");
        outer.nest("batch", violations);
        assert_eq!(outer.len(), 251);
        assert_eq!(outer.iter().count(), 100);
    }

    #[test]
    fn a_long_description_is_cut_between_characters() {
        let violations = Violations::one("note", "ж".repeat(10_000));
        assert!(violations.to_string().chars().count() < 420);
    }

    #[test]
    fn check_keeps_the_value_or_the_reason() {
        let mut violations = Violations::new();
        assert_eq!(violations.check("a", "7".parse::<u8>()), Some(7));
        assert_eq!(violations.check("b", "x".parse::<u8>()), None);
        assert!(violations.clone().into_result(()).is_err());
        assert_eq!(Violations::new().into_result(1), Ok(1));
        assert!(!violations.is_empty());
    }
}
