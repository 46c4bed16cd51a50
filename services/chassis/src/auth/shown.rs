//! What a call shows of its caller. It is taken out of the request, so that nothing behind this sees a token.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http::{Extensions, Request};

use crate::PeerNames;
use crate::caller::{Forwarded, take_forwarded};

/// What a call shows.
pub(super) struct Shown {
    pub(super) bearer: Bearer,
    /// What the headers of a gateway say.
    pub(super) forwarded: Forwarded,
    peers: Option<Arc<[String]>>,
}

/// The token of a call.
pub(super) enum Bearer {
    None,
    Malformed,
    Token(String),
}

impl Shown {
    pub(super) fn take<B>(request: &mut Request<B>) -> Shown {
        Shown {
            peers: peers(request.extensions()),
            bearer: bearer(request.headers_mut()),
            forwarded: take_forwarded(request.headers_mut()),
        }
    }

    /// The name of the peer that is among those given.
    pub(super) fn peer_among(&self, names: &[String]) -> Option<&str> {
        let peers = self.peers.iter().flat_map(|peers| peers.iter());
        let mut known = peers.filter(|peer| names.contains(peer));
        known.next().map(String::as_str)
    }
}

fn peers(extensions: &Extensions) -> Option<Arc<[String]>> {
    let PeerNames(names) = extensions.get()?;
    Some(Arc::clone(names))
}

fn bearer(headers: &mut HeaderMap) -> Bearer {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let bearer = match (values.next(), values.next()) {
        (None, _) => return Bearer::None,
        (Some(value), None) => token(value).map_or(Bearer::Malformed, Bearer::Token),
        (Some(_), Some(_)) => Bearer::Malformed,
    };
    headers.remove(AUTHORIZATION);
    bearer
}

fn token(value: &HeaderValue) -> Option<String> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    let token = token.trim_matches(' ');
    (is_bearer && !token.is_empty()).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(values: &[&'static str]) -> Bearer {
        let mut request = Request::new(());
        for value in values {
            let value = HeaderValue::from_static(value);
            request.headers_mut().append(AUTHORIZATION, value);
        }
        let shown = Shown::take(&mut request);
        assert!(request.headers().is_empty());
        shown.bearer
    }

    #[test]
    fn a_token_is_taken_out_of_the_request() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert!(matches!(shown(&[value]), Bearer::Token(token) if token == "abc"));
        }
        assert!(matches!(shown(&[]), Bearer::None));
    }

    #[test]
    fn what_is_no_token_or_two_is_refused() {
        for values in [
            &["abc"][..],
            &["Basic abc"],
            &["Bearer "],
            &["Bearer a", "Bearer b"],
        ] {
            assert!(matches!(shown(values), Bearer::Malformed));
        }
    }
}
