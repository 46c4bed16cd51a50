//! Query parameters: each names a field of the request by its path and gives its value as a text.

use percent_encoding::percent_decode;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use proto::Violations;

use super::fields::{self, Filling};
use super::text;

/// Parameters of a request.
const MAX_PARAMETERS: usize = 256;
/// Bytes of all of them.
const MAX_BYTES: usize = 8 * 1024;
/// Bytes of what an error repeats of a name.
const MAX_NAME: usize = 128;

/// The names under which JSON is asked for with line breaks.
const PRETTY: [&str; 2] = ["prettyPrint", "$prettyPrint"];

/// The parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Query {
    parameters: Vec<(String, String)>,
    pub(super) pretty: bool,
}

impl Query {
    /// Takes a query apart; nothing that it names is looked up yet.
    pub(super) fn parse(query: &str) -> Result<Query, Violations> {
        if query.len() > MAX_BYTES {
            let what = format!("is longer than {MAX_BYTES} bytes");
            return Err(Violations::one("query", what));
        }
        let mut parsed = Query::default();
        let mut violations = Violations::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => parsed.take(name, value, &mut violations),
                _ => violations.push(shown(name), "is not UTF-8"),
            }
        }
        if parsed.parameters.len() > MAX_PARAMETERS {
            let what = format!("has more than {MAX_PARAMETERS} parameters");
            violations.push("query", what);
        }
        violations.into_result(parsed)
    }

    fn take(&mut self, name: String, value: String, violations: &mut Violations) {
        if !PRETTY.contains(&name.as_str()) {
            self.parameters.push((name, value));
            return;
        }
        match value.as_str() {
            "true" | "" => self.pretty = true,
            "false" => self.pretty = false,
            _ => violations.push(name, "is no `true` or `false`"),
        }
    }

    /// Fills a message; every parameter that does not fit is named.
    pub(super) fn fill(
        &self,
        message: &MessageDescriptor,
        filling: &mut Filling,
        violations: &mut Violations,
    ) {
        for (name, value) in &self.parameters {
            let Some(chain) = fields::chain(message, name) else {
                violations.push(shown(name), "is no parameter of this call");
                continue;
            };
            if let Err(why) = put(&chain, value, filling) {
                violations.push(fields::path(&chain), why);
            }
        }
    }

    /// Refuses parameters where all that is asked stands in the body.
    pub(super) fn refuse(&self, violations: &mut Violations) {
        for (name, _) in &self.parameters {
            violations.push(shown(name), "is a part of the body in this call");
        }
    }
}

fn put(chain: &[FieldDescriptor], value: &str, filling: &mut Filling) -> Result<(), String> {
    let last = chain.last().ok_or("is no parameter of this call")?;
    let is_bool = matches!(last.kind(), Kind::Bool);
    // A bare name is how a switch is given.
    let value = if is_bool && value.is_empty() {
        "true"
    } else {
        value
    };
    let value = text::parse(last, value).map_err(|error| error.to_string())?;
    filling.put(chain, value).map_err(|error| error.to_string())
}

/// `+` is a space, as forms have it.
fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8();
    decoded.ok().map(std::borrow::Cow::into_owned)
}

/// A name as an error may repeat it.
fn shown(name: &str) -> String {
    let plain = name.chars().filter(|one| !one.is_control());
    plain.take(MAX_NAME).collect()
}
