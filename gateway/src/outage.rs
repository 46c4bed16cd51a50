//! Services that did not answer, as an answer over all of them names them.

use proto::gateway::v1::Unreachable;
use tonic::Status;

/// A service that did not answer.
pub(crate) fn unreachable(service: &str, status: &Status) -> Unreachable {
    Unreachable {
        service: service.to_owned(),
        sections: Vec::new(),
        code: proto::code_name(status.code()).to_owned(),
        message: status.message().to_owned(),
    }
}
