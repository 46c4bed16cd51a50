//! Names that lead where a story says, for processes that are started under them.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Gives a process a file of names of its own, in a name space that nobody else sees.
const UNDER: &str = r#"mount --bind "$0" /etc/hosts && exec "$@""#;

/// What stands for `/etc/hosts`.
#[derive(Debug)]
pub struct Hosts {
    file: PathBuf,
}

impl Hosts {
    /// A file of names in a folder; none on a machine that lets nobody mount one, which is told, or fails when
    /// `ENTENTE_REQUIRE` names `mount`.
    #[expect(clippy::print_stderr, reason = "a check that is left out is told")]
    pub fn new(folder: &Path) -> Option<Hosts> {
        let file = folder.join("hosts");
        fs::write(&file, "").expect("a file");
        let tried = under(&file).arg("true").output();
        if tried.is_ok_and(|output| output.status.success()) {
            return Some(Hosts { file });
        }
        let required = std::env::var("ENTENTE_REQUIRE").unwrap_or_default();
        let is_required = required.split(',').any(|what| what == "mount");
        assert!(!is_required, "a file cannot be mounted, but must be");
        eprintln!("not checked: this machine lets nobody mount a file in a name space");
        None
    }

    /// Has a name lead to these places from here on, and no other name anywhere.
    pub fn lead(&self, name: &str, places: &[IpAddr]) {
        let lines = places.iter().map(|place| format!("{place} {name}\n"));
        // Written in place: a new file would not be the mounted one.
        fs::write(&self.file, lines.collect::<String>()).expect("written");
    }

    /// Starts a program under these names.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = under(&self.file);
        command.arg(program);
        command
    }
}

fn under(file: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", UNDER]);
    command.arg(file);
    command
}
