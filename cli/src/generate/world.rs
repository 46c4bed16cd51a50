//! Who trades with whom, and in what: countries and chapters in the order of what they trade in the world.

use proto::Country;

/// Countries by their trade, the largest first, roughly as in 2019 to 2023.
const COUNTRIES: [&str; 48] = [
    "CHN", "USA", "DEU", "NLD", "JPN", "FRA", "KOR", "ITA", "MEX", "GBR", "BEL", "CAN", "IND",
    "SGP", "ESP", "POL", "RUS", "VNM", "CHE", "AUS", "MYS", "BRA", "THA", "TUR", "SAU", "IDN",
    "CZE", "SWE", "AUT", "HUN", "NOR", "IRL", "ZAF", "PHL", "DNK", "CHL", "KAZ", "UKR", "EGY",
    "NGA", "PAK", "UZB", "BGD", "MNG", "GEO", "KGZ", "TJK", "TKM",
];

/// How many pairs they make.
pub(crate) const PAIRS: usize = COUNTRIES.len() * (COUNTRIES.len() - 1) / 2;

/// The pair that comes first, so that the smallest amount of data has it.
const FIRST: (&str, &str) = ("CHN", "KAZ");

/// About how many six-digit codes each chapter of the Harmonized System has, from 01 to 97; 77 is kept free.
const CODES: [u16; 97] = [
    33, 64, 196, 32, 17, 13, 60, 59, 34, 23, 30, 46, 10, 4, 46, 36, 16, 11, 19, 48, 16, 22, 25, 10,
    68, 37, 42, 164, 375, 33, 22, 46, 30, 23, 15, 8, 31, 80, 131, 83, 37, 20, 12, 84, 7, 12, 20,
    117, 19, 9, 38, 124, 23, 70, 105, 32, 21, 40, 24, 43, 106, 113, 53, 25, 9, 6, 8, 49, 30, 62,
    52, 167, 124, 50, 17, 36, 0, 8, 9, 5, 48, 64, 36, 515, 285, 23, 76, 15, 18, 150, 51, 17, 20,
    41, 32, 51, 7,
];

/// Chapters by what is traded of them, the largest first; the others follow by their numbers.
const LARGEST: [u8; 40] = [
    85, 84, 27, 87, 30, 90, 39, 71, 29, 72, 62, 61, 94, 73, 26, 88, 40, 38, 95, 76, 33, 64, 48, 2,
    74, 3, 8, 10, 12, 22, 44, 15, 28, 70, 31, 25, 4, 20, 32, 7,
];

/// Two countries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Its place among all, the largest first.
    pub(crate) place: usize,
    /// The two by their places among the countries.
    pub(crate) places: [usize; 2],
}

impl Pair {
    /// The two.
    pub(crate) fn countries(self) -> [Country; 2] {
        self.places.map(country)
    }
}

/// A country by its place.
fn country(place: usize) -> Country {
    Country::from_alpha3(COUNTRIES[place]).expect("each of them is in the table; a test holds it")
}

/// All pairs, the largest first.
pub(crate) fn pairs() -> Vec<Pair> {
    let count = COUNTRIES.len();
    let all = (0..count).flat_map(|a| (a + 1..count).map(move |b| [a, b]));
    let mut all: Vec<[usize; 2]> = all.collect();
    all.sort_by_key(|[a, b]| (!is_first([*a, *b]), (a + 1) * (b + 1), *a));
    let numbered = all.into_iter().enumerate();
    numbered
        .map(|(place, places)| Pair { place, places })
        .collect()
}

fn is_first([a, b]: [usize; 2]) -> bool {
    (COUNTRIES[a], COUNTRIES[b]) == FIRST
}

/// All chapters, the largest first.
pub(crate) fn chapters() -> Vec<u8> {
    let others = (1..=97).filter(|chapter| *chapter != 77 && !LARGEST.contains(chapter));
    LARGEST.into_iter().chain(others).collect()
}

/// How many six-digit codes a chapter has.
pub(crate) fn codes_of(chapter: u8) -> u16 {
    let place = usize::from(chapter).checked_sub(1);
    let count = place.and_then(|place| CODES.get(place));
    count.copied().unwrap_or_default()
}

/// A six-digit code of a chapter by its number, from 0: up to six a heading.
pub(crate) fn code(chapter: u8, number: u16) -> u32 {
    let (heading, part) = (1 + u32::from(number / 6), 1 + u32::from(number % 6));
    u32::from(chapter) * 10_000 + heading * 100 + part * 10
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_country_is_known_and_every_chapter_comes_once() {
        let known: HashSet<_> = (0..COUNTRIES.len()).map(country).collect();
        assert_eq!(known.len(), COUNTRIES.len());
        let chapters: HashSet<_> = chapters().into_iter().collect();
        assert_eq!(chapters.len(), 96);
        assert!(chapters.iter().all(|chapter| codes_of(*chapter) > 0));
    }

    #[test]
    fn the_pair_that_everything_is_about_comes_first() {
        let pairs = pairs();
        assert_eq!(pairs.len(), PAIRS);
        assert_eq!(
            pairs[0].countries().map(|one| one.to_string()),
            ["CHN", "KAZ"]
        );
        assert_eq!(
            pairs[1].countries().map(|one| one.to_string()),
            ["CHN", "USA"]
        );
    }

    #[test]
    fn the_codes_of_a_chapter_are_six_digits_and_differ() {
        let codes: HashSet<_> = (0..codes_of(84)).map(|number| code(84, number)).collect();
        assert_eq!(codes.len(), 515);
        assert!(codes.iter().all(|code| code / 10_000 == 84));
    }
}
