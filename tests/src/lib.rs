//! Scenarios in the domain's words, each run in process and against the binary.
//!
//! # Layout
//!
//! * [`Server`] (`server.rs`): a service that a story talks to over a socket, started in one of two
//!   ways; [`both_ways!`] tells each story to both, under a limit of time.
//! * [`Hosts`] (`hosts.rs`): names that lead where a story says.
//! * [`House`] (`house.rs`): all three services and a gateway before them.
//! * [`World`] (`world.rs`): the whole system, in one process or apart, and what can happen to its parts.
//!   [`Stub`] (`stub.rs`): a service that does as a story says, behind a gateway. `health.rs`: what health says.
//! * [`groups`], [`record`], [`ingest`] (`figures.rs`): figures as a table in the text of a test, and their
//!   way in.
//! * [`sector`], [`statement`], [`event`], [`agreement`], [`programme`] and their parts (`records.rs`): records that nothing is wrong with.
//! * [`entries`], [`growth`], [`missing`] (`answers.rs`): what an answer says, as lines of text.
//! * [`pages`], [`observations`] (`pages.rs`): lists to their end.
//! * [`reason`], [`fields`], [`metadata`] (`errors.rs`): what an error says to a program.
//! * [`Counts`] (`counts.rs`): what a process counts. [`Collector`] (`collector.rs`): a collector of traces.
//! * [`mod@http`]: a client of HTTP/1.1.
//! * [`model`]: a service against a plain model of it.
//! * `tests/architecture.rs` holds the dependency rules; `tests/trade_*.rs` the stories.

mod answers;
mod collector;
mod counts;
mod errors;
mod figures;
mod health;
mod hosts;
mod house;
pub mod http;
pub mod model;
mod pages;
mod records;
mod server;
mod stub;
mod world;

pub use answers::{entries, growth, missing, why};
pub use collector::{Collector, Spans, number, trace_id};
pub use counts::Counts;
pub use errors::{fields, metadata, reason};
pub use figures::{Shape, batch, dataset, groups, header, ingest, record, record_long_sources};
pub use figures::{shape, with_figures};
pub use health::{Health, services};
pub use hosts::Hosts;
pub use house::{GatewayClient, House};
pub use pages::{observations, pages, pages_from};
pub use records::{agreement, date, event, programme, sector, source, statement, text};
pub use server::{Client, CultureClient, EventsClient, JournalClient};
pub use server::{Role, Server, Way, build_binary, tell, within_limit};
pub use stub::{Answering, Door, Stub, ok, refused};
pub use world::{Node, Setting, World};

/// The messages of the trade service.
pub use proto::trade::v1 as wire;

/// Makes two tests of each story: one in process, one against the binary. Stories are told to the trade service, or
/// to the one that is named first.
#[macro_export]
macro_rules! both_ways {
    (Events: $($story:ident),+ $(,)?) => {
        $crate::both_ways!(@ Events $($story),+);
    };
    (Culture: $($story:ident),+ $(,)?) => {
        $crate::both_ways!(@ Culture $($story),+);
    };
    ($($story:ident),+ $(,)?) => {
        $crate::both_ways!(@ Trade $($story),+);
    };
    (@ $role:ident $($story:ident),+) => {
        mod in_process {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                tests::tell(tests::Way::InProcess, tests::Role::$role, super::$story).await;
            })+
        }
        mod binary {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                tests::tell(tests::Way::Binary, tests::Role::$role, super::$story).await;
            })+
        }
    };
}

pub mod bench;
