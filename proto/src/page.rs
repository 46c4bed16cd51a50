//! Pages of a list: how many records, and where the next page begins.
//!
//! A token is opaque, and bound to the request that it continues: with another filter it would skip and
//! repeat records without a sign. It is URL-safe base64 of a version byte, the digest of the request, a
//! cursor that its maker alone understands, and a checksum. It is no secret and no proof of a right: a
//! cursor is checked by its maker like any input.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tonic::Status;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::error::v1::ErrorReason;
use crate::fields::Violations;
use crate::status::invalid;

const VERSION: u8 = 1;
const MAX_TOKEN: usize = 1024;
const CHECKSUM: usize = 4;

/// Makes and reads page tokens.
#[derive(Debug)]
pub struct PageToken;

impl PageToken {
    /// The token for what follows `cursor` in the list that `query_digest` stands for. A cursor is
    /// short: a token is read back only up to 1 KiB, which is 755 bytes of cursor.
    pub fn encode(query_digest: u64, cursor: &[u8]) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(query_digest.to_be_bytes());
        bytes.extend(cursor);
        bytes.extend(checksum(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor in a token of the same list.
    pub fn decode(token: &str, query_digest: u64) -> Result<Vec<u8>, PageTokenError> {
        let bytes = unpack(token).ok_or(PageTokenError::Malformed)?;
        let (digest, cursor) = split(&bytes).ok_or(PageTokenError::Malformed)?;
        if digest != query_digest {
            return Err(PageTokenError::OtherQuery);
        }
        Ok(cursor.to_vec())
    }
}

fn unpack(token: &str) -> Option<Vec<u8>> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    URL_SAFE_NO_PAD.decode(token).ok()
}

fn split(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (body, sum) = bytes.split_last_chunk::<CHECKSUM>()?;
    let (version, rest) = body.split_first()?;
    let (digest, cursor) = rest.split_first_chunk::<8>()?;
    let intact = *version == VERSION && checksum(body) == *sum;
    intact.then_some((u64::from_be_bytes(*digest), cursor))
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let [a, b, c, d, ..] = xxh3_64(bytes).to_be_bytes();
    [a, b, c, d]
}

/// Why a page token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageTokenError {
    /// Not a token that this service made.
    #[error("not a page token: take `next_page_token` from the page before, unchanged")]
    Malformed,
    /// Made for a request with another parent, filter or order.
    #[error("made for another request: a token continues the request that it came from")]
    OtherQuery,
}

impl From<PageTokenError> for Status {
    fn from(error: PageTokenError) -> Status {
        let violations = Violations::one("page_token", error.to_string());
        invalid(ErrorReason::InvalidPageToken, &violations)
    }
}

/// A digest of what a token is bound to: all parts of the request but the page's size and token.
pub fn query_digest(parts: &[&[u8]]) -> u64 {
    let mut hasher = Xxh3::new();
    for part in parts {
        // Lengths keep `ab` + `c` apart from `a` + `bc`.
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.digest()
}

/// How many records a page holds at most: 0 asks for `default`, more than `max` gets `max` (AIP-158).
pub fn page_size(requested: i32, default: u32, max: u32) -> Result<u32, Violations> {
    match u32::try_from(requested) {
        Ok(0) => Ok(default),
        Ok(size) => Ok(size.min(max)),
        Err(_) => Err(Violations::one(
            "page_size",
            format!("{requested} is negative"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{PageToken, PageTokenError, page_size, query_digest};
    use proptest::prelude::*;
    use tonic::{Code, Status};
    use tonic_types::StatusExt;

    #[test]
    fn a_token_continues_its_own_query_only() {
        let token = PageToken::encode(7, b"cursor");
        assert_eq!(PageToken::decode(&token, 7), Ok(b"cursor".to_vec()));
        assert_eq!(
            PageToken::decode(&token, 8),
            Err(PageTokenError::OtherQuery)
        );
    }

    #[test]
    fn what_was_not_made_here_is_no_token() {
        let long = PageToken::encode(7, &[1; 1_000]);
        for text in ["", "cursor", "AQ==", "\u{430}", "=HYPERLINK(", &long] {
            assert_eq!(
                PageToken::decode(text, 7),
                Err(PageTokenError::Malformed),
                "{text}"
            );
        }
        let longest = PageToken::encode(7, &[1; 755]);
        assert!(PageToken::decode(&longest, 7).is_ok());
    }

    #[test]
    fn a_bad_token_is_told_with_its_reason() {
        let status = Status::from(PageTokenError::OtherQuery);
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "INVALID_PAGE_TOKEN");
        let fields = &details.bad_request().unwrap().field_violations;
        assert_eq!(fields[0].field, "page_token");
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(query_digest(&[b"ab", b"c"]), query_digest(&[b"a", b"bc"]));
        assert_ne!(query_digest(&[b"a"]), query_digest(&[b"a", b""]));
        assert_eq!(query_digest(&[b"a", b"b"]), query_digest(&[b"a", b"b"]));
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(page_size(0, 50, 1_000), Ok(50));
        assert_eq!(page_size(7, 50, 1_000), Ok(7));
        assert_eq!(page_size(i32::MAX, 50, 1_000), Ok(1_000));
        let error = page_size(-1, 50, 1_000).unwrap_err();
        assert_eq!(error.to_string(), "page_size: -1 is negative");
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back(digest in any::<u64>(), cursor in prop::collection::vec(any::<u8>(), 0..200)) {
            let token = PageToken::encode(digest, &cursor);
            prop_assert_eq!(PageToken::decode(&token, digest), Ok(cursor));
        }

        #[test]
        fn a_changed_token_is_noticed(at in 0_usize..20, to in "[A-Za-z0-9_-]") {
            let token = PageToken::encode(7, b"cursor");
            let mut changed = token.clone();
            changed.replace_range(at..=at, &to);
            if changed != token {
                prop_assert_eq!(PageToken::decode(&changed, 7), Err(PageTokenError::Malformed));
            }
        }

        #[test]
        fn nothing_breaks_the_reader(text in any::<String>(), near in "[A-Za-z0-9_-]{0,60}") {
            prop_assert_eq!(PageToken::decode(&text, 7), Err(PageTokenError::Malformed));
            prop_assert_eq!(PageToken::decode(&near, 7), Err(PageTokenError::Malformed));
        }
    }
}
