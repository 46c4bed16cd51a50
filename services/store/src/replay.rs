//! Entries of a journal, applied to a view again.

use std::time::Instant;

use crate::state::{self, Effects};
use crate::view::{REPLAY_BYTES, View, millis};
use crate::writer::apply;
use crate::{Entry, Error, Journal, Model, Request};

/// Applies what a view lacks of its journal.
pub(crate) fn replay<M: Model>(journal: &dyn Journal, view: &View) -> Result<(), Error> {
    let started = Instant::now();
    let from = view.meta().stamp.position;
    let last = journal.last();
    if from == last {
        return Ok(());
    }
    let mut cursor = journal.after(from)?;
    let mut effects = Effects::new();
    let mut bytes = 0;
    while let Some(entry) = cursor.next(last)? {
        bytes += replay_entry::<M>(view, &mut effects, &entry)?;
        if bytes >= REPLAY_BYTES || entry.stamp.position == last {
            view.apply(std::mem::take(&mut effects), entry.stamp, entry.hash)?;
            bytes = 0;
        }
    }
    tracing::info!(
        from,
        last,
        took_ms = millis(started),
        "the journal was replayed into the view"
    );
    Ok(())
}

/// Adds the effects of one entry to those before it; how much memory they take, about.
pub(crate) fn replay_entry<M: Model>(
    view: &View,
    effects: &mut Effects,
    entry: &Entry,
) -> Result<usize, Error> {
    let mut bytes = 0;
    let writes = entry.writes()?;
    let first = entry.stamp.first_of(writes.len());
    for (index, write) in writes.into_iter().enumerate() {
        let stamp = first.of_write(index);
        let changes = write
            .changes
            .iter()
            .map(|change| prost::Message::decode(change.clone()))
            .collect::<Result<Vec<M::Change>, _>>()
            .map_err(|error| entry.undecodable(&error))?;
        let request = Request::of(&write);
        let state = view.state_within(effects);
        let made = apply::<M>(state, &changes, request.as_ref(), &write.subject, stamp)?;
        bytes += state::bytes_of(&made);
        effects.extend(made);
    }
    Ok(bytes)
}
