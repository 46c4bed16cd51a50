//! What every question about two countries has: the two, and for whom the answer is.

use proto::gateway::v1::Audience;
use proto::{Country, Violations};

/// Two countries in the order of their codes.
pub(crate) fn pair(
    country: &str,
    partner: &str,
    violations: &mut Violations,
) -> Option<[Country; 2]> {
    let country = violations.check("country", country.parse::<Country>());
    let partner = violations.check("partner", partner.parse::<Country>());
    let mut pair = [country?, partner?];
    if pair[0] == pair[1] {
        violations.push("partner", "is `country` itself");
        return None;
    }
    for (field, country) in ["country", "partner"].into_iter().zip(pair) {
        if !country.stands_beside_others() {
            violations.push(field, "is a group of countries, not one");
        }
    }
    pair.sort_by_key(ToString::to_string);
    Some(pair)
}

/// Whether it is the public.
pub(crate) fn parse_audience(number: i32) -> Result<bool, &'static str> {
    match Audience::try_from(number) {
        Ok(Audience::Unspecified | Audience::Internal) => Ok(false),
        Ok(Audience::Public) => Ok(true),
        Err(_) => Err("is no audience"),
    }
}
