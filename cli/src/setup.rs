//! What the processes of one system need to trust each other, made once, each in its own folder.
//!
//! The authority's folder has all certificates; every process gets copies of those that it shows or believes, so that
//! a process that is broken into gives away its own key and no other. A copy that differs is made again, so running
//! this after a renewal hands the new ones out, and running it otherwise changes nothing.

mod left;
mod share;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use chassis::{Role, TokenFile};

use self::share::{SHARES, open, put};
use crate::args::certs::CertsArgs;
use crate::args::setup::{SetupArgs, Shown};
use crate::certs;

const AUTHORITY: &str = "authority";
/// Who reads the tokens that are believed.
const GATEWAY: &str = "gateway";
const TOKENS: &str = "tokens.json";
/// What somebody needs who calls the gateway.
const ACCESS: &str = "access";
const CA: &str = "ca.pem";
const TOKEN: &str = "admin.token";
/// Whom the journal names when the first token was used.
const ADMIN: &str = "admin";

/// Makes what is missing, or shows what was made.
pub(crate) fn run(args: &SetupArgs) -> anyhow::Result<()> {
    match args.show {
        Some(shown) => show(&args.dir, shown),
        None => make(args).with_context(|| format!("in {}", args.dir.display())),
    }
}

fn show(dir: &Path, shown: Shown) -> anyhow::Result<()> {
    let path = dir.join(ACCESS).join(match shown {
        Shown::Ca => CA,
        Shown::Token => TOKEN,
    });
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(io::stdout().write_all(&text)?)
}

fn make(args: &SetupArgs) -> anyhow::Result<()> {
    let authority = args.dir.join(AUTHORITY);
    open(&authority)?;
    // Two at once would each make a token, and one of them would be believed by nobody.
    let _lock = certs::lock(&args.dir)?;
    left::clear(&args.dir)?;
    let mut lines = certs::make(&CertsArgs {
        dir: authority.clone(),
        names: args.names.clone(),
        days: args.days,
        renew: args.renew,
        force: false,
    })?;
    for share in &SHARES {
        let handed = share.hand_out(&authority, &args.dir)?;
        lines.extend((!handed.is_empty()).then(|| format!("{}: {}", share.to, handed.join(", "))));
    }
    if first_token(&args.dir)? {
        lines.push(format!("{ACCESS}: {TOKEN}, the token of {ADMIN}"));
    }
    tell(&args.dir, &lines)
}

/// Makes the first token where no token was ever made. It is written down before it is believed: otherwise one could be
/// believed that nobody has.
fn first_token(dir: &Path) -> anyhow::Result<bool> {
    let (gateway, access) = (dir.join(GATEWAY), dir.join(ACCESS));
    let believed = gateway.join(TOKENS);
    if believed.symlink_metadata().is_ok() {
        // A gateway would not start with a file that it cannot read.
        TokenFile::new(&believed).list()?;
        return Ok(false);
    }
    let aside = tempfile::tempdir_in(&gateway)?;
    let pending = aside.path().join(TOKENS);
    let made = TokenFile::new(&pending).create(ADMIN, Role::Admin, None)?;
    open(&access)?;
    put(&access, TOKEN, format!("{}\n", made.text()).as_bytes())?;
    fs::rename(&pending, &believed)?;
    fs::File::open(&gateway)?.sync_all()?;
    Ok(true)
}

fn tell(dir: &Path, lines: &[String]) -> anyhow::Result<()> {
    let (mut out, shown) = (io::stdout().lock(), dir.display());
    if lines.is_empty() {
        writeln!(
            out,
            "All is in {shown} already, and nothing was changed. --renew makes the certificates anew."
        )?;
    } else {
        writeln!(out, "Made in {shown}:")?;
    }
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    let token = dir.join(ACCESS).join(TOKEN);
    if !token.exists() {
        return Ok(writeln!(
            out,
            "The first token was made before and is no longer here; `entente token create` makes others."
        )?);
    }
    Ok(writeln!(
        out,
        "The token of the first administrator is in {}; `entente setup --show token` prints it.",
        token.display()
    )?)
}
