//! Watching: which changes are about a topic.

use proto::culture::v1 as wire;
use records::Topic;
use wire::{CultureChange, WatchChangesRequest, WatchChangesResponse, culture_change::Change};

use crate::{Model, measure, programme, visa_rule};

records::watch_request!(Model, WatchChangesRequest, WatchChangesResponse);

/// Whether a change is of a record about a topic, before or after.
pub(crate) fn is_about(topic: Topic, change: &CultureChange) -> bool {
    let Some(change) = &change.change else {
        return false;
    };
    match change {
        Change::ProgrammeRecorded(recorded) => {
            let now = recorded.programme.iter().flat_map(programme::countries);
            topic.is_among(now.chain(texts(&recorded.former_countries)))
        }
        Change::MeasureRecorded(recorded) => {
            let now = recorded.measure.iter().flat_map(measure::countries);
            is_told(topic, &now.collect::<Vec<_>>())
        }
        Change::VisaRuleRecorded(recorded) => {
            let now = recorded.visa_rule.iter().flat_map(visa_rule::countries);
            topic.is_among(now.chain(texts(&recorded.former_countries)))
        }
        Change::ProgrammeDeleted(deleted) => topic.is_among(texts(&deleted.countries)),
        Change::MeasureDeleted(deleted) => {
            is_told(topic, &texts(&deleted.countries).collect::<Vec<_>>())
        }
        Change::VisaRuleDeleted(deleted) => topic.is_among(texts(&deleted.countries)),
    }
}

fn texts(countries: &[String]) -> impl Iterator<Item = &str> {
    countries.iter().map(String::as_str)
}

/// A measure of a programme names no country, and is told to whoever watches any.
fn is_told(topic: Topic, countries: &[&str]) -> bool {
    countries.is_empty() || topic.is_among(countries.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Violations;
    use wire::measure::Subject;
    use wire::{Measure, MeasureRecorded, VisaRule, VisaRuleRecorded};

    fn passes(country: &str, partner: &str, change: Change) -> bool {
        let topic = Topic::parse(country, partner, &mut Violations::new());
        let change = CultureChange {
            change: Some(change),
        };
        is_about(topic.flatten().expect("a topic"), &change)
    }

    #[test]
    fn a_change_is_told_to_whoever_watches_what_it_was_or_is_about() {
        let moved = || {
            Change::VisaRuleRecorded(VisaRuleRecorded {
                visa_rule: Some(VisaRule {
                    citizens_of: "CHN".into(),
                    destination: "KAZ".into(),
                    ..VisaRule::default()
                }),
                former_countries: vec!["UZB".into()],
            })
        };
        assert!(passes("KAZ", "CHN", moved()));
        assert!(passes("UZB", "CHN", moved()));
        assert!(!passes("FRA", "", moved()));
        assert!(!passes("FRA", "CHN", moved()));
    }

    #[test]
    fn a_programmes_measure_is_told_to_all() {
        let recorded = Change::MeasureRecorded(MeasureRecorded {
            measure: Some(Measure {
                subject: Some(Subject::Programme("programmes/lu-ban".into())),
                ..Measure::default()
            }),
        });
        assert!(passes("FRA", "UZB", recorded));
        let deleted = |countries: &[&str]| {
            Change::MeasureDeleted(wire::MeasureDeleted {
                name: "measures/a".into(),
                countries: countries.iter().map(ToString::to_string).collect(),
            })
        };
        assert!(passes("FRA", "", deleted(&[])));
        assert!(passes("KAZ", "", deleted(&["KAZ", "CHN"])));
        assert!(!passes("FRA", "", deleted(&["KAZ", "CHN"])));
    }
}
