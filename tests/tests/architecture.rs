//! Who may depend on whom: the rules of the design as data, held against `cargo metadata`.
//!
//! Only normal and build dependencies count where it says so: a dev-dependency is part of no build that
//! ships and binds no caller, so a crate's own tests may use any door (chassis reads error details with
//! `tonic-types`, store breaks its own files with `fail`). Between crates of the workspace they count
//! as well: a test that needs another crate of ours is a scenario and belongs here.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// A crate, its folder, and the crates of the workspace that it may depend on.
const CRATES: &[(&str, &str, &[&str])] = &[
    ("proto", "proto", &[]),
    ("store", "services/store", &[]),
    // The reasons of errors are part of the wire.
    ("chassis", "services/chassis", &["proto"]),
    // What is alike in every service: records and the calls on them.
    (
        "records",
        "services/records",
        &["proto", "chassis", "store"],
    ),
    (
        "trade",
        "services/trade",
        &["proto", "chassis", "store", "records"],
    ),
    (
        "events",
        "services/events",
        &["proto", "chassis", "store", "records"],
    ),
    (
        "culture",
        "services/culture",
        &["proto", "chassis", "store", "records"],
    ),
    ("gateway", "gateway", &["proto", "chassis"]),
    (
        "cli",
        "cli",
        &[
            "proto", "chassis", "store", "records", "trade", "events", "culture", "gateway",
        ],
    ),
    (
        "tests",
        "tests",
        &[
            "proto", "chassis", "store", "records", "trade", "events", "culture", "gateway", "cli",
        ],
    ),
];

/// Crates from outside that have one door.
const DOORS: &[(&str, &str)] = &[
    ("sled", "store"),
    ("protox", "proto"),
    ("tonic-prost-build", "proto"),
    ("tonic-health", "chassis"),
    ("tonic-reflection", "chassis"),
    ("tokio-rustls", "chassis"),
    ("tracing-subscriber", "chassis"),
    ("metrics-exporter-prometheus", "chassis"),
    ("opentelemetry", "chassis"),
    ("opentelemetry-otlp", "chassis"),
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata")
}

fn rule(package: &Package) -> (&'static str, &'static [&'static str]) {
    let found = CRATES
        .iter()
        .find(|(name, ..)| *name == package.name.as_str());
    let (_, folder, may) = found.unwrap_or_else(|| {
        panic!(
            "{} is not listed: say in CRATES what it may depend on",
            package.name
        )
    });
    (folder, may)
}

#[test]
fn a_crate_depends_on_those_it_may_and_on_no_other() {
    for package in metadata().workspace_packages() {
        let (_, may) = rule(package);
        let used: BTreeSet<&str> = package
            .dependencies
            .iter()
            .map(|d| d.name.as_str())
            .collect();
        let ours = CRATES
            .iter()
            .map(|(name, ..)| *name)
            .filter(|name| used.contains(name));
        let broken: Vec<&str> = ours.filter(|name| !may.contains(name)).collect();
        assert!(
            broken.is_empty(),
            "{} may not depend on {broken:?}",
            package.name
        );
    }
}

#[test]
fn the_rules_have_no_circle() {
    // Each crate is listed after all that it may depend on.
    for (index, (name, _, may)) in CRATES.iter().enumerate() {
        let before: Vec<&str> = CRATES[..index].iter().map(|(name, ..)| *name).collect();
        let later: Vec<_> = may
            .iter()
            .filter(|dependency| !before.contains(dependency))
            .collect();
        assert!(later.is_empty(), "{name} comes before {later:?}");
    }
}

#[test]
fn a_crate_is_named_as_its_folder_and_stands_where_the_design_says() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let (folder, _) = rule(package);
        let expected = metadata.workspace_root.join(folder).join("Cargo.toml");
        assert_eq!(package.manifest_path, expected);
        let name = package
            .manifest_path
            .parent()
            .and_then(|folder| folder.file_name());
        assert_eq!(name, Some(package.name.as_str()));
    }
}

#[test]
fn a_crate_from_outside_with_one_door_is_used_there_only() {
    for package in metadata().workspace_packages() {
        let shipped = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development);
        for dependency in shipped {
            let door = DOORS.iter().find(|(name, _)| *name == dependency.name);
            let Some((name, owner)) = door else {
                continue;
            };
            assert_eq!(
                package.name.as_str(),
                *owner,
                "{name} is used outside {owner}"
            );
        }
    }
}

#[test]
fn every_door_is_used_by_its_owner() {
    let metadata = metadata();
    for (name, owner) in DOORS {
        let packages = metadata.workspace_packages();
        let owner = packages
            .iter()
            .find(|package| package.name.as_str() == *owner);
        let uses = owner.is_some_and(|o| o.dependencies.iter().any(|d| d.name == *name));
        assert!(uses, "{name} is used no longer: take it out of DOORS");
    }
}

#[test]
fn nothing_is_published() {
    for package in metadata().workspace_packages() {
        assert_eq!(
            package.publish.as_deref(),
            Some(&[][..]),
            "{}",
            package.name
        );
    }
}
