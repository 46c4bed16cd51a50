//! What became of records: the requests for the versions of one, and for the changes of all between two instants.

use proto::events::v1 as wire;
use wire::record_change::Record as Changed;
use wire::{Agreement, AgreementVersion, Event, EventVersion, RecordChange};
use wire::{ListAgreementVersionsRequest, ListAgreementVersionsResponse};
use wire::{ListChangesRequest, ListChangesResponse};
use wire::{ListEventVersionsRequest, ListEventVersionsResponse};

use crate::Model;

records::changes_request!(
    Model,
    ListChangesRequest,
    ListChangesResponse { RecordChange { Changed: Event, Agreement } }
);
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
