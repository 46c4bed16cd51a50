//! Texts for people: normalised, bounded, and without characters that deceive.

use std::collections::BTreeMap;

use oxilangtag::LanguageTag;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::excerpt::Excerpt;
use crate::fields::Violations;
use crate::r#type::v1 as wire;

const MAX_LANGUAGES: usize = 32;
const MAX_TEXT_CHARS: usize = 4_000;
/// RFC 5646, 4.4.1: a length that every implementation takes.
const MAX_TAG_BYTES: usize = 35;
/// No script that people write today needs more.
const BYTES_PER_CHAR: usize = 3;

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// There is no text.
    #[error("empty: 1 to {max} characters are required")]
    Empty {
        /// How many are allowed.
        max: usize,
    },
    /// More characters than allowed.
    #[error("longer than {max} characters")]
    TooLong {
        /// How many are allowed.
        max: usize,
    },
    /// More bytes in UTF-8 than allowed.
    #[error("longer than {max} bytes in UTF-8")]
    TooManyBytes {
        /// How many are allowed.
        max: usize,
    },
    /// A control character.
    #[error("control character U+{code:04X} at character {at}")]
    Control {
        /// The character.
        code: u32,
        /// Its place, from 1.
        at: usize,
    },
    /// A character that turns or hides text.
    #[error("invisible character U+{code:04X} at character {at}: it can make a text deceive")]
    Invisible {
        /// The character.
        code: u32,
        /// Its place, from 1.
        at: usize,
    },
    /// Nothing but white space.
    #[error("nothing that can be seen")]
    Blank,
}

/// Checks a text of one line (a title, a name) and brings it to Unicode normal form C. No invisible character is
/// allowed in it.
pub fn check_name(text: &str, max_chars: usize) -> Result<String, TextError> {
    check(text, max_chars, |_| false)
}

/// Checks a text that may have several lines and brings it to Unicode normal form C. Zero-width joiner and non-joiner
/// (U+200C, U+200D) may stand in it: Persian and Indic scripts need them.
pub fn check_text(text: &str, max_chars: usize) -> Result<String, TextError> {
    check(text, max_chars, |c| {
        matches!(c, '\n' | '\t' | '\u{200C}' | '\u{200D}')
    })
}

fn check(text: &str, max: usize, allowed: fn(char) -> bool) -> Result<String, TextError> {
    if text.is_empty() {
        return Err(TextError::Empty { max });
    }
    // Composition never makes a text four times shorter; what is longer need not be normalised first.
    if text.chars().nth(max.saturating_mul(4)).is_some() {
        return Err(TextError::TooLong { max });
    }
    let text = normal_form(text);
    if text.chars().nth(max).is_some() {
        return Err(TextError::TooLong { max });
    }
    let mut checked = text.chars().enumerate().filter(|(_, c)| !allowed(*c));
    match checked.find_map(|(index, c)| fault(c, index + 1)) {
        Some(error) => Err(error),
        None if text.len() > max.saturating_mul(BYTES_PER_CHAR) => Err(TextError::TooManyBytes {
            max: max.saturating_mul(BYTES_PER_CHAR),
        }),
        None if text.chars().all(is_blank) => Err(TextError::Blank),
        None => Ok(text),
    }
}

fn normal_form(text: &str) -> String {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text.to_owned(),
        IsNormalized::No | IsNormalized::Maybe => text.nfc().collect(),
    }
}

/// Characters of the category Cf turn, hide or join what stands around them, but for the signs that Arabic, Syriac
/// and Kaithi set under numbers, which are seen. Some that are not seen stand in other categories.
fn fault(c: char, at: usize) -> Option<TextError> {
    let code = u32::from(c);
    let is_seen = matches!(
        c,
        '\u{600}'
            ..='\u{605}'
                | '\u{6DD}'
                | '\u{70F}'
                | '\u{890}'
                | '\u{891}'
                | '\u{8E2}'
                | '\u{110BD}'
                | '\u{110CD}'
    );
    let category = c.general_category();
    if is_filler(c) || (category == GeneralCategory::Format && !is_seen) {
        return Some(TextError::Invisible { code, at });
    }
    let is_control = matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    );
    is_control.then_some(TextError::Control { code, at })
}

/// Fillers and joiners that count as letters or marks and show nothing.
fn is_filler(c: char) -> bool {
    matches!(
        c,
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}' | '\u{FFA0}'
    )
}

fn is_blank(c: char) -> bool {
    // The blank of Braille is no white space to Unicode.
    c.is_whitespace() || matches!(c, '\u{200C}' | '\u{200D}' | '\u{2800}')
}

/// Why a text is no language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LanguageError {
    /// Not well-formed by RFC 5646.
    #[error("{0} is no BCP-47 language tag such as `en` or `zh-Hans`")]
    NotATag(Excerpt),
    /// Longer than 35 bytes.
    #[error("{0} is longer than 35 characters")]
    TooLong(Excerpt),
}

/// A text in one or more languages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalizedText {
    texts: BTreeMap<String, String>,
}

impl LocalizedText {
    /// In one language.
    pub fn new(language: &str, text: &str) -> Result<LocalizedText, Violations> {
        let texts = [(language.to_owned(), text.to_owned())].into();
        LocalizedText::try_from(wire::LocalizedText { texts })
    }

    /// In one or more languages, each of one line.
    ///
    /// # Errors
    /// What is wrong, by `texts[language]`.
    pub fn names(text: wire::LocalizedText, max_chars: usize) -> Result<LocalizedText, Violations> {
        LocalizedText::parse(text, |text| check_name(text, max_chars))
    }

    /// The text for a reader of `language`: in it; in a more general form of it (`zh-Hant-HK`, `zh-Hant`, `zh`); in
    /// the first that is the same language in another form (`zh-Hans` for `zh`); in English; or else in the first
    /// language there is, by the order of tags.
    pub fn get(&self, language: &str) -> &str {
        let wanted = check_language(language).unwrap_or_default();
        let general = wanted.split('-').next().unwrap_or_default();
        let is_form = |tag: &str| tag.split('-').next() == Some(general);
        let other_form = || {
            self.texts
                .iter()
                .find(|(tag, _)| is_form(tag))
                .map(|(_, text)| text)
        };
        more_general(&wanted)
            .find_map(|tag| self.texts.get(tag))
            .or_else(other_form)
            .or_else(|| self.texts.get("en"))
            .or_else(|| self.texts.values().next())
            .map_or("", String::as_str)
    }

    /// Language and text, in the order of tags.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(l, t)| (l.as_str(), t.as_str()))
    }
}

fn more_general(tag: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(tag), |tag| {
        tag.rsplit_once('-').map(|(shorter, _)| shorter)
    })
}

/// Checks a BCP-47 language tag and brings it to its normal form: `zh-hans` is `zh-Hans`.
pub fn check_language(tag: &str) -> Result<String, LanguageError> {
    if tag.len() > MAX_TAG_BYTES {
        return Err(LanguageError::TooLong(Excerpt::of(tag)));
    }
    let parsed = LanguageTag::parse_and_normalize(tag);
    let parsed = parsed.map_err(|_| LanguageError::NotATag(Excerpt::of(tag)))?;
    Ok(parsed.into_inner())
}

impl TryFrom<wire::LocalizedText> for LocalizedText {
    type Error = Violations;

    fn try_from(text: wire::LocalizedText) -> Result<LocalizedText, Violations> {
        LocalizedText::parse(text, |text| check_text(text, MAX_TEXT_CHARS))
    }
}

impl LocalizedText {
    fn parse(
        text: wire::LocalizedText,
        check: impl Fn(&str) -> Result<String, TextError>,
    ) -> Result<LocalizedText, Violations> {
        let wire::LocalizedText { texts } = text;
        if texts.is_empty() || texts.len() > MAX_LANGUAGES {
            let description = format!("{} languages: 1 to 32 are required", texts.len());
            return Err(Violations::one("texts", description));
        }
        let mut violations = Violations::new();
        let mut parsed = BTreeMap::new();
        // In the order of tags, so that the answer to a bad request is always the same.
        for (language, text) in texts.into_iter().collect::<BTreeMap<_, _>>() {
            let field = format!("texts[{}]", Excerpt::of(&language).as_str());
            let tag = violations.check(&field, check_language(&language));
            let text = violations.check(&field, check(&text));
            let Some((tag, text)) = tag.zip(text) else {
                continue;
            };
            if parsed.insert(tag, text).is_some() {
                violations.push(field, "the same language twice");
            }
        }
        violations.into_result(LocalizedText { texts: parsed })
    }
}

impl From<LocalizedText> for wire::LocalizedText {
    fn from(text: LocalizedText) -> wire::LocalizedText {
        wire::LocalizedText {
            texts: text.texts.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LocalizedText, MAX_TEXT_CHARS, TextError, check_name, check_text};
    use crate::fields::Violations;
    use crate::r#type::v1 as wire;
    use proptest::prelude::*;

    fn parse(texts: &[(&str, &str)]) -> Result<LocalizedText, Violations> {
        let texts = texts
            .iter()
            .map(|(l, t)| ((*l).to_owned(), (*t).to_owned()));
        LocalizedText::try_from(wire::LocalizedText {
            texts: texts.collect(),
        })
    }

    #[test]
    fn a_reader_gets_the_nearest_language() {
        let text = parse(&[("en", "tea"), ("zh-hans", "茶"), ("ru", "чай")]).unwrap();
        assert_eq!(text.get("ru"), "чай");
        assert_eq!(text.get("RU-kz"), "чай");
        assert_eq!(text.get("zh-Hans-CN"), "茶");
        assert_eq!(text.get("zh"), "茶");
        assert_eq!(text.get("zh-Hant"), "茶");
        assert_eq!(text.get("kk"), "tea");
        assert_eq!(text.get("no tag at all"), "tea");
        assert_eq!(text.get(""), "tea");
    }

    #[test]
    fn without_english_the_first_language_serves() {
        let text = parse(&[("ru", "чай"), ("kk", "шай")]).unwrap();
        assert_eq!(text.get("fr"), "шай");
    }

    #[test]
    fn what_was_written_in_two_forms_is_one_text() {
        let decomposed = LocalizedText::new("FR", "Cote\u{301}").unwrap();
        assert_eq!(decomposed, LocalizedText::new("fr", "Cot\u{e9}").unwrap());
        let back = wire::LocalizedText::from(decomposed.clone());
        assert_eq!(LocalizedText::try_from(back).unwrap(), decomposed);
    }

    #[test]
    fn every_bad_language_is_named() {
        let error = parse(&[("english!", "tea"), ("ru", ""), ("kk", "шай")]).unwrap_err();
        let fields: Vec<_> = error.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["texts[english!]", "texts[ru]"]);
    }

    #[test]
    fn one_language_is_given_once() {
        let error = parse(&[("EN", "tea"), ("en", "coffee")]).unwrap_err();
        assert_eq!(error.to_string(), "texts[en]: the same language twice");
    }

    #[test]
    fn languages_are_bounded() {
        assert!(parse(&[]).is_err());
        let many: Vec<String> = (0..33).map(|n| format!("en-x-{n}")).collect();
        let texts: Vec<(&str, &str)> = many.iter().map(|tag| (tag.as_str(), "a")).collect();
        assert!(parse(&texts).is_err());
        assert!(parse(&texts[..32]).is_ok());
        let long = format!("en-x-{}", "a-".repeat(40));
        assert!(parse(&[(&long, "tea")]).is_err());
    }

    #[test]
    fn characters_that_deceive_are_refused() {
        let hidden = "\u{202A}\u{202E}\u{2066}\u{2069}\u{200B}\u{2060}\u{FEFF}\u{200E}\u{200F}\u{61C}\u{AD}\u{E0041}\u{3164}";
        for hidden in hidden.chars() {
            let error = check_text(&format!("a{hidden}b"), 10).unwrap_err();
            let code = u32::from(hidden);
            assert_eq!(error, TextError::Invisible { code, at: 2 });
        }
        for joiner in ["\u{200C}", "\u{200D}"] {
            assert!(check_text(&format!("a{joiner}b"), 10).is_ok());
            assert!(check_name(&format!("a{joiner}b"), 10).is_err());
            assert_eq!(check_text(joiner, 10), Err(TextError::Blank));
        }
    }

    #[test]
    fn a_name_is_one_line() {
        assert!(check_text("a\n\tb", 10).is_ok());
        assert!(check_name("a\nb", 10).is_err());
        assert!(check_name("a\u{2028}b", 10).is_err());
        assert!(check_text("a\r\nb", 10).is_err());
        assert!(check_text("a\0b", 10).is_err());
    }

    #[test]
    fn lengths_are_counted_in_characters_of_normal_form() {
        assert_eq!(check_name("", 3), Err(TextError::Empty { max: 3 }));
        assert_eq!(check_name(" \u{a0}", 3), Err(TextError::Blank));
        assert_eq!(check_name("\u{2800}", 3), Err(TextError::Blank));
        assert!(check_name("\u{600}12", 3).is_ok());
        let linear_b = check_name("\u{10000}\u{10001}", 2);
        assert_eq!(linear_b, Err(TextError::TooManyBytes { max: 6 }));
        assert!(check_name("e\u{301}e\u{301}e\u{301}", 3).is_ok());
        assert_eq!(check_name("abcd", 3), Err(TextError::TooLong { max: 3 }));
        let huge = "x".repeat(1 << 22);
        assert_eq!(
            check_text(&huge, MAX_TEXT_CHARS),
            Err(TextError::TooLong { max: 4_000 })
        );
    }

    proptest! {
        #[test]
        fn a_checked_text_passes_again(text in any::<String>()) {
            if let Ok(once) = check_text(&text, 40) {
                prop_assert_eq!(check_text(&once, 40), Ok(once));
            }
        }

        #[test]
        fn no_tag_breaks_a_look_up(tag in any::<String>(), near in "[a-zA-Z0-9-]{0,40}") {
            let text = LocalizedText::new("en", "tea").unwrap();
            prop_assert_eq!(text.get(&tag), "tea");
            prop_assert_eq!(text.get(&near), "tea");
        }

        #[test]
        fn a_text_goes_over_the_wire_and_back(tag in "[a-z]{2}(-[A-Z]{2})?", text in "\\PC{1,40}") {
            if let Ok(parsed) = LocalizedText::new(&tag, &text) {
                let back = wire::LocalizedText::from(parsed.clone());
                prop_assert_eq!(LocalizedText::try_from(back), Ok(parsed));
            }
        }
    }
}
