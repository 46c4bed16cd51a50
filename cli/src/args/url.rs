//! Where a service is.

use std::fmt;
use std::str::FromStr;

use tonic::codegen::http::Uri;
use tonic::codegen::http::uri::{Authority, Scheme};

/// `http://HOST:PORT` or `https://HOST:PORT`; without a port, the one that the scheme has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    scheme: Scheme,
    authority: Authority,
}

/// Why a text is no such address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    /// It is something else.
    #[error("an address looks like http://127.0.0.1:50051 or https://desk.example:50051")]
    NoUrl,
    /// A call has a path of its own, and that of an address would be lost.
    #[error("services stand under no path: name {0}")]
    Path(Url),
}

impl Default for Url {
    fn default() -> Url {
        Url {
            scheme: Scheme::HTTP,
            authority: Authority::from_static("127.0.0.1:50051"),
        }
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Url, UrlError> {
        let uri: Uri = text.parse().map_err(|_| UrlError::NoUrl)?;
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let parts = uri.into_parts();
        let scheme = parts.scheme.ok_or(UrlError::NoUrl)?;
        let authority = parts.authority.ok_or(UrlError::NoUrl)?;
        let is_named = !authority.host().is_empty() && !authority.as_str().contains('@');
        if ![Scheme::HTTP, Scheme::HTTPS].contains(&scheme) || !is_named {
            return Err(UrlError::NoUrl);
        }
        let url = Url { scheme, authority };
        if !is_bare {
            return Err(UrlError::Path(url));
        }
        Ok(url)
    }
}

impl Url {
    /// As a connection takes it.
    pub(crate) fn uri(&self) -> Uri {
        let uri = Uri::builder().scheme(self.scheme.clone());
        let uri = uri.authority(self.authority.clone()).path_and_query("/");
        uri.build().expect("it has all its parts")
    }

    /// Whether the service must prove that it is what the address names.
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host() {
        for text in [
            "http://127.0.0.1:50051",
            "https://desk.example",
            "http://[::1]:1",
        ] {
            assert_eq!(text.parse::<Url>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "desk",
            "desk:1",
            "ftp://desk",
            "http://",
            "http://a@desk",
            "/desk",
        ] {
            assert_eq!(text.parse::<Url>(), Err(UrlError::NoUrl), "{text:?}");
        }
        assert_eq!("http://127.0.0.1:50051/".parse(), Ok(Url::default()));
    }

    #[test]
    fn a_path_is_refused_rather_than_lost() {
        for text in [
            "https://desk:1/foo",
            "https://desk:1/?x=1",
            "https://desk:1/v1/",
        ] {
            let refused = text.parse::<Url>().unwrap_err().to_string();
            assert!(refused.contains("name https://desk:1"), "{refused}");
        }
    }
}
