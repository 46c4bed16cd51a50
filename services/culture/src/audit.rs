//! Changes told in a line, for the audit.

use proto::culture::v1::{self as wire, CultureChange};
use proto::journal::v1::AuditChange;
use records::{Audited, audit_change};
use wire::culture_change::Change;

use crate::Model;

impl Audited for Model {
    fn told(change: CultureChange) -> AuditChange {
        let Some(change) = change.change else {
            return AuditChange::default();
        };
        match change {
            Change::ProgrammeRecorded(change) => audit_change(
                "programme_recorded",
                change.programme.unwrap_or_default().name,
            ),
            Change::ProgrammeDeleted(change) => audit_change("programme_deleted", change.name),
            Change::MeasureRecorded(change) => {
                audit_change("measure_recorded", change.measure.unwrap_or_default().name)
            }
            Change::MeasureDeleted(change) => audit_change("measure_deleted", change.name),
            Change::VisaRuleRecorded(change) => audit_change(
                "visa_rule_recorded",
                change.visa_rule.unwrap_or_default().name,
            ),
            Change::VisaRuleDeleted(change) => audit_change("visa_rule_deleted", change.name),
        }
    }
}
