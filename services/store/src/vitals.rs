//! What an operator sees of a store: what is counted when it happens, and what is looked at when somebody asks.
//!
//! Counting goes through the facade `metrics`, and comes to nothing in a process that does not count.

use std::time::Duration;

use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics::{describe_counter, describe_gauge, describe_histogram};

use crate::Usage;

/// The target of spans that are part of a call's trace: what is not recorded is not made.
pub(crate) const TRACED: &str = "entente::traced";

/// What is counted of a store, under the name of its model.
#[derive(Debug)]
pub(crate) struct Vitals {
    service: &'static str,
    opening: Duration,
    cache_bytes: u64,
    pub(crate) group: Histogram,
    pub(crate) apply: Histogram,
    /// Writes that were refused for want of disk, and of places in the queue.
    pub(crate) full: Counter,
    pub(crate) overloaded: Counter,
}

/// What a store is at the moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) queued: usize,
    pub(crate) queue_limit: usize,
    pub(crate) position: u64,
}

impl Vitals {
    pub(crate) fn new(service: &'static str, opening: Duration, cache_bytes: u64) -> Vitals {
        let refused = |reason| counter!("entente_writes_refused_total", "service" => service, "reason" => reason);
        Vitals {
            service,
            opening,
            cache_bytes,
            full: refused("full"),
            overloaded: refused("overloaded"),
            group: histogram!("entente_journal_group_writes", "service" => service),
            apply: histogram!("entente_view_apply_seconds", "service" => service),
        }
    }

    /// Says what is so.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody reads the last writes or bytes of quadrillions"
    )]
    pub(crate) fn report(&self, now: Now) {
        self.set("entente_journal_queue", now.queued as f64);
        self.set("entente_journal_queue_limit", now.queue_limit as f64);
        self.set("entente_journal_position", now.position as f64);
        self.set("entente_view_cache_bytes", self.cache_bytes as f64);
        self.set("entente_view_open_seconds", self.opening.as_secs_f64());
    }

    /// Says what the store takes of its disk.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody reads the last bytes of terabytes"
    )]
    pub(crate) fn report_usage(&self, usage: &Usage) {
        self.set("entente_journal_bytes", usage.journal as f64);
        self.set("entente_view_bytes", usage.view as f64);
        self.set("entente_view_records", usage.records as f64);
        self.set("entente_disk_free_bytes", usage.free as f64);
        self.set("entente_disk_reserve_bytes", usage.reserve as f64);
    }

    fn set(&self, name: &'static str, value: f64) {
        gauge!(name, "service" => self.service).set(value);
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
    describe_gauge!(
        "entente_journal_queue_limit",
        "Writes that may wait to be decided."
    );
    describe_counter!(
        "entente_writes_refused_total",
        "Writes that were refused for want of disk, or of places in the queue."
    );
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
    describe_gauge!(
        "entente_view_cache_bytes",
        "Memory that the cache of the view may take."
    );
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
