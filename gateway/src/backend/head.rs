//! What of a call's metadata passes, and what is said anew to whom it is passed.

use std::fmt::Write;
use std::time::Duration;

use bytes::BytesMut;
use chassis::{Caller, Deadline};
use http::header::{AUTHORIZATION, CONNECTION, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::header::{PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use super::address::Address;
use super::failure::Failure;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// `grpc-timeout` has eight digits at most.
const MOST_DIGITS: u128 = 99_999_999;

/// The head of a call, ready to be sent to any replica and more than once.
#[derive(Debug)]
pub(super) struct Head {
    path: PathAndQuery,
    headers: HeaderMap,
    deadline: Option<Deadline>,
}

impl Head {
    pub(super) fn new(parts: Parts) -> Head {
        let Parts {
            uri,
            mut headers,
            extensions,
            ..
        } = parts;
        clean(&mut headers);
        match extensions.get::<Caller>() {
            Some(caller) => caller.forward(&mut headers),
            None => chassis::strip(&mut headers),
        }
        Head {
            path: path(uri),
            headers,
            deadline: extensions.get().copied(),
        }
    }

    pub(super) fn path(&self) -> &str {
        self.path.path()
    }

    /// The call to a replica at an address, with what is left of its deadline now.
    pub(super) fn request(&self, address: &Address) -> Result<Request<()>, Failure> {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = address.uri(self.path.clone());
        *request.headers_mut() = self.headers.clone();
        if let Some(deadline) = self.deadline {
            let left = timeout(deadline.remaining()).ok_or(Failure::Late)?;
            request.headers_mut().insert(GRPC_TIMEOUT, left);
        }
        Ok(request)
    }
}

fn path(uri: Uri) -> PathAndQuery {
    let path = uri.into_parts().path_and_query;
    path.unwrap_or_else(|| PathAndQuery::from_static("/"))
}

/// Takes out what is meant for the gateway alone.
fn clean(headers: &mut HeaderMap) {
    let nominated = nominated(headers);
    let unwanted = headers.keys().filter(|name| is_for_one_hop(name));
    let unwanted: Vec<HeaderName> = unwanted.cloned().chain(nominated).collect();
    for name in unwanted {
        headers.remove(name);
    }
    if headers.get(TE) != Some(&TRAILERS) {
        headers.insert(TE, TRAILERS);
    }
    // HTTP/2 would keep it in the table of headers that come again, and push those out.
    if let Some(id) = headers.get_mut(REQUEST_ID) {
        id.set_sensitive(true);
    }
}

fn is_for_one_hop(name: &HeaderName) -> bool {
    let known = [
        AUTHORIZATION,
        CONNECTION,
        HOST,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    known.contains(name)
        || matches!(
            name.as_str(),
            "keep-alive" | "proxy-connection" | "http2-settings"
        )
}

/// The headers that `connection` names.
fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let names = texts.flat_map(|text| text.split(','));
    names.filter_map(|name| name.trim().parse().ok()).collect()
}

/// What is left, rounded down; none when that is less than a millisecond.
fn timeout(left: Duration) -> Option<HeaderValue> {
    let (amount, unit) = match left.as_millis() {
        0 => return None,
        millis @ 1..=MOST_DIGITS => (millis, 'm'),
        _ => (u128::from(left.as_secs()).min(MOST_DIGITS), 'S'),
    };
    let mut text = BytesMut::with_capacity(9);
    write!(text, "{amount}{unit}").expect("a buffer takes all");
    let mut value = HeaderValue::from_maybe_shared(text.freeze()).expect("digits and a letter");
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::Role;

    fn head(headers: &[(&'static str, &'static str)]) -> Head {
        let mut request = Request::new(());
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            request.headers_mut().append(*name, value);
        }
        Head::new(request.into_parts().0)
    }

    fn names(head: &Head) -> Vec<&str> {
        let mut names: Vec<_> = head.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_is_meant_for_the_gateway_stays_there() {
        let head = head(&[
            ("authorization", "Bearer secret"),
            ("connection", "keep-alive, x-mine"),
            ("keep-alive", "timeout=5"),
            ("x-mine", "1"),
            ("host", "gateway"),
            ("te", "gzip"),
            ("x-entente-caller", "mallory"),
            ("x-entente-role", "admin"),
            ("x-theirs", "2"),
            ("x-request-id", "desk-7"),
        ]);
        assert_eq!(names(&head), ["te", "x-request-id", "x-theirs"]);
        assert_eq!(head.headers[TE], "trailers");
    }

    #[test]
    fn the_caller_is_told_by_the_gateway_alone() {
        let mut request = Request::new(());
        let forged = HeaderValue::from_static("mallory");
        request.headers_mut().insert("x-entente-caller", forged);
        request.extensions_mut().insert(Caller {
            name: "desk".into(),
            role: Role::Reader,
        });
        let head = Head::new(request.into_parts().0);
        let told = Caller::forwarded(&head.headers).unwrap();
        assert_eq!(&*told.name, "desk");
    }

    #[test]
    fn what_is_left_is_rounded_down_and_never_nothing() {
        let told = |left| timeout(left).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(told(Duration::from_micros(999)), None);
        assert_eq!(told(Duration::from_micros(1_999)).as_deref(), Some("1m"));
        let day = Duration::from_secs(86_400);
        assert_eq!(told(day).as_deref(), Some("86400000m"));
        assert_eq!(told(2 * day).as_deref(), Some("172800S"));
    }
}
