//! What a chart shows, apart from how: `plot` draws it on the terminal, `svg` into a file.
//!
//! Values are `f64` here and nowhere else, because they end as pixels: nobody computes with them.

pub(crate) mod axis;
pub(crate) mod text;

/// What a hollow mark says.
pub(crate) const HOLLOW: &str =
    "hollow: provisional, estimated, implied, unverified or a lower bound";

/// Lines over the same periods.
#[derive(Debug, Default)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    /// What the values count, such as `USD`; the axis puts `bn` or `m` before it.
    pub(crate) unit: String,
    /// The periods in order, those without a figure included.
    pub(crate) x: Vec<String>,
    pub(crate) lines: Vec<Line>,
    /// Remarks and sources, with their numbers.
    pub(crate) footnotes: Vec<String>,
}

/// Figures that belong together.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// One for each of the chart's periods; `None` where there is no figure.
    pub(crate) points: Vec<Option<Point>>,
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) value: f64,
    /// Whether something qualifies it, as [`HOLLOW`] says.
    pub(crate) hollow: bool,
}

impl Chart {
    /// All values, of all lines.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        let points = self.lines.iter().flat_map(|line| line.points.iter());
        points.flatten().map(|point| point.value)
    }

    pub(crate) fn has_hollow(&self) -> bool {
        let mut points = self.lines.iter().flat_map(|line| line.points.iter());
        points.any(|point| point.is_some_and(|point| point.hollow))
    }
}

impl Line {
    /// The stretches without a missing figure, each point with the number of its period. A drawing joins
    /// the points of a stretch, and never two stretches.
    pub(crate) fn stretches(&self) -> Vec<Vec<(usize, Point)>> {
        let numbered: Vec<_> = self.points.iter().copied().enumerate().collect();
        let stretches = numbered.split(|(_, point)| point.is_none());
        let stretches = stretches.filter(|stretch| !stretch.is_empty());
        let given = |&(at, point): &(usize, Option<Point>)| point.map(|point| (at, point));
        stretches
            .map(|stretch| stretch.iter().filter_map(given).collect())
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A chart of years from 2010 on, with `None` where nothing was published.
    pub(crate) fn chart(lines: &[(&str, &[Option<f64>])]) -> Chart {
        let longest = lines.iter().map(|(_, values)| values.len()).max();
        let line = |(name, values): &(&str, &[Option<f64>])| Line {
            name: (*name).to_owned(),
            points: values.iter().map(|value| value.map(point)).collect(),
        };
        Chart {
            title: "China with Kazakhstan".into(),
            unit: "USD".into(),
            x: (2010..)
                .take(longest.unwrap_or_default())
                .map(year)
                .collect(),
            lines: lines.iter().map(line).collect(),
            ..Chart::default()
        }
    }

    fn point(value: f64) -> Point {
        Point {
            value,
            hollow: false,
        }
    }

    fn year(year: i32) -> String {
        year.to_string()
    }

    #[test]
    fn a_missing_figure_ends_a_stretch() {
        let chart = chart(&[("", &[None, Some(1.0), Some(2.0), None, None, Some(3.0)])]);
        let stretches = chart.lines[0].stretches();
        assert_eq!(
            stretches,
            [
                vec![(1, point(1.0)), (2, point(2.0))],
                vec![(5, point(3.0))]
            ]
        );
    }
}
