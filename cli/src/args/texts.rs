//! Words in a language, as an option has them: `en=Automobiles`.

use proto::LocalizedText;

/// A text with its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) language: String,
    pub(crate) text: String,
}

/// Reads `LANGUAGE=TEXT`.
pub(super) fn parse_text(argument: &str) -> Result<Text, String> {
    let (language, text) = argument
        .split_once('=')
        .ok_or("a language and a text: en=Automobiles")?;
    LocalizedText::new(language, text).map_err(|violations| violations.to_string())?;
    Ok(Text {
        language: language.to_owned(),
        text: text.to_owned(),
    })
}

/// Puts texts into those that are there, by language; `None` when there are none at all.
pub(crate) fn merged(
    known: Option<proto::r#type::v1::LocalizedText>,
    given: &[Text],
) -> Option<proto::r#type::v1::LocalizedText> {
    let mut texts = known.unwrap_or_default();
    for Text { language, text } in given {
        texts.texts.insert(language.clone(), text.clone());
    }
    (!texts.texts.is_empty()).then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_its_language() {
        let text = parse_text("en=Cars = automobiles").unwrap();
        assert_eq!((&*text.language, &*text.text), ("en", "Cars = automobiles"));
        assert!(parse_text("Cars").unwrap_err().contains("en=Automobiles"));
        assert!(parse_text("english words=Cars").is_err());
        assert!(parse_text("en=").is_err());
    }
}
