//! What a service brings to the store.

use prost::Message;

use crate::{Error, Stamp, State, Write};

/// A service's records: the message that says what changed, and what it does to the state.
pub trait Model: 'static {
    /// One change: what is journaled, applied and sent to watchers. It may only grow.
    type Change: Message + Default + 'static;

    /// What operators call it, in what is counted and traced.
    const NAME: &'static str;

    /// Version of the keys and values that [`Model::apply`] writes. A view of another version is
    /// rebuilt at open.
    const LAYOUT: u32;

    /// Applies one change. It may depend on nothing but its arguments, since it runs again at replay.
    ///
    /// # Errors
    /// The write is refused and leaves nothing behind. At replay an error stops the store, so what was
    /// applied once must apply again.
    fn apply(state: &mut State<'_>, change: &Self::Change, stamp: Stamp) -> Result<(), Error>;
}

/// What a decision answers: the changes to make, and the reply once they are durable.
#[derive(Debug)]
pub struct Decision<C, R> {
    /// The changes, in order; none when the state already is as asked.
    pub changes: Vec<C>,
    /// The record that is made or changed, remembered with the request id; may be empty.
    pub subject: String,
    /// The reply.
    pub reply: R,
}

impl<C, R> Decision<C, R> {
    /// Nothing to change.
    pub fn nothing(reply: R) -> Decision<C, R> {
        Decision {
            changes: Vec::new(),
            subject: String::new(),
            reply,
        }
    }

    /// One change to the record named `subject`.
    pub fn change(change: C, subject: impl Into<String>, reply: R) -> Decision<C, R> {
        Decision {
            changes: vec![change],
            subject: subject.into(),
            reply,
        }
    }
}

/// Who asks for a write, and under which request id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The caller's identity, for the audit; empty where there is no login.
    pub who: String,
    /// The request id, if the client gave one.
    pub request: Option<Request>,
}

/// A client's request id with what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The id, a UUID's bytes.
    pub id: [u8; 16],
    /// Digest of the request, so that the same id with another request is told apart.
    pub digest: u64,
}

impl Request {
    /// The request of a journaled write, if it had one.
    pub(crate) fn of(write: &Write) -> Option<Request> {
        let id = write.request_id[..].try_into().ok()?;
        Some(Request {
            id,
            digest: write.request_digest,
        })
    }
}
