//! Lines over time.

use svg::node::element::{Group, Line as Stroke, Polyline};

use super::marks::Mark;
use super::sheet::{COLOURS, FAINT, INK, MARGIN, MUTED, Sheet, WIDTH, columns, pixels, px, words};
use crate::chart::axis::{Axis, labelled};
use crate::chart::{Chart, HOLLOW, Line, Point, text};

const HEIGHT: f64 = 320.0;
const RIGHT: f64 = WIDTH - MARGIN - 12.0;
/// Between the axis and the first period.
const INSET: f64 = 16.0;
const SIZE: f64 = 12.0;
const STEPS: u8 = 6;
/// In turn, and not as many as colours, so that 30 lines differ.
const DASHES: [&str; 5] = ["none", "8 4", "2 3", "10 3 2 3", "5 5"];
/// A mark's radius, and the least that can be seen.
const RADIUS: f64 = 4.0;
const LEAST_RADIUS: f64 = 1.6;
/// Points closer than this are marked only where a mark says something.
const MARK_ROOM: f64 = 4.0;
/// Room for the piece of a line before its name.
const SAMPLE: f64 = 36.0;

/// The SVG text of a chart over time.
pub(crate) fn series(chart: &Chart) -> String {
    let mut sheet = Sheet::new(&chart.title, &chart.subtitle);
    let frame = Frame::new(chart, sheet.y + 24.0);
    frame.draw(&mut sheet, chart);
    sheet.y = frame.top + HEIGHT + 24.0;
    legend(&mut sheet, chart);
    sheet.footnotes(&chart.footnotes);
    sheet.finish(&describe(chart, &frame.axis))
}

/// Where things are, in pixels.
struct Frame {
    axis: Axis,
    left: f64,
    top: f64,
    /// Between two periods.
    apart: f64,
    periods: usize,
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "there are at most 120,000 months, and labels for some dozen"
)]
impl Frame {
    fn new(chart: &Chart, top: f64) -> Frame {
        let axis = Axis::of(chart.values(), STEPS);
        let labels = axis.ticks().map(|tick| pixels(&tick.label, SIZE));
        let left = MARGIN + labels.fold(0.0, f64::max) + 10.0;
        let periods = chart.x.len();
        let gaps = periods.saturating_sub(1).max(1);
        Frame {
            axis,
            left,
            top,
            apart: (RIGHT - left - 2.0 * INSET) / gaps as f64,
            periods,
        }
    }

    /// The first period is at the left, the last at the right; a single one in the middle.
    fn x(&self, at: usize) -> f64 {
        let steps = if self.periods == 1 { 0.5 } else { at as f64 };
        self.left + INSET + steps * self.apart
    }

    fn y(&self, value: f64) -> f64 {
        self.top + HEIGHT * (1.0 - self.axis.place(value))
    }

    fn draw(&self, sheet: &mut Sheet, chart: &Chart) {
        self.values(sheet, &text::plain(&chart.unit));
        self.periods(sheet, &chart.x);
        for (number, line) in chart.lines.iter().enumerate() {
            sheet.add(self.line(number, line, &chart.x));
        }
        if chart.values().next().is_none() {
            let middle = f64::midpoint(self.left, RIGHT);
            let none = words("No figures", middle, self.top + HEIGHT / 2.0, 16.0);
            sheet.add(none.set("text-anchor", "middle").set("fill", MUTED));
        }
    }

    /// The axis to the left, with a faint line at each round value.
    fn values(&self, sheet: &mut Sheet, unit: &str) {
        let unit = words(&self.axis.unit(unit), MARGIN, self.top - 12.0, SIZE);
        sheet.add(unit.set("fill", MUTED));
        for tick in self.axis.ticks() {
            let y = self.y(tick.value);
            let colour = if tick.value == 0.0 { INK } else { FAINT };
            sheet.add(stroke((self.left, y), (RIGHT, y), colour));
            let label = words(&tick.label, self.left - 6.0, y + SIZE * 0.35, SIZE);
            sheet.add(label.set("text-anchor", "end"));
        }
    }

    /// The labels below, of as many periods as have room.
    fn periods(&self, sheet: &mut Sheet, x: &[String]) {
        let widest = x.iter().map(|label| pixels(label, SIZE));
        let widest = widest.fold(1.0, f64::max);
        let most = ((RIGHT - self.left) / (widest + 14.0)) as usize;
        let foot = self.top + HEIGHT;
        for at in labelled(x, most) {
            let x_at = self.x(at);
            sheet.add(stroke((x_at, foot), (x_at, foot + 5.0), INK));
            let label = words(&text::plain(&x[at]), x_at, foot + 18.0, SIZE);
            sheet.add(label.set("text-anchor", "middle"));
        }
    }

    fn line(&self, number: usize, line: &Line, x: &[String]) -> Group {
        let stretches = line.stretches();
        let mut group = Group::new();
        for stretch in stretches.iter().filter(|stretch| stretch.len() > 1) {
            group = group.add(self.stretch(number, stretch));
        }
        for (at, point) in stretches.iter().flat_map(|stretch| self.marked(stretch)) {
            let figure = self.axis.figure(point.value);
            let tip = text::plain(&format!("{} {}: {figure}", line.name, x[at]));
            group = group.add(self.mark(number, at, point).draw(tip.trim()));
        }
        group
    }

    fn stretch(&self, number: usize, stretch: &[(usize, Point)]) -> Polyline {
        let place = |(at, point): &(usize, Point)| {
            format!("{},{}", px(self.x(*at)), px(self.y(point.value)))
        };
        let points: Vec<String> = stretch.iter().map(place).collect();
        Polyline::new()
            .set("points", points.join(" "))
            .set("fill", "none")
            .set("stroke", COLOURS[number % COLOURS.len()])
            .set("stroke-width", 2)
            .set("stroke-linejoin", "round")
            .set("stroke-dasharray", DASHES[number % DASHES.len()])
    }

    /// All points where there is room; else the ends and those that something qualifies.
    fn marked(&self, stretch: &[(usize, Point)]) -> Vec<(usize, Point)> {
        let last = stretch.len() - 1;
        let says = |index: usize, point: Point| index == 0 || index == last || point.hollow;
        let numbered = stretch.iter().enumerate();
        let marked =
            numbered.filter(|(index, (_, point))| self.apart >= MARK_ROOM || says(*index, *point));
        marked.map(|(_, point)| *point).collect()
    }

    fn mark(&self, number: usize, at: usize, point: Point) -> Mark {
        Mark {
            number,
            x: self.x(at),
            y: self.y(point.value),
            radius: (self.apart * 0.35).clamp(LEAST_RADIUS, RADIUS),
            hollow: point.hollow,
        }
    }
}

fn stroke(from: (f64, f64), to: (f64, f64), colour: &str) -> Stroke {
    Stroke::new()
        .set("x1", px(from.0))
        .set("y1", px(from.1))
        .set("x2", px(to.0))
        .set("y2", px(to.1))
        .set("stroke", colour)
        .set("stroke-width", 1)
}

/// The lines' names behind a piece of each, as many in a row as have room.
fn legend(sheet: &mut Sheet, chart: &Chart) {
    let mut x = MARGIN;
    sheet.y += 20.0;
    let names = chart.lines.iter().map(|line| text::plain(&line.name));
    for (number, name) in names.enumerate() {
        let name = text::clipped(&name, columns(WIDTH - 2.0 * MARGIN - SAMPLE, SIZE));
        let width = SAMPLE + pixels(&name, SIZE) + 24.0;
        if x > MARGIN && x + width > WIDTH - MARGIN {
            x = MARGIN;
            sheet.y += 20.0;
        }
        sheet.add(sample(number, x, sheet.y - 4.0));
        sheet.add(words(&name, x + SAMPLE, sheet.y, SIZE));
        x += width;
    }
    if chart.has_hollow() {
        sheet.y += 18.0;
        sheet.add(words(HOLLOW, MARGIN, sheet.y, SIZE).set("fill", MUTED));
    }
}

fn sample(number: usize, x: f64, y: f64) -> Group {
    let colour = COLOURS[number % COLOURS.len()];
    let line = stroke((x, y), (x + 30.0, y), colour)
        .set("stroke-width", 2)
        .set("stroke-dasharray", DASHES[number % DASHES.len()]);
    let mark = Mark {
        number,
        x: x + 15.0,
        y,
        radius: RADIUS,
        hollow: false,
    };
    Group::new().add(line).add(mark.draw(""))
}

/// The chart in words: each line's first and last figure.
fn describe(chart: &Chart, axis: &Axis) -> String {
    let lines = chart.lines.iter().filter_map(|line| {
        let given: Vec<(usize, Point)> = line.stretches().concat();
        let said = |(at, point): &(usize, Point)| {
            format!("{} in {}", axis.figure(point.value), chart.x[*at])
        };
        let (first, last) = (said(given.first()?), said(given.last()?));
        let (name, count, of) = (&line.name, given.len(), chart.x.len());
        Some(format!(
            " {name}: {first}, {last}; {count} of {of} periods."
        ))
    });
    format!(
        "Line chart in {}.{}",
        axis.unit(&chart.unit),
        lines.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::chart::tests::chart;

    fn is(node: &Node<'_, '_>, element: &str) -> bool {
        node.has_tag_name(("http://www.w3.org/2000/svg", element))
    }

    fn count(svg: &str, element: &str) -> usize {
        let document = Document::parse(svg).unwrap();
        let nodes = document.descendants();
        nodes.filter(|node| is(node, element)).count()
    }

    fn texts(svg: &str) -> Vec<String> {
        let document = Document::parse(svg).unwrap();
        let texts = document.descendants().filter(Node::is_text);
        texts
            .filter_map(|node| Some(node.text()?.trim().to_owned()))
            .collect()
    }

    #[test]
    fn a_gap_parts_the_line_and_every_figure_has_its_mark() {
        let [one, two, three, four] = [1e9, 2e9, 3e9, 4e9].map(Some);
        let svg = series(&chart(&[("China", &[one, two, None, three, four])]));
        let in_legend = 1;
        assert_eq!(count(&svg, "polyline"), 2);
        assert_eq!(count(&svg, "circle"), 4 + in_legend);
        let lone = series(&chart(&[("China", &[one, None, three])]));
        assert_eq!(count(&lone, "polyline"), 0);
        assert_eq!(count(&lone, "circle"), 2 + in_legend);
    }

    #[test]
    fn text_from_outside_is_text() {
        let hostile = "\"><svg onload='x'> & \u{202e}\u{0}]]>";
        let mut chart = chart(&[("<script>alert(1)</script>", &[Some(1.0)])]);
        chart.title = hostile.into();
        chart.subtitle = hostile.into();
        chart.unit = hostile.into();
        chart.x = vec![hostile.into()];
        chart.footnotes = vec![hostile.into()];
        let svg = series(&chart);
        assert_eq!((count(&svg, "script"), count(&svg, "svg")), (0, 1));
        let shown = texts(&svg);
        let as_text = "\"><svg onload='x'> & ]]>";
        let times = shown.iter().filter(|shown| shown.contains(as_text)).count();
        assert!(times >= 5, "{shown:?}");
        assert!(!svg.contains('\u{202e}'), "{svg}");
    }

    #[test]
    fn the_axis_starts_at_zero_with_round_values_and_the_unit() {
        let shown = texts(&series(&chart(&[("", &[Some(25e9), Some(44e9)])])));
        for text in ["0", "10", "20", "30", "40", "50", "bn USD", "2010", "2011"] {
            let is_there = shown.iter().any(|shown| shown == text);
            assert!(is_there, "{text} in {shown:?}");
        }
    }

    #[test]
    fn a_figure_that_something_qualifies_is_hollow_and_said() {
        let mut chart = chart(&[("China", &[Some(1e9), Some(2e9)])]);
        assert!(!series(&chart).contains(HOLLOW));
        chart.lines[0].points[1].as_mut().unwrap().hollow = true;
        let svg = series(&chart);
        let document = Document::parse(&svg).unwrap();
        let marks = document.descendants().filter(|node| is(node, "circle"));
        let fills: Vec<_> = marks.filter_map(|mark| mark.attribute("fill")).collect();
        let legend = COLOURS[0];
        assert_eq!(fills, [COLOURS[0], "#FFFFFF", legend]);
        assert!(svg.contains(HOLLOW));
    }

    #[test]
    fn a_chart_is_told_to_those_who_do_not_see_it() {
        let svg = series(&chart(&[("China", &[Some(25.25e9), None, Some(43.8e9)])]));
        let document = Document::parse(&svg).unwrap();
        assert_eq!(document.root_element().attribute("role"), Some("img"));
        let told = "Line chart in bn USD. China: 25.2 in 2010, 43.8 in 2012; 2 of 3 periods.";
        assert!(texts(&svg).iter().any(|text| text == told), "{svg}");
    }

    #[test]
    fn nothing_one_point_and_many_footnotes_are_drawn() {
        let mut empty = chart(&[("China", &[None, None])]);
        empty.footnotes = (1..40).map(|n| format!("[{n}] a source")).collect();
        let shown = texts(&series(&empty));
        assert!(shown.iter().any(|text| text == "No figures"), "{shown:?}");
        assert!(
            shown.iter().any(|text| text == "… and 23 more"),
            "{shown:?}"
        );
        assert_eq!(count(&series(&chart(&[])), "circle"), 0);
        assert_eq!(count(&series(&chart(&[("", &[Some(1.0)])])), "circle"), 2);
    }

    #[test]
    fn the_same_chart_is_the_same_text() {
        let chart = chart(&[("a", &[Some(-1.0), Some(2.0)]), ("b", &[Some(0.3), None])]);
        assert_eq!(series(&chart), series(&chart));
    }
}
