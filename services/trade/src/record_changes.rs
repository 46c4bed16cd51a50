//! What became of datasets, sectors and statements between two instants.

use proto::trade::v1 as wire;
use records::{Change, ChangesQuery, Error, Record, revision_at};
use store::State;
use wire::record_change::Record as Changed;
use wire::{Dataset, ListChangesRequest, ListChangesResponse, RecordChange, Sector, Statement};

use crate::Model;

records::list_request!(Model, now: ListChangesRequest);
records::changes_request!(Model, ListChangesRequest);

/// A page of changes between two instants.
pub(crate) fn list(state: &State<'_>, query: &ChangesQuery) -> Result<ListChangesResponse, Error> {
    let (changes, next_page_token) = query.page(state, |change| match change.kind {
        <Dataset as Record<Model>>::KIND => told(state, change, Changed::Dataset),
        <Sector as Record<Model>>::KIND => told(state, change, Changed::Sector),
        <Statement as Record<Model>>::KIND => told(state, change, Changed::Statement),
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
