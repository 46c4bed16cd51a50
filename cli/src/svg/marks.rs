//! The marks of points: what tells lines apart without colour.

use svg::Node;
use svg::node::element::{Circle, Element, Polygon, Title};

use super::sheet::{COLOURS, px};

/// The corners of the marks after the circle, for a radius of one. A smaller area gets longer corners.
const OUTLINES: [&[(f64, f64)]; 5] = [
    &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    &[(0.0, -1.2), (1.15, 0.8), (-1.15, 0.8)],
    &[(0.0, -1.3), (1.1, 0.0), (0.0, 1.3), (-1.1, 0.0)],
    &[(0.0, 1.2), (1.15, -0.8), (-1.15, -0.8)],
    &[(-1.3, -0.4), (1.3, -0.4), (1.3, 0.4), (-1.3, 0.4)],
];

/// A mark of the line with this number.
pub(super) struct Mark {
    pub(super) number: usize,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) radius: f64,
    pub(super) hollow: bool,
}

impl Mark {
    /// With what a browser shows over it.
    pub(super) fn draw(&self, tip: &str) -> Element {
        let mut mark = self.outline();
        let colour = COLOURS[self.number % COLOURS.len()];
        mark.assign("fill", if self.hollow { "#FFFFFF" } else { colour });
        mark.assign("stroke", colour);
        mark.assign("stroke-width", 1.5);
        if !tip.is_empty() {
            mark.append(Title::new(tip));
        }
        mark
    }

    fn outline(&self) -> Element {
        let shape = self.number % (OUTLINES.len() + 1);
        let Some(outline) = shape.checked_sub(1).map(|shape| OUTLINES[shape]) else {
            let circle = Circle::new().set("r", px(self.radius));
            return circle.set("cx", px(self.x)).set("cy", px(self.y)).into();
        };
        let corner = |(x, y): &(f64, f64)| {
            let (x, y) = (self.x + x * self.radius, self.y + y * self.radius);
            format!("{},{}", px(x), px(y))
        };
        let corners: Vec<String> = outline.iter().map(corner).collect();
        Polygon::new().set("points", corners.join(" ")).into()
    }
}
