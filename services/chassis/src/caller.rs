//! Who makes a call.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

const NAME: HeaderName = HeaderName::from_static("x-entente-caller");
const ROLE: HeaderName = HeaderName::from_static("x-entente-role");

/// What a caller may do; each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May ask.
    Reader,
    /// May record, change and delete.
    Editor,
    /// May copy journals and see who changed what.
    Admin,
}

/// Who makes a call; in the extensions of every request whose caller is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The name that the journal keeps: 1 to 128 visible ASCII characters.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
}

/// The DNS names in the certificate with which the other end of a connection identified itself; in the extensions of
/// every request of such a connection.
#[derive(Clone, Debug)]
pub struct PeerNames(pub Arc<[String]>);

impl Role {
    /// Its name on the wire and in files.
    pub fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Editor => "editor",
            Role::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Role> {
        let all = [Role::Reader, Role::Editor, Role::Admin];
        all.into_iter().find(|role| role.name() == name)
    }
}

impl Caller {
    /// Writes it into the metadata of a call that is passed on. Whoever receives it believes it only from a peer that
    /// it knows by its certificate.
    pub fn forward(&self, headers: &mut HeaderMap) {
        strip(headers);
        if let Ok(name) = HeaderValue::from_str(&self.name) {
            headers.insert(NAME, name);
            headers.insert(ROLE, HeaderValue::from_static(self.role.name()));
        }
    }

    /// Reads what [`Caller::forward`] wrote.
    pub fn forwarded(headers: &HeaderMap) -> Option<Caller> {
        let text = |name: &HeaderName| headers.get(name)?.to_str().ok();
        let name = text(&NAME).filter(|name| is_name(name))?;
        Some(Caller {
            name: name.into(),
            role: Role::parse(text(&ROLE)?)?,
        })
    }
}

/// Takes what only a gateway may say out of the metadata of a call.
pub fn strip(headers: &mut HeaderMap) {
    headers.remove(NAME);
    headers.remove(ROLE);
}

/// What the metadata of a call say of its caller.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Forwarded {
    Nothing,
    Caller(Caller),
    /// Something that [`Caller::forward`] does not write.
    Junk,
}

/// Takes what [`Caller::forward`] wrote out of the metadata of a call.
pub(crate) fn take_forwarded(headers: &mut HeaderMap) -> Forwarded {
    if !headers.contains_key(NAME) && !headers.contains_key(ROLE) {
        return Forwarded::Nothing;
    }
    let is_single = |name| headers.get_all(name).iter().count() == 1;
    let caller = Caller::forwarded(headers).filter(|_| is_single(NAME) && is_single(ROLE));
    strip(headers);
    caller.map_or(Forwarded::Junk, Forwarded::Caller)
}

/// Whether a text can name a caller.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_survives_the_way_to_another_process() {
        let caller = Caller {
            name: "desk-7".into(),
            role: Role::Editor,
        };
        let mut headers = HeaderMap::new();
        headers.append(NAME, HeaderValue::from_static("mallory"));
        caller.forward(&mut headers);
        assert_eq!(headers.get_all(NAME).iter().count(), 1);
        assert_eq!(Caller::forwarded(&headers), Some(caller));
        strip(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn half_a_caller_is_none() {
        let mut headers = HeaderMap::new();
        headers.insert(NAME, HeaderValue::from_static("desk"));
        assert_eq!(Caller::forwarded(&headers), None);
        headers.insert(ROLE, HeaderValue::from_static("root"));
        assert_eq!(Caller::forwarded(&headers), None);
    }

    #[test]
    fn what_is_taken_out_of_a_call_is_a_caller_or_junk_or_nothing() {
        let mut headers = HeaderMap::new();
        assert_eq!(take_forwarded(&mut headers), Forwarded::Nothing);
        headers.insert(NAME, HeaderValue::from_static("desk"));
        assert_eq!(take_forwarded(&mut headers), Forwarded::Junk);
        assert!(headers.is_empty());
        for _ in 0..2 {
            headers.append(NAME, HeaderValue::from_static("desk"));
            headers.insert(ROLE, HeaderValue::from_static("admin"));
        }
        assert_eq!(take_forwarded(&mut headers), Forwarded::Junk);
    }
}
