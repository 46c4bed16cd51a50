//! What an event says of who took part.

use crate::country::Country;
use crate::events::v1::{Event, EventKind, Participant};

/// Whether others than the two take part, or it is held in an organisation, or is a meeting of many by its kind.
pub fn is_multilateral(event: &Event, pair: [Country; 2]) -> bool {
    let pair = pair.map(|country| country.to_string());
    let is_other = |country: &String| !country.is_empty() && !pair.contains(country);
    let is_conference = matches!(event.kind(), EventKind::Summit | EventKind::Ministerial);
    let is_of_many = |participant: &Participant| {
        let organisation = participant.organisation.as_ref();
        let is_coded = organisation.is_some_and(|of| !of.code.is_empty());
        is_other(&participant.country) || (is_conference && is_coded)
    };
    event.kind() == EventKind::MultilateralMeeting || event.participants.iter().any(is_of_many)
}
