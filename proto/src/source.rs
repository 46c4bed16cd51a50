//! Where a record or a figure comes from.

use crate::date::CivilDate;
use crate::fields::Violations;
use crate::text::{TextError, check_name, check_text};
use crate::r#type::v1 as wire;

const MAX_TITLE: usize = 500;
const MAX_PUBLISHER: usize = 200;
const MAX_URI: usize = 2_000;
const MAX_LICENCE: usize = 200;
const MAX_NOTE: usize = 1_000;

/// Where a record or a figure comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Title of the page, table, file or speech.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// Its address, `http` or `https`.
    pub uri: Option<String>,
    /// When it was published.
    pub published_on: Option<CivilDate>,
    /// When it was read for Entente.
    pub read_on: Option<CivilDate>,
    /// The licence or terms.
    pub licence: Option<String>,
    /// Whether its terms let it be shown outside the user's own organisation.
    pub may_be_shown_outside: bool,
    /// What a reader must know to judge it.
    pub note: Option<String>,
}

/// What tells one document from another, whatever is noted of it beside a figure.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Document {
    title: String,
    publisher: String,
    uri: String,
    published_on: Option<wire::CivilDate>,
}

impl Document {
    /// The document that a source is.
    pub fn of(source: &wire::Source) -> Document {
        Document {
            title: source.title.clone(),
            publisher: source.publisher.clone(),
            uri: source.uri.clone(),
            published_on: source.published_on,
        }
    }
}

impl TryFrom<wire::Source> for Source {
    type Error = Violations;

    fn try_from(source: wire::Source) -> Result<Source, Violations> {
        let wire::Source {
            title,
            publisher,
            uri,
            published_on,
            read_on,
            licence,
            may_be_shown_outside,
            note,
        } = source;
        let mut violations = Violations::new();
        let title = violations.check("title", check_name(&title, MAX_TITLE));
        let publisher = violations.check("publisher", check_name(&publisher, MAX_PUBLISHER));
        let uri = violations.check("uri", given(&uri, check_uri));
        let published_on = date(&mut violations, "published_on", published_on);
        let read_on = date(&mut violations, "read_on", read_on);
        let licence = violations.check("licence", given(&licence, |t| check_name(t, MAX_LICENCE)));
        let note = violations.check("note", given(&note, |t| check_text(t, MAX_NOTE)));
        let (Some(title), Some(publisher)) = (title, publisher) else {
            return Err(violations);
        };
        violations.into_result(Source {
            title,
            publisher,
            uri: uri.flatten(),
            published_on,
            read_on,
            licence: licence.flatten(),
            may_be_shown_outside,
            note: note.flatten(),
        })
    }
}

impl From<Source> for wire::Source {
    fn from(source: Source) -> wire::Source {
        wire::Source {
            title: source.title,
            publisher: source.publisher,
            uri: source.uri.unwrap_or_default(),
            published_on: source.published_on.map(Into::into),
            read_on: source.read_on.map(Into::into),
            licence: source.licence.unwrap_or_default(),
            may_be_shown_outside: source.may_be_shown_outside,
            note: source.note.unwrap_or_default(),
        }
    }
}

fn date(
    violations: &mut Violations,
    field: &str,
    date: Option<wire::CivilDate>,
) -> Option<CivilDate> {
    violations.check_nested(field, CivilDate::try_from(date?))
}

/// An optional text: empty is none.
fn given<E>(text: &str, check: impl Fn(&str) -> Result<String, E>) -> Result<Option<String>, E> {
    if text.is_empty() {
        return Ok(None);
    }
    check(text).map(Some)
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum UriError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("an address begins with `http://` or `https://`")]
    Scheme,
    #[error("an address names a host after `://`")]
    Host,
    #[error("an address holds no user name or password")]
    UserInfo,
    #[error("an address holds no spaces, quotes, angle brackets or backslashes")]
    Character,
}

/// It becomes a link in the console and in exports: nothing that runs, hides or carries a login.
fn check_uri(text: &str) -> Result<String, UriError> {
    let text = check_name(text, MAX_URI)?;
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or(UriError::Scheme)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(UriError::UserInfo);
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err(UriError::Host);
    }
    if text.contains(|c: char| c.is_whitespace() || "\"<>\\`{}|^".contains(c)) {
        return Err(UriError::Character);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{Source, check_uri};
    use crate::r#type::v1 as wire;
    use proptest::prelude::*;

    fn ambassador() -> wire::Source {
        wire::Source {
            title: "Interview with the ambassador".to_owned(),
            publisher: "Kazinform".to_owned(),
            uri: "https://www.inform.kz/a?id=1#top".to_owned(),
            published_on: Some(wire::CivilDate {
                year: 2024,
                month: 7,
                day: 1,
            }),
            read_on: None,
            licence: String::new(),
            may_be_shown_outside: true,
            note: "rounded\nquoted".to_owned(),
        }
    }

    #[test]
    fn a_source_goes_over_the_wire_and_back() {
        let source = Source::try_from(ambassador()).unwrap();
        assert_eq!(source.licence, None);
        assert_eq!(wire::Source::from(source), ambassador());
    }

    #[test]
    fn every_fault_is_named() {
        let source = wire::Source {
            publisher: "x".repeat(201),
            uri: "javascript:alert(1)".to_owned(),
            published_on: Some(wire::CivilDate {
                year: 1900,
                month: 2,
                day: 29,
            }),
            read_on: Some(wire::CivilDate::default()),
            licence: "CC-BY\u{202E}".to_owned(),
            note: "x".repeat(1_001),
            ..wire::Source::default()
        };
        let error = Source::try_from(source).unwrap_err();
        let fields: Vec<_> = error.iter().map(|(field, _)| field).collect();
        let expected = [
            "title",
            "publisher",
            "uri",
            "published_on.day",
            "read_on.year",
            "licence",
            "note",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn an_address_is_a_plain_link() {
        for good in [
            "http://a.kz",
            "https://a.kz:8443/x?y=z",
            "https://人民网.cn/新闻",
            "https://[::1]/",
            "https://a.kz/@user",
        ] {
            assert!(check_uri(good).is_ok(), "{good}");
        }
        for bad in [
            "ftp://a.kz",
            "//a.kz",
            "https://",
            "https:///etc/passwd",
            "https://:80/",
            "https://user:secret@a.kz/",
            "https://a.kz/ b",
            "https://a.kz/\"onclick=",
            "https://a.kz/\u{202E}",
            "https:\\\\a.kz",
            "data:text/html,x",
        ] {
            assert!(check_uri(bad).is_err(), "{bad}");
        }
        assert!(check_uri(&format!("https://a.kz/{}", "x".repeat(2_000))).is_err());
    }

    proptest! {
        #[test]
        fn a_parsed_source_parses_again(title in any::<String>(), uri in "(https?://)?\\PC{0,20}") {
            let source = wire::Source { title, uri, ..ambassador() };
            if let Ok(parsed) = Source::try_from(source) {
                let back = wire::Source::from(parsed.clone());
                prop_assert_eq!(Source::try_from(back), Ok(parsed));
            }
        }
    }
}
