//! The briefing: what a desk officer must know of two countries, gathered from the three services at once.
//!
//! # How an answer comes about
//!
//! 1. The request is parsed ([`Query`]).
//! 2. Each service that a section needs is asked where its journal stands. All that it is asked afterwards is asked
//!    *as of* the instant of its last record, so a briefing is of one state of each service, whatever is written
//!    meanwhile, and can be repeated.
//! 3. The query with these positions is the key of the cache (`cache.rs`): the same question gets the same answer
//!    until something is recorded, and never an older one. Equal questions at the same time are answered once, unless that
//!    comes to nothing, or to nothing in time.
//! 4. `trade.rs`, `events.rs`, `culture.rs` and `changes.rs` gather, side by side, each under the caller's deadline
//!    less a part for the rest; who does not answer is unreachable, and the others are told. `left.rs` counts what a
//!    list leaves out: what was known only after the day (of changes, `hindsight.rs`), and what is more than a
//!    briefing shows.
//! 5. `sources.rs` numbers the sources over all of it, and leaves out what may not be shown; `compose/` puts the
//!    sections together.

mod cache;
mod changes;
mod compose;
mod culture;
mod events;
mod hindsight;
mod left;
mod movers;
mod outcome;
mod query;
mod sources;
mod trade;

use std::sync::Arc;

use futures_util::FutureExt;
use proto::CivilDate;
use proto::gateway::v1::Briefing;
use tonic::Status;

use crate::Backends;
use crate::ask::{Asking, Services};
use cache::Cache;
use outcome::Head;

pub(crate) use query::Query;

/// A date as the services sent it, which they checked.
fn taken(date: Option<proto::r#type::v1::CivilDate>) -> Option<CivilDate> {
    CivilDate::try_from(date?).ok()
}

/// Answers briefings.
#[derive(Debug)]
pub(crate) struct Briefings {
    services: Services,
    cache: Cache,
}

impl Briefings {
    pub(crate) fn new(backends: &Backends) -> Briefings {
        Briefings {
            services: Services::new(backends),
            cache: Cache::new(),
        }
    }

    /// The briefing that is asked for: a kept one, or a new one.
    ///
    /// # Errors
    /// That of a service without which there is no required section.
    pub(crate) async fn get(&self, query: Query, asking: Asking) -> Result<Arc<Briefing>, Status> {
        let query = Arc::new(query);
        let head = outcome::stand(&self.services, &query, &asking).await;
        let key = (Arc::clone(&query), head.positions());
        if !head.is_whole() {
            let made = self.make(&query, head, &asking).await;
            return self.cache.pass_by(made.map(Arc::new));
        }
        self.cache
            .get(key, &asking, || {
                self.make(&query, head.clone(), &asking).boxed()
            })
            .await
    }

    /// Gathers and composes.
    async fn make(&self, query: &Query, head: Head, asking: &Asking) -> Result<Briefing, Status> {
        let outcome = outcome::gather(&self.services, query, head, asking).await;
        compose::compose(query, outcome)
    }
}
