//! What the schema says of a method to whom passes its calls.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message;
use prost_types::method_options::IdempotencyLevel;
use prost_types::{FileDescriptorSet, MethodDescriptorProto};

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// Whether its request is one message, which can be kept until the call is answered.
    pub(crate) one_message: bool,
    /// Whether it may be done twice.
    pub(crate) repeatable: bool,
}

/// What is assumed of a method that the schema does not have.
const UNKNOWN: Method = Method {
    one_message: false,
    repeatable: false,
};

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let files = FileDescriptorSet::decode(proto::DESCRIPTORS).expect("the build encoded it");
    let mut methods = HashMap::new();
    for file in &files.file {
        for service in &file.service {
            let described = service.method.iter().map(|method| {
                let (package, service, name) = (file.package(), service.name(), method.name());
                (format!("/{package}.{service}/{name}"), Method::of(method))
            });
            methods.extend(described);
        }
    }
    methods
});

impl Method {
    /// The method of a path.
    pub(crate) fn find(path: &str) -> Method {
        METHODS.get(path).copied().unwrap_or(UNKNOWN)
    }

    /// The name of the method of a path, as it stands in traces: paths are the callers' to choose.
    pub(crate) fn name(path: &str) -> &'static str {
        let known = METHODS.get_key_value(path);
        known.map_or("unknown", |(path, _)| path.trim_start_matches('/'))
    }

    fn of(method: &MethodDescriptorProto) -> Method {
        let options = method.options.as_ref();
        let level = options.map_or(IdempotencyLevel::IdempotencyUnknown, |options| {
            options.idempotency_level()
        });
        Method {
            one_message: !method.client_streaming(),
            repeatable: level != IdempotencyLevel::IdempotencyUnknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> Method {
        Method::find(&format!("/entente.trade.v1.TradeService/{name}"))
    }

    #[test]
    fn questions_may_be_asked_twice_and_writes_may_not() {
        assert!(find("GetSeries").repeatable);
        assert!(!find("CreateStatement").repeatable);
        assert!(find("CreateStatement").one_message);
    }

    #[test]
    fn uploads_are_not_kept() {
        assert!(!find("IngestObservations").one_message);
        assert!(find("WatchChanges").one_message);
    }

    #[test]
    fn nothing_is_assumed_of_what_nobody_knows() {
        assert_eq!(find("Guess"), UNKNOWN);
        assert_eq!(Method::name("/of.somebody/Guess"), "unknown");
    }
}
