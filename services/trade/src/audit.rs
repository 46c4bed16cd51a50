//! Changes told in a line, for the audit.

use proto::journal::v1::AuditChange;
use proto::trade::v1::{self as wire, TradeChange};
use records::{Audited, audit_change};
use wire::trade_change::Change;

use crate::Model;

impl Audited for Model {
    fn told(change: TradeChange) -> AuditChange {
        let Some(change) = change.change else {
            return AuditChange::default();
        };
        match change {
            Change::DatasetCreated(change) => {
                audit_change("dataset_created", change.dataset.unwrap_or_default().name)
            }
            Change::DatasetUpdated(change) => {
                audit_change("dataset_updated", change.dataset.unwrap_or_default().name)
            }
            Change::ObservationsRecorded(change) => {
                let ingest = format!("{}/ingests/{}", change.dataset, change.ingest_id);
                audit_change("observations_recorded", ingest)
            }
            Change::SectorRecorded(change) => {
                audit_change("sector_recorded", change.sector.unwrap_or_default().name)
            }
            Change::SectorDeleted(change) => audit_change("sector_deleted", change.name),
            Change::StatementRecorded(change) => audit_change(
                "statement_recorded",
                change.statement.unwrap_or_default().name,
            ),
            Change::StatementDeleted(change) => audit_change("statement_deleted", change.name),
            Change::ConcordanceRecorded(change) => {
                let name = format!("concordances/{}-{}", change.from, change.to);
                audit_change("concordance_recorded", name)
            }
            Change::CommodityNamesRecorded(change) => {
                let name = format!("classifications/{}", change.classification);
                audit_change("commodity_names_recorded", name)
            }
        }
    }
}
