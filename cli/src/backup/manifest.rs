//! The manifest of a backup: what it holds, in JSON.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::file;
use crate::args::serve::Role;
use crate::whole;

/// Its name in the folder.
const NAME: &str = "manifest.json";
const FORMAT: &str = "entente backup 1";
/// No manifest is larger: a part takes some 300 bytes, so that there is room for 200,000 runs of all services.
const MOST_BYTES: u64 = 64 << 20;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// What it is, and in which form.
    format: String,
    /// The version of the program that wrote it.
    tool_version: String,
    /// When it was written.
    written: String,
    /// The journals, by role.
    journals: BTreeMap<String, Kept>,
}

/// A journal in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The name of its file.
    pub(crate) file: String,
    /// The version of the service that sent the last part.
    pub(crate) service_version: String,
    /// The last entry.
    pub(crate) position: u64,
    /// Entries, from the first on.
    pub(crate) entries: u64,
    /// The hash of the last entry, which chains over all before, in hexadecimal digits; zeros when there is none.
    pub(crate) last_hash: String,
    /// When the last entry was committed; empty when there is none.
    pub(crate) last_commit: String,
    /// Bytes of the file that count.
    pub(crate) bytes: u64,
    /// Its parts, one behind the other.
    pub(crate) parts: Vec<Part>,
}

/// What one run added to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Where it begins.
    pub(crate) offset: u64,
    /// How long it is.
    pub(crate) bytes: u64,
    /// Its first entry; behind the last when it has none.
    pub(crate) first: u64,
    /// Its last entry.
    pub(crate) last: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub(crate) sha256: String,
    /// When it was complete.
    pub(crate) copied: String,
}

impl Default for Manifest {
    fn default() -> Manifest {
        Manifest {
            format: FORMAT.into(),
            tool_version: String::new(),
            written: String::new(),
            journals: BTreeMap::new(),
        }
    }
}

impl Manifest {
    /// That of a folder; none where there is none.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Option<Manifest>> {
        let path = folder.join(NAME);
        let file = match file::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                ensure_no_data(folder)?;
                return Ok(None);
            }
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let text = whole::read_opened(file, &path, MOST_BYTES)?;
        let parsed = Manifest::parse(&text);
        Ok(Some(parsed.with_context(|| path.display().to_string())?))
    }

    /// The same, where there must be one.
    pub(crate) fn of(folder: &Path) -> anyhow::Result<Manifest> {
        let manifest = Manifest::read(folder)?;
        let manifest = manifest.with_context(|| {
            format!(
                "{} is no backup: it has no {NAME}, which the first run of `entente backup` writes when it is complete; \
                 `entente restore --with-left` takes in what it has copied",
                folder.display()
            )
        })?;
        let is_empty = manifest.journals.is_empty();
        ensure!(
            !is_empty,
            "{}: the backup has no journals",
            folder.join(NAME).display()
        );
        Ok(manifest)
    }

    fn parse(text: &str) -> anyhow::Result<Manifest> {
        let manifest: Manifest = serde_json::from_str(text)?;
        ensure!(
            manifest.format == FORMAT,
            "it is of another form than `{FORMAT}`"
        );
        for (name, kept) in &manifest.journals {
            let role = Role::from_str(name, false);
            let role =
                role.map_err(|_| anyhow::anyhow!("`{}` is no service", name.escape_debug()))?;
            kept.check(role)
                .with_context(|| format!("the journal of {name}"))?;
        }
        Ok(manifest)
    }

    /// What it holds of a service.
    pub(crate) fn kept(&self, role: Role) -> Option<&Kept> {
        self.journals.get(role.name())
    }

    /// The services of which it holds something.
    pub(crate) fn roles(&self) -> Vec<Role> {
        let all = Role::value_variants().iter().copied();
        all.filter(|role| self.kept(*role).is_some()).collect()
    }

    /// Those asked for, or all; each must be there.
    pub(crate) fn choose(&self, only: &[Role]) -> anyhow::Result<Vec<Role>> {
        if only.is_empty() {
            return Ok(self.roles());
        }
        let missing = only.iter().find(|role| self.kept(**role).is_none());
        match missing {
            Some(role) => anyhow::bail!("the backup has nothing of {}", role.name()),
            None => Ok(only.to_vec()),
        }
    }

    /// Counts what is there of a service.
    pub(super) fn keep(&mut self, role: Role, kept: Kept) {
        self.journals.insert(role.name().to_owned(), kept);
    }

    /// Writes it in place of the one before, which stays until this one is on the disk.
    pub(super) fn write(&mut self, folder: &Path) -> anyhow::Result<()> {
        env!("CARGO_PKG_VERSION").clone_into(&mut self.tool_version);
        self.written = now();
        let text = self.text(MOST_BYTES)?;
        let (path, part) = (folder.join(NAME), folder.join("manifest.json.part"));
        file::ensure_regular(&part)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        Ok(File::open(folder)?.sync_all()?)
    }

    /// As it stands in the folder, in no more bytes than are read again.
    fn text(&self, most: u64) -> anyhow::Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        ensure!(
            text.len() as u64 <= most,
            "{NAME} would be larger than {most} bytes, with a part for each run: begin a new backup in another folder"
        );
        Ok(text)
    }
}

impl Kept {
    /// Its file.
    pub(crate) fn path(folder: &Path, role: Role) -> PathBuf {
        folder.join(file_name(role))
    }

    /// The hash of the last entry.
    pub(crate) fn hash(&self) -> anyhow::Result<[u8; 32]> {
        let mut hash = [0; 32];
        ensure!(
            self.last_hash.len() == 64 && self.last_hash.is_ascii(),
            "a hash has 64 digits"
        );
        for (index, byte) in hash.iter_mut().enumerate() {
            let digits = &self.last_hash[2 * index..2 * index + 2];
            *byte = u8::from_str_radix(digits, 16).context("a hash has hexadecimal digits")?;
        }
        Ok(hash)
    }

    /// When the last entry was committed.
    pub(super) fn committed(&self) -> Option<store::Micros> {
        let instant = self.last_commit.parse::<jiff::Timestamp>().ok()?;
        Some(instant.as_microsecond())
    }

    /// Whether it can be of this service, and its parts lie one behind the other.
    fn check(&self, role: Role) -> anyhow::Result<()> {
        ensure!(
            self.file == file_name(role),
            "its file is not {}",
            file_name(role)
        );
        self.hash()?;
        let is_dated = self.last_commit.is_empty() || self.committed().is_some();
        ensure!(is_dated, "its last commit has no time");
        let (mut offset, mut last) = (0, 0);
        for part in &self.parts {
            let follows = part.offset == offset && part.first == last + 1;
            let ends = part.last.checked_add(1) >= Some(part.first);
            ensure!(
                follows && ends,
                "the part at byte {} does not follow the one before",
                part.offset
            );
            offset = part
                .offset
                .checked_add(part.bytes)
                .context("a part is too long")?;
            last = part.last;
        }
        let is_all = offset == self.bytes && last == self.position && last == self.entries;
        ensure!(is_all, "its parts are not what it says that it has");
        Ok(())
    }
}

/// Refuses to take the folder of a service for that of a backup, whose files would lie among those of the service.
fn ensure_no_data(folder: &Path) -> anyhow::Result<()> {
    ensure!(
        !folder.join("journal").is_dir(),
        "{} is the data folder of a service and no backup: name another folder",
        folder.display()
    );
    Ok(())
}

/// The file of a service's journal in a backup.
fn file_name(role: Role) -> String {
    format!("{}.journal", role.name())
}

/// This instant.
pub(super) fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = halves.filter_map(|half| char::from_digit(half.into(), 16));
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept {
            file: "events.journal".into(),
            service_version: "0.1.0".into(),
            position: 2,
            entries: 2,
            last_hash: "07".repeat(32),
            last_commit: now(),
            bytes: 50,
            parts: vec![Part {
                offset: 0,
                bytes: 50,
                first: 1,
                last: 2,
                sha256: "00".repeat(32),
                copied: now(),
            }],
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), None);
        let mut manifest = Manifest::default();
        manifest.keep(Role::Events, kept());
        manifest.write(folder.path()).unwrap();
        let read = Manifest::of(folder.path()).unwrap();
        assert_eq!(read, manifest);
        assert_eq!(read.roles(), [Role::Events]);
        assert_eq!(read.kept(Role::Events).unwrap().hash().unwrap(), [7_u8; 32]);
        assert!(read.choose(&[Role::Trade]).is_err());
    }

    #[test]
    fn a_manifest_without_journals_is_no_backup_to_read_and_one_to_begin() {
        let folder = tempfile::tempdir().unwrap();
        Manifest::default().write(folder.path()).unwrap();
        let refused = Manifest::of(folder.path()).unwrap_err().to_string();
        assert!(refused.ends_with("the backup has no journals"), "{refused}");
        assert!(Manifest::read(folder.path()).unwrap().is_some());
    }

    #[test]
    fn a_manifest_that_would_not_be_read_again_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::default();
        manifest.keep(Role::Events, kept());
        let size = manifest.text(MOST_BYTES).unwrap().len() as u64;
        assert!(manifest.text(size).is_ok());
        let refused = manifest.text(size - 1).unwrap_err().to_string();
        assert!(refused.contains("begin a new backup"), "{refused}");

        let path = folder.path().join(NAME);
        let file = File::create(&path).unwrap();
        file.set_len(MOST_BYTES + 1).unwrap();
        let refused = Manifest::read(folder.path()).unwrap_err().to_string();
        let told = format!("{} is larger than {MOST_BYTES} bytes", path.display());
        assert_eq!(refused, told);
    }

    #[test]
    fn the_data_folder_of_a_service_is_not_taken_for_a_backup() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("journal")).unwrap();
        let refused = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("data folder of a service"), "{refused}");
    }

    #[test]
    fn what_a_manifest_calls_its_journals_does_not_reach_the_terminal_as_it_is() {
        let manifest = serde_json::to_string(&Manifest::default()).unwrap();
        let kept = serde_json::to_string(&kept()).unwrap();
        let journals = format!(r#""journals":{{"\u001b[2J":{kept}}}"#);
        let foreign = manifest.replace(r#""journals":{}"#, &journals);
        let refused = format!("{:#}", Manifest::parse(&foreign).unwrap_err());
        assert!(refused.contains("is no service"), "{refused}");
        assert!(!refused.contains('\u{1b}'), "{refused}");
    }

    #[test]
    fn what_no_run_has_written_is_refused() {
        let good = |change: &dyn Fn(&mut Kept)| {
            let mut manifest = Manifest::default();
            let mut kept = kept();
            change(&mut kept);
            manifest.keep(Role::Events, kept);
            serde_json::to_string(&manifest).unwrap()
        };
        assert!(Manifest::parse(&good(&|_| {})).is_ok());
        for wrong in [
            good(&|kept| kept.file = "../../etc/passwd".into()),
            good(&|kept| kept.position = 3),
            good(&|kept| kept.bytes = 49),
            good(&|kept| kept.parts[0].first = 2),
            good(&|kept| kept.parts[0].bytes = u64::MAX),
            good(&|kept| kept.last_hash = "é".repeat(32)),
            good(&|kept| kept.last_commit = "\u{1b}[2J".into()),
            good(&|_| {}).replace("backup 1", "backup 2"),
            good(&|_| {}).replace("\"events\"", "\"gossip\""),
            "{".into(),
        ] {
            assert!(Manifest::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
