//! What became of datasets, sectors and statements: the request for the changes of all between two instants.

use proto::trade::v1 as wire;
use wire::record_change::Record as Changed;
use wire::{Dataset, ListChangesRequest, ListChangesResponse, RecordChange, Sector, Statement};

use crate::Model;

records::changes_request!(
    Model,
    ListChangesRequest,
    ListChangesResponse { RecordChange { Changed: Dataset, Sector, Statement } }
);
