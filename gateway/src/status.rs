//! How the gateway is, and the processes behind it: as it sees them, and as they say themselves.

use std::time::Duration;

use chassis::{Caller, Role};
use futures_util::future::join_all;
use proto::gateway::v1 as wire;
use proto::gateway::v1::ReplicaState;
use proto::journal::v1::journal_service_client::JournalServiceClient;
use proto::journal::v1::{GetJournalStatusRequest, JournalStatus};
use proto::to_timestamp;

use crate::ask::Asking;
use crate::backend::Process;
use crate::which::Which;
use crate::{Backend, Backends};

/// How long a process may take at most to say how it is.
const LIMIT: Duration = Duration::from_secs(2);

/// How the gateway is, for a caller; none where there is no login, and everybody may do everything.
pub(crate) async fn status(
    backends: &Backends,
    started: i64,
    asking: &Asking,
    caller: Option<&Caller>,
) -> wire::GatewayStatus {
    let tells_places = caller.is_none_or(|caller| caller.role == Role::Admin);
    let backends = Which::ALL.map(|which| {
        let backend = match which {
            Which::Trade => &backends.trade,
            Which::Events => &backends.events,
            Which::Culture => &backends.culture,
        };
        of_backend(which, backend, asking, tells_places)
    });
    wire::GatewayStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        start_time: Some(to_timestamp(started)),
        backends: join_all(backends).await,
    }
}

async fn of_backend(
    which: Which,
    backend: &Backend,
    asking: &Asking,
    tells_places: bool,
) -> wire::BackendStatus {
    let processes = backend.processes().into_iter();
    let replicas = processes.map(|process| of_replica(which, process, asking, tells_places));
    let reached = *backend.reached().borrow();
    wire::BackendStatus {
        service: which.name().to_owned(),
        reached,
        replicas: join_all(replicas).await,
    }
}

async fn of_replica(
    which: Which,
    process: Process,
    asking: &Asking,
    tells_place: bool,
) -> wire::ReplicaStatus {
    let place = tells_place.then(|| process.place().to_string());
    let (state, calls) = (process.state(), process.calls());
    let journal = match state {
        ReplicaState::Serving | ReplicaState::LeftOut => of_itself(which, process, asking).await,
        ReplicaState::NotServing | ReplicaState::Unspecified => None,
    };
    wire::ReplicaStatus {
        address: place.unwrap_or_default(),
        state: state.into(),
        calls: u32::try_from(calls).unwrap_or(u32::MAX),
        journal,
    }
}

/// What a process says of itself; none when it does not answer in time.
async fn of_itself(which: Which, process: Process, asking: &Asking) -> Option<JournalStatus> {
    let name = format!("journals/{}", which.name());
    let mut journals = JournalServiceClient::new(process);
    let asked = journals.get_journal_status(asking.call(GetJournalStatusRequest { name }));
    let limit = asking.half_time().min(LIMIT);
    let answered = tokio::time::timeout(limit, asked).await.ok()?;
    Some(answered.ok()?.into_inner())
}
