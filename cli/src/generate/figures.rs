//! Figures of trade as two customs offices count it: for each pair of countries, year and direction what the exporter
//! says and what the importer says, by month and for the year, as the total, by chapter and by six-digit code.
//!
//! Every value is a function of the seed and its place. So nothing is remembered but the codes of one pair, and a year is
//! the sum of its months, a chapter that of its codes, the total that of its chapters.

use proto::Country;
use proto::trade::v1::{Flow, ObservationFlag, ObservationGroup, ObservationRow};

use super::chance::{Chance, Zipf, share};
use super::world::{self, Pair};

/// The classification of all codes.
pub(crate) const CLASSIFICATION: &str = "H5";
/// The first year of the first round through all pairs, how many years a round has, and how many rounds there are: no
/// further back than the Harmonized System itself.
const FIRST_YEAR: u16 = 2019;
const YEARS: u16 = 5;
const ROUNDS: u64 = 7;
/// As many figures as there can be.
pub(crate) const MOST_ROWS: u64 = 5_000_000_000;
/// Months and the year.
const PERIODS: u64 = 13;
/// Groups of a pair in a round: years, directions, sides, periods.
const GROUPS: u64 = YEARS as u64 * 2 * 2 * PERIODS;
/// What the largest flow of all comes to in a month, in dollars.
const LARGEST: f64 = 2.5e10;
/// The first chapters, which are of what grows: their trade has seasons.
const GROWN: u8 = 24;

/// Of so many figures one is revised.
pub(super) const REVISED: u64 = 50;

/// How much, and of which chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The seed of all chance.
    pub(crate) seed: u64,
    /// How many figures.
    pub(crate) rows: u64,
}

impl Plan {
    /// How many pairs share the rows: the more rows, the more pairs.
    pub(super) fn pairs(self) -> usize {
        let wanted = usize::try_from(self.rows.isqrt() / 10).unwrap_or(usize::MAX);
        wanted.clamp(1, world::PAIRS)
    }
}

/// The figures as they were first published, or some of them as they were revised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edition {
    /// All of them.
    First,
    /// About one in fifty (`REVISED`), with another value.
    Revised,
}

/// Groups of figures in the order of pair, year, direction, side and period.
#[derive(Debug)]
pub(crate) struct Figures {
    plan: Plan,
    edition: Edition,
    pairs: Vec<Pair>,
    /// How many pairs share the rows, and what the first one's part is.
    sharing: usize,
    first_part: f64,
    goods: Goods,
    /// The group that comes next, counted over all pairs and rounds.
    next: u64,
    /// Rows that were made, of those that were planned.
    made: u64,
}

/// What a pair trades.
#[derive(Debug)]
struct Goods {
    pair: Pair,
    chapters: Vec<Chapter>,
    /// What the pair trades in a month, in dollars.
    scale: f64,
}

/// A chapter, and the codes of it that are traded.
#[derive(Debug)]
struct Chapter {
    number: u8,
    /// The part of the pair's trade.
    part: f64,
    /// Six-digit codes with their part of the chapter; none where only the chapter is published.
    codes: Vec<(u32, f64)>,
}

/// Which group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    year: u16,
    /// Whether the second of the pair exports.
    back: bool,
    by_importer: bool,
    /// 1 to 12; none for the year.
    month: Option<u8>,
}

/// What is counted: a code or, where codes are not published, a chapter, in one direction.
#[derive(Clone, Copy, Debug)]
struct Subject {
    code: u32,
    chapter: u8,
    usual: f64,
}

impl Figures {
    /// The figures of a plan.
    pub(crate) fn new(plan: Plan, edition: Edition) -> Figures {
        let pairs = world::pairs();
        let sharing = plan.pairs();
        let all = (0..sharing).map(share).sum::<f64>();
        let mut figures = Figures {
            plan,
            edition,
            goods: Goods::none(pairs[0]),
            pairs,
            sharing,
            first_part: float(plan.rows) / all,
            next: 0,
            made: 0,
        };
        figures.goods = figures.goods_of(0);
        figures
    }

    /// What the pair of this number trades, after all pairs the first one again, in the years before.
    fn goods_of(&self, number: u64) -> Goods {
        let pair = self.pairs[wrapped(number, self.pairs.len())];
        let part = if pair.place < self.sharing {
            self.first_part * share(pair.place)
        } else {
            0.0
        };
        Goods::of(self.plan.seed, pair, whole(part / float(GROUPS)))
    }

    fn group(&self, number: u64) -> ObservationGroup {
        let round = number / GROUPS / self.pairs.len() as u64;
        let place = Place::of(round, number % GROUPS);
        let [first, second] = self.goods.pair.countries();
        let (exporter, importer) = if place.back {
            (second, first)
        } else {
            (first, second)
        };
        let (reporter, partner, flow) = if place.by_importer {
            (importer, exporter, Flow::Import)
        } else {
            (exporter, importer, Flow::Export)
        };
        ObservationGroup {
            reporter: reporter.to_string(),
            partner: partner.to_string(),
            flow: flow.into(),
            classification: CLASSIFICATION.into(),
            period: place.period(),
            rows: self.goods.rows(self.plan.seed, place),
        }
    }

    /// Numbers the rows, and keeps those that are still wanted.
    fn count(&mut self, group: &mut ObservationGroup) {
        let left = usize::try_from(self.plan.rows - self.made).unwrap_or(usize::MAX);
        group.rows.truncate(left);
        for row in &mut group.rows {
            self.made += 1;
            row.number = i64::try_from(self.made).unwrap_or(i64::MAX);
        }
    }
}

impl Iterator for Figures {
    type Item = ObservationGroup;

    fn next(&mut self) -> Option<ObservationGroup> {
        loop {
            let round = self.next / GROUPS / self.pairs.len() as u64;
            if self.made >= self.plan.rows || round >= ROUNDS {
                return None;
            }
            let mut group = self.group(self.next);
            self.next += 1;
            if self.next.is_multiple_of(GROUPS) {
                self.goods = self.goods_of(self.next / GROUPS);
            }
            self.count(&mut group);
            if self.edition == Edition::Revised {
                revise(&mut group, self.plan.seed);
            }
            if !group.rows.is_empty() {
                return Some(group);
            }
        }
    }
}

/// Keeps the rows that were revised later, with the values that they got then.
fn revise(group: &mut ObservationGroup, seed: u64) {
    let chance = |row: &ObservationRow| Chance::of(seed, &[REVISION, row.number.unsigned_abs()]);
    group.rows.retain(|row| chance(row).one_in(REVISED));
    for row in &mut group.rows {
        let mut chance = chance(row);
        chance.next();
        let value: u64 = row.value.parse().unwrap_or_default();
        let changed = whole(float(value) * (0.97 + 0.08 * chance.unit()));
        row.value = changed.max(value / 2 + 1).to_string();
        row.flags.clear();
    }
}

/// Kinds of chance, so that none is used twice.
const SCALE: u64 = 1;
const PARTS: u64 = 2;
const CODES: u64 = 3;
const USUAL: u64 = 4;
const MONTH: u64 = 5;
const SIDE: u64 = 6;
const REVISION: u64 = 7;
const WEIGHT: u64 = 8;

impl Goods {
    fn none(pair: Pair) -> Goods {
        Goods {
            pair,
            chapters: Vec::new(),
            scale: 0.0,
        }
    }

    /// As many codes as make about so many rows a group.
    fn of(seed: u64, pair: Pair, rows: u64) -> Goods {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX).max(4);
        let mut chance = Chance::of(seed, &[SCALE, pair.place as u64]);
        let [a, b] = pair.places;
        let scale = LARGEST * share(a) * share(b) * chance.spread(0.8);
        let with_codes = rows >= 40;
        let count = if with_codes {
            (rows / 6).clamp(8, 96)
        } else {
            rows - 1
        };
        let mut chapters = chapters(seed, pair, count);
        if with_codes {
            spread_codes(seed, pair, &mut chapters, rows - 1 - count);
        }
        Goods {
            pair,
            chapters,
            scale,
        }
    }

    fn rows(&self, seed: u64, place: Place) -> Vec<ObservationRow> {
        let mut total = 0;
        let (mut by_chapter, mut by_code) = (Vec::new(), Vec::new());
        for chapter in &self.chapters {
            let mut sum = 0;
            for (code, part) in &chapter.codes {
                let row = self.figure(seed, place, *code, chapter, *part);
                if row.value > 0 {
                    sum += row.value;
                    by_code.push(row.detailed(seed, *code));
                }
            }
            if chapter.codes.is_empty() {
                sum = self
                    .figure(seed, place, chapter.number.into(), chapter, 1.0)
                    .value;
            }
            if sum > 0 {
                by_chapter.push(plain(format!("{:02}", chapter.number), sum));
                total += sum;
            }
        }
        if total == 0 {
            return Vec::new();
        }
        let mut rows = vec![plain("TOTAL".into(), total)];
        rows.append(&mut by_chapter);
        rows.append(&mut by_code);
        rows
    }

    fn figure(&self, seed: u64, place: Place, code: u32, chapter: &Chapter, part: f64) -> Figure {
        let pair = self.pair.place as u64;
        let direction = u64::from(place.back);
        let usual = Chance::of(seed, &[USUAL, pair, direction, code.into()]).spread(1.2);
        let subject = Subject {
            code,
            chapter: chapter.number,
            usual: self.scale * chapter.part * part * usual,
        };
        let months = match place.month {
            Some(month) => month..=month,
            None => 1..=12,
        };
        let value = months
            .map(|month| subject.value(seed, pair, place, month))
            .sum();
        let mut beside = Chance::of(seed, &[WEIGHT, pair, place.year.into(), code.into()]);
        Figure {
            value,
            chance: beside.next(),
        }
    }
}

/// A value, and chance for what stands beside it.
struct Figure {
    value: u64,
    chance: u64,
}

impl Figure {
    /// The row of a six-digit code: nine in ten have a weight, half a quantity, one in ten an estimate.
    fn detailed(&self, seed: u64, code: u32) -> ObservationRow {
        let mut row = plain(format!("{code:06}"), self.value);
        let dear = Chance::of(seed, &[WEIGHT, code.into()]).spread(2.5) * 4.0;
        let weight = whole(float(self.value) / dear).max(1);
        if !self.chance.is_multiple_of(10) {
            row.net_weight = weight.to_string();
        }
        if self.chance.is_multiple_of(2) {
            row.quantity = weight.to_string();
            row.quantity_unit = 8;
        }
        if self.chance % 10 == 1 {
            row.flags = vec![ObservationFlag::NetWeightEstimated.into()];
        }
        row
    }
}

impl Subject {
    /// What one side counts in a month. The importer counts freight and insurance as well, counts some goods under
    /// another code, and neither counts as the other does.
    fn value(self, seed: u64, pair: u64, place: Place, month: u8) -> u64 {
        let at = [
            pair,
            place.back.into(),
            self.code.into(),
            place.year.into(),
            month.into(),
        ];
        let mut chance = Chance::of(seed, &[MONTH, at[0], at[1], at[2], at[3], at[4]]);
        // Not everything is traded every month.
        if self.code >= 100 && chance.one_in(10) {
            return 0;
        }
        let years = f64::from(place.year) - f64::from(FIRST_YEAR);
        let trend = 1.0 + 0.06 * years;
        let traded = self.usual * trend.max(0.1) * season(self.chapter, month) * chance.spread(0.3);
        let mut side = Chance::of(seed, &[SIDE, at[0], at[1], at[2], place.by_importer.into()]);
        if self.code >= 100 && side.one_in(15) {
            return 0;
        }
        let freight = if place.by_importer {
            1.03 + 0.09 * side.unit()
        } else {
            1.0
        };
        let counted = freight * (0.97 + 0.06 * side.unit()) * (0.99 + 0.02 * chance.unit());
        whole(traded * counted)
    }
}

/// The part of a usual month: what grows has a harvest, the rest is slow in February and busy before the year ends.
fn season(chapter: u8, month: u8) -> f64 {
    const HARVEST: [f64; 12] = [
        0.95, 0.85, 0.8, 0.75, 0.8, 0.9, 1.0, 1.15, 1.25, 1.3, 1.2, 1.05,
    ];
    const BUSINESS: [f64; 12] = [
        0.97, 0.82, 1.0, 0.98, 1.0, 1.01, 1.0, 1.01, 1.04, 1.02, 1.05, 1.1,
    ];
    let curve = if chapter <= GROWN { HARVEST } else { BUSINESS };
    // Not every harvest is in autumn.
    let shift = if chapter <= GROWN { chapter % 3 } else { 0 };
    curve[usize::from((month - 1 + shift) % 12)]
}

/// The chapters that a pair trades, by their numbers, each with its part.
fn chapters(seed: u64, pair: Pair, count: usize) -> Vec<Chapter> {
    let mut chance = Chance::of(seed, &[PARTS, pair.place as u64]);
    let ranked = world::chapters().into_iter().enumerate();
    let mut weighed: Vec<(f64, u8)> = ranked
        .map(|(place, number)| (share(place) * chance.spread(1.0), number))
        .collect();
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    weighed.truncate(count);
    let whole: f64 = weighed.iter().map(|(weight, _)| weight).sum();
    weighed.sort_by_key(|(_, number)| *number);
    let chapter = |(weight, number)| Chapter {
        number,
        part: weight / whole,
        codes: Vec::new(),
    };
    weighed.into_iter().map(chapter).collect()
}

/// Gives so many codes to chapters, to the larger ones more; at least one to each.
fn spread_codes(seed: u64, pair: Pair, chapters: &mut [Chapter], codes: usize) {
    for chapter in &mut *chapters {
        let wanted = whole(chapter.part * float(codes as u64)).max(1);
        let wanted = u16::try_from(wanted).unwrap_or(u16::MAX);
        let all = world::codes_of(chapter.number);
        let mut chance = Chance::of(seed, &[CODES, pair.place as u64, chapter.number.into()]);
        let mut numbers: Vec<u16> = (0..all).collect();
        chance.shuffle(&mut numbers);
        numbers.truncate(wanted.into());
        let sum: f64 = (0..numbers.len()).map(share).sum();
        let part = |(place, number)| (world::code(chapter.number, number), share(place) / sum);
        chapter.codes = numbers.into_iter().enumerate().map(part).collect();
        chapter.codes.sort_by_key(|(code, _)| *code);
    }
}

impl Place {
    /// The group of a number inside a pair; each round goes five years further back.
    fn of(round: u64, number: u64) -> Place {
        let period = u8::try_from(number % PERIODS).unwrap_or_default();
        let rest = number / PERIODS;
        let year = u16::try_from(rest / 4).unwrap_or_default();
        let back = u16::try_from(round).unwrap_or_default() * YEARS;
        Place {
            year: FIRST_YEAR - back + year,
            back: rest % 4 >= 2,
            by_importer: rest % 2 == 1,
            month: (period < 12).then_some(period + 1),
        }
    }

    fn period(self) -> String {
        match self.month {
            Some(month) => format!("{:04}-{month:02}", self.year),
            None => format!("{:04}", self.year),
        }
    }
}

/// A row with nothing but a value. It has no number yet.
fn plain(code: String, value: u64) -> ObservationRow {
    ObservationRow {
        code,
        value: value.to_string(),
        ..ObservationRow::default()
    }
}

/// Pairs by chance, the larger ones more often.
#[derive(Debug)]
pub(crate) struct Pairs {
    pairs: Vec<Pair>,
    zipf: Zipf,
}

impl Pairs {
    /// The first pairs, at most so many.
    pub(crate) fn first(count: usize) -> Pairs {
        let mut pairs = world::pairs();
        pairs.truncate(count.max(1));
        let zipf = Zipf::of(pairs.len());
        Pairs { pairs, zipf }
    }

    /// One of them.
    pub(crate) fn pick(&self, chance: &mut Chance) -> [Country; 2] {
        self.pairs[self.zipf.pick(chance)].countries()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "values stay far below 2^52, and chance does not care"
)]
fn float(number: u64) -> f64 {
    number as f64
}

/// The number before the point; none below zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn wrapped(number: u64, length: usize) -> usize {
    usize::try_from(number % length.max(1) as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashSet};

    use super::*;

    fn all(rows: u64, edition: Edition) -> Vec<ObservationGroup> {
        Figures::new(Plan { seed: 1, rows }, edition).collect()
    }

    fn count(groups: &[ObservationGroup]) -> u64 {
        groups.iter().map(|group| group.rows.len() as u64).sum()
    }

    #[test]
    fn as_many_rows_come_as_were_asked_for() {
        for rows in [0, 1, 57, 1_000, 54_321] {
            assert_eq!(count(&all(rows, Edition::First)), rows);
        }
    }

    #[test]
    fn no_figure_comes_twice() {
        let groups = all(50_000, Edition::First);
        let mut seen = HashSet::new();
        for group in &groups {
            for row in &group.rows {
                let key = (
                    &group.reporter,
                    &group.partner,
                    group.flow,
                    &group.period,
                    &row.code,
                );
                assert!(seen.insert(key), "{key:?}");
            }
        }
    }

    #[test]
    fn every_round_has_years_of_its_own_and_none_is_before_the_harmonized_system() {
        let places = (0..ROUNDS).flat_map(|round| (0..GROUPS).map(move |at| (round, at)));
        let periods = places.map(|(round, at)| {
            let place = Place::of(round, at);
            (place.period(), place.back, place.by_importer)
        });
        let distinct: BTreeSet<_> = periods.collect();
        assert_eq!(distinct.len() as u64, ROUNDS * GROUPS);
        let (first, _, _) = distinct.first().unwrap();
        assert_eq!(first, "1989");
    }

    #[test]
    fn the_rounds_have_room_for_as_many_figures_as_may_be_asked_for() {
        for rows in [1_000_000_000, MOST_ROWS] {
            let figures = Figures::new(Plan { seed: 1, rows }, Edition::First);
            let mut codes = 0;
            for number in 0..figures.pairs.len() as u64 {
                let chapters = figures.goods_of(number).chapters;
                codes += chapters
                    .iter()
                    .map(|one| one.codes.len() as u64)
                    .sum::<u64>();
            }
            // One code in ten is not traded in a month, and one in fifteen is missing on a side.
            let room = codes * GROUPS * ROUNDS / 100 * 84;
            assert!(room > rows, "{room} of {rows}");
        }
    }

    #[test]
    fn a_year_is_the_sum_of_its_months_and_the_total_that_of_its_chapters() {
        let groups = all(20_000, Edition::First);
        let mut months: BTreeMap<&str, u64> = BTreeMap::new();
        let value = |row: &ObservationRow| row.value.parse::<u64>().unwrap();
        for group in &groups[..12] {
            for row in &group.rows {
                *months.entry(&row.code).or_default() += value(row);
            }
        }
        let year = &groups[12];
        assert_eq!((&*groups[0].period, &*year.period), ("2019-01", "2019"));
        for row in &year.rows {
            assert_eq!(months[&*row.code], value(row), "{}", row.code);
        }
        let chapters = year
            .rows
            .iter()
            .filter(|row| row.code.len() == 2)
            .map(value);
        assert_eq!(chapters.sum::<u64>(), value(&year.rows[0]));
    }

    #[test]
    fn the_two_sides_do_not_count_the_same() {
        let groups = all(20_000, Edition::First);
        let of = |reporter: &str, partner: &str, flow: Flow| {
            let found = groups.iter().find(|group| {
                let is = (&*group.reporter, &*group.partner) == (reporter, partner);
                is && group.flow() == flow && group.period == "2020"
            });
            found.unwrap().rows[0].value.parse::<f64>().unwrap()
        };
        let exporter = of("CHN", "KAZ", Flow::Export);
        let importer = of("KAZ", "CHN", Flow::Import);
        let gap = (importer - exporter) / exporter;
        assert!(
            gap.abs() > 0.001 && gap.abs() < 0.6,
            "{exporter} {importer}"
        );
    }

    #[test]
    fn values_are_spread_over_many_digits() {
        let groups = all(100_000, Edition::First);
        let rows = groups.iter().flat_map(|group| &group.rows);
        let digits: HashSet<usize> = rows.map(|row| row.value.len()).collect();
        assert!(digits.len() >= 7, "{digits:?}");
    }

    #[test]
    fn about_one_in_fifty_is_revised_and_has_another_value() {
        let first = all(50_000, Edition::First);
        let values: BTreeMap<i64, &str> = first
            .iter()
            .flat_map(|group| &group.rows)
            .map(|row| (row.number, &*row.value))
            .collect();
        let revised = all(50_000, Edition::Revised);
        let rows = count(&revised);
        assert!((800..1_200).contains(&rows), "{rows}");
        let changed = revised.iter().flat_map(|group| &group.rows);
        let changed = changed
            .filter(|row| values[&row.number] != row.value)
            .count();
        assert!(changed as u64 * 100 >= rows * 95, "{changed} of {rows}");
    }

    #[test]
    fn another_seed_makes_other_figures() {
        let one: Vec<_> = Figures::new(Plan { seed: 1, rows: 100 }, Edition::First).collect();
        let other: Vec<_> = Figures::new(Plan { seed: 2, rows: 100 }, Edition::First).collect();
        assert_ne!(one, other);
    }
}
