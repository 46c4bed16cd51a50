//! Whether a copy of a journal is what was journaled.

use anyhow::{Context, ensure};
use proto::journal::v1::{BackupJournalResponse, Journal, JournalEntry};
use proto::parse_timestamp;
use store::{Chain, Micros, Position};

use super::Kept;

/// What was seen of a copy, part by part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    chain: Chain,
    journal: Option<Journal>,
    time: Option<Micros>,
}

impl Seen {
    /// Nothing yet of a journal with this name.
    pub(super) fn beginning(name: String) -> Seen {
        let journal = Journal {
            name,
            ..Journal::default()
        };
        Seen {
            journal: Some(journal),
            ..Seen::default()
        }
    }

    /// Goes on after what a backup has of a journal.
    pub(super) fn after(name: String, kept: &Kept) -> anyhow::Result<Seen> {
        let hash = kept.hash()?;
        let journal = Journal {
            name,
            last_position: kept.position,
            last_hash: hash.to_vec(),
            ..Journal::default()
        };
        Ok(Seen {
            chain: Chain::after(kept.position, hash),
            journal: Some(journal),
            time: kept.committed(),
        })
    }

    /// Takes the next part, whose entries must follow those before.
    pub(crate) fn take(&mut self, part: &BackupJournalResponse) -> anyhow::Result<()> {
        if let Some(journal) = &part.journal {
            self.begin(journal)?;
        }
        ensure!(
            self.journal.is_some(),
            "the copy does not say of which journal it is"
        );
        for entry in &part.entries {
            let time = time(entry)?;
            self.chain
                .follow(entry.position, time, &entry.hash, &entry.body)?;
            self.time = Some(time);
        }
        Ok(())
    }

    /// A run begins. The one before may have been interrupted: the end of the last one vouches for all.
    fn begin(&mut self, journal: &Journal) -> anyhow::Result<()> {
        if let Some(before) = &self.journal {
            let is_same = before.name == journal.name;
            let (before, name) = (before.name.escape_debug(), journal.name.escape_debug());
            ensure!(is_same, "{before} goes on as {name}");
        }
        self.journal = Some(journal.clone());
        Ok(())
    }

    /// The journal, when the copy ends with its last entry.
    pub(crate) fn whole(&self) -> anyhow::Result<&Journal> {
        let journal = self.journal.as_ref().context("there is nothing in it")?;
        let (last, end) = (self.last(), journal.last_position);
        ensure!(
            last == end,
            "it ends after entry {last}, and the journal had {end}"
        );
        let is_same = self.chain.hash()[..] == journal.last_hash[..];
        ensure!(
            is_same,
            "entry {last} has another hash than the journal's last entry: it is of another journal"
        );
        Ok(journal)
    }

    /// The journal at the start of the last run, as the copy says.
    pub(crate) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// The last position; the first is 1, and there is no gap.
    pub(crate) fn last(&self) -> Position {
        self.chain.last()
    }

    /// The hash of the last entry.
    pub(crate) fn hash(&self) -> [u8; 32] {
        self.chain.hash()
    }

    /// When the last entry was committed.
    pub(crate) fn time(&self) -> Option<Micros> {
        self.time
    }
}

/// When an entry was committed.
pub(crate) fn time(entry: &JournalEntry) -> anyhow::Result<Micros> {
    let time = entry.commit_time.as_ref().map(parse_timestamp);
    let time = time.and_then(Result::ok);
    time.with_context(|| {
        format!(
            "entry {} does not say when it was committed",
            entry.position
        )
    })
}
