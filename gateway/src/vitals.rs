//! What an operator sees of a gateway.

use std::sync::Once;

use metrics::{describe_counter, describe_gauge};

/// The target of spans that are part of a call's trace: what is not recorded is not made.
pub(crate) use chassis::telemetry::TRACED;

/// Says what each figure means.
pub(crate) fn describe() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        describe_gauge!("entente_backend_calls_running", "Calls that a process of a service is at for this gateway.");
        describe_gauge!("entente_backend_connections", "Connections to a process of a service.");
        describe_gauge!("entente_backend_up", "1 while a process of a service says that it serves, else 0.");
        describe_gauge!("entente_backend_reached", "1 while one of the processes of a service says that it serves, else 0.");
        describe_gauge!("entente_backend_ejected", "1 while a process of a service is left out for its failures, else 0.");
        describe_counter!("entente_backend_ejections_total", "Times that a process of a service was left out for its failures.");
        describe_counter!("entente_backend_retries_total", "Attempts that were made again.");
        describe_gauge!("entente_backend_retry_budget", "Attempts that may be made again at once.");
        describe_counter!("entente_briefing_cache_total", "Briefings that were asked for: kept ones, shared with another caller, made, made and not kept, or failed.");
        describe_gauge!("entente_watchers", "Watchers of relationships.");
        describe_gauge!("entente_watched_pairs", "Pairs of countries that are watched.");
    });
}

/// The short name of a service: `trade` of `entente.trade.v1.TradeService`.
pub(crate) fn short(service: &'static str) -> &'static str {
    service.split('.').nth(1).unwrap_or(service)
}
