//! Where the journal of a service stands.

use proto::error::v1::ErrorReason;
use proto::journal::v1::GetJournalRequest;
use proto::{parse_timestamp, to_timestamp};
use tonic::{Code, Status};

use crate::ask::{Asking, Service};

/// Where a journal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stand {
    pub(crate) position: u64,
    /// The instant of its last record; none before the first.
    pub(crate) time: Option<i64>,
}

impl Stand {
    /// The instant as of which a service is asked, so that all its answers are of one state: of an empty journal nothing
    /// is told, whatever comes meanwhile.
    pub(crate) fn as_of(self, asked: Option<i64>) -> prost_types::Timestamp {
        let last = self.time.unwrap_or(0);
        to_timestamp(asked.map_or(last, |asked| asked.min(last)))
    }
}

/// Asks where a journal stands, which a service says from its memory.
pub(crate) async fn stand_of<C>(service: &Service<C>, asking: &Asking) -> Result<Stand, Status> {
    let name = format!("journals/{}", service.name);
    let mut journals = service.journals.clone();
    let asked = journals.get_journal(asking.call(GetJournalRequest { name }));
    let journal = asking.in_half_time(asked).await?.into_inner();
    let time = journal.last_commit_time.as_ref().map(parse_timestamp);
    let time = time.transpose();
    Ok(Stand {
        position: journal.last_position,
        time: time.map_err(|_| unreadable())?,
    })
}

fn unreadable() -> Status {
    let what = "a service tells no instant at which it last recorded something";
    proto::status(Code::Internal, ErrorReason::Internal, what, [])
}
