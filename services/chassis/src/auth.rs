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
//! * `jwt.rs`, `claims.rs`, `keys.rs`: signed tokens, what they say, and the keys that verify them.
//! * `watched.rs`: their files, which are looked at each second. `refusal.rs`: why a caller is turned away.

mod believer;
mod book;
mod claims;
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

/// A call whose caller is known as far as it must be.
#[derive(Debug)]
pub(crate) struct Admitted {
    path: &'static str,
    needs: Needs,
    known: Option<(Arc<Believer>, Identity)>,
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

    /// Learns whose call this is, or turns it away; the caller stands in the extensions from then on.
    pub(crate) fn identify<B>(
        &self,
        request: &mut Request<B>,
        peer: SocketAddr,
    ) -> Result<Admitted, Status> {
        let shown = Shown::take(request);
        let method = policy::find(request.uri().path());
        let Some(believer) = &self.believer else {
            // What no rule knows is refused behind this, and shares one allowance.
            let (path, needs) = method.unwrap_or(("", Needs::Role(Role::Reader)));
            return Ok(Admitted::without_login(path, needs));
        };
        let (path, needs) = method.ok_or_else(refusal::nobody_may)?;
        if needs == Needs::Nothing {
            return Ok(Admitted::without_login(path, needs));
        }
        let identity = believer.believe(&shown);
        let identity = identity.inspect_err(|failure| self.failures.note(*failure, peer))?;
        request.extensions_mut().insert(identity.caller.clone());
        Ok(Admitted {
            path,
            needs,
            known: Some((Arc::clone(believer), identity)),
        })
    }

    /// Whether the caller may make this call, now.
    pub(crate) fn allow(&self, admitted: &Admitted, peer: SocketAddr) -> Result<(), Status> {
        let Needs::Role(role) = admitted.needs else {
            return Ok(());
        };
        let caller = admitted.caller();
        if let Some(caller) = caller.filter(|caller| caller.role < role) {
            return Err(refusal::may_not(caller, role));
        }
        self.limits.take(caller, peer.ip(), admitted.path)
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
    fn without_login(path: &'static str, needs: Needs) -> Admitted {
        Admitted {
            path,
            needs,
            known: None,
        }
    }

    /// Who calls, where that is known.
    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.known.as_ref().map(|(_, identity)| &identity.caller)
    }

    /// What looks again and again whether the caller is still believed.
    pub(crate) fn standing(self) -> Option<Standing> {
        let (believer, identity) = self.known?;
        Some(Standing::new(believer, identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PeerNames;
    use http::HeaderValue;
    use tonic::Code;

    const PEER: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

    /// A door that believes gateways alone.
    fn door() -> Door {
        let config = Config {
            login: Some(Login::default()),
            ..Config::default()
        };
        Door::open(&config).unwrap()
    }

    fn call(path: &'static str, peers: &[&str]) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = http::Uri::from_static(path);
        let names = peers.iter().map(|name| (*name).to_owned()).collect();
        request.extensions_mut().insert(PeerNames(names));
        request
    }

    fn made(mut request: Request<()>) -> Result<String, Code> {
        let door = door();
        let admitted = door
            .identify(&mut request, PEER)
            .map_err(|status| status.code())?;
        door.allow(&admitted, PEER)
            .map_err(|status| status.code())?;
        assert!(request.headers().is_empty(), "{request:?}");
        assert_eq!(request.extensions().get(), admitted.caller());
        Ok(admitted
            .caller()
            .map_or_else(String::new, |caller| caller.name.to_string()))
    }

    const READ: &str = "/entente.trade.v1.TradeService/GetDataset";
    const WRITE: &str = "/entente.trade.v1.TradeService/CreateDataset";

    #[test]
    fn a_gateway_that_is_known_by_its_certificate_says_whose_calls_it_passes_on() {
        let desk = Caller {
            name: "desk".into(),
            role: Role::Reader,
        };
        let forwarded = |path, peers| {
            let mut request = call(path, peers);
            desk.forward(request.headers_mut());
            made(request)
        };
        assert_eq!(
            forwarded(READ, &["localhost", "gateway"]),
            Ok("desk".into())
        );
        assert_eq!(forwarded(WRITE, &["gateway"]), Err(Code::PermissionDenied));
        assert_eq!(
            forwarded(READ, &["desk", "gateway.evil"]),
            Err(Code::Unauthenticated)
        );
        assert_eq!(forwarded(READ, &[]), Err(Code::Unauthenticated));
    }

    #[test]
    fn a_gateway_that_names_nobody_calls_for_itself_and_one_that_talks_nonsense_for_nobody() {
        let own = call(READ, &["gateway"]);
        assert_eq!(made(own), Ok("gateway".into()));
        let write = call(WRITE, &["gateway"]);
        assert_eq!(made(write), Err(Code::PermissionDenied));
        let mut half = call(READ, &["gateway"]);
        let name = HeaderValue::from_static("desk");
        half.headers_mut().insert("x-entente-caller", name);
        assert_eq!(made(half), Err(Code::Unauthenticated));
    }

    #[test]
    fn probes_need_no_login_and_what_no_rule_names_is_refused() {
        assert_eq!(
            made(call("/grpc.health.v1.Health/Check", &[])),
            Ok(String::new())
        );
        let unknown = "/entente.trade.v1.TradeService/DropEverything";
        assert_eq!(
            made(call(unknown, &["gateway"])),
            Err(Code::PermissionDenied)
        );
    }
}
