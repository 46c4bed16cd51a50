//! What qualifies a figure: SDMX's one letter (code list `CL_OBS_STATUS`), and our flags by name.

use proto::trade::v1::ObservationFlag as Flag;

use crate::rows::Flags;

const PREFIX: &str = "OBSERVATION_FLAG_";

/// What a status says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// A figure, with a flag or without one.
    Figure(Option<Flag>),
    /// A figure, qualified in a way that has no flag here.
    Unkept,
    /// There is no figure, or it is counted elsewhere.
    Missing,
    /// A figure that is not an observation.
    Forecast,
    /// No status that is known.
    Unknown,
}

/// The letter of what qualifies a figure most; all of it stands in [`names`].
pub(crate) fn letter(flags: Flags) -> &'static str {
    if flags.contains(Flag::Estimated) || flags.contains(Flag::Implied) {
        "E"
    } else if flags.contains(Flag::Unverified) {
        "V"
    } else if flags.contains(Flag::Provisional) {
        "P"
    } else {
        "A"
    }
}

/// What a letter means. Break in series, experimental, definition differs, not significant, strike, low
/// reliability, includes another category: these figures are figures all the same.
pub(super) fn meaning(letter: &str) -> Status {
    match letter {
        "" | "A" => Status::Figure(None),
        "P" => Status::Figure(Some(Flag::Provisional)),
        "E" | "I" => Status::Figure(Some(Flag::Estimated)),
        "V" => Status::Figure(Some(Flag::Unverified)),
        "B" | "D" | "G" | "J" | "N" | "S" | "U" | "W" => Status::Unkept,
        "M" | "L" | "H" | "K" | "O" | "Q" => Status::Missing,
        "F" => Status::Forecast,
        _ => Status::Unknown,
    }
}

/// The names of flags, in the order of their numbers: `PROVISIONAL ROUNDED`.
pub(crate) fn names(flags: Flags) -> String {
    let names: Vec<&str> = flags.iter().map(name).collect();
    names.join(" ")
}

/// A flag's name on the wire without what all of them begin with.
pub(crate) fn name(flag: Flag) -> &'static str {
    let name = flag.as_str_name();
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// Reads [`names`]; the error is the name that is no flag.
pub(super) fn parse_names(text: &str) -> Result<Flags, &str> {
    let mut flags = Flags::default();
    for name in text.split_ascii_whitespace() {
        match Flag::from_str_name(&format!("{PREFIX}{name}")) {
            Some(Flag::Unspecified) | None => return Err(name),
            Some(flag) => flags.insert(flag),
        }
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_written_and_read_again() {
        let mut flags = Flags::default();
        assert_eq!((letter(flags), names(flags).as_str()), ("A", ""));
        for number in 1..=9 {
            flags.insert(Flag::try_from(number).unwrap());
        }
        assert_eq!(flags.iter().count(), 9);
        assert_eq!(parse_names(&names(flags)), Ok(flags));
        assert_eq!(letter(flags), "E");
        assert_eq!(parse_names("UNSPECIFIED"), Err("UNSPECIFIED"));
        assert_eq!(parse_names("ROUNDED SURE"), Err("SURE"));
    }

    #[test]
    fn a_letter_that_is_written_means_what_it_was_written_for() {
        for (flag, status) in [
            (Flag::Provisional, "P"),
            (Flag::Estimated, "E"),
            (Flag::Unverified, "V"),
        ] {
            let mut flags = Flags::default();
            flags.insert(flag);
            assert_eq!(letter(flags), status);
            assert_eq!(meaning(status), Status::Figure(Some(flag)));
        }
    }
}
