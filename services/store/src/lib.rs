//! Journal and view: what a service keeps, durably, and how it is read back.
//!
//! A service describes what it keeps as a [`Model`]: a protobuf message that says what changed, and a
//! function that applies such a change to a [`State`] of keys and values. The [`Store`] does the rest:
//!
//! 1. [`Store::write`] hands a *decision* to the one writer: a function that reads the state and answers
//!    changes or an error.
//! 2. The writer takes all that waits (group commit), runs the decisions in order, each seeing the ones
//!    before it, and collects their effects in memory.
//! 3. The changes go to the **journal** as one entry and are synced to disk.
//! 4. The effects go to the **view** in one batch, with the entry's position. Readers are let in between
//!    batches only, so they see whole entries, and none that is not durable.
//! 5. The position is published and every caller is answered.
//!
//! The journal is the truth and the view can always be rebuilt from it. At open the view's contents are
//! compared with the count and digest that it carries; a view that is damaged, or ahead of the journal,
//! or does not open in time, is moved aside and rebuilt; one that is behind is replayed.
//!
//! # Layout
//!
//! * [`Store`] (`store.rs`): the handle: open, write, read, watch, close. [`Config`] beside it.
//! * `writer.rs`: the writer's thread and the group commit.
//! * [`Model`], [`Decision`], [`Origin`] (`model.rs`): what a service brings.
//! * [`State`] (`state.rs`): keys and values as a decision or a reader sees them.
//! * `view.rs`: the state on disk; the only file that knows sled. Digest, damage, moving aside.
//! * [`Journal`] (`journal.rs`): the narrow face of a journal; [`Entry`] (`entry.rs`) what it holds.
//! * `segments.rs`, `segment_reader.rs`, `frame.rs`: the journal as segment files, written and read, and the
//!   bytes of an entry in them.
//! * [`Watch`] (`watch.rs`): a cursor over the journal that waits at its end.
//! * `replay.rs`: entries applied to a view again. [`Verification`] (`verify.rs`): journal and view checked while they
//!   are used; [`Usage`] (`space.rs`): what they take of the disk.
//! * [`Restore`] (`restore.rs`): a journal from a copy of its entries. [`Chain`] (`chain.rs`): whether entries of a copy
//!   are the journal's.
//! * [`aside()`] (`aside.rs`): work that waits for the disk, for callers that do not.
//! * `requests.rs`: the request ids that were seen lately.
//! * [`create_durably`] (`folder.rs`): folders that a power cut does not lose. [`OWNER_ONLY`]: who may enter them.
//! * `space.rs`: free space and the ballast file.
//! * `vitals.rs`: what an operator sees of it; `steps.rs`: what of the writer's work belongs to which trace.
//! * [`Error`] (`error.rs`), [`Clock`] (`clock.rs`).

mod aside;
mod chain;
mod clock;
mod entry;
mod error;
mod folder;
mod frame;
mod journal;
mod model;
mod replay;
mod requests;
mod restore;
mod segment_reader;
mod segments;
mod space;
mod state;
mod steps;
mod store;
mod verify;
mod view;
mod vitals;
mod watch;
mod writer;

pub use aside::aside;
pub use chain::{Chain, Unchained};
pub use clock::{Clock, Micros, Stamp, system_clock};
pub use entry::{Entry, Write};
pub use error::Error;
pub use folder::{OWNER_ONLY, create_durably};
pub use journal::{Cursor, Journal, Position};
pub use model::{Decision, Model, Origin, Request};
pub use requests::Seen;
pub use restore::Restore;
pub use space::Usage;
pub use state::{State, Value};
pub use store::{Config, Head, Pending, Store, Written};
pub use verify::{Checked, Fault, FaultKind, Progress, Verification};
pub use watch::{Event, Watch};
