//! Every area that a figure may name: ISO 3166-1 as `rust_iso3166` has it, and what UN Comtrade adds.

use std::sync::LazyLock;

use crate::country::CountryKind::{self, Country, Former, Group, Unspecified, World};

/// One area.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) id: u16,
    pub(crate) m49: Option<u16>,
    pub(crate) alpha3: Option<&'static str>,
    pub(crate) name: &'static str,
    pub(crate) kind: CountryKind,
    pub(crate) until: Option<u16>,
}

/// Comtrade's code of a country where it is not the M49 code: `(M49, Comtrade)`. The M49 codes are
/// areas of their own there ([`OTHERS`]).
const MOVED: [(u16, u16); 6] = [
    (250, 251),
    (356, 699),
    (492, MONACO),
    (578, 579),
    (756, 757),
    (840, 842),
];

/// Comtrade counts Monaco with France and uses its number for a rest of Europe, but a president may
/// well visit it: the only id that is not a Comtrade code.
pub(crate) const MONACO: u16 = 1492;

/// Areas that have no ISO code of their own today: id, name, kind, last year where it is a former one.
const OTHERS: [(u16, &str, CountryKind, Option<u16>); 63] = [
    (58, "Belgium-Luxembourg (until 1998)", Former, Some(1998)),
    (80, "British Antarctic Territory", Country, None),
    (97, "European Union", Group, None),
    (129, "Caribbean not elsewhere specified", Unspecified, None),
    (200, "Czechoslovakia (until 1992)", Former, Some(1992)),
    (
        221,
        "Eastern Europe not elsewhere specified",
        Unspecified,
        None,
    ),
    (
        230,
        "Ethiopia with Eritrea (until 1992)",
        Former,
        Some(1992),
    ),
    (250, "Metropolitan France", Country, None),
    (
        278,
        "German Democratic Republic (until 1990)",
        Former,
        Some(1990),
    ),
    (
        280,
        "Federal Republic of Germany (until 1990)",
        Former,
        Some(1990),
    ),
    (
        290,
        "Northern Africa not elsewhere specified",
        Unspecified,
        None,
    ),
    (356, "India (until 1974)", Former, Some(1974)),
    (412, "Kosovo", Country, None),
    (457, "Sarawak (until 1963)", Former, Some(1963)),
    (459, "Peninsular Malaysia (until 1963)", Former, Some(1963)),
    (461, "Sabah (until 1963)", Former, Some(1963)),
    (
        471,
        "Central American Common Market not elsewhere specified",
        Unspecified,
        None,
    ),
    (
        472,
        "African customs and economic union region not elsewhere specified",
        Unspecified,
        None,
    ),
    (
        473,
        "Latin American Integration Association not elsewhere specified",
        Unspecified,
        None,
    ),
    (488, "Midway Islands", Country, None),
    (490, "Other Asia not elsewhere specified", Unspecified, None),
    (
        492,
        "European Union countries not elsewhere specified",
        Unspecified,
        None,
    ),
    (527, "Oceania not elsewhere specified", Unspecified, None),
    (530, "Netherlands Antilles (until 2010)", Former, Some(2010)),
    (
        532,
        "Netherlands Antilles with Aruba (until 1985)",
        Former,
        Some(1985),
    ),
    (536, "Neutral Zone of Iraq and Saudi Arabia", Former, None),
    (
        568,
        "Other Europe not elsewhere specified",
        Unspecified,
        None,
    ),
    (
        577,
        "Other Africa not elsewhere specified",
        Unspecified,
        None,
    ),
    (578, "Norway without Svalbard and Jan Mayen", Country, None),
    (
        582,
        "Trust Territory of the Pacific Islands (until 1991)",
        Former,
        Some(1991),
    ),
    (
        588,
        "Pakistan, East and West (until 1971)",
        Former,
        Some(1971),
    ),
    (
        590,
        "Panama without the Canal Zone (until 1977)",
        Former,
        Some(1977),
    ),
    (592, "Panama Canal Zone (until 1977)", Former, Some(1977)),
    (
        636,
        "Rest of America not elsewhere specified",
        Unspecified,
        None,
    ),
    (
        637,
        "North and Central America not elsewhere specified",
        Unspecified,
        None,
    ),
    (647, "Ryukyu Islands (until 1972)", Former, Some(1972)),
    (
        658,
        "Saint Kitts, Nevis and Anguilla (until 1980)",
        Former,
        Some(1980),
    ),
    (
        697,
        "European Free Trade Association not elsewhere specified",
        Unspecified,
        None,
    ),
    (698, "Sikkim (until 1974)", Former, Some(1974)),
    (
        711,
        "Southern African Customs Union (until 1999)",
        Former,
        Some(1999),
    ),
    (
        717,
        "Rhodesia and Nyasaland (until 1964)",
        Former,
        Some(1964),
    ),
    (720, "Democratic Yemen (until 1990)", Former, Some(1990)),
    (
        736,
        "Sudan with South Sudan (until 2011)",
        Former,
        Some(2011),
    ),
    (756, "Switzerland without Liechtenstein", Country, None),
    (810, "Soviet Union (until 1990)", Former, Some(1990)),
    (830, "Channel Islands", Country, None),
    (835, "Tanganyika (until 1964)", Former, Some(1964)),
    (836, "Zanzibar and Pemba (until 1964)", Former, Some(1964)),
    (837, "Bunkers", Unspecified, None),
    (838, "Free zones", Unspecified, None),
    (839, "Special categories", Unspecified, None),
    (
        840,
        "United States without Puerto Rico and the Virgin Islands",
        Country,
        None,
    ),
    (
        841,
        "United States with Puerto Rico (until 1980)",
        Former,
        Some(1980),
    ),
    (
        849,
        "Miscellaneous Pacific islands of the United States",
        Country,
        None,
    ),
    (
        866,
        "Democratic Republic of Viet Nam (until 1974)",
        Former,
        Some(1974),
    ),
    (868, "Republic of Viet Nam (until 1974)", Former, Some(1974)),
    (872, "Wake Island", Country, None),
    (
        879,
        "Western Asia not elsewhere specified",
        Unspecified,
        None,
    ),
    (886, "Yemen Arab Republic (until 1990)", Former, Some(1990)),
    (890, "Yugoslavia (until 1991)", Former, Some(1991)),
    (
        891,
        "Serbia and Montenegro (until 2005)",
        Former,
        Some(2005),
    ),
    (899, "Areas not elsewhere specified", Unspecified, None),
    (975, "ASEAN", Group, None),
];

/// All areas, looked up by id.
pub(crate) struct Table {
    by_id: Vec<Option<Area>>,
}

pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

impl Table {
    fn new() -> Table {
        let mut by_id = vec![None; usize::from(MONACO) + 1];
        for area in iso().chain(others()).chain([WORLD]) {
            by_id[usize::from(area.id)] = Some(area);
        }
        Table { by_id }
    }

    pub(crate) fn get(&self, id: u16) -> Option<&Area> {
        self.by_id.get(usize::from(id))?.as_ref()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Area> {
        self.by_id.iter().flatten()
    }
}

const WORLD: Area = Area {
    id: 0,
    m49: Some(1),
    alpha3: Some("WLD"),
    name: "World",
    kind: World,
    until: None,
};

/// The id of a country by its M49 code, which is its ISO 3166-1 number.
pub(crate) fn id_of_m49(m49: u16) -> u16 {
    let moved = MOVED.iter().find(|(from, _)| *from == m49);
    moved.map_or(m49, |(_, to)| *to)
}

fn iso() -> impl Iterator<Item = Area> {
    rust_iso3166::ALL.iter().map(|country| Area {
        id: id_of_m49(country.numeric),
        m49: Some(country.numeric),
        alpha3: Some(country.alpha3),
        name: country.name,
        kind: Country,
        until: None,
    })
}

fn others() -> impl Iterator<Item = Area> {
    OTHERS.iter().map(|&(id, name, kind, until)| Area {
        id,
        m49: None,
        alpha3: None,
        name,
        kind,
        until,
    })
}

#[cfg(test)]
mod tests {
    use super::{OTHERS, TABLE, id_of_m49};
    use std::collections::BTreeSet;

    #[test]
    fn no_two_areas_share_an_id_or_an_alpha3() {
        let total = OTHERS.len() + rust_iso3166::ALL.len() + 1;
        assert_eq!(TABLE.iter().count(), total);
        let codes: BTreeSet<_> = TABLE.iter().filter_map(|area| area.alpha3).collect();
        assert_eq!(codes.len(), rust_iso3166::ALL.len() + 1);
    }

    #[test]
    fn a_moved_code_is_an_area_of_its_own_or_unused() {
        for m49 in [250, 356, 492, 578, 756, 840] {
            let own = TABLE.get(m49).unwrap();
            assert_eq!(own.alpha3, None);
            assert_eq!(TABLE.get(id_of_m49(m49)).unwrap().m49, Some(m49));
        }
    }
}
