//! What the schema promises of every call: a way in over HTTP, and reads that change nothing.

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

/// `google.protobuf.MethodOptions.IdempotencyLevel`.
const NO_SIDE_EFFECTS: i32 = 1;

/// How the names of calls that write begin.
const WRITES: [&str; 7] = [
    "Create",
    "BatchCreate",
    "Update",
    "Delete",
    "Record",
    "Ingest",
    "Import",
];

fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("a schema");
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with("entente."));
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.collect()
}

fn http(method: &MethodDescriptor) -> Option<DynamicMessage> {
    let pool = method.parent_pool();
    let rule = pool
        .get_extension_by_name("google.api.http")
        .expect("vendored");
    let options = method.options();
    let rule = options
        .has_extension(&rule)
        .then(|| options.get_extension(&rule).into_owned());
    match rule {
        Some(Value::Message(rule)) => Some(rule),
        _ => None,
    }
}

#[test]
fn every_call_has_a_way_in_over_http() {
    assert!(!methods().is_empty());
    for method in methods() {
        let rule = http(&method).unwrap_or_else(|| panic!("{} has none", method.full_name()));
        let verbs = ["get", "post", "patch", "delete"];
        let given: Vec<&str> = verbs
            .into_iter()
            .filter(|verb| rule.has_field_by_name(verb))
            .collect();
        let [verb] = given[..] else {
            panic!("{} has {given:?}", method.full_name());
        };
        let path = rule
            .get_field_by_name(verb)
            .expect("it is given")
            .into_owned();
        let path = path.as_str().expect("a path").to_owned();
        assert!(path.starts_with("/v1/"), "{}: {path}", method.full_name());
    }
}

#[test]
fn reads_have_no_side_effects_and_writes_do_not_claim_it() {
    for method in methods() {
        let options = method.options();
        let level = options
            .get_field_by_name("idempotency_level")
            .expect("a field")
            .into_owned();
        let is_write = WRITES.iter().any(|verb| method.name().starts_with(verb));
        let claims_it = level.as_enum_number() == Some(NO_SIDE_EFFECTS);
        assert_eq!(claims_it, !is_write, "{}", method.full_name());
    }
}
