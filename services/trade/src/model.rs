//! What the trade service keeps, as the store's model.

use proto::trade::v1::{TradeChange, trade_change::Change};
use store::{Error, Stamp, State};

use crate::{apply, dataset};

/// The model of the trade service's store.
#[derive(Debug)]
pub struct Model;

impl store::Model for Model {
    type Change = TradeChange;
    const LAYOUT: u32 = 2;

    fn apply(state: &mut State<'_>, change: &TradeChange, stamp: Stamp) -> Result<(), Error> {
        match &change.change {
            Some(Change::DatasetCreated(created)) => dataset::apply_created(state, created, stamp),
            Some(Change::ObservationsRecorded(recorded)) => {
                apply::apply_recorded(state, recorded, stamp)
            }
            Some(
                Change::DatasetUpdated(_)
                | Change::SectorRecorded(_)
                | Change::SectorDeleted(_)
                | Change::StatementRecorded(_)
                | Change::StatementDeleted(_)
                | Change::ConcordanceRecorded(_)
                | Change::CommodityNamesRecorded(_),
            )
            | None => Err(Error::View(
                "a change of a kind that this build does not know".into(),
            )),
        }
    }
}
