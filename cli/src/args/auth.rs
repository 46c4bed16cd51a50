//! Options of login: what a serving process believes of who calls it, and how often they may call.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use chassis::{Jwt, Login, Rate, Rates};
use clap::Args;

use super::token::parse_role;

/// What a serving process believes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Login")]
pub(crate) struct AuthArgs {
    /// Believe tokens of this file, which `entente token` makes; a change of it counts within a second or two
    ///
    /// With this, with --jwks or with --forwarder, every call must come from somebody who is believed. Without any of
    /// them there is no login, and everybody who reaches the address may do everything.
    #[arg(long, env = "ENTENTE_TOKENS", value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Believe signed tokens (JWT) by the public keys of this file, a JSON Web Key Set
    #[arg(long, env = "ENTENTE_JWKS", value_name = "FILE", requires_all = ["jwt_issuer", "jwt_audience"])]
    jwks: Option<PathBuf>,
    /// Who must have issued a signed token
    #[arg(long, env = "ENTENTE_JWT_ISSUER", value_name = "NAME")]
    jwt_issuer: Option<String>,
    /// Whom a signed token must be meant for
    #[arg(long, env = "ENTENTE_JWT_AUDIENCE", value_name = "NAME")]
    jwt_audience: Option<String>,
    /// The claim of a signed token that says the role: reader, editor or admin
    #[arg(
        long,
        env = "ENTENTE_JWT_ROLE_CLAIM",
        default_value = "entente_role",
        value_name = "CLAIM"
    )]
    jwt_role_claim: String,
    /// Believe what a gateway says of its callers, if this DNS name is in the certificate with which it identifies
    /// itself; `gateway` where there is a login and none is named
    #[arg(
        long = "forwarder",
        env = "ENTENTE_FORWARDERS",
        value_name = "NAME",
        value_delimiter = ','
    )]
    forwarders: Vec<String>,
    /// How often a caller of a role may call one method: `reader=50` a second, `editor=600/min`, `admin=1000/h`;
    /// `anyone` are callers without a name, by their address (in IPv6, its first 64 bits)
    #[arg(
        long = "rate-limit",
        env = "ENTENTE_RATE_LIMITS",
        value_name = "ROLE=N",
        value_delimiter = ',',
        value_parser = parse_limit
    )]
    rate_limits: Vec<Limit>,
}

/// How often callers of a role may call.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// `None`: callers without a name.
    role: Option<chassis::Role>,
    rate: Rate,
}

impl AuthArgs {
    /// What is believed; `None` where there is no login.
    pub(crate) fn login(&self) -> Option<Login> {
        if self.tokens.is_none() && self.jwks.is_none() && self.forwarders.is_empty() {
            return None;
        }
        let mut login = Login {
            tokens: self.tokens.clone(),
            jwt: self.jwt(),
            ..Login::default()
        };
        if !self.forwarders.is_empty() {
            login.forwarders.clone_from(&self.forwarders);
        }
        Some(login)
    }

    fn jwt(&self) -> Option<Jwt> {
        Some(Jwt {
            keys: self.jwks.clone()?,
            issuer: self.jwt_issuer.clone()?,
            audience: self.jwt_audience.clone()?,
            role_claim: self.jwt_role_claim.clone(),
        })
    }

    /// How often callers may call; the last limit of a role counts.
    pub(crate) fn rates(&self) -> Rates {
        let mut rates = Rates::default();
        for Limit { role, rate } in &self.rate_limits {
            let limited = match role {
                None => &mut rates.anyone,
                Some(chassis::Role::Reader) => &mut rates.reader,
                Some(chassis::Role::Editor) => &mut rates.editor,
                Some(chassis::Role::Admin) => &mut rates.admin,
            };
            *limited = Some(*rate);
        }
        rates
    }
}

fn parse_limit(text: &str) -> Result<Limit, String> {
    let (role, rate) = text
        .split_once('=')
        .ok_or("it looks like reader=50 or editor=600/min")?;
    let role = match role {
        "anyone" => None,
        role => Some(parse_role(role)?),
    };
    let (calls, unit) = rate.split_once('/').unwrap_or((rate, "s"));
    let calls: NonZeroU32 = calls
        .parse()
        .map_err(|_| format!("`{calls}` is no number of calls"))?;
    let period = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        _ => return Err(format!("`{unit}` is none of: s, min, h")),
    };
    Ok(Limit {
        role,
        rate: Rate::of(calls, Duration::from_secs(period)),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        auth: AuthArgs,
    }

    fn parsed(words: &[&str]) -> Result<AuthArgs, clap::Error> {
        let line = Line::try_parse_from(["entente"].iter().chain(words));
        line.map(|line| line.auth)
    }

    #[test]
    fn there_is_a_login_when_something_is_believed() {
        assert_eq!(parsed(&[]).unwrap().login(), None);
        let tokens = parsed(&["--tokens", "t.json"]).unwrap().login().unwrap();
        assert_eq!(tokens.forwarders, ["gateway"]);
        let gateway = parsed(&["--forwarder", "door"]).unwrap().login().unwrap();
        assert_eq!(
            (gateway.forwarders, gateway.tokens),
            (vec!["door".into()], None)
        );
    }

    #[test]
    fn signed_tokens_need_an_issuer_and_an_audience() {
        assert!(parsed(&["--jwks", "k.json"]).is_err());
        assert!(parsed(&["--jwks", "k.json", "--jwt-issuer", "i"]).is_err());
        let words = [
            "--jwks",
            "k.json",
            "--jwt-issuer",
            "i",
            "--jwt-audience",
            "a",
        ];
        let jwt = parsed(&words).unwrap().login().unwrap().jwt.unwrap();
        assert_eq!(jwt.role_claim, "entente_role");
    }

    #[test]
    fn a_limit_is_of_a_role_and_has_a_unit() {
        let limits = [
            "--rate-limit",
            "reader=50,anyone=60/min",
            "--rate-limit",
            "admin=2/h",
        ];
        let rates = parsed(&limits).unwrap().rates();
        assert_eq!(rates.reader.unwrap().refill, Duration::from_millis(20));
        assert_eq!(rates.anyone.unwrap().refill, Duration::from_secs(1));
        assert_eq!(rates.admin.unwrap().refill, Duration::from_secs(1_800));
        assert_eq!(rates.editor, None);
        for wrong in ["reader", "root=1", "reader=0", "reader=1/day", "reader=-1"] {
            assert!(parsed(&["--rate-limit", wrong]).is_err(), "{wrong}");
        }
    }
}
