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
        let at = |index: &i32| usize::try_from(index - 1).ok();
        let cited = indices.iter().filter_map(|index| all.get(at(index)?));
        let mut numbers: Vec<usize> = cited.map(|source| self.number(source)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .iter()
            .map(|number| format!("[{number}]"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Writes all that were cited.
    pub(crate) fn write(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        footnotes(&self.sources, out)
    }
}
