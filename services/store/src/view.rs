//! The state on disk: the only file that knows sled.
//!
//! sled 0.34 syncs nothing reliably and can open a damaged file with records missing and no word of it.
//! So the view holds nothing that the journal cannot rebuild, and next to the records it keeps, in the
//! same atomic batch, what they must add up to: their number and a digest, a sum of one hash a record
//! that a change can update without reading the rest. Both are recomputed at open.

use std::any::Any;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use tracing::debug_span;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::frame::{array_at, u32_at, u64_at};
use crate::state::{Effects, OWN, Value, lift};
use crate::vitals::TRACED;
use crate::{Error, Stamp, State};

const META_KEY: [u8; 2] = [OWN, b'm'];
/// Version of the keys that the store itself keeps in a view.
const STORE_LAYOUT: u32 = 1;
const META_BYTES: usize = 72;

/// The view of one journal.
#[derive(Debug)]
pub(crate) struct View {
    db: sled::Db,
    layout: u32,
    was_rebuilt: bool,
    /// Lets readers in between batches only; what they see is the state as of this.
    gate: RwLock<Meta>,
}

/// What a view says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) stamp: Stamp,
    /// Hash of the journal's entry at that position: which journal this is a view of.
    pub(crate) hash: [u8; 32],
    pub(crate) records: u64,
    pub(crate) digest: u64,
}

/// A view that stands still: while this is held no batch is applied. Writes wait, and behind one that waits, readers.
pub(crate) struct Held<'a> {
    db: &'a sled::Db,
    meta: RwLockReadGuard<'a, Meta>,
}

impl Meta {
    const EMPTY: Meta = Meta {
        stamp: Stamp {
            position: 0,
            time: 0,
        },
        hash: [0; 32],
        records: 0,
        digest: 0,
    };

    fn encode(&self, layout: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(META_BYTES);
        bytes.extend_from_slice(&STORE_LAYOUT.to_le_bytes());
        bytes.extend_from_slice(&layout.to_le_bytes());
        bytes.extend_from_slice(&self.stamp.position.to_le_bytes());
        bytes.extend_from_slice(&self.stamp.time.to_le_bytes());
        bytes.extend_from_slice(&self.hash);
        bytes.extend_from_slice(&self.records.to_le_bytes());
        bytes.extend_from_slice(&self.digest.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8], layout: u32) -> Result<Meta, String> {
        if bytes.len() != META_BYTES {
            return Err("its description does not parse".into());
        }
        let (store, model) = (u32_at(bytes, 0), u32_at(bytes, 4));
        if (store, model) != (STORE_LAYOUT, layout) {
            return Err(format!(
                "it has layout {store}.{model} and this build reads {STORE_LAYOUT}.{layout}"
            ));
        }
        Ok(Meta {
            stamp: Stamp {
                position: u64_at(bytes, 8),
                time: i64::from_le_bytes(array_at(bytes, 16)),
            },
            hash: array_at(bytes, 24),
            records: u64_at(bytes, 56),
            digest: u64_at(bytes, 64),
        })
    }

    fn count(&mut self, key: &[u8], before: Option<&[u8]>, after: Option<&[u8]>) {
        if let Some(value) = before {
            self.records = self.records.wrapping_sub(1);
            self.digest = self.digest.wrapping_sub(digest(key, value));
        }
        if let Some(value) = after {
            self.records = self.records.wrapping_add(1);
            self.digest = self.digest.wrapping_add(digest(key, value));
        }
    }
}

fn digest(key: &[u8], value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, xxh3_64(key))
}

impl View {
    /// Opens the view in `folder` and checks it against what it says of itself. One that cannot be
    /// believed, or does not open within `limit`, is moved aside and an empty one is made.
    pub(crate) fn open(
        folder: &Path,
        layout: u32,
        cache_bytes: u64,
        limit: Duration,
    ) -> Result<View, Error> {
        let started = Instant::now();
        remove_unfinished_snapshots(folder)?;
        let path = folder.to_owned();
        let opened = within(limit, move || open_checked(&path, layout, cache_bytes));
        match opened {
            Ok((db, meta)) => {
                tracing::info!(
                    records = meta.records,
                    position = meta.stamp.position,
                    took_ms = millis(started),
                    "the view is open and whole"
                );
                Ok(View {
                    db,
                    layout,
                    was_rebuilt: false,
                    gate: RwLock::new(meta),
                })
            }
            Err(reason) => View::start_over(folder, layout, cache_bytes, &reason),
        }
    }

    /// Moves a view aside and makes an empty one in its place.
    pub(crate) fn start_over(
        folder: &Path,
        layout: u32,
        cache_bytes: u64,
        reason: &str,
    ) -> Result<View, Error> {
        let aside = folder.with_extension("damaged");
        tracing::warn!(view = %folder.display(), aside = %aside.display(), reason,
            "the view is moved aside and rebuilt from the journal");
        move_aside(folder, &aside).map_err(|e| Error::io("moving aside", folder, &e))?;
        Ok(View {
            was_rebuilt: true,
            ..View::make(folder, layout, cache_bytes)?
        })
    }

    /// Makes an empty view in a folder that is not there.
    pub(crate) fn make(folder: &Path, layout: u32, cache_bytes: u64) -> Result<View, Error> {
        Ok(View {
            db: open_db(folder, cache_bytes)?,
            layout,
            was_rebuilt: false,
            gate: RwLock::new(Meta::EMPTY),
        })
    }

    /// Whether another one was moved aside for it.
    pub(crate) fn was_rebuilt(&self) -> bool {
        self.was_rebuilt
    }

    /// The version of the keys and values in it.
    pub(crate) fn layout(&self) -> u32 {
        self.layout
    }

    /// Lets it stand still.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held {
            db: &self.db,
            meta: self.enter(),
        }
    }

    /// What the view says of itself.
    pub(crate) fn meta(&self) -> Meta {
        *self.enter()
    }

    /// The records with keys behind `after`, in order; those of several instants while batches are applied.
    pub(crate) fn records(
        &self,
        after: &[u8],
    ) -> impl Iterator<Item = Result<(Value, Value), Error>> + use<'_> {
        records(&self.db, after)
    }

    fn enter(&self) -> RwLockReadGuard<'_, Meta> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a reader on the durable state; no batch is applied meanwhile.
    pub(crate) fn read<T>(&self, reader: impl FnOnce(&State<'_>) -> T) -> T {
        let _span = debug_span!(target: TRACED, "view.read").entered();
        let meta = self.enter();
        reader(&State::durable(&self.db, meta.stamp))
    }

    /// The state inside a group whose effects so far are `group`. For the one writer.
    pub(crate) fn state_within<'a>(&'a self, group: &'a Effects) -> State<'a> {
        State::within(&self.db, self.meta().stamp, group)
    }

    /// Applies the effects of the entry at `stamp`, all at once. For the one writer.
    pub(crate) fn apply(
        &self,
        effects: Effects,
        stamp: Stamp,
        hash: [u8; 32],
    ) -> Result<(), Error> {
        let meta = self.counted(&effects, stamp, hash)?;
        let mut batch = sled::Batch::default();
        for (key, after) in effects {
            match after {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        batch.insert(&META_KEY, meta.encode(self.layout));
        fail::fail_point!("view.apply", |_| Err(Error::Files("a fail point".into())));
        let mut gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.db.apply_batch(batch)?;
        *gate = meta;
        Ok(())
    }

    /// The same one by one, for a view that nobody else reads and that no crash has to leave whole: a batch would keep
    /// the readers of every view of the process waiting, since sled has one lock for all of them.
    pub(crate) fn apply_singly(
        &self,
        effects: Effects,
        stamp: Stamp,
        hash: [u8; 32],
    ) -> Result<(), Error> {
        let meta = self.counted(&effects, stamp, hash)?;
        for (key, after) in effects {
            match after {
                Some(value) => self.db.insert(key, value)?,
                None => self.db.remove(key)?,
            };
        }
        *self.gate.write().unwrap_or_else(PoisonError::into_inner) = meta;
        Ok(())
    }

    /// What the view says of itself behind some effects.
    fn counted(&self, effects: &Effects, stamp: Stamp, hash: [u8; 32]) -> Result<Meta, Error> {
        let mut meta = self.meta();
        for (key, after) in effects {
            let before = self.db.get(key)?;
            meta.count(key, before.as_deref(), after.as_deref());
        }
        meta.stamp = stamp;
        meta.hash = hash;
        Ok(meta)
    }

    /// Changes a record behind the view's back, as sled may.
    #[cfg(test)]
    pub(crate) fn damage(&self, key: &[u8], value: Option<&[u8]>) {
        let done = match value {
            Some(value) => self.db.insert(key, value),
            None => self.db.remove(key),
        };
        done.expect("sled takes it");
    }

    /// Hands what is in memory to the operating system, so that the next open finds it.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.db.flush()?;
        Ok(())
    }
}

impl Held<'_> {
    /// What the view says of itself.
    pub(crate) fn meta(&self) -> Meta {
        *self.meta
    }

    /// The records with keys behind `after`, in order.
    pub(crate) fn records(
        &self,
        after: &[u8],
    ) -> impl Iterator<Item = Result<(Value, Value), Error>> + use<'_> {
        records(self.db, after)
    }
}

fn records<'a>(
    db: &'a sled::Db,
    after: &[u8],
) -> impl Iterator<Item = Result<(Value, Value), Error>> + use<'a> {
    let behind = (Bound::Excluded(after.to_vec()), Bound::Unbounded);
    let records = db.range(behind).map(lift);
    records.filter(|record| !matches!(record, Ok((key, _)) if **key == META_KEY))
}

/// Runs `work` in a thread of its own for at most `limit`; a panic inside becomes an error. A thread
/// that does not come back is left behind: it holds files that are moved aside.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // Nobody listens any more after the limit.
        drop(sender.send(result.unwrap_or_else(|panic| Err(panic_text(&*panic)))));
    });
    match receiver.recv_timeout(limit) {
        Ok(result) => {
            drop(thread.join());
            result
        }
        Err(_) => Err(format!("it did not open within {} s", limit.as_secs())),
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

fn open_checked(folder: &Path, layout: u32, cache_bytes: u64) -> Result<(sled::Db, Meta), String> {
    let db = open_db(folder, cache_bytes).map_err(|error| error.to_string())?;
    let claimed = match db.get(META_KEY).map_err(|error| error.to_string())? {
        Some(bytes) => Meta::decode(&bytes, layout)?,
        None => Meta::EMPTY,
    };
    let mut found = Meta {
        records: 0,
        digest: 0,
        ..claimed
    };
    for record in db.iter() {
        let (key, value) = record.map_err(|error| error.to_string())?;
        if *key != META_KEY {
            found.count(&key, None, Some(&value));
        }
    }
    if found == claimed {
        return Ok((db, claimed));
    }
    Err(format!(
        "it holds {} records and should hold {}, or their digest differs",
        found.records, claimed.records
    ))
}

fn open_db(folder: &Path, cache_bytes: u64) -> Result<sled::Db, Error> {
    let db = sled::Config::default()
        .path(folder)
        .cache_capacity(cache_bytes)
        .flush_every_ms(Some(1_000))
        .open()?;
    Ok(db)
}

/// sled refuses to open beside a snapshot that a crash left unfinished; it needs none of it.
fn remove_unfinished_snapshots(folder: &Path) -> Result<(), Error> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let unfinished: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "generating"))
        .collect();
    for path in unfinished {
        std::fs::remove_file(&path).map_err(|e| Error::io("removing", &path, &e))?;
    }
    Ok(())
}

/// Keeps one view aside, the latest, for whoever wants to look into it.
fn move_aside(folder: &Path, aside: &Path) -> std::io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    if aside.exists() {
        std::fs::remove_dir_all(aside)?;
    }
    std::fs::rename(folder, aside)
}

pub(crate) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Effects of a replay that are held before they are written down, in bytes.
pub(crate) const REPLAY_BYTES: usize = 8 << 20;

/// Whether a view belongs to a journal: the journal has, at the view's position, an entry of that hash.
pub(crate) fn follows(meta: &Meta, journal_hash: Option<[u8; 32]>) -> Result<(), String> {
    match journal_hash {
        Some(hash) if hash == meta.hash => Ok(()),
        Some(_) => Err("it is the view of another journal".into()),
        None => Err(format!(
            "it is at position {}, after the journal's end: acknowledged writes may be missing",
            meta.stamp.position
        )),
    }
}
