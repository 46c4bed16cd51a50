//! A grid of characters with two by four dots in each.

/// Braille patterns in the order of their bits; the bit of a dot by its row and column in the cell.
const BLANK: u32 = 0x2800;
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// A place in dots, from the upper left.
pub(super) type Dot = (usize, usize);

/// What is drawn so far.
pub(super) struct Canvas {
    columns: usize,
    dots: Vec<u8>,
    /// Characters that stand over the dots.
    marks: Vec<Option<char>>,
}

/// How a line is drawn: so many dots, then so many left out.
pub(super) struct Pen {
    pub(super) on: usize,
    pub(super) off: usize,
    drawn: usize,
}

impl Pen {
    pub(super) fn new(on: usize, off: usize) -> Pen {
        Pen { on, off, drawn: 0 }
    }

    fn draws(&mut self) -> bool {
        let at = self.drawn % (self.on + self.off);
        self.drawn += 1;
        at < self.on
    }
}

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Canvas {
        Canvas {
            columns,
            dots: vec![0; columns * rows],
            marks: vec![None; columns * rows],
        }
    }

    /// The cell of a dot.
    fn cell(&self, (x, y): Dot) -> usize {
        y / 4 * self.columns + x / 2
    }

    fn set(&mut self, dot: Dot) {
        let cell = self.cell(dot);
        if let Some(dots) = self.dots.get_mut(cell) {
            *dots |= BITS[dot.1 % 4][dot.0 % 2];
        }
    }

    /// Puts a character over the cell of a dot.
    pub(super) fn mark(&mut self, dot: Dot, mark: char) {
        let cell = self.cell(dot);
        if let Some(place) = self.marks.get_mut(cell) {
            *place = Some(mark);
        }
    }

    /// Joins two dots.
    pub(super) fn line(&mut self, from: Dot, to: Dot, pen: &mut Pen) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
        for step in 0..=steps {
            let x = between(from.0, to.0, step, steps);
            let y = between(from.1, to.1, step, steps);
            if pen.draws() {
                self.set((x, y));
            }
        }
    }

    /// The characters of a row, with `blank` where nothing is.
    pub(super) fn row(&self, row: usize, blank: char) -> String {
        let cells = row * self.columns..(row + 1) * self.columns;
        let cells = self.dots[cells.clone()].iter().zip(&self.marks[cells]);
        let cells = cells.map(|(dots, mark)| mark.unwrap_or_else(|| character(*dots, blank)));
        cells.collect()
    }
}

fn character(dots: u8, blank: char) -> char {
    match dots {
        0 => blank,
        dots => char::from_u32(BLANK + u32::from(dots)).unwrap_or(blank),
    }
}

/// The whole number at `step` of `steps` on the way.
fn between(from: usize, to: usize, step: usize, steps: usize) -> usize {
    let half = steps / 2;
    let way = |length: usize| {
        (length * step + half)
            .checked_div(steps)
            .unwrap_or_default()
    };
    if to >= from {
        from + way(to - from)
    } else {
        from - way(from - to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_joins_its_ends() {
        let mut canvas = Canvas::new(2, 1);
        canvas.line((0, 3), (3, 0), &mut Pen::new(1, 0));
        assert_eq!(canvas.row(0, ' '), "⡠⠊");
        canvas.mark((3, 0), '●');
        assert_eq!(canvas.row(0, ' '), "⡠●");
    }

    #[test]
    fn a_dashed_line_leaves_dots_out() {
        let mut canvas = Canvas::new(4, 1);
        canvas.line((0, 0), (7, 0), &mut Pen::new(2, 2));
        assert_eq!(canvas.row(0, '.'), "⠉.⠉.");
    }
}
