//! Whom a process takes a caller to be, and on what grounds.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::book::{self, Book};
use super::jwt::{self, Verifier};
use super::refusal::Failure;
use super::shown::{Bearer, Shown};
use super::watched::{self, Watched};
use super::{Login, token};
use crate::caller::Forwarded;
use crate::{Caller, Error, Role};

/// What a process believes, at work.
#[derive(Debug)]
pub(super) struct Believer {
    tokens: Option<Watched<Book>>,
    jwt: Option<Verifier>,
    forwarders: Vec<String>,
}

/// A caller who was believed.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) caller: Caller,
    grounds: Grounds,
}

#[derive(Clone, Debug)]
enum Grounds {
    Token(book::Ticket),
    Jwt(jwt::Ticket),
    /// The certificate of the connection, which ends with it.
    Gateway,
}

impl Believer {
    pub(super) fn open(login: Login) -> Result<Believer, Error> {
        let Login {
            tokens,
            jwt,
            forwarders,
        } = login;
        Ok(Believer {
            tokens: tokens.map(watched::open).transpose()?,
            jwt: jwt.map(Verifier::open).transpose()?,
            forwarders,
        })
    }

    /// Whose call this is. What a gateway says comes before a token, which it would have taken out.
    pub(super) fn believe(&self, shown: &Shown) -> Result<Identity, Failure> {
        if let Some(gateway) = shown.peer_among(&self.forwarders) {
            return believe_gateway(gateway, &shown.forwarded);
        }
        match &shown.bearer {
            Bearer::None => Err(Failure::Missing),
            Bearer::Malformed => Err(Failure::Malformed),
            Bearer::Token(text) if text.starts_with(token::PREFIX) => self.believe_token(text),
            Bearer::Token(text) => self.believe_jwt(text),
        }
    }

    fn believe_token(&self, text: &str) -> Result<Identity, Failure> {
        let tokens = self.tokens.as_ref().ok_or(Failure::Unknown)?;
        let (caller, ticket) = tokens.current().believe(text)?;
        Ok(Identity {
            caller,
            grounds: Grounds::Token(ticket),
        })
    }

    fn believe_jwt(&self, text: &str) -> Result<Identity, Failure> {
        let jwt = self.jwt.as_ref().ok_or(Failure::Unknown)?;
        let (caller, ticket) = jwt.believe(text)?;
        Ok(Identity {
            caller,
            grounds: Grounds::Jwt(ticket),
        })
    }

    /// Whether a caller who was believed still is.
    pub(super) fn look(&self, identity: &Identity) -> Result<(), Failure> {
        match &identity.grounds {
            Grounds::Gateway => Ok(()),
            Grounds::Jwt(ticket) => self.jwt.as_ref().map_or(Ok(()), |jwt| jwt.look(ticket)),
            Grounds::Token(ticket) => {
                let tokens = self.tokens.as_ref().ok_or(Failure::Unknown)?.current();
                let is_same = *tokens.look(ticket)? == identity.caller;
                is_same.then_some(()).ok_or(Failure::Unknown)
            }
        }
    }

    /// Looks whether its files have changed.
    pub(super) async fn refresh(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let look = move || {
            if let Some(tokens) = &this.tokens {
                watched::look(tokens);
            }
            if let Some(jwt) = &this.jwt {
                jwt.refresh();
            }
        };
        if let Err(error) = spawn_blocking(look).await {
            tracing::warn!(%error, "the files of the login were not looked at");
        }
    }
}

/// A gateway that names nobody makes a call of its own, and all that it asks for itself are questions: one without a
/// login must not hand more than that to whoever reaches it.
fn believe_gateway(gateway: &str, forwarded: &Forwarded) -> Result<Identity, Failure> {
    let caller = match forwarded {
        Forwarded::Caller(caller) => caller.clone(),
        Forwarded::Junk => return Err(Failure::Unnamed),
        Forwarded::Nothing => Caller {
            name: gateway.into(),
            role: Role::Reader,
        },
    };
    Ok(Identity {
        caller,
        grounds: Grounds::Gateway,
    })
}
