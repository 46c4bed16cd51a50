//! Login: who makes a call, whether they may make it, and how often.
//!
//! It stands at the door of a process, before anything that costs. What a caller shows is taken out of the call there;
//! what goes on with it is the [`Caller`], in its extensions.
//!
//! # Layout
//!
//! * [`Login`]: what a process believes. [`Door`]: what happens to a call.
//! * `policy.rs`: which role a method needs. `rates.rs`: how often a caller may call it.
//! * `shown.rs`: what a call shows. `believer.rs`: whom it is taken to come from. `standing.rs`: whether whoever opened
//!   a stream may still have it.
//! * `token.rs`, `token_file.rs`, `book.rs`: our own tokens: their text, their file, and as calls are held against them.
//! * `jwt.rs`, `keys.rs`: signed tokens and the keys that verify them.
//! * `watched.rs`: a file that is looked at each second. `refusal.rs`: why a caller is turned away.

mod believer;
mod book;
mod jwt;
mod keys;
pub mod policy;
mod rates;
mod refusal;
mod shown;
mod standing;
mod token;
mod token_file;
mod watched;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use tokio::time::MissedTickBehavior;
use tonic::Status;

use self::believer::{Believer, Identity};
use self::policy::Needs;
use self::rates::Limits;
use self::refusal::Failures;
use self::shown::Shown;
use crate::{Caller, Config, Error, Role};

pub use self::jwt::Jwt;
pub use self::rates::{Rate, Rates};
pub use self::refusal::failed_logins;
pub(crate) use self::standing::Standing;
pub use self::token_file::{NewToken, TokenFile, TokenFileError, TokenRecord, TokenState};

/// How often files are looked at, and allowances tidied up.
const EVERY: Duration = Duration::from_secs(1);

/// What a process believes of who calls it. Whoever is not believed is turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// A file of tokens, as [`TokenFile`] writes it. It is read again when it has changed.
    pub tokens: Option<PathBuf>,
    /// Tokens that an authority signs.
    pub jwt: Option<Jwt>,
    /// DNS names of gateways that may say whose calls they pass on, if they are in the certificate with which the other
    /// end of a connection identified itself. Default: `gateway`.
    pub forwarders: Vec<String>,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            tokens: None,
            jwt: None,
            forwarders: vec!["gateway".to_owned()],
        }
    }
}

/// Where calls come in.
#[derive(Debug)]
pub(crate) struct Door {
    believer: Option<Arc<Believer>>,
    limits: Limits,
    failures: Failures,
}

/// A call that was let in.
#[derive(Debug, Default)]
pub(crate) struct Admitted {
    identity: Option<(Arc<Believer>, Identity)>,
}

impl Door {
    pub(crate) fn open(config: &Config) -> Result<Door, Error> {
        let believer = config.login.clone().map(Believer::open).transpose()?;
        Ok(Door {
            believer: believer.map(Arc::new),
            limits: Limits::new(config.rates),
            failures: Failures::default(),
        })
    }

    /// Lets a call in, with its caller in the extensions, or turns it away.
    pub(crate) fn admit<B>(
        &self,
        request: &mut Request<B>,
        peer: SocketAddr,
    ) -> Result<Admitted, Status> {
        let shown = Shown::take(request);
        let method = policy::find(request.uri().path());
        let admitted = match &self.believer {
            None => Admitted::default(),
            Some(believer) => self.believe(believer, &shown, method, peer)?,
        };
        let caller = admitted.caller();
        // Without a login, what no rule knows is refused behind this, and shares one allowance.
        let (path, needs) = method.unwrap_or(("", Needs::Role(Role::Reader)));
        if needs != Needs::Nothing {
            self.limits.take(caller, peer.ip(), path)?;
        }
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller.clone());
        }
        Ok(admitted)
    }

    fn believe(
        &self,
        believer: &Arc<Believer>,
        shown: &Shown,
        method: Option<(&str, Needs)>,
        peer: SocketAddr,
    ) -> Result<Admitted, Status> {
        let (_, needs) = method.ok_or_else(refusal::nobody_may)?;
        let Needs::Role(role) = needs else {
            return Ok(Admitted::default());
        };
        let identity = believer
            .believe(shown)
            .inspect_err(|failure| self.failures.note(*failure, peer))?;
        if identity.caller.role < role {
            return Err(refusal::may_not(&identity.caller, role));
        }
        Ok(Admitted {
            identity: Some((Arc::clone(believer), identity)),
        })
    }

    /// Keeps what is believed fresh, for as long as the process serves.
    pub(crate) async fn tend(self: Arc<Self>) {
        if self.believer.is_none() && !self.limits.are_any() {
            return;
        }
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(believer) = &self.believer {
                believer.refresh().await;
            }
            self.limits.tidy();
        }
    }
}

impl Admitted {
    /// Who calls, where that is known.
    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.identity.as_ref().map(|(_, identity)| &identity.caller)
    }

    /// What looks again and again whether the caller is still believed.
    pub(crate) fn standing(self) -> Option<Standing> {
        let (believer, identity) = self.identity?;
        Some(Standing::new(believer, identity))
    }
}
