//! The cells of a row by their titles, and what they hold: dates, names, texts, sources.

use proto::r#type::v1 as wire;
use proto::{CivilDate, Country, LocalizedText};

use super::sheet::{Rejection, Row, Sheet};
use crate::names::{self, Named};

/// Longest title of a record, in characters.
const MAX_TITLE: usize = 500;

/// A row by the titles of its file.
pub(super) struct Cells<'a> {
    titles: &'a [String],
    row: &'a Row,
}

impl<'a> Cells<'a> {
    pub(super) fn new(titles: &'a [String], row: &'a Row) -> Cells<'a> {
        Cells { titles, row }
    }

    /// The line on which the row starts.
    pub(super) fn line(&self) -> u64 {
        self.row.line
    }

    /// A cell; empty where the file has no such column.
    pub(super) fn get(&self, title: &str) -> &'a str {
        let at = self.titles.iter().position(|given| given == title);
        let cell = at.and_then(|at| self.row.cells.get(at));
        cell.map_or("", String::as_str)
    }

    /// That a column keeps the row out.
    pub(super) fn reject(&self, column: &str, reason: impl Into<String>) -> Rejection {
        Rejection::new(self.row.line, column, reason)
    }

    /// A cell that must not be empty.
    pub(super) fn required(&self, title: &str) -> Result<&'a str, Rejection> {
        match self.get(title) {
            "" => Err(self.reject(title, "is empty")),
            cell => Ok(cell),
        }
    }

    /// The values of a cell, with `;` between.
    pub(super) fn list(&self, title: &str) -> Vec<&'a str> {
        let parts = self.get(title).split(';').map(str::trim);
        parts.filter(|part| !part.is_empty()).collect()
    }

    /// A value of an enum by its name.
    pub(super) fn named<E: Named>(&self, title: &str) -> Result<E, Rejection> {
        names::parse(self.required(title)?).map_err(|reason| self.reject(title, reason))
    }

    /// A date, where one is given.
    pub(super) fn date(&self, title: &str) -> Result<Option<wire::CivilDate>, Rejection> {
        match self.get(title) {
            "" => Ok(None),
            cell => self.parsed_date(title, cell).map(Some),
        }
    }

    /// A date that stands in a column.
    pub(super) fn parsed_date(
        &self,
        title: &str,
        text: &str,
    ) -> Result<wire::CivilDate, Rejection> {
        let date = text.parse::<CivilDate>();
        date.map(Into::into)
            .map_err(|error| self.reject(title, error.to_string()))
    }

    /// A country by its code.
    pub(super) fn country(&self, title: &str, code: &str) -> Result<Country, Rejection> {
        proto::one_country(code).map_err(|reason| self.reject(title, reason))
    }

    /// Countries by their codes, each once.
    pub(super) fn countries(&self, title: &str) -> Result<Vec<Country>, Rejection> {
        let mut countries = Vec::new();
        for code in self.list(title) {
            let country = self.country(title, code)?;
            if countries.contains(&country) {
                return Err(self.reject(title, format!("{country} twice")));
            }
            countries.push(country);
        }
        Ok(countries)
    }

    /// Organisations by their codes.
    pub(super) fn organisations(&self, title: &str) -> Result<Vec<wire::Organisation>, Rejection> {
        let checked = self.list(title).into_iter().map(|code| {
            let organisation = wire::Organisation {
                code: code.to_owned(),
                display_name: None,
            };
            proto::check_organisation(organisation)
                .map_err(|violations| self.reject(title, violations.to_string()))
        });
        checked.collect()
    }

    /// Themes, each once.
    pub(super) fn themes(&self, title: &str) -> Result<Vec<i32>, Rejection> {
        let mut themes = Vec::new();
        for name in self.list(title) {
            let theme = names::parse::<wire::Theme>(name);
            let theme: i32 = theme.map_err(|reason| self.reject(title, reason))?.into();
            if !themes.contains(&theme) {
                themes.push(theme);
            }
        }
        Ok(themes)
    }

    /// The texts of the columns `title_LANGUAGE`, where there are any.
    pub(super) fn texts(
        &self,
        title: &str,
        check: fn(&str) -> Result<String, proto::TextError>,
    ) -> Result<Option<wire::LocalizedText>, Rejection> {
        let mut texts = wire::LocalizedText::default();
        for column in self.titles {
            let Some(language) = language_of(column, title) else {
                continue;
            };
            let text = self.get(column);
            if text.is_empty() {
                continue;
            }
            let language = proto::check_language(&language);
            let language = language.map_err(|error| self.reject(column, error.to_string()))?;
            let text = check(text).map_err(|error| self.reject(column, error.to_string()))?;
            texts.texts.insert(language, text);
        }
        Ok((!texts.texts.is_empty()).then_some(texts))
    }

    /// The title in its languages, of which there must be one.
    pub(super) fn title(&self) -> Result<wire::LocalizedText, Rejection> {
        let title = self.texts("title", |text| proto::check_name(text, MAX_TITLE))?;
        title.ok_or_else(|| self.reject("title_en", "a title is needed, in some language"))
    }

    /// The source of the row, of the columns `source_title` and the like.
    pub(super) fn source(&self) -> Result<wire::Source, Rejection> {
        let source = wire::Source {
            title: self.required("source_title")?.to_owned(),
            publisher: self.required("source_publisher")?.to_owned(),
            uri: self.get("source_uri").to_owned(),
            published_on: self.date("source_date")?,
            licence: self.get("licence").to_owned(),
            note: self.get("note").to_owned(),
            ..Default::default()
        };
        checked(source).map_err(|(field, reason)| {
            let column = match field.as_str() {
                "title" => "source_title",
                "publisher" => "source_publisher",
                "uri" => "source_uri",
                "published_on" => "source_date",
                other => other,
            };
            self.reject(column, reason)
        })
    }
}

/// A source as the services keep it, or the field that is wrong.
pub(super) fn checked(source: wire::Source) -> Result<wire::Source, (String, String)> {
    let checked = proto::Source::try_from(source);
    checked.map(Into::into).map_err(|violations| {
        let (field, reason) = violations.iter().next().unwrap_or_default();
        (field.to_owned(), reason.to_owned())
    })
}

/// The language of a column `title_zh_hans`: `zh-hans`.
fn language_of(column: &str, title: &str) -> Option<String> {
    let language = column.strip_prefix(title)?.strip_prefix('_')?;
    Some(language.replace('_', "-"))
}

/// Text in English of one line.
pub(super) fn english(text: &str) -> Result<wire::LocalizedText, String> {
    let text = proto::check_name(text, MAX_TITLE).map_err(|error| error.to_string())?;
    let text = LocalizedText::new("en", &text).map_err(|violations| violations.to_string())?;
    Ok(text.into())
}

/// The rows of a file that can be read; the others are rejected. What reads a row is told what was read before it.
pub(super) fn parse_rows<T>(
    sheet: &mut Sheet,
    mut parse: impl FnMut(&Cells<'_>) -> Result<T, Rejection>,
) -> Vec<(u64, T)> {
    let mut parsed = Vec::new();
    for row in std::mem::take(&mut sheet.rows) {
        match parse(&Cells::new(&sheet.titles, &row)) {
            Ok(entry) => parsed.push((row.line, entry)),
            Err(rejection) => sheet.rejected.push(rejection),
        }
    }
    parsed
}

/// The columns of a file that nobody reads.
pub(super) fn passed_over(sheet: &Sheet, known: &[&str], prefixes: &[&str]) -> Option<String> {
    let is_known = |title: &&String| {
        known.contains(&title.as_str())
            || prefixes
                .iter()
                .any(|prefix| language_of(title, prefix).is_some())
    };
    let others: Vec<&str> = sheet
        .titles
        .iter()
        .filter(|title| !is_known(title))
        .map(String::as_str)
        .collect();
    (!others.is_empty()).then(|| format!("columns passed over: {}", others.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_names_the_language_of_its_texts() {
        let text = "title_en,title_zh-Hans,title_fr\nVisit,访问,\n".as_bytes();
        let sheet = Sheet::parse_whole("a.csv", text, &[]).unwrap();
        let title = Cells::new(&sheet.titles, &sheet.rows[0]).title().unwrap();
        assert_eq!(title.texts["zh-Hans"], "访问");
        assert_eq!(title.texts.len(), 2);
    }

    #[test]
    fn what_is_wrong_with_a_source_is_named_by_its_column() {
        let text = b"source_title,source_publisher,source_uri\nT,P,ftp://a\nT,,\n";
        let sheet = Sheet::parse_whole("a.csv", text, &[]).unwrap();
        let column = |at: usize| {
            let cells = Cells::new(&sheet.titles, &sheet.rows[at]);
            cells.source().unwrap_err().column
        };
        assert_eq!(column(0), "source_uri");
        assert_eq!(column(1), "source_publisher");
    }
}
