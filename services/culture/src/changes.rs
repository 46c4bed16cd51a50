//! What became of records: the versions of one, and the changes of all between two instants.

use proto::culture::v1 as wire;
use records::{Change, Error, Record, revision_at};
use store::State;
use wire::record_change::Record as Changed;
use wire::{ListChangesRequest, ListChangesResponse};
use wire::{ListMeasureVersionsRequest, ListMeasureVersionsResponse};
use wire::{ListProgrammeVersionsRequest, ListProgrammeVersionsResponse};
use wire::{ListVisaRuleVersionsRequest, ListVisaRuleVersionsResponse};
use wire::{Measure, MeasureVersion, Programme, ProgrammeVersion};
use wire::{RecordChange, VisaRule, VisaRuleVersion};

use crate::Model;

records::list_request!(Model, now: ListChangesRequest);
records::changes_request!(Model, ListChangesRequest);
records::versions_request!(
    Model,
    ListProgrammeVersionsRequest of Programme,
    ListProgrammeVersionsResponse { ProgrammeVersion { programme } }
);
records::versions_request!(
    Model,
    ListMeasureVersionsRequest of Measure,
    ListMeasureVersionsResponse { MeasureVersion { measure } }
);
records::versions_request!(
    Model,
    ListVisaRuleVersionsRequest of VisaRule,
    ListVisaRuleVersionsResponse { VisaRuleVersion { visa_rule } }
);

/// A page of changes between two instants.
pub(crate) fn list(
    state: &State<'_>,
    query: &records::ChangesQuery,
) -> Result<ListChangesResponse, Error> {
    let (changes, next_page_token) = query.page(state, |change| match change.kind {
        <Programme as Record<Model>>::KIND => told(state, change, Changed::Programme),
        <Measure as Record<Model>>::KIND => told(state, change, Changed::Measure),
        <VisaRule as Record<Model>>::KIND => told(state, change, Changed::VisaRule),
        kind => Err(store::Error::View(format!("a change of the kind {kind}")).into()),
    })?;
    Ok(ListChangesResponse {
        changes,
        next_page_token,
    })
}

fn told<M: Record<Model>>(
    state: &State<'_>,
    change: &Change,
    record: fn(M) -> Changed,
) -> Result<RecordChange, Error> {
    let revision = revision_at::<Model, M>(state, &change.id, change.time)?;
    Ok(RecordChange {
        record_time: Some(proto::to_timestamp(revision.time)),
        name: M::NAME(&change.id),
        change: revision.change.into(),
        changed_fields: revision.changed_fields,
        record: revision.record.map(record),
    })
}
