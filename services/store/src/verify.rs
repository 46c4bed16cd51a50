//! Checking journal and view while they are used.
//!
//! Every entry is read with its checksums and its place in the chain, and applied to an empty view in a folder beside
//! the live one. Then the two are walked along together, some records at a time: for that the live view stands still,
//! and the other is brought to the same position, so that what is written meanwhile makes no difference. In the end
//! number and digest, which the live view keeps up with each write, must be those that the journal makes.
//!
//! While the live view stands still, writes wait, and reads behind them. So what is done in that moment is bounded by
//! records and by bytes, and was read once before, so that it is in memory: a moment takes a millisecond or a few.
//! Where more was written than fits, it is applied with the view let go, and the next moment is tried at once.
//!
//! What fails of the second view is an error of the verification and no fault: it says nothing of the live one.
//!
//! It goes on by [`Verification::step`], a few milliseconds of work each; whoever drives it decides how much of a
//! processor it may have, and ends it by dropping it.

use std::cmp::Ordering;
use std::fmt;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::space::Space;
use crate::state::{Effects, Value};
use crate::view::{Held, View, panic_text};
use crate::{Cursor, Entry, Error, Head, Journal, Position, Stamp};

/// Effects, and entries, after which a step ends.
const STEP_BYTES: usize = 512 << 10;
/// Records that are compared while writes wait, and bytes of theirs; the last record may go beyond.
const STEP_RECORDS: u64 = 500;
const STEP_RECORD_BYTES: usize = 256 << 10;
/// Entries that are applied while writes wait, and bytes that they make; when more have come, they go first.
const STEP_ENTRIES: u64 = 4;
const STEP_ENTRY_BYTES: usize = 64 << 10;
/// How often a step tries to find the live view so little ahead. Each time there is less to catch up with than the time
/// before, as long as entries are applied faster than they are written.
const STEP_ROUNDS: usize = 16;
/// Memory for the second view's cache.
const CACHE_BYTES: u64 = 32 << 20;
/// Faults that are told.
const MAX_FAULTS: usize = 20;
const FOLDER: &str = "view.verifying";

/// Adds an entry's effects to those before it.
pub(crate) type ReplayEntry = fn(&View, &mut Effects, &Entry) -> Result<usize, Error>;

/// What a verification needs of a store.
pub(crate) struct Parts {
    pub(crate) folder: PathBuf,
    pub(crate) view: Arc<View>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) space: Space,
    pub(crate) replay: ReplayEntry,
}

/// A check of a journal and its view, under way.
pub struct Verification {
    parts: Parts,
    made: Made,
    /// None before the first entry is read, whose file may be damaged at its start.
    cursor: Option<Box<dyn Cursor>>,
    until: Position,
    after: Vec<u8>,
    checked: Checked,
    is_over: bool,
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last entry that was read.
    pub position: Position,
    /// The last that will be.
    pub last: Position,
    /// Records that were compared.
    pub compared: u64,
    /// Records of the live view.
    pub records: u64,
}

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The last entry that was read; it and all before it are whole.
    pub head: Head,
    /// Bytes of the entries.
    pub journal_bytes: u64,
    /// Records that were compared.
    pub compared: u64,
    /// The digest over all records that the journal makes.
    pub digest: u64,
    /// The first faults; none when all is well.
    pub faults: Vec<Fault>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// The file, or the folder of the view.
    pub file: PathBuf,
    /// Where in the file; in a journal only.
    pub offset: u64,
    /// The entry; of a view, what it was held against.
    pub position: Position,
    /// The record; in a view only.
    pub key: Vec<u8>,
    /// What was found.
    pub what: String,
}

/// What kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The journal's bytes are not what was written.
    Journal,
    /// An entry is whole and cannot be applied.
    Entry,
    /// A record is not in the view.
    Missing,
    /// A record should not be in the view.
    Unexpected,
    /// A record has another value.
    Differs,
    /// The view cannot be read.
    Unreadable,
    /// The view does not say of itself what it should.
    Digest,
}

/// The view that is made; gone with its folder when it is dropped.
struct Made {
    view: Option<View>,
    folder: PathBuf,
}

/// Entries that were read and whose effects are not applied yet.
struct Read {
    effects: Effects,
    bytes: usize,
    head: Head,
}

/// What a walk along two views came to.
#[derive(Default)]
struct Walked {
    compared: u64,
    bytes: usize,
    /// The last key.
    after: Vec<u8>,
    faults: Vec<(FaultKind, Vec<u8>)>,
    is_over: bool,
}

/// Why a walk along two views stops.
enum Stopped {
    /// The live one cannot be read.
    Live(Error),
    /// The other one.
    Made(Error),
}

/// Removes what a killed process left of a verification.
pub(crate) fn clear(folder: &Path) -> Result<(), Error> {
    let left = folder.join(FOLDER);
    match std::fs::remove_dir_all(&left) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("removing", &left, &e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Verification {
    pub(crate) fn start(parts: Parts) -> Result<Verification, Error> {
        parts.space.check(parts.space.usage()?.view)?;
        clear(&parts.folder)?;
        Ok(Verification {
            made: Made::make(parts.folder.join(FOLDER), parts.view.layout())?,
            cursor: None,
            until: parts.view.meta().stamp.position,
            after: Vec::new(),
            checked: Checked::default(),
            is_over: false,
            parts,
        })
    }

    /// Does some more of it; whether there is more to do. It reads and writes the disk.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::SecondView`], [`Error::TooManyFiles`]: it cannot go on. What is wrong with journal or
    /// view is no error: it is in [`Verification::end`].
    pub fn step(&mut self) -> Result<bool, Error> {
        if self.is_over {
            return Ok(false);
        }
        self.parts.space.check(STEP_BYTES as u64)?;
        if self.cursor.is_none() || self.checked.head.stamp.position < self.until {
            self.follow(self.until)?;
        } else {
            self.compare()?;
        }
        Ok(!self.is_over)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress {
            position: self.checked.head.stamp.position,
            last: self.until,
            compared: self.checked.compared,
            records: self.parts.view.meta().records,
        }
    }

    /// What was found until now.
    pub fn end(self) -> Checked {
        Checked {
            digest: self.made.view().meta().digest,
            ..self.checked
        }
    }

    /// Reads some entries, up to a position, and applies them to the view that is made.
    fn follow(&mut self, until: Position) -> Result<(), Error> {
        let read = self.read(until, STEP_BYTES)?;
        self.apply(read)
    }

    /// Reads entries up to a position; the last one may go beyond the bytes.
    fn read(&mut self, until: Position, most: usize) -> Result<Read, Error> {
        let mut read = Read {
            effects: Effects::new(),
            bytes: 0,
            head: self.checked.head,
        };
        while read.bytes < most && !self.is_over {
            let Some(entry) = self.next(read.head.stamp.position + 1, until)? else {
                break;
            };
            let replay = || (self.parts.replay)(self.made.view(), &mut read.effects, &entry);
            match second(replay) {
                Ok(made) => {
                    self.checked.journal_bytes += entry.len() as u64;
                    read.bytes += made + entry.len();
                    read.head = entry.head();
                }
                Err(error @ Error::SecondView(_)) => return Err(error),
                Err(error) => self.cannot_apply(&entry, &error),
            }
        }
        Ok(read)
    }

    fn apply(&mut self, read: Read) -> Result<(), Error> {
        let Read { effects, head, .. } = read;
        if head == self.checked.head {
            return Ok(());
        }
        let view = self.made.view();
        second(|| view.apply_singly(effects, head.stamp, head.hash))?;
        self.checked.head = head;
        Ok(())
    }

    fn next_entry(&mut self, until: Position) -> Result<Option<Entry>, Error> {
        if self.cursor.is_none() {
            let journal = &self.parts.journal;
            self.cursor = Some(journal.after(journal.oldest() - 1)?);
        }
        let cursor = self.cursor.as_mut().expect("it was made a line ago");
        cursor.next(until)
    }

    /// The next entry. One that is damaged, or whose file cannot be read, is the end.
    fn next(&mut self, position: Position, until: Position) -> Result<Option<Entry>, Error> {
        match self.next_entry(until) {
            Err(error) => {
                let fault = of_journal(error, position)?;
                self.over(fault);
                Ok(None)
            }
            read => read,
        }
    }

    /// Looks at what no entry leads to: bytes behind the last one, which the next start would stop at.
    fn check_end(&mut self) -> Result<(), Error> {
        if let Err(error) = self.parts.journal.check_end() {
            let fault = of_journal(error, self.checked.head.stamp.position + 1)?;
            // The first is what the verdict is named by, and a view is made anew from its journal.
            self.checked.faults.insert(0, fault);
        }
        Ok(())
    }

    fn cannot_apply(&mut self, entry: &Entry, error: &Error) {
        let fault = Fault {
            position: entry.stamp.position,
            ..self.fault(FaultKind::Entry, error.to_string())
        };
        self.over(Fault {
            file: self.parts.folder.join("journal"),
            ..fault
        });
    }

    fn over(&mut self, fault: Fault) {
        self.checked.faults.push(fault);
        self.is_over = true;
    }

    fn fault(&self, kind: FaultKind, what: String) -> Fault {
        Fault {
            kind,
            file: self.parts.folder.join("view"),
            offset: 0,
            position: self.checked.head.stamp.position,
            key: Vec::new(),
            what,
        }
    }

    /// Holds some records of the live view against those that the journal makes.
    fn compare(&mut self) -> Result<(), Error> {
        let view = Arc::clone(&self.parts.view);
        self.look_ahead()?;
        for _ in 0..STEP_ROUNDS {
            self.catch_up(view.meta().stamp.position)?;
            let held = view.hold();
            let level = self.draw_level(held)?;
            if self.is_over {
                return Ok(());
            }
            if let Some(held) = level {
                self.compare_held(&held)?;
                drop(held);
                return if self.is_over {
                    self.check_end()
                } else {
                    Ok(())
                };
            }
        }
        Ok(())
    }

    /// Has in memory what is compared next, so that nobody waits for the disk while the live view is held.
    fn look_ahead(&self) -> Result<(), Error> {
        // What of the live view cannot be read is told when it is compared.
        drop(caught(|| look(&self.parts.view, &self.after)));
        second(|| look(self.made.view(), &self.after))
    }

    /// Brings the view that is made to where the live one is held, if little is missing; else lets that go first.
    fn draw_level<'a>(&mut self, held: Held<'a>) -> Result<Option<Held<'a>>, Error> {
        let position = held.meta().stamp.position;
        if position > self.checked.head.stamp.position + STEP_ENTRIES {
            return Ok(None);
        }
        let read = self.read(position, STEP_ENTRY_BYTES)?;
        let fits = read.bytes <= STEP_ENTRY_BYTES && read.head.stamp.position == position;
        let held = fits.then_some(held);
        self.apply(read)?;
        Ok(held)
    }

    fn compare_held(&mut self, held: &Held<'_>) -> Result<(), Error> {
        match self.walk(held) {
            Ok(true) => self.compare_digests(held),
            Ok(false) => {}
            Err(Stopped::Live(error)) => {
                self.over(self.fault(FaultKind::Unreadable, error.to_string()));
            }
            Err(Stopped::Made(error)) => return Err(error),
        }
        Ok(())
    }

    fn catch_up(&mut self, position: Position) -> Result<(), Error> {
        while self.checked.head.stamp.position < position && !self.is_over {
            self.follow(position)?;
        }
        Ok(())
    }

    /// Goes on along both views; whether both have ended.
    fn walk(&mut self, held: &Held<'_>) -> Result<bool, Stopped> {
        let walked = walk(held, &self.made.view().hold(), &self.after)?;
        self.checked.compared += walked.compared;
        self.after = walked.after;
        for (kind, key) in walked.faults {
            self.note(kind, key);
        }
        Ok(walked.is_over)
    }

    fn note(&mut self, kind: FaultKind, key: Vec<u8>) {
        if self.checked.faults.len() < MAX_FAULTS {
            let what = kind.told().to_owned();
            let fault = self.fault(kind, what);
            self.checked.faults.push(Fault { key, ..fault });
        }
    }

    fn compare_digests(&mut self, held: &Held<'_>) {
        let (live, made) = (held.meta(), self.made.view().meta());
        if live != made && self.checked.faults.len() < MAX_FAULTS {
            let what = format!(
                "it says that it has {} records with the digest {:016x}, and the journal makes {} with {:016x}",
                live.records, live.digest, made.records, made.digest
            );
            self.checked
                .faults
                .push(self.fault(FaultKind::Digest, what));
        }
        self.is_over = true;
    }
}

/// What is wrong with a journal. An error that says nothing of it stays one.
fn of_journal(error: Error, position: Position) -> Result<Fault, Error> {
    let fault = |file, offset, what| Fault {
        kind: FaultKind::Journal,
        file,
        offset,
        position,
        key: Vec::new(),
        what,
    };
    if let Error::Damaged { file, offset, what } = error {
        return Ok(fault(file, offset, what));
    }
    if let Error::Io {
        what,
        file,
        message,
    } = error
    {
        return Ok(fault(file, 0, format!("{what}: {message}")));
    }
    Err(error)
}

/// Compares the records behind a key, as many as a step takes.
fn walk(held: &Held<'_>, made: &Held<'_>, after: &[u8]) -> Result<Walked, Stopped> {
    let (mut live, mut right) = (held.records(after), made.records(after));
    let mut next_live = || caught(|| live.next().transpose()).map_err(Stopped::Live);
    let mut next_right = || second(|| right.next().transpose()).map_err(Stopped::Made);
    let (mut found, mut expected) = (next_live()?, next_right()?);
    let mut walked = Walked {
        after: after.to_vec(),
        ..Walked::default()
    };
    while walked.compared < STEP_RECORDS && walked.bytes < STEP_RECORD_BYTES {
        let Some((key, fault)) = compared_at(found.as_ref(), expected.as_ref()) else {
            walked.is_over = true;
            break;
        };
        if let Some(record) = found.take_if(|(at, _)| *at == key) {
            walked.bytes += size(&record);
            found = next_live()?;
        }
        if let Some(record) = expected.take_if(|(at, _)| *at == key) {
            walked.bytes += size(&record);
            expected = next_right()?;
        }
        walked.after = key.to_vec();
        walked.compared += 1;
        let faults = fault.map(|kind| (kind, key.to_vec()));
        walked.faults.extend(faults);
    }
    Ok(walked)
}

/// Reads what a step compares at most.
fn look(view: &View, after: &[u8]) -> Result<(), Error> {
    let mut bytes = 0;
    for (record, _) in view.records(after).zip(0..STEP_RECORDS) {
        bytes += size(&record?);
        if bytes >= STEP_RECORD_BYTES {
            break;
        }
    }
    Ok(())
}

fn size((key, value): &(Value, Value)) -> usize {
    key.len() + value.len()
}

/// Does what sled may panic at: a damaged file makes it do so.
fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|panic| Err(Error::Files(panic_text(&*panic))))
}

/// Does something with the second view. What its files refuse, or a panic, is an error of it and of nothing else.
fn second<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    caught(work).map_err(|error| {
        if let Error::Files(what) = error {
            return Error::SecondView(what);
        }
        error
    })
}

/// The first key that either has, and what is wrong there.
fn compared_at(
    found: Option<&(Value, Value)>,
    expected: Option<&(Value, Value)>,
) -> Option<(Value, Option<FaultKind>)> {
    let (found, expected) = match (found, expected) {
        (Some(found), Some(expected)) => (found, expected),
        (Some((key, _)), None) => return Some((key.clone(), Some(FaultKind::Unexpected))),
        (None, Some((key, _))) => return Some((key.clone(), Some(FaultKind::Missing))),
        (None, None) => return None,
    };
    Some(match found.0.cmp(&expected.0) {
        Ordering::Less => (found.0.clone(), Some(FaultKind::Unexpected)),
        Ordering::Greater => (expected.0.clone(), Some(FaultKind::Missing)),
        Ordering::Equal => {
            let differs = found.1 != expected.1;
            (found.0.clone(), differs.then_some(FaultKind::Differs))
        }
    })
}

impl FaultKind {
    fn told(self) -> &'static str {
        match self {
            FaultKind::Journal => "the journal is damaged",
            FaultKind::Entry => "an entry cannot be applied",
            FaultKind::Missing => "a record that the journal makes is not there",
            FaultKind::Unexpected => "a record is there that the journal does not make",
            FaultKind::Differs => "a record has another value than the journal makes",
            FaultKind::Unreadable => "the view cannot be read",
            FaultKind::Digest => "number or digest of the records differ",
        }
    }
}

impl Default for Checked {
    fn default() -> Checked {
        Checked {
            head: Head {
                stamp: Stamp::default(),
                hash: [0; 32],
            },
            journal_bytes: 0,
            compared: 0,
            digest: 0,
            faults: Vec::new(),
        }
    }
}

impl Made {
    fn make(folder: PathBuf, layout: u32) -> Result<Made, Error> {
        let mut made = Made { view: None, folder };
        made.view = Some(second(|| View::make(&made.folder, layout, CACHE_BYTES))?);
        Ok(made)
    }

    fn view(&self) -> &View {
        self.view.as_ref().expect("it is there until the drop")
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // First the files are closed. What cannot be removed is removed at the next start.
        drop(self.view.take());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Decision, Model, Origin, State, Store};

    /// Texts, each under its own words.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Said {
        #[prost(string, tag = "1")]
        text: String,
    }

    struct Words;

    impl Model for Words {
        type Change = Said;
        const NAME: &'static str = "words";
        const LAYOUT: u32 = 1;

        fn apply(state: &mut State<'_>, change: &Said, _: Stamp) -> Result<(), Error> {
            let text = change.text.as_bytes().to_vec();
            state.put(text.clone(), text)
        }
    }

    async fn said(folder: &Path, texts: &[&str]) -> Store<Words> {
        let config = Config {
            reserve_bytes: 0,
            ballast_bytes: 0,
            ..Config::default()
        };
        let store = Store::<Words>::open(folder, &config).unwrap();
        for text in texts {
            say(&store, text).await;
        }
        store
    }

    async fn say(store: &Store<Words>, text: &str) {
        let text = text.to_owned();
        let decide = move |_: &State<'_>, _| Ok(Decision::change(Said { text }, "", ()));
        let written = store.write::<(), Error, _>(Origin::default(), decide).await;
        written.unwrap();
    }

    /// The faults, as their kinds and keys.
    fn faults(store: &Store<Words>) -> Vec<(FaultKind, Vec<u8>)> {
        let mut verification = store.verify().unwrap();
        let view = verification.parts.folder.join("view");
        while verification.step().unwrap() {}
        let faults = verification.end().faults.into_iter();
        let told = faults.map(|fault| {
            assert_eq!(fault.file, view);
            (fault.kind, fault.key)
        });
        told.collect()
    }

    #[tokio::test]
    async fn a_record_that_was_lost_changed_or_made_up_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = said(folder.path(), &["apricot", "peach", "plum"]).await;
        assert_eq!(faults(&store), []);
        let view = store.view();
        view.damage(b"apricot", None);
        view.damage(b"peach", Some(b"Peach"));
        view.damage(b"quince", Some(b"quince"));
        let expected = [
            (FaultKind::Missing, b"apricot".to_vec()),
            (FaultKind::Differs, b"peach".to_vec()),
            (FaultKind::Unexpected, b"quince".to_vec()),
        ];
        assert_eq!(faults(&store), expected);
        // What is written later neither hides it nor mends the digest.
        say(&store, "apricot").await;
        view.damage(b"peach", Some(b"peach"));
        view.damage(b"quince", None);
        assert_eq!(faults(&store), [(FaultKind::Digest, Vec::new())]);
        store.close().await;
    }

    fn whole(store: &Store<Words>, replay: ReplayEntry) -> Result<Checked, Error> {
        let mut verification = store.verify()?;
        verification.parts.replay = replay;
        while verification.step()? {}
        Ok(verification.end())
    }

    #[tokio::test]
    async fn what_fails_of_the_second_view_is_no_fault_of_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = said(folder.path(), &["apricot"]).await;
        let fails: [ReplayEntry; 2] = [
            |_, _, _| Err(Error::Files("a sector is gone".into())),
            |_, _, _| panic!("sled fell over"),
        ];
        for replay in fails {
            let failed = whole(&store, replay);
            assert!(matches!(failed, Err(Error::SecondView(_))), "{failed:?}");
        }
        let checked = whole(&store, |_, _, _| Err(Error::View("not a word".into()))).unwrap();
        assert_eq!(checked.faults[0].kind, FaultKind::Entry);
        store.close().await;
    }

    #[tokio::test]
    async fn a_moment_takes_no_more_records_than_bytes_of_them_allow() {
        let folder = tempfile::tempdir().unwrap();
        let store = said(folder.path(), &["apricot"]).await;
        let large = vec![7; STEP_RECORD_BYTES / 4];
        for number in 0..20_u32 {
            store.view().damage(&number.to_be_bytes(), Some(&large));
        }
        let walked = walk(&store.view().hold(), &store.view().hold(), &[]);
        let Ok(Walked { compared, .. }) = walked else {
            panic!("both can be read");
        };
        assert_eq!(compared, 2);
        store.close().await;
    }

    #[tokio::test]
    async fn no_more_faults_are_told_than_somebody_reads() {
        let folder = tempfile::tempdir().unwrap();
        let store = said(folder.path(), &["apricot"]).await;
        for number in 0..2_000_u32 {
            store.view().damage(&number.to_be_bytes(), Some(b"made up"));
        }
        assert_eq!(faults(&store).len(), MAX_FAULTS);
        store.close().await;
    }
}
