//! Bars for the terminal.

use std::io::{self, Write};

/// A bar with what is written before and behind it.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    pub(crate) note: String,
}

/// Eighths of a cell, so that a bar's end shows an eighth of a character.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Draws bars below each other, the longest `width` characters long.
pub(crate) fn draw(out: &mut dyn Write, bars: &[Bar], width: usize) -> io::Result<()> {
    let longest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let margin = bars.iter().map(|b| b.label.chars().count()).max();
    let margin = margin.unwrap_or_default();
    for bar in bars {
        let length = bar_of(bar.value, longest, width);
        writeln!(out, "  {:<margin$}  {length} {}", bar.label, bar.note)?;
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a bar's length is a small positive number of eighths"
)]
fn bar_of(value: f64, longest: f64, width: usize) -> String {
    if longest <= 0.0 || value <= 0.0 {
        return String::new();
    }
    let eighths = (value / longest * width as f64 * 8.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_width_and_others_their_share() {
        assert_eq!(bar_of(8.0, 8.0, 4), "████");
        assert_eq!(bar_of(1.0, 8.0, 4), "▌");
        assert_eq!(bar_of(0.0, 8.0, 4), "");
        assert_eq!(bar_of(1.0, 0.0, 4), "");
    }
}
