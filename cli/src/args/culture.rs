//! Options of questions to the culture service about all that it keeps.

use clap::Subcommand;

use super::records::{ChangesArgs, WatchArgs};

/// Which question.
#[derive(Debug, Subcommand)]
pub(crate) enum CultureCommand {
    /// Show what became of programmes, figures of exchange and visa rules between two instants
    ///
    /// Example: `entente culture changes --pair CHN KAZ --since 2024-07-01`
    Changes(ChangesArgs),
    /// Print every change of programmes, figures of exchange and visa rules, a line each, until Ctrl-C
    ///
    /// Each line begins with the position behind it: `--after POSITION` goes on from there. Example:
    /// `entente culture watch --pair CHN KAZ --after 120`
    Watch(WatchArgs),
}
