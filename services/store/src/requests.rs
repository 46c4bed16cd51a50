//! The request ids that were seen lately, so that a repeated request is done once (AIP-155).
//!
//! The last [`REMEMBERED`] are kept in a ring: the id leads to what it was used for and to its place in
//! the ring, the place leads back to the id, and a new id takes the place of the oldest.

use crate::state::OWN;
use crate::{Error, Request, State};

/// How many request ids are remembered.
pub(crate) const REMEMBERED: u64 = 65_536;

/// What a request id was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Digest of the request.
    pub digest: u64,
    /// The record that the request made or changed.
    pub subject: String,
}

fn id_key(id: &[u8; 16]) -> Vec<u8> {
    [&[OWN, b'i'], &id[..]].concat()
}

fn place_key(place: u64) -> Vec<u8> {
    [&[OWN, b'p'], &place.to_be_bytes()[..]].concat()
}

fn next_key() -> Vec<u8> {
    vec![OWN, b'n']
}

pub(crate) fn find(state: &State<'_>, id: &[u8; 16]) -> Result<Option<Seen>, Error> {
    let Some(value) = state.get(&id_key(id))? else {
        return Ok(None);
    };
    let (digest, subject) = value.split_at_checked(8).ok_or_else(malformed)?;
    Ok(Some(Seen {
        digest: crate::frame::u64_at(digest, 0),
        subject: String::from_utf8(subject.to_vec()).map_err(|_| malformed())?,
    }))
}

fn malformed() -> Error {
    Error::View("a remembered request id does not parse".into())
}

pub(crate) fn remember(
    state: &mut State<'_>,
    request: &Request,
    subject: &str,
) -> Result<(), Error> {
    if find(state, &request.id)?.is_some() {
        return Ok(());
    }
    let count = match state.get(&next_key())? {
        Some(value) if value.len() == 8 => crate::frame::u64_at(&value, 0),
        Some(_) => return Err(malformed()),
        None => 0,
    };
    let place = place_key(count % REMEMBERED);
    if let Some(oldest) = state.get(&place)? {
        let oldest: [u8; 16] = oldest[..].try_into().map_err(|_| malformed())?;
        state.remove(id_key(&oldest));
    }
    let value = [&request.digest.to_le_bytes()[..], subject.as_bytes()].concat();
    state.put(place, request.id.to_vec())?;
    state.put(id_key(&request.id), value)?;
    state.put(next_key(), (count + 1).to_le_bytes().to_vec())
}
