//! How the gateway is, and what it sees of the processes behind it.

use chassis::{Caller, Role};
use proto::gateway::v1 as wire;
use proto::to_timestamp;

use crate::backend::Seen;
use crate::which::Which;
use crate::{Backend, Backends};

/// How the gateway is, for a caller; none where there is no login, and everybody may do everything.
pub(crate) fn status(
    backends: &Backends,
    started: i64,
    caller: Option<&Caller>,
) -> wire::GatewayStatus {
    let tells_places = caller.is_none_or(|caller| caller.role == Role::Admin);
    let backend = |which: Which| {
        let backend = match which {
            Which::Trade => &backends.trade,
            Which::Events => &backends.events,
            Which::Culture => &backends.culture,
        };
        of_backend(which, backend, tells_places)
    };
    wire::GatewayStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        start_time: Some(to_timestamp(started)),
        backends: Which::ALL.into_iter().map(backend).collect(),
    }
}

fn of_backend(which: Which, backend: &Backend, tells_places: bool) -> wire::BackendStatus {
    let replicas = backend.replicas().into_iter();
    wire::BackendStatus {
        service: which.name().to_owned(),
        reached: *backend.reached().borrow(),
        replicas: replicas
            .map(|seen| of_replica(seen, tells_places))
            .collect(),
    }
}

fn of_replica(seen: Seen, tells_place: bool) -> wire::ReplicaStatus {
    let Seen {
        place,
        state,
        calls,
    } = seen;
    let address = if tells_place {
        place.to_string()
    } else {
        String::new()
    };
    wire::ReplicaStatus {
        address,
        state: state.into(),
        calls: u32::try_from(calls).unwrap_or(u32::MAX),
    }
}
