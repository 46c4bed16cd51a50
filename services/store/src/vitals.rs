//! What an operator sees of a store: what is counted when it happens, and what is looked at when somebody asks.
//!
//! Counting goes through the facade `metrics`, and comes to nothing in a process that does not count.

use std::path::{Path, PathBuf};
use std::time::Duration;

use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics::{describe_counter, describe_gauge, describe_histogram};

use crate::space::Space;

/// The target of spans that are part of a call's trace: what is not recorded is not made.
pub(crate) const TRACED: &str = "entente::traced";

/// What is counted of a store, under the name of its model.
#[derive(Debug)]
pub(crate) struct Vitals {
    service: &'static str,
    folder: PathBuf,
    space: Space,
    opening: Duration,
    pub(crate) group: Histogram,
    pub(crate) apply: Histogram,
}

/// What a store is at the moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) queued: usize,
    pub(crate) position: u64,
    pub(crate) records: u64,
}

impl Vitals {
    pub(crate) fn new(
        service: &'static str,
        folder: &Path,
        space: &Space,
        opening: Duration,
    ) -> Vitals {
        Vitals {
            service,
            folder: folder.to_owned(),
            space: space.clone(),
            opening,
            group: histogram!("entente_journal_group_writes", "service" => service),
            apply: histogram!("entente_view_apply_seconds", "service" => service),
        }
    }

    /// Says what is so. It looks at the disk.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody reads the last bytes of terabytes"
    )]
    pub(crate) fn report(&self, now: Now) {
        let service = self.service;
        let set = |name: &'static str, value: f64| gauge!(name, "service" => service).set(value);
        set("entente_journal_queue", now.queued as f64);
        set("entente_journal_position", now.position as f64);
        set(
            "entente_journal_bytes",
            bytes_below(&self.folder.join("journal")) as f64,
        );
        set("entente_view_records", now.records as f64);
        set(
            "entente_view_bytes",
            bytes_below(&self.folder.join("view")) as f64,
        );
        set("entente_view_open_seconds", self.opening.as_secs_f64());
        set("entente_disk_reserve_bytes", self.space.reserve() as f64);
        if let Ok(free) = self.space.free() {
            set("entente_disk_free_bytes", free as f64);
        }
    }
}

/// How long syncs of a journal take.
pub(crate) fn syncs(service: &'static str) -> Histogram {
    histogram!("entente_journal_sync_seconds", "service" => service)
}

/// How often views were made anew.
pub(crate) fn rebuilds(service: &'static str) -> Counter {
    counter!("entente_view_rebuilds_total", "service" => service)
}

/// Says what each figure means; once is enough, and more often does no harm.
pub(crate) fn describe() {
    describe_histogram!(
        "entente_journal_sync_seconds",
        "How long the disk took to make a group of writes durable."
    );
    describe_histogram!(
        "entente_journal_group_writes",
        "Writes that were made durable at once."
    );
    describe_gauge!("entente_journal_queue", "Writes that wait to be decided.");
    describe_gauge!("entente_journal_bytes", "Size of the journal on the disk.");
    describe_gauge!(
        "entente_journal_position",
        "Position of the last entry of the journal."
    );
    describe_histogram!(
        "entente_view_apply_seconds",
        "How long an entry took to be applied to the view; readers wait for a part of it."
    );
    describe_gauge!("entente_view_bytes", "Size of the view on the disk.");
    describe_gauge!("entente_view_records", "Keys that the view holds.");
    describe_gauge!(
        "entente_view_open_seconds",
        "How long the store took to open, its view's check and replay included."
    );
    describe_counter!(
        "entente_view_rebuilds_total",
        "Views that were moved aside and made anew since the start of the process."
    );
    describe_gauge!("entente_disk_free_bytes", "Free space where the store is.");
    describe_gauge!(
        "entente_disk_reserve_bytes",
        "Free space below which writes are refused."
    );
}

/// Bytes of all files below a folder; what vanishes meanwhile is not counted.
fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let bytes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}
