//! Drawings for the terminal: bars here, lines over time in `lines`. Without colour, so that they are the
//! same in a pipe.

mod canvas;
mod lines;

use std::io::{self, Write};

pub(crate) use lines::lines;

use crate::chart::text;

/// A bar with what is written before and behind it.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    pub(crate) note: String,
}

/// Eighths of a cell, so that a bar's end shows an eighth of a character.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Draws bars below each other, the longest `width` characters long.
///
/// When one is negative, all start from a common line, the negative ones to its left; the longest of both
/// sides have the width together.
pub(crate) fn draw(out: &mut dyn Write, bars: &[Bar], width: usize) -> io::Result<()> {
    let margin = bars.iter().map(|bar| text::width(&bar.label)).max();
    let margin = margin.unwrap_or_default();
    let sides = Sides::of(bars, width);
    for Bar { label, value, note } in bars {
        let gap = " ".repeat(margin - text::width(label));
        let line = format!("  {label}{gap}  {} {note}", sides.bar(*value));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// How far bars reach from zero, in money and in characters.
struct Sides {
    lowest: f64,
    highest: f64,
    left: usize,
    right: usize,
}

impl Sides {
    fn of(bars: &[Bar], width: usize) -> Sides {
        let values = || bars.iter().map(|bar| bar.value);
        let lowest = values().fold(0.0, f64::min);
        let highest = values().fold(0.0, f64::max);
        let left = if lowest < 0.0 {
            parts(-lowest, highest - lowest, width).max(1)
        } else {
            0
        };
        let right = width.saturating_sub(left).max(1);
        Sides {
            lowest,
            highest,
            left,
            right,
        }
    }

    fn bar(&self, value: f64) -> String {
        let right = bar_of(value, self.highest, self.right);
        if self.left == 0 {
            return right;
        }
        let left = bar_to_the_left(-value, -self.lowest, self.left);
        // Notes stand below each other where bars go both ways.
        let (left_width, right_width) = (self.left, self.right + 1);
        format!("{left:>left_width$}│{right:<right_width$}")
    }
}

fn bar_of(value: f64, longest: f64, width: usize) -> String {
    let eighths = parts(value, longest, width * 8);
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

/// Ends with a half of a character at best: there are no eighths on the right of a cell.
fn bar_to_the_left(value: f64, longest: f64, width: usize) -> String {
    let halves = parts(value, longest, width * 2);
    let end = if halves.is_multiple_of(2) { "" } else { "▐" };
    format!("{end}{}", "█".repeat(halves / 2))
}

/// How many of `all` parts a value takes that takes all of them at its `longest`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a bar has a small positive number of parts"
)]
fn parts(value: f64, longest: f64, all: usize) -> usize {
    if longest <= 0.0 || value <= 0.0 {
        return 0;
    }
    (value / longest * all as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(bars: &[(&str, f64)], width: usize) -> String {
        let bar = |(label, value): &(&str, f64)| Bar {
            label: (*label).to_owned(),
            value: *value,
            note: value.to_string(),
        };
        let bars: Vec<Bar> = bars.iter().map(bar).collect();
        let mut out = Vec::new();
        draw(&mut out, &bars, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_longest_bar_fills_the_width_and_others_their_share() {
        assert_eq!(bar_of(8.0, 8.0, 4), "████");
        assert_eq!(bar_of(1.0, 8.0, 4), "▌");
        assert_eq!(bar_of(0.0, 8.0, 4), "");
        assert_eq!(bar_of(1.0, 0.0, 4), "");
    }

    #[test]
    fn negative_bars_go_to_the_left_of_a_common_line() {
        assert_eq!(
            drawn(&[("2021", -2.0), ("2022", 4.0), ("2023", -0.5)], 6),
            "  2021  ██│      -2\n  2022    │████  4\n  2023   ▐│      -0.5\n"
        );
    }

    #[test]
    fn labels_are_padded_by_the_columns_that_they_take() {
        assert_eq!(
            drawn(&[("中国", 1.0), ("China", 2.0)], 2),
            "  中国   █ 1\n  China  ██ 2\n"
        );
    }
}
