//! A cursor over the journal that waits at its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::aside::aside;
use crate::journal::Cursor;
use crate::{Entry, Error, Journal, Position, Stamp};

/// How many entries are read ahead.
const AHEAD: usize = 64;
/// Reading ahead stops at this many bytes.
const AHEAD_BYTES: usize = 1 << 20;

/// What a watcher sees.
#[derive(Clone, Debug)]
pub enum Event {
    /// The next entry.
    Entry(Entry),
    /// Nothing new for a while; all up to here was seen.
    Idle(Position),
}

/// Every entry after a position, in order, without gaps, and then those to come. It holds no place in
/// any queue: a slow watcher costs the writer nothing and misses nothing.
#[derive(Debug)]
pub struct Watch {
    journal: Arc<dyn Journal>,
    published: watch::Receiver<Stamp>,
    idle: Duration,
    seen: Position,
    ahead: VecDeque<Entry>,
    cursor: Option<Box<dyn Cursor>>,
}

impl Watch {
    pub(crate) fn new(
        journal: Arc<dyn Journal>,
        published: watch::Receiver<Stamp>,
        idle: Duration,
        after: Position,
    ) -> Watch {
        Watch {
            journal,
            published,
            idle,
            seen: after,
            ahead: VecDeque::new(),
            cursor: None,
        }
    }

    /// The next entry, or a sign that there is none. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the next entry cannot be read; [`Error::Closed`] when the store is closed
    /// and all was seen.
    pub async fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(entry) = self.ahead.pop_front() {
                self.seen = entry.stamp.position;
                return Ok(Event::Entry(entry));
            }
            let last = self.published.borrow_and_update().position;
            if self.seen < last {
                self.read_ahead(last).await?;
                continue;
            }
            match tokio::time::timeout(self.idle, self.published.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Error::Closed),
                Err(_) => return Ok(Event::Idle(last)),
            }
        }
    }

    async fn read_ahead(&mut self, last: Position) -> Result<(), Error> {
        let (journal, seen) = (Arc::clone(&self.journal), self.seen);
        let cursor = self.cursor.take();
        let read = aside(move || {
            // There is none at first, and when an earlier read was dropped half-way with its cursor.
            let cursor = cursor.map_or_else(|| journal.after(seen), Ok)?;
            read_some(cursor, last)
        });
        let (cursor, entries) = read.await?;
        self.cursor = Some(cursor);
        self.ahead = entries;
        Ok(())
    }
}

type Read = (Box<dyn Cursor>, VecDeque<Entry>);

fn read_some(mut cursor: Box<dyn Cursor>, last: Position) -> Result<Read, Error> {
    let mut entries = VecDeque::new();
    let mut bytes = 0;
    while entries.len() < AHEAD && bytes < AHEAD_BYTES {
        match cursor.next(last) {
            Ok(Some(entry)) => {
                bytes += entry.len();
                entries.push_back(entry);
            }
            Ok(None) => break,
            // What was read is delivered first; the error comes again when it is next.
            Err(_) if !entries.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok((cursor, entries))
}
