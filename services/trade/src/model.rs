//! What the trade service keeps, as the store's model.

use proto::trade::v1::{Sector, Statement, TradeChange, trade_change::Change};
use store::{Error, Stamp, State};

use crate::{apply, commodity, concordance, dataset};

/// The model of the trade service's store.
#[derive(Debug)]
pub struct Model;

impl store::Model for Model {
    type Change = TradeChange;
    const NAME: &'static str = "trade";
    const LAYOUT: u32 = 5;

    fn apply(state: &mut State<'_>, change: &TradeChange, stamp: Stamp) -> Result<(), Error> {
        match &change.change {
            Some(Change::DatasetCreated(created)) => dataset::apply_created(state, created, stamp),
            Some(Change::ObservationsRecorded(recorded)) => {
                apply::apply_recorded(state, recorded, stamp)
            }
            Some(Change::DatasetUpdated(updated)) => dataset::apply_updated(state, updated, stamp),
            Some(Change::SectorRecorded(recorded)) => {
                let sector = recorded.sector.clone().unwrap_or_default();
                records::apply_recorded::<Model, _>(state, &sector, stamp)
            }
            Some(Change::SectorDeleted(deleted)) => {
                records::apply_deleted::<Model, Sector>(state, &deleted.name, stamp)
            }
            Some(Change::StatementRecorded(recorded)) => {
                let statement = recorded.statement.clone().unwrap_or_default();
                records::apply_recorded::<Model, _>(state, &statement, stamp)
            }
            Some(Change::StatementDeleted(deleted)) => {
                records::apply_deleted::<Model, Statement>(state, &deleted.name, stamp)
            }
            Some(Change::ConcordanceRecorded(recorded)) => {
                concordance::apply_recorded(state, recorded)
            }
            Some(Change::CommodityNamesRecorded(recorded)) => {
                commodity::apply_recorded(state, recorded)
            }
            None => Err(Error::View(
                "a change of a kind that this build does not know".into(),
            )),
        }
    }
}
