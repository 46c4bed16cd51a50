//! Which process gets which files, and how they come into its folder.

use std::fs::{self, File};
use std::path::Path;

use anyhow::Context;

use crate::certs;

/// Files of the authority's folder that a process gets. A key stands before its certificate, so that whoever reads the
/// new certificate finds its key.
pub(super) struct Share {
    pub(super) to: &'static str,
    files: &'static [&'static str],
}

pub(super) const SHARES: [Share; 5] = [
    Share {
        to: super::GATEWAY,
        files: &[
            super::CA,
            "gateway.key",
            "gateway.pem",
            "gateway-client.key",
            "gateway-client.pem",
        ],
    },
    Share {
        to: "trade",
        files: &[
            super::CA,
            "trade.key",
            "trade.pem",
            "probe.key",
            "probe.pem",
        ],
    },
    Share {
        to: "events",
        files: &[
            super::CA,
            "events.key",
            "events.pem",
            "probe.key",
            "probe.pem",
        ],
    },
    Share {
        to: "culture",
        files: &[
            super::CA,
            "culture.key",
            "culture.pem",
            "probe.key",
            "probe.pem",
        ],
    },
    Share {
        to: super::ACCESS,
        files: &[super::CA],
    },
];

impl Share {
    /// Copies what is missing or differs; which files that were.
    pub(super) fn hand_out(
        &self,
        authority: &Path,
        dir: &Path,
    ) -> anyhow::Result<Vec<&'static str>> {
        let folder = dir.join(self.to);
        open(&folder)?;
        let mut handed = Vec::new();
        for file in self.files {
            let text = fs::read(authority.join(file)).context(*file)?;
            if put(&folder, file, &text)? {
                handed.push(*file);
            }
        }
        Ok(handed)
    }
}

/// Makes a folder for its owner alone where there is none.
pub(super) fn open(folder: &Path) -> Result<(), store::Error> {
    store::create_durably(folder, store::OWNER_ONLY)
}

/// Puts a file there, whole or not at all; whether it was another before. Certificates are for everybody, all else for
/// its owner alone.
pub(super) fn put(folder: &Path, name: &str, text: &[u8]) -> anyhow::Result<bool> {
    let path = folder.join(name);
    let mode = if is_certificate(name) { 0o644 } else { 0o600 };
    if fs::read(&path).is_ok_and(|found| found == text) {
        return Ok(false);
    }
    let write = || -> anyhow::Result<()> {
        certs::unnamed(folder, text, mode)?.persist(&path)?;
        Ok(File::open(folder)?.sync_all()?)
    };
    write().with_context(|| format!("writing {}", path.display()))?;
    Ok(true)
}

fn is_certificate(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|kind| kind == "pem")
}
