//! Countries by the English names that datasets write. A name that is not known is an error, never a guess.
//!
//! A state that is no more has a code of its own (`CT810` is the Soviet Union); one that goes on under its name keeps
//! today's code even where its borders or its regime changed (Germany of 1985 is `DEU`, Viet Nam of 1960 `VNM`).

use std::collections::HashMap;
use std::sync::LazyLock;

use proto::{Country, CountryKind};

/// Names that are not the ones of ISO 3166-1, by code.
const OTHER_NAMES: [(&str, &str); 40] = [
    ("Bolivia", "BOL"),
    ("Brunei", "BRN"),
    ("Cape Verde", "CPV"),
    ("Congo - Brazzaville", "COG"),
    ("Congo - Kinshasa", "COD"),
    ("Cote d'Ivoire", "CIV"),
    ("Ivory Coast", "CIV"),
    ("Czech Republic", "CZE"),
    ("East Timor", "TLS"),
    ("Iran", "IRN"),
    ("Korea, North", "PRK"),
    ("North Korea", "PRK"),
    ("Korea, South", "KOR"),
    ("South Korea", "KOR"),
    ("Laos", "LAO"),
    ("Macedonia", "MKD"),
    ("Micronesia", "FSM"),
    ("Moldova", "MDA"),
    ("Netherlands", "NLD"),
    ("Palestine", "PSE"),
    ("Palestinian Territory", "PSE"),
    ("Russia", "RUS"),
    ("Swaziland", "SWZ"),
    ("Syria", "SYR"),
    ("Tanzania", "TZA"),
    ("The Bahamas", "BHS"),
    ("The Gambia", "GMB"),
    ("Turkey", "TUR"),
    ("United Kingdom", "GBR"),
    ("United States", "USA"),
    ("USA", "USA"),
    ("Vatican", "VAT"),
    ("Venezuela", "VEN"),
    ("Vietnam", "VNM"),
    ("Burma", "MMR"),
    ("Kyrgyz Republic", "KGZ"),
    ("Slovak Republic", "SVK"),
    ("UAE", "ARE"),
    ("UK", "GBR"),
    ("Great Britain", "GBR"),
];

/// States that are no more, with the last year in which one may be visited.
const FORMER: [(&str, &str, u16); 8] = [
    ("Czechoslovakia", "CT200", 1992),
    ("East Germany", "CT278", 1990),
    ("German Democratic Republic", "CT278", 1990),
    ("Germany, East", "CT278", 1990),
    ("Soviet Union", "CT810", 1991),
    ("USSR", "CT810", 1991),
    ("Yugoslavia", "CT890", 1992),
    ("South Yemen", "CT720", 1990),
];

static BY_NAME: LazyLock<HashMap<String, Country>> = LazyLock::new(|| {
    let known = Country::all()
        .filter(|country| country.kind() == CountryKind::Country && country.alpha3().is_some())
        .map(|country| (folded(country.name()), country));
    let others = OTHER_NAMES.iter().filter_map(|(name, code)| {
        let country = Country::from_alpha3(code)?;
        Some((folded(name), country))
    });
    known.chain(others).collect()
});

/// A name without regard to case, accents that datasets drop, and outer space.
fn folded(name: &str) -> String {
    let plain = name.trim().to_lowercase();
    plain
        .replace('ô', "o")
        .replace('é', "e")
        .replace('ü', "u")
        .replace('’', "'")
}

/// The country of a name.
pub(super) fn by_name(name: &str) -> Result<Country, String> {
    BY_NAME
        .get(&folded(name))
        .copied()
        .ok_or_else(|| format!("`{}` is no country that is known by this name", name.trim()))
}

/// The country of a name as it was called in a year.
pub(super) fn in_year(name: &str, year: u16) -> Result<Country, String> {
    let wanted = folded(name);
    let former = FORMER.iter().find(|(known, ..)| folded(known) == wanted);
    let Some((name, code, until)) = former else {
        return by_name(name);
    };
    if year > *until {
        return Err(format!("`{name}` was no more in {year}"));
    }
    let country = code.parse::<Country>();
    country.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_or_an_error() {
        let code = |name: &str| by_name(name).map(|country| country.to_string());
        assert_eq!(code("Kazakhstan").unwrap(), "KAZ");
        assert_eq!(code("Cote d'Ivoire").unwrap(), "CIV");
        assert_eq!(code("Côte d'Ivoire").unwrap(), "CIV");
        assert_eq!(code("Congo").unwrap(), "COG");
        assert_eq!(code(" russia").unwrap(), "RUS");
        assert!(code("Ruritania").unwrap_err().contains("Ruritania"));
        assert!(code("Soviet Union").is_err());
    }

    #[test]
    fn a_state_that_is_no_more_has_its_own_code_in_its_time() {
        let code = |name: &str, year| in_year(name, year).map(|country| country.to_string());
        assert_eq!(code("Soviet Union", 1957).unwrap(), "CT810");
        assert_eq!(code("Germany, East", 1987).unwrap(), "CT278");
        assert_eq!(code("Germany", 1985).unwrap(), "DEU");
        assert!(code("Yugoslavia", 2001).unwrap_err().contains("no more"));
    }

    #[test]
    fn every_name_of_the_tables_leads_to_a_country() {
        for (name, code) in OTHER_NAMES {
            assert_eq!(by_name(name).unwrap().to_string(), code, "{name}");
        }
        for (name, code, until) in FORMER {
            assert_eq!(in_year(name, until).unwrap().to_string(), code, "{name}");
        }
    }
}
