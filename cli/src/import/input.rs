//! What is imported: a path or standard input, read once or twice.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Whether it can be read once only: standard input, a pipe.
pub(super) fn is_stream(path: &Path) -> bool {
    let is_stream = |metadata: std::fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    path.as_os_str() == "-" || std::fs::metadata(path).is_ok_and(is_stream)
}

/// Something to read, perhaps twice.
pub(super) struct Input {
    pub(super) name: String,
    kind: InputKind,
}

enum InputKind {
    Path(PathBuf),
    Stdin,
    /// Standard input that was kept.
    Kept(File),
}

impl Input {
    pub(super) fn open(path: &Path, twice: bool) -> anyhow::Result<Input> {
        let is_stdin = path.as_os_str() == "-";
        let read_once = is_stdin || (twice && is_stream(path));
        if !read_once {
            return Ok(Input {
                name: path.display().to_string(),
                kind: InputKind::Path(path.to_owned()),
            });
        }
        let mut source: Box<dyn Read> = if is_stdin {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path)?)
        };
        let kind = if twice {
            let mut kept = tempfile::tempfile().context("keeping the input")?;
            std::io::copy(&mut source, &mut kept).context("keeping the input")?;
            InputKind::Kept(kept)
        } else {
            InputKind::Stdin
        };
        let name = path.display().to_string();
        Ok(Input {
            name: if is_stdin {
                "standard input".into()
            } else {
                name
            },
            kind,
        })
    }

    /// A reader from the start, and how many bytes it has where that is known.
    pub(super) fn reader(&self) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
        match &self.kind {
            InputKind::Stdin => Ok((Box::new(std::io::stdin()), None)),
            InputKind::Path(path) => {
                let file = File::open(path)?;
                let bytes = file.metadata()?.len();
                Ok((Box::new(file), Some(bytes).filter(|bytes| *bytes > 0)))
            }
            InputKind::Kept(file) => {
                let mut file = file.try_clone()?;
                let bytes = file.seek(SeekFrom::End(0))?;
                file.seek(SeekFrom::Start(0))?;
                Ok((Box::new(file), Some(bytes)))
            }
        }
    }
}
