//! What a change tells that nobody can have known on the day: the rules are those of the sections.

use proto::gateway::v1::RelationshipChange;
use proto::gateway::v1::relationship_change::Change;
use proto::r#type::v1::CivilDate;
use proto::{Period, culture, events, trade};

use super::query::Query;
use super::{taken, trade as told};

/// Tells a change as it could be told on the day. Whether it could at all; what was deleted has no date.
pub(crate) fn tell(change: &mut RelationshipChange, query: &Query) -> bool {
    match &mut change.change {
        Some(Change::Observation(change)) => {
            let figure = change.observation.as_ref();
            figure.is_none_or(|figure| has_ended(&figure.period, query))
        }
        Some(Change::Trade(change)) => change
            .record
            .as_ref()
            .is_none_or(|record| tell_of_trade(record, query)),
        Some(Change::Events(change)) => change
            .record
            .as_mut()
            .is_none_or(|record| tell_of_events(record, query)),
        Some(Change::Culture(change)) => change
            .record
            .as_mut()
            .is_none_or(|record| tell_of_culture(record, query)),
        None => true,
    }
}

fn tell_of_trade(record: &trade::v1::record_change::Record, query: &Query) -> bool {
    use trade::v1::record_change::Record;
    match record {
        Record::Statement(statement) => told::is_known_by(statement, query),
        Record::Dataset(_) | Record::Sector(_) => true,
    }
}

fn tell_of_events(record: &mut events::v1::record_change::Record, query: &Query) -> bool {
    use events::v1::record_change::Record;
    match record {
        Record::Event(event) => super::events::tell(event, query),
        Record::Agreement(agreement) => super::events::remember_until(agreement, query.day),
    }
}

fn tell_of_culture(record: &mut culture::v1::record_change::Record, query: &Query) -> bool {
    use culture::v1::record_change::Record;
    match record {
        Record::Programme(programme) => super::culture::remember_until(programme, query),
        Record::Measure(measure) => has_ended(&measure.period, query),
        Record::VisaRule(rule) => is_past(rule.start_date, query),
    }
}

/// Whether a period had ended by the day, or nobody can say.
fn has_ended(period: &str, query: &Query) -> bool {
    let period: Option<Period> = period.parse().ok();
    period.is_none_or(|period| period.end() <= query.end_of_figures())
}

fn is_past(date: Option<CivilDate>, query: &Query) -> bool {
    taken(date).is_none_or(|date| date.first() <= query.day)
}
