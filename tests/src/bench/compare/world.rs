//! Rows for the comparison. Each reporter has ten years of months with each of 61 partners, exports and
//! imports, and with the world; so every question has the same size of answer however many rows there
//! are, and more rows are more reporters.
//!
//! Trade is as uneven as it is: a country trades hundreds of goods with its first partner and a handful
//! with its last. Both sides of a trade count the same goods, each in its own way.

use std::collections::BTreeMap;

use proto::trade::v1::{Flow, ObservationGroup, ObservationRow};

use crate::bench::generate::{self, Goods, MONTHS, mixed};

/// Countries that everybody trades with; reporters up to this many see one another's figures.
const PARTNERS: u16 = 61;
/// About how many rows one reporter has.
const ROWS_OF_A_REPORTER: u64 = 500_000;
/// Goods in the largest trade of a country.
const GOODS_OF_THE_FIRST: u64 = 540;
/// Goods in the smallest.
const GOODS_OF_THE_LAST: u64 = 4;
/// Partners that count as main ones, by rank.
const MAIN_PARTNERS: u16 = 10;
const FLOWS: [Flow; 2] = [Flow::Export, Flow::Import];

/// A country by its number, which a table's column has; 0 is the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area(pub(super) u16);

/// Who trades with whom, in which direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) reporter: Area,
    pub(super) partner: Area,
    pub(super) flow: Flow,
}

/// A month of a lane.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) lane: Lane,
    /// Months since the first.
    pub(super) month: u64,
    /// The total first. They have no numbers.
    pub(super) rows: Vec<ObservationRow>,
}

/// All rows of one size of the comparison.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    reporters: u16,
}

/// Makes groups in the order of reporter, partner, flow and month; a reporter's trade with the world comes
/// after that with its partners, whose sum it is.
struct Groups {
    lanes: Box<dyn Iterator<Item = Lane> + Send>,
    current: Option<(Lane, Goods)>,
    month: u64,
    /// Of the reporter at hand, by flow and month; the world takes them.
    totals: BTreeMap<(i16, u64), u64>,
}

impl Area {
    pub(super) const WORLD: Area = Area(0);

    pub(super) fn code(self) -> &'static str {
        match self.0.checked_sub(1) {
            None => "WLD",
            Some(place) => COUNTRIES[usize::from(place)],
        }
    }

    /// The country of a code that a service answered with.
    pub(super) fn of_code(code: &str) -> Option<Area> {
        let place = COUNTRIES.iter().position(|known| *known == code)?;
        u16::try_from(1 + place).ok().map(Area)
    }
}

/// Comtrade's number of a flow, which is the wire's.
pub(super) fn flow_number(flow: Flow) -> i16 {
    i16::try_from(i32::from(flow)).unwrap_or_default()
}

/// A month as tables have it: 201501 is January 2015.
pub(super) fn period_number(month: u64) -> i32 {
    let digits = generate::month(month).replace('-', "");
    digits.parse().unwrap_or_default()
}

impl Lane {
    fn goods(self) -> Goods {
        let (from, to) = self.direction();
        let rank = u64::from(rank(from, to));
        let count = GOODS_OF_THE_FIRST / (rank * rank * rank).isqrt() + GOODS_OF_THE_LAST;
        Goods::about(count, u64::from(from.0) * 1_000 + u64::from(to.0))
    }

    /// Out of which country, into which.
    fn direction(self) -> (Area, Area) {
        if self.flow == Flow::Export {
            (self.reporter, self.partner)
        } else {
            (self.partner, self.reporter)
        }
    }

    /// Freight and insurance are in imports, a different part of them each month.
    fn percent(self, month: u64) -> u64 {
        let (from, to) = self.direction();
        if self.flow == Flow::Export {
            100
        } else {
            102 + mixed([from.0.into(), to.0.into(), month]) % 9
        }
    }

    /// A month's rows, of a lane that is not with the world.
    pub(super) fn rows(self, month: u64) -> Vec<ObservationRow> {
        self.goods().rows(month, self.percent(month))
    }

    pub(super) fn is_main(self) -> bool {
        let (from, to) = self.direction();
        rank(from, to) <= MAIN_PARTNERS
    }
}

/// The place of a trade among those of both countries, 1 for the largest: a Latin square, so that each
/// country has one partner of each rank in each direction.
fn rank(from: Area, to: Area) -> u16 {
    1 + (7 * from.0 + 11 * to.0) % PARTNERS
}

impl World {
    /// A world of about so many rows: whole reporters, and two at least, for a mirror needs both.
    pub(super) fn of(rows: u64) -> World {
        let reporters = (rows / ROWS_OF_A_REPORTER).clamp(2, COUNTRIES.len() as u64);
        World {
            reporters: u16::try_from(reporters).unwrap_or(u16::MAX),
        }
    }

    pub(super) fn groups(self) -> impl Iterator<Item = Group> + Send {
        Groups {
            lanes: Box::new((1..=self.reporters).map(Area).flat_map(lanes)),
            current: None,
            month: 0,
            totals: BTreeMap::new(),
        }
    }

    /// The groups as the wire has them, their rows numbered through.
    pub(super) fn observations(self) -> impl Iterator<Item = ObservationGroup> + Send {
        let mut number = 0;
        self.groups().map(move |group| {
            let Group {
                lane,
                month,
                mut rows,
            } = group;
            for row in &mut rows {
                number += 1;
                row.number = number;
            }
            ObservationGroup {
                reporter: lane.reporter.code().into(),
                partner: lane.partner.code().into(),
                flow: lane.flow.into(),
                classification: generate::CLASSIFICATION.into(),
                period: generate::month(month),
                rows,
            }
        })
    }

    /// A lane by chance; of those where both countries report, if `mirrored`.
    pub(super) fn lane(self, chance: u64, mirrored: bool) -> Lane {
        let (reporters, partners) = if mirrored {
            let both = self.reporters.min(PARTNERS);
            (both, both)
        } else {
            (self.reporters, PARTNERS)
        };
        let reporter = 1 + number(chance, reporters);
        let mut partner = 1 + number(chance >> 16, partners);
        if partner == reporter {
            partner = 1 + partner % partners;
        }
        Lane {
            reporter: Area(reporter),
            partner: Area(partner),
            flow: FLOWS[usize::from(number(chance >> 32, 2))],
        }
    }
}

fn number(chance: u64, below: u16) -> u16 {
    u16::try_from(chance % u64::from(below)).unwrap_or_default()
}

fn lanes(reporter: Area) -> impl Iterator<Item = Lane> {
    let partners = (1..=PARTNERS).map(Area).filter(move |it| *it != reporter);
    let partners = partners.chain([Area::WORLD]);
    partners.flat_map(move |partner| {
        FLOWS.map(|flow| Lane {
            reporter,
            partner,
            flow,
        })
    })
}

impl Groups {
    fn rows(&mut self, lane: Lane, goods: &Goods) -> Vec<ObservationRow> {
        let place = (flow_number(lane.flow), self.month);
        if lane.partner == Area::WORLD {
            let total = self.totals.remove(&place).unwrap_or_default();
            return vec![generate::plain("TOTAL", total)];
        }
        let rows = goods.rows(self.month, lane.percent(self.month));
        let total = rows[0].value.parse::<u64>().unwrap_or_default();
        *self.totals.entry(place).or_default() += total;
        rows
    }
}

impl Iterator for Groups {
    type Item = Group;

    fn next(&mut self) -> Option<Group> {
        let (lane, goods) = match self.current.take() {
            Some(current) => current,
            None => self.lanes.next().map(|lane| (lane, lane.goods()))?,
        };
        let rows = self.rows(lane, &goods);
        let month = self.month;
        self.month = (month + 1) % MONTHS;
        self.current = (self.month > 0).then_some((lane, goods));
        Some(Group { lane, month, rows })
    }
}

/// Reporters; the first of them are partners too.
const COUNTRIES: [&str; 200] = [
    "CHN", "KAZ", "KOR", "JPN", "DEU", "USA", "FRA", "GBR", "ITA", "NLD", "RUS", "IND", "BRA",
    "CAN", "MEX", "ESP", "POL", "TUR", "VNM", "THA", "MYS", "SGP", "IDN", "AUS", "BEL", "CHE",
    "SWE", "NOR", "AUT", "CZE", "HUN", "UZB", "KGZ", "TJK", "MNG", "PAK", "EGY", "ZAF", "NGA",
    "CHL", "ARE", "SAU", "IRN", "IRQ", "ISR", "QAT", "KWT", "OMN", "AZE", "GEO", "ARM", "TKM",
    "BLR", "UKR", "ROU", "BGR", "GRC", "PRT", "DNK", "FIN", "IRL", "SVK", "SVN", "HRV", "SRB",
    "BIH", "MKD", "ALB", "MNE", "EST", "LVA", "LTU", "LUX", "ISL", "MLT", "CYP", "MDA", "PHL",
    "BGD", "LKA", "NPL", "MMR", "KHM", "LAO", "BRN", "NZL", "PNG", "FJI", "ARG", "COL", "PER",
    "ECU", "BOL", "PRY", "URY", "VEN", "GUY", "SUR", "PAN", "CRI", "GTM", "HND", "SLV", "NIC",
    "CUB", "DOM", "JAM", "TTO", "BHS", "BRB", "BLZ", "HTI", "MAR", "DZA", "TUN", "LBY", "SDN",
    "ETH", "KEN", "UGA", "TZA", "RWA", "BDI", "GHA", "CIV", "SEN", "MLI", "NER", "BFA", "TGO",
    "BEN", "CMR", "GAB", "COG", "COD", "AGO", "ZMB", "ZWE", "MOZ", "NAM", "BWA", "MWI", "MDG",
    "MUS", "SYC", "LSO", "SWZ", "GIN", "GNB", "SLE", "LBR", "GMB", "MRT", "CPV", "TCD", "CAF",
    "SOM", "DJI", "ERI", "SSD", "YEM", "JOR", "LBN", "SYR", "AFG", "BTN", "MDV", "TLS", "SLB",
    "VUT", "WSM", "TON", "KIR", "TUV", "NRU", "PLW", "FSM", "MHL", "PRK", "MAC", "HKG", "AND",
    "SMR", "GRL", "FRO", "ATG", "DMA", "GRD", "KNA", "LCA", "VCT", "COM", "STP", "GNQ", "ABW",
    "TWN", "PSE", "ESH", "PRI", "NCL",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Area, COUNTRIES, PARTNERS, World, rank};
    use crate::bench::compare::question::Question;

    #[test]
    fn each_country_has_one_partner_of_each_rank_in_each_direction() {
        for country in (1..=PARTNERS).map(Area) {
            let others = || (1..=PARTNERS).map(Area);
            let sold: BTreeSet<u16> = others().map(|other| rank(country, other)).collect();
            let bought: BTreeSet<u16> = others().map(|other| rank(other, country)).collect();
            assert_eq!(sold, (1..=PARTNERS).collect());
            assert_eq!(bought, sold);
        }
    }

    #[test]
    fn a_question_is_about_a_pair_that_is_in() {
        for rows in [1, 10_000_000, u64::MAX] {
            let world = World::of(rows);
            for question in Question::ALL {
                for key in question.keys(world, 1_000) {
                    let (reporter, partner) = (key.lane.reporter.0, key.lane.partner.0);
                    assert!((1..=world.reporters).contains(&reporter));
                    assert!((1..=PARTNERS).contains(&partner));
                    assert_ne!(reporter, partner);
                    let both = partner <= world.reporters;
                    assert!(both || question != Question::Mirror, "{key:?}");
                }
            }
        }
    }

    #[test]
    fn every_reporter_is_a_country_that_the_service_knows() {
        for code in COUNTRIES {
            let country: proto::Country = code.parse().unwrap();
            assert_eq!(country.to_string(), code);
        }
    }
}
