//! Watching: which changes pass a filter, and how they are told.

use prost_types::Timestamp;
use proto::Violations;
use proto::culture::v1 as wire;
use records::Topic;
use wire::{CultureChange, WatchChangesRequest, WatchChangesResponse, culture_change::Change};

use crate::{measure, programme, visa_rule};

/// Which changes, after which position.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) after: u64,
    topic: Option<Topic>,
}

impl TryFrom<WatchChangesRequest> for Query {
    type Error = Violations;

    fn try_from(request: WatchChangesRequest) -> Result<Query, Violations> {
        let WatchChangesRequest {
            after_position,
            country,
            partner,
        } = request;
        let mut violations = Violations::new();
        let topic = Topic::parse(&country, &partner, &mut violations);
        violations.into_result(Query {
            after: after_position,
            topic: topic.flatten(),
        })
    }
}

impl Query {
    /// A change that passes: of a record about the topic, before or after.
    pub(crate) fn pass(&self, change: CultureChange) -> Option<CultureChange> {
        let Some(topic) = self.topic else {
            return Some(change);
        };
        let is_about = match change.change.as_ref()? {
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
        };
        is_about.then_some(change)
    }
}

fn texts(countries: &[String]) -> impl Iterator<Item = &str> {
    countries.iter().map(String::as_str)
}

/// A measure of a programme names no country, and is told to whoever watches any.
fn is_told(topic: Topic, countries: &[&str]) -> bool {
    countries.is_empty() || topic.is_among(countries.iter().copied())
}

/// What a watcher is sent.
pub(crate) fn tell(
    position: u64,
    commit_time: Option<Timestamp>,
    changes: Vec<CultureChange>,
) -> WatchChangesResponse {
    WatchChangesResponse {
        position,
        commit_time,
        changes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::measure::Subject;
    use wire::{Measure, MeasureRecorded, VisaRule, VisaRuleRecorded};

    fn passes(country: &str, partner: &str, change: Change) -> bool {
        let request = WatchChangesRequest {
            after_position: 0,
            country: country.into(),
            partner: partner.into(),
        };
        let query = Query::try_from(request).expect("it is right");
        let change = CultureChange {
            change: Some(change),
        };
        query.pass(change).is_some()
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
        assert!(passes("", "", moved()));
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
