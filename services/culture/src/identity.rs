//! What identifies a measure, and the id that is made of it.
//!
//! An id tells what it can of the identity and ends with a digest of all of it. Digests of two identities may be the
//! same: whoever records a figure holds its identity against that of the record that is there.

use proto::culture::v1::{Direction, Measure, MeasureKind, measure::Subject};
use proto::{Slug, SlugError};

/// An id has at most 63 characters; these are left for the subject when all others are as long as they can be.
const MAX_SUBJECT: usize = 21;

/// What identifies a measure that was checked: two with the same are versions of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity<'a> {
    subject: &'a Subject,
    kind: MeasureKind,
    item: &'a str,
    unit: &'a str,
    period: &'a str,
    publisher: &'a str,
}

impl<'a> Identity<'a> {
    /// That of a measure; `None` when it has no subject.
    pub(crate) fn of(measure: &'a Measure) -> Option<Identity<'a>> {
        let publisher = measure.source.as_ref().map(|source| &source.publisher[..]);
        Some(Identity {
            subject: measure.subject.as_ref()?,
            kind: measure.kind(),
            item: &measure.item,
            unit: &measure.unit,
            period: &measure.period,
            publisher: publisher.unwrap_or_default(),
        })
    }

    /// The id: `kaz-chn-students-2017-` and 16 hexadecimal digits.
    pub(crate) fn id(&self) -> Result<Slug, SlugError> {
        let subject = match self.subject {
            Subject::Programme(name) => name.rsplit('/').next().unwrap_or_default().to_owned(),
            Subject::Direction(Direction { from, to }) => format!("{from}-{to}"),
        };
        let subject = subject.to_ascii_lowercase();
        let subject: String = subject.chars().take(MAX_SUBJECT).collect();
        let (subject, kind) = (subject.trim_end_matches('-'), word(self.kind));
        let period = self.period.replace("..", "-");
        Slug::parse(&format!("{subject}-{kind}-{period}-{:016x}", self.digest()))
    }

    /// No part of it holds a line end, so that no two identities are written alike.
    fn digest(&self) -> u64 {
        let kind = i32::from(self.kind).to_string();
        let subject = subject_text(self.subject);
        let parts = [
            &subject,
            &kind[..],
            self.item,
            self.unit,
            self.period,
            self.publisher,
        ];
        xxhash_rust::xxh3::xxh3_64(parts.join("\n").as_bytes())
    }
}

/// A subject as one text.
pub(crate) fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Programme(name) => name.clone(),
        Subject::Direction(Direction { from, to }) => format!("{from}>{to}"),
    }
}

fn word(kind: MeasureKind) -> &'static str {
    match kind {
        MeasureKind::Unspecified => "figure",
        MeasureKind::People => "people",
        MeasureKind::Students => "students",
        MeasureKind::Visitors => "visitors",
        MeasureKind::Funds => "funds",
        MeasureKind::Items => "items",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::tests::{by, direction, students};
    use proptest::prelude::*;
    use proto::{Month, Period, measure_name, parse_measure_name};
    use records::Record;

    fn id(measure: &Measure) -> String {
        let identity = Identity::of(measure).expect("it has a subject");
        identity.id().expect("it makes an id").to_string()
    }

    #[test]
    fn an_id_tells_what_it_is_of() {
        let measure = students("2017", "14224");
        assert_eq!(id(&measure), "kaz-chn-students-2017-6d00ebd77a1781bb");
        let months = students("2017-01..2017-05", "1");
        assert!(id(&months).starts_with("kaz-chn-students-2017-01-2017-05-"));
        let programme = Measure {
            subject: Some(Subject::Programme(format!(
                "programmes/{}",
                "ab-".repeat(20) + "c"
            ))),
            ..months
        };
        assert!(id(&programme).starts_with("ab-ab-ab-ab-ab-ab-ab-students-2017-01-2017-05-"));
        assert!(id(&programme).len() <= 63);
    }

    #[test]
    fn whatever_identifies_it_makes_another_id() {
        let known = students("2017", "14224");
        let others = [
            Measure {
                subject: Some(direction("CHN", "KAZ")),
                ..known.clone()
            },
            Measure {
                kind: MeasureKind::People.into(),
                ..known.clone()
            },
            Measure {
                item: "scholarships".into(),
                ..known.clone()
            },
            Measure {
                unit: "students".into(),
                ..known.clone()
            },
            students("2018", "14224"),
            by("Ministry of Education", &known),
        ];
        for other in &others {
            assert_ne!(id(other), id(&known));
            assert_ne!(Identity::of(other), Identity::of(&known));
        }
    }

    #[test]
    fn what_is_said_of_it_makes_no_other_id() {
        let known = students("2017", "14224");
        let revised = Measure {
            note: "Counted again".into(),
            ..students("2017", "14225")
        };
        assert_eq!(id(&revised), id(&known));
    }

    proptest! {
        #[test]
        fn every_measure_that_is_right_has_an_id(
            programme in "[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
            publisher in any::<String>(),
            kind in 1..=5_i32,
            months in 1..=59_u32,
        ) {
            let start = Month::new(2020, 3).unwrap();
            let period = start.plus(months.cast_signed()).and_then(|last| Period::cumulated(start, last));
            let measure = Measure {
                subject: Some(Subject::Programme(format!("programmes/{programme}"))),
                kind,
                unit: if kind == 4 { "USD" } else { "persons" }.into(),
                ..by(&publisher, &students(&period.unwrap().to_string(), "1"))
            };
            if let Ok(measure) = measure.check() {
                let name = measure_name(&Identity::of(&measure).unwrap().id().unwrap());
                prop_assert!(parse_measure_name(&name).is_ok());
            }
        }
    }
}
