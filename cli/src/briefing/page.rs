//! A page of headings, points and tables with citations, and the two ways to write it.

use std::collections::BTreeSet;
use std::io::Write;

use proto::r#type::v1::Source;

use crate::{output, sources};

/// A text with citations in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Text(Vec<Span>);

#[derive(Clone, Debug)]
enum Span {
    Words(String),
    Cited(Vec<i32>),
}

impl Text {
    /// A text without citations.
    pub(super) fn of(words: impl Into<String>) -> Text {
        Text(vec![Span::Words(words.into())])
    }

    /// More words.
    pub(super) fn and(mut self, words: impl Into<String>) -> Text {
        self.0.push(Span::Words(words.into()));
        self
    }

    /// The sources of what stands before, by their numbers in the briefing; none for 0.
    pub(super) fn cite(mut self, numbers: &[i32]) -> Text {
        let mut cited: Vec<i32> = numbers
            .iter()
            .copied()
            .filter(|number| *number > 0)
            .collect();
        cited.sort_unstable();
        cited.dedup();
        if !cited.is_empty() {
            self.0.push(Span::Cited(cited));
        }
        self
    }

    /// Another text behind it.
    pub(super) fn join(mut self, other: Text) -> Text {
        self.0.extend(other.0);
        self
    }

    /// Texts with something between each two.
    pub(super) fn list(texts: Vec<Text>, between: &str) -> Text {
        let mut all = Text::default();
        for (at, text) in texts.into_iter().enumerate() {
            if at > 0 {
                all = all.and(between);
            }
            all = all.join(text);
        }
        all
    }

    fn write(&self, words: fn(&str) -> String, mark: fn(i32) -> String) -> String {
        let spans = self.0.iter().map(|span| match span {
            Span::Words(text) => words(text),
            Span::Cited(numbers) => {
                let marks = numbers.iter().map(|number| format!(" {}", mark(*number)));
                marks.collect()
            }
        });
        spans.collect()
    }
}

/// A page under way.
#[derive(Debug, Default)]
pub(super) struct Page {
    blocks: Vec<Block>,
    cited: BTreeSet<i32>,
}

#[derive(Debug)]
enum Block {
    Title(String),
    Section(String),
    Part(String),
    Paragraph(Text),
    Point(Text),
    Detail(Text),
    Table {
        titles: Vec<String>,
        numbers: Vec<usize>,
        rows: Vec<Vec<Text>>,
    },
}

impl Page {
    pub(super) fn title(&mut self, title: impl Into<String>) {
        self.blocks.push(Block::Title(title.into()));
    }

    pub(super) fn section(&mut self, title: impl Into<String>) {
        self.blocks.push(Block::Section(title.into()));
    }

    pub(super) fn part(&mut self, title: impl Into<String>) {
        self.blocks.push(Block::Part(title.into()));
    }

    pub(super) fn paragraph(&mut self, text: Text) {
        self.note(&text);
        self.blocks.push(Block::Paragraph(text));
    }

    pub(super) fn point(&mut self, text: Text) {
        self.note(&text);
        self.blocks.push(Block::Point(text));
    }

    /// What belongs to the point before.
    pub(super) fn detail(&mut self, text: Text) {
        self.note(&text);
        self.blocks.push(Block::Detail(text));
    }

    /// A table; the columns of `numbers` are aligned to the right.
    pub(super) fn table(&mut self, titles: Vec<String>, numbers: Vec<usize>, rows: Vec<Vec<Text>>) {
        rows.iter().flatten().for_each(|cell| self.note(cell));
        self.blocks.push(Block::Table {
            titles,
            numbers,
            rows,
        });
    }

    fn note(&mut self, text: &Text) {
        for span in &text.0 {
            if let Span::Cited(numbers) = span {
                self.cited.extend(numbers);
            }
        }
    }

    /// Writes it for the terminal, with the sources that it cites.
    pub(super) fn write_text(&self, all: &[Source], out: &mut dyn Write) -> anyhow::Result<()> {
        let plain = |text: &Text| text.write(str::to_owned, |number| format!("[{number}]"));
        for block in &self.blocks {
            match block {
                Block::Title(title) => writeln!(out, "{title}")?,
                Block::Section(title) => {
                    let line = "═".repeat(title.chars().count());
                    writeln!(out, "\n{title}\n{line}")?;
                }
                Block::Part(title) => writeln!(out, "\n{title}")?,
                Block::Paragraph(text) => output::paragraph(out, &plain(text), "")?,
                Block::Point(text) => {
                    output::paragraph(out, &format!("• {}", plain(text)), "  ")?;
                }
                Block::Detail(text) => {
                    output::paragraph(out, &format!("  – {}", plain(text)), "    ")?;
                }
                Block::Table {
                    titles,
                    numbers,
                    rows,
                } => {
                    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
                    let mut table = output::table(&titles, numbers);
                    for row in rows {
                        table.add_row(row.iter().map(plain));
                    }
                    output::hide_empty(&mut table);
                    writeln!(out, "{table}")?;
                }
            }
        }
        if !self.cited.is_empty() {
            writeln!(out, "\nSources\n═══════")?;
        }
        for number in &self.cited {
            if let Some(source) = sources::cited(all, *number) {
                let line = format!("[{number}] {}", sources::line(source));
                output::paragraph(out, &line, "    ")?;
            }
        }
        Ok(())
    }

    /// Writes it as Markdown, with the sources that it cites as footnotes.
    pub(super) fn write_markdown(&self, all: &[Source], out: &mut dyn Write) -> anyhow::Result<()> {
        let marked = |text: &Text| text.write(escaped, |number| format!("[^{number}]"));
        let mut is_list = false;
        for block in &self.blocks {
            let was_list = is_list;
            is_list = matches!(block, Block::Point(_) | Block::Detail(_));
            if was_list && !is_list {
                writeln!(out)?;
            }
            match block {
                Block::Title(title) => writeln!(out, "# {}\n", escaped(title))?,
                Block::Section(title) => writeln!(out, "## {}\n", escaped(title))?,
                Block::Part(title) => writeln!(out, "### {}\n", escaped(title))?,
                Block::Paragraph(text) => writeln!(out, "{}\n", marked(text))?,
                Block::Point(text) => writeln!(out, "- {}", marked(text))?,
                Block::Detail(text) => writeln!(out, "  - {}", marked(text))?,
                Block::Table {
                    titles,
                    numbers,
                    rows,
                } => {
                    let titles: Vec<String> = titles.iter().map(|title| escaped(title)).collect();
                    writeln!(out, "| {} |", titles.join(" | "))?;
                    let rules = (0..titles.len())
                        .map(|at| if numbers.contains(&at) { "---:" } else { "---" });
                    writeln!(out, "| {} |", rules.collect::<Vec<_>>().join(" | "))?;
                    for row in rows {
                        let cells: Vec<String> = row.iter().map(marked).collect();
                        writeln!(out, "| {} |", cells.join(" | "))?;
                    }
                    writeln!(out)?;
                }
            }
        }
        if is_list {
            writeln!(out)?;
        }
        for number in &self.cited {
            if let Some(source) = sources::cited(all, *number) {
                writeln!(out, "[^{number}]: {}", linked(source))?;
            }
        }
        Ok(())
    }
}

/// A source in one line, its address as a link.
fn linked(source: &Source) -> String {
    let line = sources::line(source);
    let address = Some(source.uri.as_str()).filter(|uri| !uri.is_empty());
    let Some((before, after)) = address.and_then(|uri| line.split_once(uri)) else {
        return escaped(&line);
    };
    // What would end the link is written as an address has it.
    let address = source.uri.replace('<', "%3C").replace('>', "%3E");
    format!("{}<{address}>{}", escaped(before), escaped(after))
}

/// A text that Markdown shows as it is.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\`*_[]<>|#~".contains(character) {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let mut page = Page::default();
        page.title("China, Kazakhstan");
        page.section("Meetings");
        page.point(
            Text::of("Talks *in* <Astana>")
                .cite(&[2, 0, 2])
                .and(", and a dinner"),
        );
        page.table(
            vec!["period".into(), "value".into()],
            vec![1],
            vec![vec![Text::of("2021"), Text::of("25.25 bn").cite(&[1])]],
        );
        page
    }

    fn sources() -> Vec<Source> {
        let source = |title: &str| Source {
            title: title.into(),
            publisher: "P".into(),
            ..Default::default()
        };
        vec![source("first"), source("second"), source("not cited")]
    }

    #[test]
    fn the_terminal_gets_marks_and_the_sources_that_are_cited() {
        let mut out = Vec::new();
        page().write_text(&sources(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("• Talks *in* <Astana> [2], and a dinner"),
            "{text}"
        );
        assert!(text.contains("[1] P: first"), "{text}");
        assert!(!text.contains("not cited"), "{text}");
    }

    #[test]
    fn markdown_gets_footnotes_and_shows_a_text_as_it_is() {
        let mut out = Vec::new();
        page().write_markdown(&sources(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("- Talks \\*in\\* \\<Astana\\> [^2], and a dinner\n"),
            "{text}"
        );
        assert!(
            text.contains("| --- | ---: |\n| 2021 | 25.25 bn [^1] |"),
            "{text}"
        );
        assert!(text.contains("[^2]: P: second"), "{text}");
    }

    #[test]
    fn an_address_is_a_link_as_it_is() {
        let source = Source {
            title: "A_title".into(),
            publisher: "P".into(),
            uri: "https://example.org/a_b".into(),
            ..Default::default()
        };
        assert_eq!(linked(&source), "P: A\\_title · <https://example.org/a_b>");
    }
}
