//! Services that did not answer, as an answer over all of them names them.

use proto::gateway::v1::Unreachable;
use tonic::Status;

use crate::briefing::code_name;

/// A service that did not answer.
pub(crate) fn unreachable(service: &str, status: &Status) -> Unreachable {
    Unreachable {
        service: service.to_owned(),
        sections: Vec::new(),
        code: code_name(status.code()).to_owned(),
        message: status.message().to_owned(),
    }
}
