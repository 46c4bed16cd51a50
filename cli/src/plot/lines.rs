//! Lines over time, a character grid of braille dots between two axes.

use std::io::{self, Write};

use super::canvas::{Canvas, Dot, Pen};
use crate::chart::axis::{Axis, Tick, labelled};
use crate::chart::{Chart, HOLLOW, Line, Point, text};

/// The marks of the lines in turn, full and hollow.
const MARKS: [(char, char); 6] = [
    ('●', '○'),
    ('■', '□'),
    ('▲', '△'),
    ('◆', '◇'),
    ('▼', '▽'),
    ('★', '☆'),
];
/// Dots drawn and left out, in turn; not as many as marks, so that the two differ for long.
const DASHES: [(usize, usize); 5] = [(1, 0), (4, 3), (1, 2), (7, 2), (2, 2)];
/// Rows for each step on the axis, about.
const STEP_ROOM: usize = 3;
/// Marks closer than this many columns hide the line between them.
const MARK_ROOM: usize = 4;

/// Draws the lines of a chart in so many columns and rows; the axis below and the legend come on top.
///
/// Title, subtitle and footnotes are left to the caller, who has a table to put them around.
pub(crate) fn lines(
    out: &mut dyn Write,
    chart: &Chart,
    width: usize,
    height: usize,
) -> io::Result<()> {
    if chart.values().next().is_none() {
        return writeln!(out, "  No figures to draw.");
    }
    let frame = Frame::new(chart, width, height.max(4));
    let mut canvas = Canvas::new(frame.columns, frame.rows);
    for (number, line) in chart.lines.iter().enumerate() {
        frame.line(&mut canvas, number, line);
    }
    writeln!(out, "  {}", frame.axis.unit(&text::plain(&chart.unit)))?;
    frame.write(out, &canvas)?;
    frame.write_periods(out, &chart.x)?;
    legend(out, chart, width)
}

/// Where things are.
struct Frame {
    axis: Axis,
    ticks: Vec<Tick>,
    /// Columns of the labels to the left.
    gutter: usize,
    columns: usize,
    rows: usize,
    periods: usize,
}

impl Frame {
    fn new(chart: &Chart, width: usize, rows: usize) -> Frame {
        let steps = u8::try_from(rows / STEP_ROOM).unwrap_or(u8::MAX);
        let axis = Axis::of(chart.values(), steps);
        let ticks: Vec<Tick> = axis.ticks().collect();
        let gutter = ticks.iter().map(|tick| tick.label.len()).max();
        let gutter = gutter.unwrap_or_default() + 2;
        Frame {
            axis,
            ticks,
            gutter,
            columns: width.saturating_sub(gutter + 2).max(10),
            rows,
            periods: chart.x.len(),
        }
    }

    fn dot(&self, at: usize, value: f64) -> Dot {
        (self.x(at), self.y(value))
    }

    /// The first period is at the left end, the last at the right; a single one in the middle.
    fn x(&self, at: usize) -> usize {
        let last = self.columns * 2 - 1;
        match self.periods.saturating_sub(1) {
            0 => last / 2,
            periods => (at * last + periods / 2) / periods,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of the dots of a column, rounded"
    )]
    fn y(&self, value: f64) -> usize {
        let last = self.rows * 4 - 1;
        let up = self.axis.place(value) * last as f64;
        last - (up.round() as usize).min(last)
    }

    fn line(&self, canvas: &mut Canvas, number: usize, line: &Line) {
        let (on, off) = DASHES[number % DASHES.len()];
        for stretch in line.stretches() {
            let mut pen = Pen::new(on, off);
            for pair in stretch.windows(2) {
                let [from, to] = [pair[0], pair[1]].map(|(at, point)| self.dot(at, point.value));
                canvas.line(from, to, &mut pen);
            }
            self.marks(canvas, number, &stretch);
        }
    }

    fn marks(&self, canvas: &mut Canvas, number: usize, stretch: &[(usize, Point)]) {
        let (full, hollow) = MARKS[number % MARKS.len()];
        for (index, (at, point)) in stretch.iter().enumerate() {
            let is_end = index == 0 || index + 1 == stretch.len();
            let changes = index > 0 && stretch[index - 1].1.hollow != point.hollow;
            if is_end || changes || self.is_marked(*at, number) {
                let mark = if point.hollow { hollow } else { full };
                canvas.mark(self.dot(*at, point.value), mark);
            }
        }
    }

    /// Every point where there is room, else one in so many, and not the same ones for each line.
    fn is_marked(&self, at: usize, number: usize) -> bool {
        let room = self.columns / self.periods.max(1);
        if room >= MARK_ROOM {
            return true;
        }
        let every = (2 * MARK_ROOM * self.periods).div_ceil(self.columns);
        at % every == number * every / 3 % every
    }

    fn write(&self, out: &mut dyn Write, canvas: &Canvas) -> io::Result<()> {
        for row in 0..self.rows {
            let is_here = |tick: &&Tick| self.y(tick.value) / 4 == row;
            let tick = self.ticks.iter().find(is_here);
            let label = tick.map_or("", |tick| &tick.label);
            let edge = if tick.is_some() { '┤' } else { '│' };
            let is_zero = self.axis.has_negative() && self.y(0.0) / 4 == row;
            let cells = canvas.row(row, if is_zero { '┄' } else { ' ' });
            let line = format!("{label:>width$} {edge}{cells}", width = self.gutter);
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// The axis below, and the labels of as many periods as have room.
    fn write_periods(&self, out: &mut dyn Write, x: &[String]) -> io::Result<()> {
        let widest = x.iter().map(|label| text::width(label)).max();
        let most = self.columns / (widest.unwrap_or_default() + 2);
        let mut edge = vec!['─'; self.columns];
        let mut labels = String::new();
        for at in labelled(x, most) {
            let column = self.x(at) / 2;
            edge[column] = '┬';
            let label = text::plain(&x[at]);
            let room = (self.gutter + 2 + self.columns).saturating_sub(text::width(&label));
            let start = (self.gutter + 2 + column).saturating_sub(text::width(&label) / 2);
            pad_to(&mut labels, start.min(room));
            labels.push_str(&label);
        }
        let edge: String = edge.into_iter().collect();
        writeln!(out, "{:width$} └{edge}", "", width = self.gutter)?;
        writeln!(out, "{labels}")
    }
}

/// Spaces up to a column; one at least behind a text that reaches further.
fn pad_to(line: &mut String, column: usize) {
    let width = text::width(line);
    let least = usize::from(width > 0);
    line.push_str(&" ".repeat(column.saturating_sub(width).max(least)));
}

fn legend(out: &mut dyn Write, chart: &Chart, width: usize) -> io::Result<()> {
    let mut items = Vec::new();
    if chart.lines.len() > 1 {
        let item = |(number, line): (usize, &Line)| {
            let (mark, _) = MARKS[number % MARKS.len()];
            format!("{mark} {}", text::plain(&line.name))
        };
        items.extend(chart.lines.iter().enumerate().map(item));
    }
    if chart.has_hollow() {
        items.push(HOLLOW.to_owned());
    }
    if items.is_empty() {
        return Ok(());
    }
    let room = width.saturating_sub(2).max(1);
    for line in textwrap::wrap(&items.join("   "), room) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::chart;

    fn drawn(chart: &Chart, width: usize, height: usize) -> String {
        let mut out = Vec::new();
        lines(&mut out, chart, width, height).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_small_chart_has_axes_marks_and_a_legend() {
        let chart = chart(&[
            ("exports", &[Some(0.0), Some(4e9), Some(4e9)]),
            ("imports", &[Some(4e9), None, Some(0.0)]),
        ]);
        let expected = [
            "  bn USD",
            "  4 ┤■        ⡠●⠉⠉⠉⠉⠉⠉⠉⠉⠉●",
            "    │       ⢀⠎",
            "  2 ┤     ⢀⠔⠁",
            "    │   ⢀⠔⠁",
            "    │  ⡰⠁",
            "  0 ┤●⠊                  ■",
            "    └┬─────────┬─────────┬",
            "   2010      2011     2012",
            "  ● exports   ■ imports",
        ];
        assert_eq!(drawn(&chart, 26, 6).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn nothing_is_drawn_over_a_missing_figure() {
        let with_gap = chart(&[(
            "",
            &[Some(1.0), Some(1.0), None, None, Some(1.0), Some(1.0)],
        )]);
        let plot = drawn(&with_gap, 30, 4);
        let top = plot.lines().nth(1).unwrap();
        let between = top.split('●').find(|part| part.contains("   "));
        assert!(between.is_some_and(|gap| gap.trim().is_empty()), "{plot}");
    }

    #[test]
    fn nothing_to_draw_is_said() {
        assert_eq!(drawn(&chart(&[]), 80, 15), "  No figures to draw.\n");
        let empty = chart(&[("exports", &[None, None])]);
        assert_eq!(drawn(&empty, 80, 15), "  No figures to draw.\n");
    }

    #[test]
    fn every_row_fits_the_width() {
        let values: Vec<Option<f64>> = (0..40).map(|n| Some(f64::from(n) * -1e15)).collect();
        let mut chart = chart(&[("名字名字名字名字名字名字名字", &values), ("b", &values)]);
        chart.lines[1]
            .points
            .iter_mut()
            .flatten()
            .for_each(|point| point.hollow = true);
        let plot = drawn(&chart, 80, 15);
        assert!(plot.lines().all(|line| text::width(line) <= 80), "{plot}");
        assert!(plot.contains("hollow: provisional"), "{plot}");
        assert!(plot.contains('┄'), "{plot}");
    }
}
