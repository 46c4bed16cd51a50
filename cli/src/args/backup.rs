//! Options of copies of journals.

use std::path::PathBuf;

use clap::Args;

use super::answer::ServerArgs;
use super::serve::Role;

/// Options of `entente backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Folder of the backup; one that is there is carried on from where it ends
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Only the journal of this service; may be repeated. Without it, all that the server has
    #[arg(long, value_name = "SERVICE")]
    pub(crate) only: Vec<Role>,
    /// How much to copy a second at most: `20MiB/s`, `500KiB/s`. Default: as fast as it comes
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub(crate) rate: Option<u64>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of `entente restore`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Folder of the backup
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Only this service; may be repeated. Without it, all that the backup has
    #[arg(long, value_name = "SERVICE")]
    pub(crate) only: Vec<Role>,
    /// Folder of the data; the services' folders inside, which have their names, must be empty or not there
    #[arg(long, env = "ENTENTE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Restore too what an interrupted backup left behind what counts: the entries that follow by their hashes
    #[arg(long)]
    pub(crate) with_left: bool,
}

/// Bytes a second.
fn parse_rate(text: &str) -> Result<u64, String> {
    let rule = "a rate is a number with its unit: 20MiB/s, 500KiB/s, 1GiB/s";
    let text = text.trim().strip_suffix("/s").unwrap_or(text.trim());
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "b" => 1,
        _ => return Err(rule.into()),
    };
    let number: u64 = digits.trim().parse().map_err(|_| rule)?;
    let rate = number.checked_mul(unit).filter(|rate| *rate > 0);
    rate.ok_or_else(|| rule.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_unit() {
        assert_eq!(parse_rate("20MiB/s"), Ok(20 << 20));
        assert_eq!(parse_rate("500 KiB"), Ok(500 << 10));
        assert_eq!(parse_rate("1MB/s"), Ok(1_000_000));
        for wrong in ["", "20", "0MiB/s", "MiB/s", "-1MiB/s", "9999999999999GiB/s"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }
}
