//! The file of tokens: what `entente token` writes and a serving process reads.
//!
//! It holds no secret, only hashes. A change is made under a lock beside it and takes the file's name when it is
//! complete and on the disk, so that two commands lose nothing of each other's and a reader sees no half.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::token::{self, Hash, Id};
use crate::caller::is_name;
use crate::kept::read_bounded;
use crate::{Caller, Role};

/// A token takes some 250 bytes.
pub(super) const MAX_BYTES: u64 = 4 << 20;

/// What is known of a token; never its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecord {
    /// Names the token: 8 hexadecimal digits.
    pub id: String,
    /// Whom it is for: the name that the journal keeps.
    pub name: String,
    /// What they may do.
    pub role: Role,
    hash: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends; `None` is never.
    pub expires: Option<Timestamp>,
    /// When it was taken back.
    pub revoked: Option<Timestamp>,
}

/// What became of a token so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It is believed.
    Valid,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

/// A token that was just made: the only place where its text is.
pub struct NewToken {
    /// What the file says of it.
    pub record: TokenRecord,
    text: String,
}

/// A file of tokens.
#[derive(Clone, Debug)]
pub struct TokenFile(PathBuf);

/// Why a file of tokens is not read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFileError {
    /// The operating system refused.
    #[error("{what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no file of tokens.
    #[error("{} is no file of tokens", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A name that cannot stand in the journal.
    #[error("a caller's name has 1 to 128 visible ASCII characters and no spaces")]
    Name,
    /// A token that is over when it is made.
    #[error("the token would have expired already")]
    Over,
    /// No token of that id or name is valid.
    #[error("no token of the id or name `{0}` is there that is not revoked")]
    Unknown(String),
    /// The file has no room.
    #[error("the file would become larger than {MAX_BYTES} bytes: start a new one")]
    Full,
    /// The operating system has no random bytes.
    #[error("the operating system gives no random bytes")]
    Random(#[source] getrandom::Error),
}

/// What is wrong with the bytes of a file of tokens, and where.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("tokens[{index}].{what}")]
    Entry { index: usize, what: EntryFault },
    #[error("tokens[{index}].id: {id} is there twice")]
    Twice { index: usize, id: Id },
}

/// What is wrong with a token in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum EntryFault {
    #[error("name: 1 to 128 visible ASCII characters are required")]
    Name,
    #[error("id: 8 hexadecimal digits are required")]
    Id,
    #[error("hash: 64 hexadecimal digits are required")]
    Hash,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    tokens: Vec<TokenRecord>,
}

/// A token as a serving process looks it up.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: Id,
    pub(super) hash: Hash,
    pub(super) caller: Caller,
    pub(super) expires: Option<Timestamp>,
    pub(super) revoked: bool,
}

impl NewToken {
    /// Its text; whoever has it is believed to be who it is for.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = f.debug_struct("NewToken");
        told.field("record", &self.record).finish_non_exhaustive()
    }
}

impl TokenRecord {
    /// What became of it by an instant.
    pub fn state(&self, now: Timestamp) -> TokenState {
        match (self.revoked, self.expires) {
            (Some(_), _) => TokenState::Revoked,
            (None, Some(expires)) if expires <= now => TokenState::Expired,
            (None, _) => TokenState::Valid,
        }
    }

    fn entry(&self) -> Result<Entry, EntryFault> {
        if !is_name(&self.name) {
            return Err(EntryFault::Name);
        }
        Ok(Entry {
            id: Id::parse(&self.id).ok_or(EntryFault::Id)?,
            hash: Hash::parse(&self.hash).ok_or(EntryFault::Hash)?,
            caller: Caller {
                name: self.name.as_str().into(),
                role: self.role,
            },
            expires: self.expires,
            revoked: self.revoked.is_some(),
        })
    }
}

impl TokenFile {
    /// The file at a path; it need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> TokenFile {
        TokenFile(path.into())
    }

    /// Makes a token and adds it; the file too where there is none.
    pub fn create(
        &self,
        name: &str,
        role: Role,
        expires: Option<Timestamp>,
    ) -> Result<NewToken, TokenFileError> {
        let created = Timestamp::now();
        if !is_name(name) {
            return Err(TokenFileError::Name);
        }
        if expires.is_some_and(|expires| expires <= created) {
            return Err(TokenFileError::Over);
        }
        self.change(|contents| {
            let made = contents.unused()?;
            let record = TokenRecord {
                id: made.id.to_string(),
                name: name.to_owned(),
                role,
                hash: made.hash.to_string(),
                created,
                expires,
                revoked: None,
            };
            contents.tokens.push(record.clone());
            Ok(NewToken {
                record,
                text: made.text,
            })
        })
    }

    /// All tokens, in the order in which they were made.
    pub fn list(&self) -> Result<Vec<TokenRecord>, TokenFileError> {
        Ok(self.read()?.tokens)
    }

    /// Takes back the token of an id, or all of a name; those that this took back.
    pub fn revoke(&self, id_or_name: &str) -> Result<Vec<TokenRecord>, TokenFileError> {
        self.change(|contents| {
            let revoked = contents.revoke(id_or_name, Timestamp::now());
            if revoked.is_empty() {
                return Err(TokenFileError::Unknown(id_or_name.to_owned()));
            }
            Ok(revoked)
        })
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Contents) -> Result<T, TokenFileError>,
    ) -> Result<T, TokenFileError> {
        let _lock = self.lock()?;
        let mut contents = self.read_or_begin()?;
        let done = change(&mut contents)?;
        self.write(&contents)?;
        Ok(done)
    }

    /// Ends with the value. The file of the lock is empty and stays, also where the change came to nothing: if one
    /// took it away, another who waits for it and a third who makes it anew would each hold a lock of their own.
    fn lock(&self) -> Result<File, TokenFileError> {
        let mut path = self.0.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let locked = open_lock(&path).and_then(|file| file.lock().map(|()| file));
        locked.map_err(io_error("locking", &path))
    }

    fn read(&self) -> Result<Contents, TokenFileError> {
        let bytes = read_bounded(&self.0, MAX_BYTES).map_err(io_error("reading", &self.0))?;
        self.parse(&bytes)
    }

    /// The same, for a change, which may be the first.
    fn read_or_begin(&self) -> Result<Contents, TokenFileError> {
        match read_bounded(&self.0, MAX_BYTES) {
            Ok(bytes) => self.parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Contents::default()),
            Err(error) => Err(io_error("reading", &self.0)(error)),
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Contents, TokenFileError> {
        let invalid = |fault| TokenFileError::Invalid {
            path: self.0.clone(),
            source: Box::new(fault),
        };
        let (contents, _) = parse_contents(bytes).map_err(invalid)?;
        Ok(contents)
    }

    fn write(&self, contents: &Contents) -> Result<(), TokenFileError> {
        let bytes = serde_json::to_vec_pretty(contents).expect("these types have a form in JSON");
        if bytes.len() as u64 > MAX_BYTES {
            return Err(TokenFileError::Full);
        }
        write_whole(&self.0, &bytes).map_err(io_error("writing", &self.0))
    }
}

impl Contents {
    fn unused(&self) -> Result<token::Made, TokenFileError> {
        loop {
            let made = token::make().map_err(TokenFileError::Random)?;
            let id = made.id.to_string();
            if self.tokens.iter().all(|token| token.id != id) {
                return Ok(made);
            }
        }
    }

    fn revoke(&mut self, id_or_name: &str, now: Timestamp) -> Vec<TokenRecord> {
        let is_id = self.tokens.iter().any(|token| token.id == id_or_name);
        let is_meant = |token: &TokenRecord| {
            let meant = if is_id { &token.id } else { &token.name };
            meant == id_or_name
        };
        let tokens = self.tokens.iter_mut();
        let meant = tokens.filter(|token| is_meant(token) && token.revoked.is_none());
        let revoke = |token: &mut TokenRecord| {
            token.revoked = Some(now);
            token.clone()
        };
        meant.map(revoke).collect()
    }
}

/// The tokens in the bytes of a file.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Entry>, Fault> {
    parse_contents(bytes).map(|(_, entries)| entries)
}

fn parse_contents(bytes: &[u8]) -> Result<(Contents, Vec<Entry>), Fault> {
    let contents: Contents = serde_json::from_slice(bytes)?;
    let mut ids = HashSet::new();
    let mut entries = Vec::with_capacity(contents.tokens.len());
    for (index, token) in contents.tokens.iter().enumerate() {
        let entry = token.entry();
        let entry = entry.map_err(|what| Fault::Entry { index, what })?;
        if !ids.insert(entry.id) {
            let id = entry.id;
            return Err(Fault::Twice { index, id });
        }
        entries.push(entry);
    }
    Ok((contents, entries))
}

/// Whoever may open it can hold the lock as long as they like: only its owner may.
fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Only its owner may read what the temporary file becomes; who may read the file that it replaces still may.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.write_all(b"\n")?;
    keep_owner(file.as_file(), path)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// A service that runs as somebody else could not read what an administrator had changed, and would go on with what it
/// knew.
#[cfg(unix)]
fn keep_owner(file: &File, replaced: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let before = match std::fs::metadata(replaced) {
        Ok(before) => before,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        fchown(file, Some(before.uid()), Some(before.gid()))?;
    }
    file.set_permissions(before.permissions())
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

fn io_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TokenFileError {
    let path = path.to_owned();
    move |source| TokenFileError::Io { what, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, TokenFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::new(folder.path().join("tokens.json"));
        (folder, file)
    }

    #[test]
    fn what_is_created_is_listed_without_its_secret() {
        let (_folder, file) = file();
        let made = file.create("desk-7", Role::Editor, None).unwrap();
        let secret = made.text().rsplit('_').next().unwrap();
        let stored = std::fs::read_to_string(&file.0).unwrap();
        assert!(!stored.contains(secret));
        let listed = file.list().unwrap();
        assert_eq!(listed[0].id, made.record.id);
        assert!(!format!("{made:?} {listed:?}").contains(secret));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, file) = file();
        file.create("desk", Role::Reader, None).unwrap();
        for path in [file.0.clone(), file.0.with_extension("json.lock")] {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{path:?}");
        }
    }

    /// A link that leads to itself is there and cannot be read, whoever asks.
    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_read_is_not_taken_for_an_empty_one() {
        let (_folder, file) = file();
        std::os::unix::fs::symlink(&file.0, &file.0).unwrap();
        let refused = file.create("desk", Role::Reader, None).unwrap_err();
        assert!(matches!(&refused, TokenFileError::Io { path, .. } if *path == file.0));
        assert!(refused.to_string().contains("tokens.json"), "{refused}");
        assert!(file.0.is_symlink());
    }

    #[test]
    fn commands_at_once_lose_nothing_of_each_other() {
        let (_folder, file) = file();
        let create = |number: usize| {
            let file = file.clone();
            let name = format!("desk-{number}");
            std::thread::spawn(move || file.create(&name, Role::Reader, None).unwrap())
        };
        let threads: Vec<_> = (0..16).map(create).collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(file.list().unwrap().len(), 16);
    }

    #[test]
    fn a_token_is_taken_back_by_its_id_and_all_of_a_name_by_the_name() {
        let (_folder, file) = file();
        let [first, second, _other] =
            ["desk", "desk", "other"].map(|name| file.create(name, Role::Reader, None).unwrap());
        assert_eq!(file.revoke(&first.record.id).unwrap().len(), 1);
        let rest = file.revoke("desk").unwrap();
        assert_eq!(rest[0].id, second.record.id);
        let again = file.revoke("desk").unwrap_err();
        assert!(matches!(again, TokenFileError::Unknown(_)));
        let states: Vec<_> = file
            .list()
            .unwrap()
            .iter()
            .map(|t| t.state(Timestamp::now()))
            .collect();
        let (revoked, valid) = (TokenState::Revoked, TokenState::Valid);
        assert_eq!(states, [revoked, revoked, valid]);
    }

    #[test]
    fn a_name_that_cannot_stand_in_the_journal_is_refused() {
        let (_folder, file) = file();
        for name in ["", "two words", "стол", &"x".repeat(129)] {
            let refused = file.create(name, Role::Reader, None).unwrap_err();
            assert!(matches!(refused, TokenFileError::Name));
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_place() {
        let hash = "0".repeat(64);
        let token = |id: &str, name: &str, hash: &str, more: &str| {
            format!(
                r#"{{"id":"{id}","name":"{name}","role":"reader","hash":"{hash}","created":"2024-01-01T00:00:00Z","expires":null,"revoked":null{more}}}"#
            )
        };
        let good = token("00000001", "desk", &hash, "");
        let wrong = |tokens: &str| {
            let parsed = parse(format!(r#"{{"tokens":[{tokens}]}}"#).as_bytes());
            parsed.unwrap_err().to_string()
        };
        assert!(wrong(&format!("{good},{good}")).starts_with("tokens[1].id: 00000001"));
        assert!(wrong(&token("1", "desk", &hash, "")).starts_with("tokens[0].id"));
        assert!(wrong(&token("00000001", "a b", &hash, "")).starts_with("tokens[0].name"));
        assert!(wrong(&token("00000001", "desk", "00", "")).starts_with("tokens[0].hash"));
        assert!(
            wrong(&token("00000001", "desk", &hash, r#","admin":true"#)).contains("unknown field")
        );
        assert!(parse(b"{").is_err() && parse(b"").is_err());
    }
}
