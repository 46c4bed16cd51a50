//! Records by name with all their versions, and the calls on them that are alike in every service.
//!
//! A service says what its records are ([`Fields`], [`Record`]) and what its requests are called
//! ([`create_request!`] and its like); the rest is here once: decisions with etags and request ids, pages, versions,
//! what changed between two instants, the feed of changes, errors.
//!
//! # Layout
//!
//! * [`Register`] (`register.rs`): the records of a service: its store, and the calls.
//! * [`Fields`], [`Record`] (`record.rs`): what a record is. [`Version`] (`version.rs`): what is stored of one, and
//!   the instant that a read is of.
//! * `keys.rs`: every key. [`Topic`] (`topic.rs`): which countries a record is about. [`Place`], [`Span`]
//!   (`place.rs`): where a record stands in an index, and a walk along one.
//! * `write.rs`, `request.rs`: the decisions, and the requests that they come from. `list.rs`: pages;
//!   [`Filter`] (`filter.rs`): of the records that one lets through.
//!   `timeline.rs`: pages over several indexes by date in one order. `history.rs`: versions of a record, and changes
//!   of all.
//! * [`Who`] (`who.rs`): who asks, which every write has in the journal.
//! * `apply.rs`: what a recorded or deleted record does to the state, and [`recompute`], which holds the indexes
//!   against the records.
//! * `feed.rs`: watching. [`Journals`] (`journals.rs`): the journal streamed out; `verify.rs`: checked. [`Audited`] (`audit.rs`): who wrote what.
//! * [`Error`] (`error.rs`): why a call failed, and how that is told.

mod apply;
mod audit;
mod error;
mod feed;
mod filter;
mod history;
mod journals;
mod keys;
mod list;
mod place;
mod record;
mod register;
mod request;
mod timeline;
mod topic;
mod verify;
mod version;
mod who;
mod write;

pub use apply::{apply_deleted, apply_recorded, recompute};
pub use audit::{Audited, audit_change};
pub use error::Error;
pub use feed::Messages;
pub use filter::Filter;
pub use history::{Change, ChangesParts, ChangesRequest, Revision, revision_of};
pub use journals::Journals;
pub use list::{Page, Paging, page, page_along};
pub use place::{Ahead, Place, Span, Standing, standing, text_group};
pub use record::{Field, Fields, Record, Times, bounded, check_size, is_given};
pub use register::{MAX_REQUEST, MAX_RESPONSE, Piece, Register, Reply};
pub use request::{BatchRequest, CreateParts, CreateRequest, DeleteRequest, ListRequest};
pub use request::{UpdateRequest, VersionsRequest, WatchParts, WatchRequest};
pub use timeline::{Lane, Stop, Stops, TimelineParts, TimelineQuery, TimelineRequest, record_lane};
pub use topic::{Topic, are_about_the_same, countries_only_in};
pub use version::{Version, all, find, find_version, get, get_version};
pub use who::{NoUuid, Who};
pub use write::{Batch, Changed, New, Removed, check_weight, done, is_done};
