//! Options of the audit.

use clap::Args;

use super::answer::AnswerArgs;
use super::serve::Role;

/// Options of `entente audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Whose journal
    #[arg(value_name = "SERVICE")]
    pub(crate) role: Role,
    /// Only writes after this position of the journal
    #[arg(long, default_value_t = 0, value_name = "POSITION")]
    pub(crate) after: u64,
    /// Only writes of this caller
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "NAME"
    )]
    pub(crate) caller: String,
    /// Only writes of records whose name begins so: `events/`, or a whole name
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "NAME"
    )]
    pub(crate) record: String,
    /// How many writes to show, at most
    #[arg(
        long,
        default_value_t = 100,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}
