//! Dates with the precision that their sources give.

use proto::r#type::v1 as wire;
use proto::{CivilDate, Day};

/// A date as it is known: `2024-07-02`, `2024-07`, `2024`; empty where there is none.
pub(crate) fn date(date: Option<&wire::CivilDate>) -> String {
    let parsed = date.and_then(|date| CivilDate::try_from(*date).ok());
    parsed.map(|date| date.to_string()).unwrap_or_default()
}

/// From a day to a day: `2024-07-02 to 2024-07-04`; `from …` or `until …` where one is not known.
pub(crate) fn span(start: Option<&wire::CivilDate>, end: Option<&wire::CivilDate>) -> String {
    match (date(start).as_str(), date(end).as_str()) {
        (start, "") => start.to_owned(),
        ("", end) => format!("until {end}"),
        (start, end) if start == end => start.to_owned(),
        (start, end) => format!("{start} to {end}"),
    }
}

/// The window from the first day of one date to the last day of another.
pub(crate) fn window(from: Option<CivilDate>, to: Option<CivilDate>) -> Option<wire::DateWindow> {
    if from.is_none() && to.is_none() {
        return None;
    }
    Some(wire::DateWindow {
        start: from.map(Into::into),
        // The service's window ends before its end.
        end: to.map(|to| to.last().plus(1).into()),
    })
}

/// A day as an option has it.
pub(crate) fn parse_day(text: &str) -> Result<Day, String> {
    let date: CivilDate = text
        .parse()
        .map_err(|error: proto::DateError| error.to_string())?;
    Day::try_from(wire::CivilDate::from(date)).map_err(|_| format!("a day is needed: {date}-…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> wire::CivilDate {
        text.parse::<CivilDate>().unwrap().into()
    }

    #[test]
    fn a_date_is_as_precise_as_it_is_known() {
        assert_eq!(date(Some(&wire("2013"))), "2013");
        assert_eq!(date(None), "");
        let (first, last) = (wire("2024-07-02"), wire("2024-07-04"));
        assert_eq!(span(Some(&first), Some(&last)), "2024-07-02 to 2024-07-04");
        assert_eq!(span(Some(&first), Some(&first)), "2024-07-02");
        assert_eq!(span(None, Some(&last)), "until 2024-07-04");
    }

    #[test]
    fn the_last_date_of_a_window_is_inside() {
        let window = window("2024".parse().ok(), "2024-02".parse().ok()).unwrap();
        assert_eq!(date(window.start.as_ref()), "2024");
        assert_eq!(date(window.end.as_ref()), "2024-03-01");
    }

    #[test]
    fn a_day_has_all_its_parts() {
        assert!(parse_day("2024-07-02").is_ok());
        assert!(parse_day("2024-07").is_err());
    }
}
