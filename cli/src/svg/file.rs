//! Where a chart goes.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};

/// Writes a chart to a file, or to `out` for `-`. A file that is there is overwritten; a folder, a device or
/// a pipe is refused.
pub(crate) fn write(out: &mut dyn Write, path: &Path, svg: &str) -> anyhow::Result<()> {
    if path.as_os_str() == "-" {
        return Ok(out.write_all(svg.as_bytes())?);
    }
    let named = path.display();
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        bail!("writing the chart to {named}: it is not a regular file; `-` is standard output");
    }
    fs::write(path, svg).with_context(|| format!("writing the chart to {named}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_overwritten_and_a_folder_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.svg");
        write(&mut Vec::new(), &file, "longer").unwrap();
        write(&mut Vec::new(), &file, "short").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "short");
        let refused = write(&mut Vec::new(), folder.path(), "x").unwrap_err();
        assert!(
            refused.to_string().contains("not a regular file"),
            "{refused}"
        );
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing").join("a.svg");
        let refused = write(&mut Vec::new(), &missing, "x").unwrap_err();
        assert!(refused.to_string().contains("missing/a.svg"), "{refused}");
    }

    #[test]
    fn a_dash_is_standard_output() {
        let mut out = Vec::new();
        write(&mut out, Path::new("-"), "<svg/>").unwrap();
        assert_eq!(out, b"<svg/>");
    }
}
