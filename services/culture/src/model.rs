//! What the culture service keeps, as the store's model.

use proto::culture::v1::{CultureChange, Measure, Programme, VisaRule, culture_change::Change};
use store::{Error, Stamp, State};

/// The model of the culture service's store.
#[derive(Debug)]
pub struct Model;

impl store::Model for Model {
    type Change = CultureChange;
    const NAME: &'static str = "culture";
    const LAYOUT: u32 = 2;

    fn apply(state: &mut State<'_>, change: &CultureChange, stamp: Stamp) -> Result<(), Error> {
        match &change.change {
            Some(Change::ProgrammeRecorded(recorded)) => {
                let programme = recorded.programme.as_ref().ok_or_else(unreadable)?;
                records::apply_recorded::<Model, _>(state, programme, stamp)
            }
            Some(Change::ProgrammeDeleted(deleted)) => {
                records::apply_deleted::<Model, Programme>(state, &deleted.name, stamp)
            }
            Some(Change::MeasureRecorded(recorded)) => {
                let measure = recorded.measure.as_ref().ok_or_else(unreadable)?;
                records::apply_recorded::<Model, _>(state, measure, stamp)
            }
            Some(Change::MeasureDeleted(deleted)) => {
                records::apply_deleted::<Model, Measure>(state, &deleted.name, stamp)
            }
            Some(Change::VisaRuleRecorded(recorded)) => {
                let rule = recorded.visa_rule.as_ref().ok_or_else(unreadable)?;
                records::apply_recorded::<Model, _>(state, rule, stamp)
            }
            Some(Change::VisaRuleDeleted(deleted)) => {
                records::apply_deleted::<Model, VisaRule>(state, &deleted.name, stamp)
            }
            None => Err(unreadable()),
        }
    }
}

fn unreadable() -> Error {
    Error::View("a change of a kind that this build does not know".into())
}
