//! The page around a drawing: title, subtitle, footnotes, and what a screen reader says.

use svg::node::Text as Words;
use svg::node::element::{Description, Group, Rectangle, Text, Title};
use svg::{Document, Node};

use crate::chart::text;

pub(super) const WIDTH: f64 = 900.0;
pub(super) const MARGIN: f64 = 24.0;
pub(super) const INK: &str = "#222222";
pub(super) const MUTED: &str = "#595959";
pub(super) const FAINT: &str = "#D9D9D9";
/// Blue, vermilion, green, orange, purple and black of Okabe and Ito; their yellow and sky blue are too
/// light for a line on white.
pub(super) const COLOURS: [&str; 6] = [
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#000000",
];
const FONTS: &str = "Helvetica, Arial, 'Noto Sans', 'DejaVu Sans', sans-serif";
/// A letter is about so wide, as a share of its height; there is nobody to ask which font it will be.
const LETTER: f64 = 0.56;
const TITLE: f64 = 20.0;
const SUBTITLE: f64 = 13.0;
const FOOTNOTE: f64 = 11.0;
/// Lines that a footnote has at most, and all of them together.
const FOOTNOTE_LINES: usize = 3;
const ALL_FOOTNOTE_LINES: usize = 16;

/// A page that is filled from above.
pub(super) struct Sheet {
    title: String,
    body: Group,
    /// How far it is filled, in pixels.
    pub(super) y: f64,
}

impl Sheet {
    /// With its head.
    pub(super) fn new(title: &str, subtitle: &str) -> Sheet {
        let mut sheet = Sheet {
            title: text::plain(title),
            body: Group::new(),
            y: MARGIN,
        };
        for line in text::wrapped(&sheet.title, columns(WIDTH - 2.0 * MARGIN, TITLE), 2) {
            sheet.line(&line, TITLE, INK);
        }
        let subtitle = text::plain(subtitle);
        for line in text::wrapped(&subtitle, columns(WIDTH - 2.0 * MARGIN, SUBTITLE), 2) {
            sheet.line(&line, SUBTITLE, MUTED);
        }
        sheet.y += 12.0;
        sheet
    }

    pub(super) fn add(&mut self, node: impl Into<Box<dyn Node>>) {
        self.body.append(node);
    }

    fn line(&mut self, line: &str, size: f64, colour: &str) {
        self.y += size * 1.3;
        let words = words(line, MARGIN, self.y, size).set("fill", colour);
        self.add(words);
    }

    /// As many as have room, and how many are left out.
    pub(super) fn footnotes(&mut self, footnotes: &[String]) {
        self.y += 8.0;
        let room = columns(WIDTH - 2.0 * MARGIN, FOOTNOTE);
        let mut left = ALL_FOOTNOTE_LINES;
        for (index, footnote) in footnotes.iter().enumerate() {
            let lines = text::wrapped(&text::plain(footnote), room, FOOTNOTE_LINES);
            if lines.len() > left {
                let more = footnotes.len() - index;
                return self.line(&format!("… and {more} more"), FOOTNOTE, MUTED);
            }
            left -= lines.len();
            for line in lines {
                self.line(&line, FOOTNOTE, MUTED);
            }
        }
    }

    /// The file's text; `description` is read out to those who do not see the picture.
    pub(super) fn finish(self, description: &str) -> String {
        let height = (self.y + MARGIN).ceil();
        let description = Words::new(text::plain(description));
        let paper = Rectangle::new()
            .set("width", WIDTH)
            .set("height", height)
            .set("fill", "#FFFFFF");
        let document = Document::new()
            .set("width", WIDTH)
            .set("height", height)
            .set("viewBox", (0, 0, WIDTH, height))
            .set("role", "img")
            .set("aria-labelledby", "chart-title chart-description")
            .set("font-family", FONTS)
            .add(Title::new(self.title).set("id", "chart-title"))
            .add(
                Description::new()
                    .set("id", "chart-description")
                    .add(description),
            )
            .add(paper)
            .add(self.body);
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{document}\n")
    }
}

/// A text that starts at `x` with its foot at `y`.
pub(super) fn words(text: &str, x: f64, y: f64, size: f64) -> Text {
    Text::new(text)
        .set("x", px(x))
        .set("y", px(y))
        .set("font-size", size)
        .set("fill", INK)
}

/// A length to a tenth of a pixel, so that a file is short and the same on every machine.
pub(super) fn px(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// About how many letters have room.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a page has some hundred columns"
)]
pub(super) fn columns(width: f64, size: f64) -> usize {
    (width / (size * LETTER)).max(1.0) as usize
}

/// About how wide a text is.
#[expect(
    clippy::cast_precision_loss,
    reason = "a text of a chart has some hundred letters"
)]
pub(super) fn pixels(text: &str, size: f64) -> f64 {
    text::width(text) as f64 * size * LETTER
}
