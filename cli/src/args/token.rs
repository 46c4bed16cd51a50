//! Options of tokens.

use std::path::PathBuf;

use chassis::Role;
use clap::{Args, Subcommand};

use super::answer::{AsOf, Output, parse_as_of};

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, once: only a hash of it is kept
    ///
    /// Nothing but the token goes to standard output, so that it can go into a file:
    /// `(umask 077; entente token create desk-7 --role editor --days 90 > desk-7.token)`
    Create(CreateArgs),
    /// List who has tokens and until when
    List(ListArgs),
    /// Take a token back, or all of a name; whoever has one is turned away within a second or two
    Revoke(RevokeArgs),
}

/// Which file.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// File of the tokens; a serving process reads it too
    #[arg(long, env = "ENTENTE_TOKENS", value_name = "FILE")]
    pub(crate) tokens: PathBuf,
}

/// Options of `entente token create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Whom it is for: the name that the journal keeps, such as a desk's or a system's
    pub(crate) name: String,
    /// What they may do: reader, editor (records too) or admin (copies and audits too)
    #[arg(long, value_name = "ROLE", value_parser = parse_role)]
    pub(crate) role: Role,
    /// Days until it ends; without a time it does not
    #[arg(long, value_name = "N", conflicts_with = "expires", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) days: Option<u16>,
    /// When it ends: an instant (`2027-01-01T00:00:00Z`), or a day (its end, UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_as_of)]
    pub(crate) expires: Option<AsOf>,
    #[command(flatten)]
    pub(crate) file: FileArgs,
}

/// Options of `entente token list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// How the list is written
    #[arg(long, short, default_value = "table", value_name = "FORMAT")]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) file: FileArgs,
}

/// Options of `entente token revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The token's id, or a name
    #[arg(value_name = "ID|NAME")]
    pub(crate) which: String,
    #[command(flatten)]
    pub(crate) file: FileArgs,
}

pub(super) fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "one of: reader, editor, admin".into())
}
