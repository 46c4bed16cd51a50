//! Which pages of other origins may read the answers.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::body::Body;

/// How long a browser keeps a preflight's answer, in seconds; browsers keep none longer than two hours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, accept, if-none-match, last-event-id, x-request-id, traceparent, tracestate, \
     grpc-timeout, x-grpc-web, x-user-agent",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "grpc-status, grpc-message, grpc-status-details-bin, x-request-id, etag, retry-after, www-authenticate",
);

/// The origins whose pages may read answers.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    any: bool,
    origins: BTreeSet<String>,
}

/// Why a text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is a scheme, a host and maybe a port, as in https://desk.example.org:8443, or * for any: not {0:?}"
)]
pub struct OriginError(String);

impl Cors {
    /// The origins of a list; none by default. `*` stands for any, whose pages then may send no credentials along.
    pub fn new<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Cors, OriginError> {
        let mut cors = Cors::default();
        for origin in origins {
            match origin {
                "*" => cors.any = true,
                _ if is_origin(origin) => {
                    cors.origins.insert(origin.to_owned());
                }
                _ => return Err(OriginError(origin.to_owned())),
            }
        }
        Ok(cors)
    }

    /// The answer to a browser that asks before it asks.
    pub(super) fn preflight<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        let headers = request.headers();
        let asks = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if request.method() != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.allowed(headers.get(header::ORIGIN)?).is_some() {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
        Some(response)
    }

    /// Says in an answer who may read it.
    pub(super) fn sign(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if !self.any && self.origins.is_empty() {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let Some((allowed, listed)) = origin.and_then(|origin| self.allowed(origin)) else {
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if listed {
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
    }

    /// What an origin is told if it may read, and whether it is listed by its name.
    fn allowed(&self, origin: &HeaderValue) -> Option<(HeaderValue, bool)> {
        let listed = origin
            .to_str()
            .is_ok_and(|origin| self.origins.contains(origin));
        if listed {
            return Some((origin.clone(), true));
        }
        self.any.then_some((HeaderValue::from_static("*"), false))
    }
}

/// Browsers send origins in this form, and they are compared as texts.
fn is_origin(text: &str) -> bool {
    let parsed = text.parse::<http::Uri>();
    parsed.is_ok_and(|uri| {
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let authority = uri.authority().map(http::uri::Authority::as_str);
        let plain = authority.is_some_and(|host| !host.contains('@'));
        scheme
            && plain
            && !text.ends_with('/')
            && uri.path() == "/"
            && uri.query().is_none()
            && text == text.to_ascii_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn asked(origin: &'static str) -> HeaderValue {
        HeaderValue::from_static(origin)
    }

    fn told(cors: &Cors, origin: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        cors.sign(Some(&asked(origin)), &mut headers);
        headers
    }

    fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
        headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[test]
    fn without_a_list_no_page_of_another_origin_reads_anything() {
        assert!(told(&Cors::default(), "https://desk.example").is_empty());
    }

    #[test]
    fn a_listed_origin_reads_and_may_send_credentials_and_others_do_not() {
        let cors = Cors::new(["https://desk.example"]).unwrap();
        let headers = told(&cors, "https://desk.example");
        let allowed = text(&headers, header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(allowed, Some("https://desk.example"));
        let credentials = text(&headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
        assert_eq!(credentials, Some("true"));
        let other = told(&cors, "https://desk.example.evil");
        assert_eq!(text(&other, header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
        assert_eq!(text(&other, header::VARY), Some("origin"));
    }

    #[test]
    fn any_origin_reads_without_credentials() {
        let headers = told(&Cors::new(["*"]).unwrap(), "https://desk.example");
        assert_eq!(
            text(&headers, header::ACCESS_CONTROL_ALLOW_ORIGIN),
            Some("*")
        );
        assert_eq!(
            text(&headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS),
            None
        );
    }

    #[test]
    fn what_is_no_origin_is_refused_by_name() {
        for text in [
            "desk.example",
            "https://desk.example/",
            "https://Desk.example",
            "ftp://x",
            "",
        ] {
            assert_eq!(
                Cors::new([text]).unwrap_err(),
                OriginError(text.into()),
                "{text}"
            );
        }
    }
}
