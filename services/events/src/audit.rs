//! Changes told in a line, for the audit.

use proto::events::v1::{self as wire, EventsChange};
use proto::journal::v1::AuditChange;
use records::{Audited, audit_change};
use wire::events_change::Change;

use crate::Model;

impl Audited for Model {
    fn told(change: EventsChange) -> AuditChange {
        let Some(change) = change.change else {
            return AuditChange::default();
        };
        match change {
            Change::EventRecorded(change) => {
                audit_change("event_recorded", change.event.unwrap_or_default().name)
            }
            Change::EventDeleted(change) => audit_change("event_deleted", change.name),
            Change::AgreementRecorded(change) => audit_change(
                "agreement_recorded",
                change.agreement.unwrap_or_default().name,
            ),
            Change::AgreementDeleted(change) => audit_change("agreement_deleted", change.name),
        }
    }
}
