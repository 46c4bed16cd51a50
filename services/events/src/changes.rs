//! What became of records: the versions of one, and the changes of all between two instants.

use proto::events::v1 as wire;
use records::{Change, Error, Record, revision_at};
use store::State;
use wire::record_change::Record as Changed;
use wire::{Agreement, AgreementVersion, Event, EventVersion, RecordChange};
use wire::{ListAgreementVersionsRequest, ListAgreementVersionsResponse};
use wire::{ListChangesRequest, ListChangesResponse};
use wire::{ListEventVersionsRequest, ListEventVersionsResponse};

use crate::Model;

records::list_request!(Model, now: ListChangesRequest);
records::changes_request!(Model, ListChangesRequest);
records::versions_request!(
    Model,
    ListEventVersionsRequest of Event,
    ListEventVersionsResponse { EventVersion { event } }
);
records::versions_request!(
    Model,
    ListAgreementVersionsRequest of Agreement,
    ListAgreementVersionsResponse { AgreementVersion { agreement } }
);

/// A page of changes between two instants.
pub(crate) fn list(
    state: &State<'_>,
    query: &records::ChangesQuery,
) -> Result<ListChangesResponse, Error> {
    let (changes, next_page_token) = query.page(state, |change| match change.kind {
        <Event as Record<Model>>::KIND => told(state, change, Changed::Event),
        <Agreement as Record<Model>>::KIND => told(state, change, Changed::Agreement),
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
