//! The questions, what each is asked about, and answers in one form, so that three systems' answers can
//! be held against each other.

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};

use serde_json::{Value, json};

use super::world::{Area, Lane, World, flow_number, period_number};
use crate::bench::generate::{MONTHS, mixed};

/// Rows of a ranking.
pub(super) const TOP: i32 = 10;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// One figure with its weight and quantity.
    Point,
    /// Ten years of months of a pair's total in a flow.
    Series,
    /// The first ten partners of a reporter in a flow by the total of a year's months, with the year before
    /// and the published total of the world.
    Partners,
    /// The first ten six-digit codes of a pair in a flow over a year's months, with the year before and the
    /// pair's total.
    Commodities,
    /// A year's months of a pair in both directions as either side counts them: the total and the chapters.
    Mirror,
}

/// What a question is asked about: parts that it does not need are of no meaning to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) lane: Lane,
    /// The month of a figure, or the first of the year.
    pub(super) month: u64,
    /// Which of the month's rows is meant.
    row: u64,
}

/// Rows of texts, in the order of the answer; decimals in thousandths, so that each has one spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer(pub(super) Vec<Vec<String>>);

impl Question {
    pub(super) const ALL: [Question; 5] = [
        Question::Point,
        Question::Series,
        Question::Partners,
        Question::Commodities,
        Question::Mirror,
    ];

    /// Its name in the report, and among the statements of the other systems.
    pub(super) fn name(self) -> &'static str {
        match self {
            Question::Point => "point",
            Question::Series => "series",
            Question::Partners => "partners",
            Question::Commodities => "commodities",
            Question::Mirror => "mirror",
        }
    }

    /// Keys by chance, the same in every run.
    pub(super) fn keys(self, world: World, count: usize) -> Vec<Key> {
        let chances = (0_u64..).map(|number| mixed([7, self as u64, number]));
        let keys = chances.map(|chance| self.key(world, chance));
        let is_fit = |key: &Key| self != Question::Commodities || key.lane.is_main();
        keys.filter(is_fit).take(count).collect()
    }

    fn key(self, world: World, chance: u64) -> Key {
        let lane = world.lane(chance, self == Question::Mirror);
        let chance = mixed([8, chance, 0]);
        // Of a year the one before is in as well.
        let month = match self {
            Question::Point | Question::Series => chance % MONTHS,
            Question::Partners | Question::Commodities | Question::Mirror => {
                12 + 12 * (chance % (MONTHS / 12 - 1))
            }
        };
        let row = chance >> 32;
        Key { lane, month, row }
    }
}

impl Key {
    /// The code of the figure that is asked for.
    pub(super) fn code(&self) -> String {
        let mut rows = self.lane.rows(self.month);
        let row = self.row % rows.len() as u64;
        rows.swap_remove(usize::try_from(row).unwrap_or_default())
            .code
    }

    pub(super) fn reporter(&self) -> i16 {
        column(self.lane.reporter)
    }

    pub(super) fn partner(&self) -> i16 {
        column(self.lane.partner)
    }

    pub(super) fn flow(&self) -> i16 {
        flow_number(self.lane.flow)
    }

    pub(super) fn period(&self) -> i32 {
        period_number(self.month)
    }

    /// The year, for a service.
    pub(super) fn year(&self) -> String {
        (self.period() / 100).to_string()
    }

    /// The same month a year before.
    pub(super) fn before(&self) -> i32 {
        self.period() - 100
    }

    /// The last month of the year.
    pub(super) fn last(&self) -> i32 {
        self.period() / 100 * 100 + 12
    }

    /// For a program.
    pub(super) fn json(&self, question: Question) -> Value {
        let code = match question {
            Question::Point => self.code(),
            Question::Series | Question::Partners | Question::Commodities | Question::Mirror => {
                String::new()
            }
        };
        json!({
            "reporter": self.reporter(),
            "partner": self.partner(),
            "flow": self.flow(),
            "code": code,
            "period": self.period(),
            "before": self.before(),
            "last": self.last(),
        })
    }
}

/// As tables have it.
pub(super) fn column(area: Area) -> i16 {
    i16::try_from(area.0).unwrap_or(i16::MAX)
}

/// A part of an answer; nothing is an empty text.
pub(super) fn text(part: Option<impl ToString>) -> String {
    part.map(|part| part.to_string()).unwrap_or_default()
}

impl Answer {
    /// Of a table's rows. A ranking has the value of the year before as its third column, and the service
    /// says the growth since: that is made of it.
    pub(super) fn of_table(question: Question, mut rows: Vec<Vec<String>>) -> Answer {
        if matches!(question, Question::Partners | Question::Commodities) {
            for row in &mut rows {
                row[2] = text(growth(&row[1], &row[2]));
            }
        }
        Answer(rows)
    }
}

/// In millionths, rounded half to even; none from nothing.
fn growth(value: &str, before: &str) -> Option<i128> {
    let (value, before): (i128, i128) = (value.parse().ok()?, before.parse().ok()?);
    let scaled = (value - before) * 1_000_000;
    let (quotient, rest) = (
        scaled.checked_div_euclid(before)?,
        scaled.checked_rem_euclid(before)?,
    );
    let up = match (2 * rest).cmp(&before) {
        Ordering::Less => 0,
        Ordering::Equal => quotient.rem_euclid(2),
        Ordering::Greater => 1,
    };
    Some(quotient + up)
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows: Vec<String> = self.0.iter().map(|row| row.join(" ")).collect();
        f.write_str(&rows.join("; "))
    }
}
