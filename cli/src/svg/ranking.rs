//! Bars below each other, the largest first.

use svg::node::element::{Group, Rectangle, Title};

use super::sheet::{COLOURS, INK, MARGIN, MUTED, Sheet, WIDTH, columns, px, words};
use crate::chart::axis::Axis;
use crate::chart::text;

const SIZE: f64 = 12.0;
const ROW: f64 = 26.0;
const BAR: f64 = 17.0;
/// Labels end and bars start here; bars end, values end and notes start here.
const LABELS: f64 = 310.0;
const BARS: (f64, f64) = (320.0, 630.0);
const VALUES: f64 = 695.0;
const NOTES: f64 = 710.0;
const REMAINDER: &str = "#A6A6A6";
const STEPS: u8 = 5;

/// What a ranking shows. The values are pixels to be, as in [`crate::chart`].
#[derive(Debug, Default)]
pub(crate) struct RankingChart {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    /// What the values count, such as `USD`.
    pub(crate) unit: String,
    /// In the order in which they are drawn.
    pub(crate) bars: Vec<RankedBar>,
    pub(crate) footnotes: Vec<String>,
}

/// One of them.
#[derive(Debug, Default)]
pub(crate) struct RankedBar {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// What stands behind the value: share and growth.
    pub(crate) note: String,
    /// Whether it is all that the ranking leaves out.
    pub(crate) remainder: bool,
}

/// The SVG text of a ranking.
pub(crate) fn ranking(chart: &RankingChart) -> String {
    let mut sheet = Sheet::new(&chart.title, &chart.subtitle);
    let axis = Axis::of(chart.bars.iter().map(|bar| bar.value), STEPS);
    let unit = text::plain(&axis.unit(&chart.unit));
    sheet.y += 14.0;
    let head = words(&unit, VALUES, sheet.y, SIZE);
    sheet.add(head.set("text-anchor", "end").set("fill", MUTED));
    let top = sheet.y + 6.0;
    sheet.y = top;
    for bar in &chart.bars {
        sheet.add(row(bar, &axis, sheet.y));
        sheet.y += ROW;
    }
    let zero = x(&axis, 0.0);
    sheet.add(
        Rectangle::new()
            .set("x", px(zero - 0.5))
            .set("y", px(top))
            .set("width", 1)
            .set("height", px(sheet.y - top))
            .set("fill", INK),
    );
    sheet.y += 8.0;
    sheet.footnotes(&chart.footnotes);
    sheet.finish(&describe(chart, &axis, &unit))
}

/// Where a value ends.
fn x(axis: &Axis, value: f64) -> f64 {
    BARS.0 + (BARS.1 - BARS.0) * axis.place(value)
}

fn row(bar: &RankedBar, axis: &Axis, top: f64) -> Group {
    let (zero, end) = (x(axis, 0.0), x(axis, bar.value));
    let foot = top + ROW / 2.0 + SIZE * 0.35;
    let label = text::plain(&bar.label);
    let shown = text::clipped(&label, columns(LABELS - MARGIN, SIZE));
    let figure = column_figure(axis, bar.value);
    let note = text::clipped(
        &text::plain(&bar.note),
        columns(WIDTH - MARGIN - NOTES, SIZE),
    );
    let fill = if bar.remainder { REMAINDER } else { COLOURS[0] };
    let tip = format!("{label}: {figure} {note}");
    let body = Rectangle::new()
        .set("x", px(zero.min(end)))
        .set("y", px(top + (ROW - BAR) / 2.0))
        .set("width", px((end - zero).abs()))
        .set("height", BAR)
        .set("fill", fill)
        .add(Title::new(tip.trim()));
    Group::new()
        .add(words(&shown, LABELS, foot, SIZE).set("text-anchor", "end"))
        .add(body)
        .add(words(&figure, VALUES, foot, SIZE).set("text-anchor", "end"))
        .add(words(&note, NOTES, foot, SIZE).set("fill", MUTED))
}

/// With as many decimals as the others of its column; what is too small for them is not shown as nothing.
fn column_figure(axis: &Axis, value: f64) -> String {
    let text = axis.fixed(value);
    if value > 0.0 && text == "0.00" {
        return "<0.01".into();
    }
    text
}

fn describe(chart: &RankingChart, axis: &Axis, unit: &str) -> String {
    let bar = |bar: &RankedBar| {
        let said = format!(
            "{}: {} {}",
            bar.label,
            column_figure(axis, bar.value),
            bar.note
        );
        said.trim().to_owned()
    };
    let bars: Vec<String> = chart.bars.iter().map(bar).collect();
    format!("Bar chart in {unit}. {}.", bars.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, value: f64, remainder: bool) -> RankedBar {
        RankedBar {
            label: label.into(),
            value,
            note: "12.5 %, +3.1 %".into(),
            remainder,
        }
    }

    fn chart(bars: Vec<RankedBar>) -> RankingChart {
        RankingChart {
            title: "What China buys <most> & where".into(),
            unit: "USD".into(),
            bars,
            ..RankingChart::default()
        }
    }

    /// Fill, left end and width of the bars, in order.
    fn bars(svg: &str) -> Vec<(String, f64, f64)> {
        let document = roxmltree::Document::parse(svg).unwrap();
        let bars = document.descendants().filter(|node| {
            node.has_tag_name(("http://www.w3.org/2000/svg", "rect")) && node.has_children()
        });
        let number = |node: &roxmltree::Node<'_, '_>, name| {
            node.attribute(name).unwrap().parse::<f64>().unwrap()
        };
        bars.map(|bar| {
            let fill = bar.attribute("fill").unwrap().to_owned();
            (fill, number(&bar, "x"), number(&bar, "width"))
        })
        .collect()
    }

    #[test]
    fn bars_are_as_long_as_their_values_and_the_remainder_has_another_shade() {
        let svg = ranking(&chart(vec![
            bar("27 Mineral fuels", 4e9, false),
            bar("all others", 2e9, true),
        ]));
        let bars = bars(&svg);
        assert_eq!(bars[0].0, COLOURS[0]);
        assert_eq!(bars[1].0, REMAINDER);
        assert!((bars[0].2 - 2.0 * bars[1].2).abs() < 0.2, "{bars:?}");
        assert!(
            svg.contains("27 Mineral fuels: 4.00 12.5 %, +3.1 %"),
            "{svg}"
        );
    }

    #[test]
    fn a_deficit_goes_to_the_left_of_zero() {
        let bars = bars(&ranking(&chart(vec![
            bar("surplus", 3.0, false),
            bar("deficit", -1.0, false),
        ])));
        let (_, zero, _) = bars[0];
        let (_, left, width) = bars[1];
        assert!(width > 0.0 && (left + width - zero).abs() < 0.2, "{bars:?}");
    }

    #[test]
    fn what_is_too_small_for_its_column_is_not_nothing() {
        let svg = ranking(&chart(vec![bar("a", 4e9, false), bar("b", 4.0, false)]));
        assert!(svg.contains("&lt;0.01"), "{svg}");
    }

    #[test]
    fn a_ranking_of_nothing_is_a_file_too() {
        assert_eq!(bars(&ranking(&chart(Vec::new()))), []);
    }
}
