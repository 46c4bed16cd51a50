//! Sources as footnotes.

use std::io::Write;

use proto::r#type::v1::Source;

/// Numbered sources, as footnotes.
pub(crate) fn footnotes(sources: &[Source], out: &mut dyn Write) -> anyhow::Result<()> {
    for (index, source) in sources.iter().enumerate() {
        writeln!(out, "[{}] {}", index + 1, line(source))?;
    }
    Ok(())
}

/// A source in one line.
pub(crate) fn line(source: &Source) -> String {
    let date = source.published_on;
    let date = date.and_then(|date| proto::CivilDate::try_from(date).ok());
    let date = date.map(|date| date.to_string()).unwrap_or_default();
    let named = format!("{}: {}", source.publisher, source.title);
    let parts = [&named, &date, &source.uri, &source.note];
    let given = parts.into_iter().filter(|part| !part.is_empty());
    given.map(String::as_str).collect::<Vec<_>>().join(" · ")
}

/// The source that a figure refers to by its number, from 1; none for 0, or when it was not sent.
pub(crate) fn cited(sources: &[Source], number: i32) -> Option<&Source> {
    let number = usize::try_from(number).ok()?;
    sources.get(number.checked_sub(1)?)
}

/// Sources as they are cited, each once, over several answers.
#[derive(Debug, Default)]
pub(crate) struct Footnotes {
    sources: Vec<Source>,
}

impl Footnotes {
    /// The number of a source, from 1.
    pub(crate) fn number(&mut self, source: &Source) -> usize {
        let known = self.sources.iter().position(|known| known == source);
        known.unwrap_or_else(|| {
            self.sources.push(source.clone());
            self.sources.len() - 1
        }) + 1
    }

    /// The marks of sources that an answer refers to by index, from 1: `[2] [5]`.
    pub(crate) fn marks(&mut self, all: &[Source], indices: &[i32]) -> String {
        let cited = indices.iter().filter_map(|index| cited(all, *index));
        let mut numbers: Vec<usize> = cited.map(|source| self.number(source)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .iter()
            .map(|number| format!("[{number}]"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The marks of all sources of a record: `[1] [3]`.
    pub(crate) fn all_marks(&mut self, all: &[Source]) -> String {
        let marks = all
            .iter()
            .map(|source| format!("[{}]", self.number(source)));
        marks.collect::<Vec<_>>().join(" ")
    }

    /// Writes all that were cited.
    pub(crate) fn write(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        footnotes(&self.sources, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_the_sources_cites_none() {
        let sources = [Source::default(), Source::default()];
        for number in [1, 2] {
            assert!(cited(&sources, number).is_some(), "{number}");
        }
        for number in [i32::MIN, -1, 0, 3, i32::MAX] {
            assert!(cited(&sources, number).is_none(), "{number}");
        }
    }
}
