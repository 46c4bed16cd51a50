//! Lines in a picture that takes its colours from the page.

use svg::node::element::{Circle, Group, Line as Stroke, Polyline, Text, Title};
use svg::{Document, Node};

use super::escaped;
use crate::chart::text::plain;
use crate::load::table::{amount, time};

const WIDTH: f64 = 952.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 34.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 26.0;
/// Points that have a mark of their own, when there are no more.
const MARKED: usize = 60;
const LETTER: f64 = 7.0;

/// What an axis shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Seconds, evenly.
    Seconds,
    /// Milliseconds, each decade as wide as the next.
    Millis,
    /// A count, evenly from zero.
    Count,
    /// Calls a second, each decade as wide as the next.
    Rate,
    /// A share of calls: each nine as wide as the next.
    Share,
}

/// A picture.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) title: &'static str,
    /// How to read it.
    pub(super) note: &'static str,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) lines: Vec<Line>,
}

/// A line; where a point has no value it is interrupted.
#[derive(Debug)]
pub(super) struct Line {
    name: &'static str,
    points: Vec<(f64, Option<f64>)>,
    is_dashed: bool,
}

/// From values to pixels.
struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Line {
    pub(super) fn new(name: &'static str, points: Vec<(f64, Option<f64>)>) -> Line {
        Line {
            name,
            points,
            is_dashed: false,
        }
    }

    pub(super) fn dashed(self) -> Line {
        Line {
            is_dashed: true,
            ..self
        }
    }

    fn given(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().filter_map(|(x, y)| Some((*x, (*y)?)))
    }
}

impl Plot {
    /// With its title and how to read it; nothing when there is nothing to show.
    pub(super) fn figure(&self) -> String {
        if self.lines.iter().all(|line| line.given().next().is_none()) {
            return String::new();
        }
        let (title, note) = (escaped(self.title), escaped(self.note));
        let drawn = self.draw();
        format!(
            "<figure>\n<figcaption><b>{title}</b><span>{note}</span></figcaption>\n{drawn}\n</figure>\n"
        )
    }

    fn draw(&self) -> Document {
        let points = || self.lines.iter().flat_map(Line::given);
        let x = Axis::of(self.x, points().map(|(x, _)| x), LEFT, WIDTH - RIGHT);
        let y = Axis::of(self.y, points().map(|(_, y)| y), HEIGHT - BOTTOM, TOP);
        let mut picture = Group::new();
        grid(&mut picture, &x, &y);
        for (number, line) in self.lines.iter().enumerate() {
            draw_line(&mut picture, number, line, &x, &y);
        }
        self.legend(&mut picture);
        Document::new()
            .set("viewBox", (0, 0, WIDTH, HEIGHT))
            .set("role", "img")
            .set("aria-label", self.told())
            .add(picture)
    }

    /// The lines' names above, to the right.
    fn legend(&self, picture: &mut Group) {
        const GAP: f64 = 18.0;
        let wide = |line: &Line| 26.0 + letters(line.name) + GAP;
        let mut x = WIDTH - RIGHT + GAP - self.lines.iter().map(wide).sum::<f64>();
        for (number, line) in self.lines.iter().enumerate() {
            let sample =
                stroke((x, 10.0), (x + 20.0, 10.0)).set("class", class(number, line.is_dashed));
            picture.append(sample.set("stroke-width", 3));
            picture.append(words(line.name, x + 26.0, 14.0, "start").set("class", "name"));
            x += wide(line);
        }
    }

    /// For those who do not see it.
    fn told(&self) -> String {
        let line = |line: &Line| {
            let highest = line.given().map(|(_, y)| y).fold(0.0, f64::max);
            format!("{} up to {}", line.name, label(self.y, highest))
        };
        let lines: Vec<String> = self.lines.iter().map(line).collect();
        plain(&format!("{}: {}", self.title, lines.join(", ")))
    }
}

/// A picture has no text from outside, but who draws need not know that.
fn words(text: &str, x: f64, y: f64, anchor: &str) -> Text {
    Text::new(plain(text))
        .set("x", px(x))
        .set("y", px(y))
        .set("text-anchor", anchor)
}

#[expect(clippy::cast_precision_loss, reason = "a name has a dozen letters")]
fn letters(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

fn class(number: usize, is_dashed: bool) -> String {
    let dashed = if is_dashed { " dashed" } else { "" };
    format!("s{}{dashed}", number % 4)
}

fn stroke(from: (f64, f64), to: (f64, f64)) -> Stroke {
    Stroke::new()
        .set("x1", px(from.0))
        .set("y1", px(from.1))
        .set("x2", px(to.0))
        .set("y2", px(to.1))
}

fn px(length: f64) -> String {
    format!("{length:.1}")
}

fn grid(picture: &mut Group, x: &Axis, y: &Axis) {
    for tick in y.ticks() {
        let at = y.place(tick);
        picture.append(stroke((LEFT, at), (WIDTH - RIGHT, at)).set("class", "grid"));
        picture.append(words(&mark(y.scale, tick), LEFT - 8.0, at + 4.0, "end"));
    }
    let foot = HEIGHT - BOTTOM;
    picture.append(stroke((LEFT, foot), (WIDTH - RIGHT, foot)).set("class", "axis"));
    for tick in x.ticks() {
        let at = x.place(tick);
        picture.append(stroke((at, foot), (at, foot + 4.0)).set("class", "axis"));
        picture.append(words(&mark(x.scale, tick), at, foot + 18.0, "middle"));
    }
}

fn draw_line(picture: &mut Group, number: usize, line: &Line, x: &Axis, y: &Axis) {
    for stretch in line.points.split(|(_, value)| value.is_none()) {
        let place = |(at, value): &(f64, Option<f64>)| {
            format!(
                "{},{}",
                px(x.place(*at)),
                px(y.place(value.unwrap_or_default()))
            )
        };
        let points: Vec<String> = stretch.iter().map(place).collect();
        let drawn = Polyline::new().set("points", points.join(" "));
        picture.append(drawn.set("class", class(number, line.is_dashed)));
    }
    let is_sparse = line.points.len() <= MARKED && !line.is_dashed;
    for (at, value) in line.given().filter(|_| is_sparse) {
        let tip = format!(
            "{} {}: {}",
            line.name,
            label(x.scale, at),
            label(y.scale, value)
        );
        let mark = Circle::new()
            .set("cx", px(x.place(at)))
            .set("cy", px(y.place(value)))
            .set("r", 2.6);
        picture.append(
            mark.set("class", class(number, false))
                .add(Title::new(plain(&tip))),
        );
    }
}

/// A value with its unit.
fn label(scale: Scale, value: f64) -> String {
    match scale {
        Scale::Seconds => format!("{} s", amount(value)),
        Scale::Millis => time(value),
        Scale::Count | Scale::Rate => amount(value),
        Scale::Share if value >= 1.0 => "100 %".into(),
        Scale::Share => {
            let text = format!("{:.6}", value * 100.0);
            format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

/// A round value with its unit: `1 ms` rather than `1.00 ms`.
fn mark(scale: Scale, value: f64) -> String {
    let told = label(scale, value);
    told.replace(".00 ", " ").replace(".0 ", " ")
}

impl Axis {
    fn of(scale: Scale, values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis {
        let values = values
            .map(|value| scale.flat(value))
            .filter(|value| value.is_finite());
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let (low, high) = match scale {
            Scale::Seconds | Scale::Count => (0.0, rounded_up(high.max(1.0), scale)),
            // From decade to decade, two at least.
            Scale::Millis | Scale::Rate => (low.floor(), high.ceil().max(low.floor() + 2.0)),
            Scale::Share => (0.0, high.ceil().max(2.0)),
        };
        Axis {
            scale,
            low,
            high,
            from,
            to,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let part = (self.scale.flat(value) - self.low) / (self.high - self.low);
        self.from + (self.to - self.from) * part.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Seconds | Scale::Count => even_ticks(self.high),
            Scale::Millis | Scale::Rate => decades(self.low, self.high),
            Scale::Share => [0.0, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999_999]
                .into_iter()
                .filter(|share| self.scale.flat(*share) <= self.high + 1e-9)
                .collect(),
        }
    }
}

impl Scale {
    /// The value on a scale that is even.
    fn flat(self, value: f64) -> f64 {
        match self {
            Scale::Seconds | Scale::Count => value,
            // No call takes less than a microsecond.
            Scale::Millis => value.max(1e-3).log10(),
            Scale::Rate => value.max(0.1).log10(),
            // The longest call of all is one more than can be told apart.
            Scale::Share => -(1.0 - value).max(1e-7).log10(),
        }
    }
}

/// The end of an axis: time ends where it ends, a count has some air.
fn rounded_up(high: f64, scale: Scale) -> f64 {
    if scale == Scale::Seconds {
        return high;
    }
    let step = step_of(high);
    (high / step).ceil() * step
}

fn step_of(high: f64) -> f64 {
    let decade = 10_f64.powf((high / 5.0).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps
        .into_iter()
        .find(|step| high / step <= 6.0)
        .unwrap_or(high)
}

fn even_ticks(high: f64) -> Vec<f64> {
    let step = step_of(high);
    let places = std::iter::successors(Some(0.0), move |at| Some(at + step));
    places
        .take_while(|at| *at <= high * 1.000_1)
        .take(20)
        .collect()
}

fn decades(low: f64, high: f64) -> Vec<f64> {
    let places = std::iter::successors(Some(low), |at| Some(at + 1.0));
    places
        .take_while(|at| *at <= high + 1e-9)
        .take(20)
        .map(|at| 10_f64.powf(at))
        .collect()
}
