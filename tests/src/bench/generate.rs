//! Figures as a customs office publishes them: for each partner and flow ten years of months, each with
//! the total, the chapters and the six-digit codes that were traded. The same every time.

use std::sync::LazyLock;

use proto::trade::v1::{Flow, ObservationFlag, ObservationGroup, ObservationRow};

/// The dataset that figures go to.
pub(super) const DATASET: &str = "datasets/bench";
/// The months of each partner and flow.
pub(super) const MONTHS: u64 = 120;

const FIRST_YEAR: u64 = 2015;
pub(super) const CLASSIFICATION: &str = "H5";
const FLOWS: u64 = 2;

/// Reporters, and for each of them all others as partners.
const COUNTRIES: [&str; 40] = [
    "CHN", "KAZ", "KOR", "JPN", "DEU", "USA", "FRA", "GBR", "ITA", "NLD", "RUS", "IND", "BRA",
    "CAN", "MEX", "ESP", "POL", "TUR", "VNM", "THA", "MYS", "SGP", "IDN", "AUS", "BEL", "CHE",
    "SWE", "NOR", "AUT", "CZE", "HUN", "UZB", "KGZ", "TJK", "MNG", "PAK", "EGY", "ZAF", "NGA",
    "CHL",
];

/// About how many six-digit codes each chapter has, from 01 to 97 (77 is kept free by the Harmonized
/// System).
const CODES_OF_CHAPTER: [u32; 97] = [
    33, 64, 196, 32, 17, 13, 60, 59, 34, 23, 30, 46, 10, 4, 46, 36, 16, 11, 19, 48, 16, 22, 25, 10,
    68, 37, 42, 164, 375, 33, 22, 46, 30, 23, 15, 8, 31, 80, 131, 83, 37, 20, 12, 84, 7, 12, 20,
    117, 19, 9, 38, 124, 23, 70, 105, 32, 21, 40, 24, 43, 106, 113, 53, 25, 9, 6, 8, 49, 30, 62,
    52, 167, 124, 50, 17, 36, 0, 8, 9, 5, 48, 64, 36, 515, 285, 23, 76, 15, 18, 150, 51, 17, 20,
    41, 32, 51, 7,
];

/// All six-digit codes, in order.
static CODES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let chapters = (1..).zip(CODES_OF_CHAPTER);
    let codes = chapters.flat_map(|(chapter, count)| (0..count).map(move |place| (chapter, place)));
    codes
        .map(|(chapter, place)| format!("{chapter:02}{:02}{}0", 1 + place / 6, 1 + place % 6))
        .collect()
});

/// Makes groups without end, in the order of reporter, partner, flow and month.
#[derive(Debug)]
pub(super) struct Generator {
    pair: u64,
    month: u64,
    row: i64,
    goods: Goods,
}

/// What a pair trades in a flow.
#[derive(Debug)]
pub(super) struct Goods {
    pair: u64,
    /// Places in [`CODES`].
    places: Vec<usize>,
}

/// Who trades with whom, in which direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) reporter: &'static str,
    pub(super) partner: &'static str,
    pub(super) flow: Flow,
}

impl Pair {
    /// The first of all, whose months are in as soon as 20,000 rows are.
    pub(super) fn first() -> Pair {
        Pair::at(0)
    }

    /// Pairs repeat after all countries have been through; the months go on then.
    pub(super) fn at(number: u64) -> Pair {
        let flow = match number % FLOWS {
            0 => Flow::Export,
            _ => Flow::Import,
        };
        let others = COUNTRIES.len() as u64 - 1;
        let (reporter, other) = (number / FLOWS / others, number / FLOWS % others);
        let partner = if other < reporter % COUNTRIES.len() as u64 {
            other
        } else {
            other + 1
        };
        Pair {
            reporter: country(reporter),
            partner: country(partner),
            flow,
        }
    }

    /// How many pairs there are.
    pub(super) const COUNT: u64 = FLOWS * COUNTRIES.len() as u64 * (COUNTRIES.len() as u64 - 1);
}

/// The country of a number; after the last comes the first.
pub(super) fn country(number: u64) -> &'static str {
    COUNTRIES[place(number, COUNTRIES.len())]
}

/// The month of a number: the first is January of the first year.
pub(super) fn month(number: u64) -> String {
    format!("{}-{:02}", FIRST_YEAR + number / 12, 1 + number % 12)
}

/// The code of a number; after the last comes the first.
pub(super) fn code(number: u64) -> &'static str {
    &CODES[place(number, CODES.len())]
}

/// A group of a single month; its rows are to be filled in.
pub(super) fn group(pair: Pair, period: String, rows: Vec<ObservationRow>) -> ObservationGroup {
    ObservationGroup {
        reporter: pair.reporter.into(),
        partner: pair.partner.into(),
        flow: pair.flow.into(),
        classification: CLASSIFICATION.into(),
        period,
        rows,
    }
}

/// The name of a row's figure.
pub(super) fn name(group: &ObservationGroup, row: &ObservationRow) -> String {
    let ObservationGroup {
        reporter,
        partner,
        classification,
        period,
        ..
    } = group;
    let is_export = group.flow() == Flow::Export;
    let flow = if is_export { "X" } else { "M" };
    let code = &row.code;
    format!("{DATASET}/observations/{reporter}.{partner}.{flow}.{classification}.{code}.{period}")
}

impl Generator {
    pub(super) fn new() -> Generator {
        Generator {
            pair: 0,
            month: 0,
            row: 0,
            goods: goods(0),
        }
    }
}

impl Iterator for Generator {
    type Item = ObservationGroup;

    fn next(&mut self) -> Option<ObservationGroup> {
        let month = self.month + MONTHS * (self.pair / Pair::COUNT);
        let mut rows = self.goods.rows(month, 100);
        for row in &mut rows {
            self.row += 1;
            row.number = self.row;
        }
        let group = group(Pair::at(self.pair), self::month(month), rows);
        self.month += 1;
        if self.month == MONTHS {
            self.month = 0;
            self.pair += 1;
            self.goods = goods(self.pair);
        }
        Some(group)
    }
}

impl Goods {
    /// About `count` codes of all, chosen by the number of the pair.
    pub(super) fn about(count: u64, pair: u64) -> Goods {
        Goods::of_all(pair, count, CODES.len() as u64)
    }

    fn of_all(pair: u64, share: u64, whole: u64) -> Goods {
        let is_traded = |place: &usize| mixed([pair, 2, *place as u64]) % whole < share;
        Goods {
            pair,
            places: (0..CODES.len()).filter(is_traded).collect(),
        }
    }

    /// A month's rows: the total, then each chapter, then the codes, all at so many per cent of what is
    /// usual. They have no numbers yet.
    pub(super) fn rows(&self, month: u64, percent: u64) -> Vec<ObservationRow> {
        let mut codes = Vec::with_capacity(self.places.len());
        let mut chapters: Vec<(&str, u64)> = Vec::with_capacity(CODES_OF_CHAPTER.len());
        for place in &self.places {
            let chance = mixed([self.pair, month, *place as u64]);
            // Not every code is traded every month.
            if chance.is_multiple_of(10) {
                continue;
            }
            let code = CODES[*place].as_str();
            let value = usual_value(self.pair, *place) * (80 + chance % 41) / 100 * percent / 100;
            match chapters.last_mut() {
                Some((chapter, sum)) if code.starts_with(*chapter) => *sum += value,
                _ => chapters.push((&code[..2], value)),
            }
            codes.push(detail(code, value, chance >> 8));
        }
        let total = chapters.iter().map(|(_, sum)| sum).sum();
        let mut rows = Vec::with_capacity(1 + chapters.len() + codes.len());
        rows.push(plain("TOTAL", total));
        rows.extend(chapters.into_iter().map(|(code, sum)| plain(code, sum)));
        rows.append(&mut codes);
        rows
    }
}

/// A row with nothing but a value.
pub(super) fn plain(code: &str, value: u64) -> ObservationRow {
    ObservationRow {
        code: code.into(),
        value: value.to_string(),
        ..ObservationRow::default()
    }
}

/// A row of a six-digit code: nine in ten have a weight, half a quantity, one in ten an estimate.
fn detail(code: &str, value: u64, chance: u64) -> ObservationRow {
    let mut row = plain(code, value);
    if !chance.is_multiple_of(10) {
        row.net_weight = format!("{}.{}", value / (1 + chance % 50), chance % 10);
    }
    if chance.is_multiple_of(2) {
        row.quantity = (1 + value / (10 + chance % 100)).to_string();
        row.quantity_unit = 5;
    }
    if chance % 10 == 1 {
        row.flags = vec![ObservationFlag::NetWeightEstimated.into()];
    }
    row
}

/// From a fiftieth of all codes to half of them, and seldom many. The first pair trades little, so that
/// its ten years are in early.
fn goods(pair: u64) -> Goods {
    let wealth = mixed([pair, 1, 1]) % 1_000;
    let of_a_thousand = match pair {
        0 => 20,
        _ => 20 + wealth * wealth * wealth / 2_000_000,
    };
    Goods::of_all(pair, of_a_thousand, 1_000)
}

/// From hundreds to hundreds of millions, as evenly over the digits as trade is.
fn usual_value(pair: u64, place: usize) -> u64 {
    let chance = mixed([pair, 3, place as u64]);
    let power = u32::try_from(2 + chance % 7).unwrap_or_default();
    10_u64.pow(power) + (chance >> 8) % (9 * 10_u64.pow(power))
}

/// Splitmix64 over three numbers: chance that is the same every time.
pub(super) fn mixed(numbers: [u64; 3]) -> u64 {
    numbers.into_iter().fold(0, |state, number| {
        let mut z = (state ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

fn place(number: u64, length: usize) -> usize {
    usize::try_from(number % length as u64).unwrap_or_default()
}
