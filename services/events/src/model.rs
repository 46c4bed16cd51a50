//! What the events service keeps, as the store's model.

use proto::events::v1::{Agreement, Event, EventsChange, events_change::Change};
use store::{Error, Stamp, State};

/// The model of the events service's store.
#[derive(Debug)]
pub struct Model;

impl store::Model for Model {
    type Change = EventsChange;
    const NAME: &'static str = "events";
    const LAYOUT: u32 = 1;

    fn apply(state: &mut State<'_>, change: &EventsChange, stamp: Stamp) -> Result<(), Error> {
        match &change.change {
            Some(Change::EventRecorded(recorded)) => {
                let event = recorded.event.as_ref().ok_or_else(unreadable)?;
                records::apply_recorded::<Model, _>(state, event, stamp)
            }
            Some(Change::EventDeleted(deleted)) => {
                records::apply_deleted::<Model, Event>(state, &deleted.name, stamp)
            }
            Some(Change::AgreementRecorded(recorded)) => {
                let agreement = recorded.agreement.as_ref().ok_or_else(unreadable)?;
                records::apply_recorded::<Model, _>(state, agreement, stamp)
            }
            Some(Change::AgreementDeleted(deleted)) => {
                records::apply_deleted::<Model, Agreement>(state, &deleted.name, stamp)
            }
            None => Err(unreadable()),
        }
    }
}

fn unreadable() -> Error {
    Error::View("a change of a kind that this build does not know".into())
}
