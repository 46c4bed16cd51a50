//! A backup verified.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use clap::ValueEnum;
use serde_json::json;

use crate::args::serve::Role;
use crate::args::verify::VerifyArgs;
use crate::backup::{Fault, Found, Kept, Left, Manifest, check, kept_aside};
use crate::interrupt::stoppable;
use crate::{figures, output, progress};

/// Reads a backup through and tells what was found, also when the rest cannot be read; how many faults there are.
pub(super) async fn verify(folder: &Path, args: &VerifyArgs) -> anyhow::Result<usize> {
    let manifest = Manifest::of(folder)?;
    let roles = match &args.only[..] {
        [] => Role::value_variants().to_vec(),
        only => manifest.choose(only)?,
    };
    let aside = kept_aside(folder);
    let (folder, read) = (folder.to_owned(), manifest.clone());
    let (found, ended) = stoppable(move |stop| check_all(&folder, &read, &roles, stop)).await?;
    if !found.is_empty() || ended.is_ok() {
        show(&found, &manifest, args)?;
    }
    for file in aside? {
        writeln!(
            io::stderr(),
            "note: {file} was kept aside: entries that an interrupted run left and the journal did not go on from"
        )?;
    }
    ended?;
    Ok(found.iter().map(|found| found.faults.len()).sum())
}

fn show(found: &[Found], manifest: &Manifest, args: &VerifyArgs) -> anyhow::Result<()> {
    let mut out = output::stdout();
    if args.json {
        let as_json = |found| as_json(found, manifest);
        let journals: Vec<_> = found.iter().map(as_json).collect();
        writeln!(out, "{:#}", json!({ "journals": journals }))?;
    } else {
        tell(found, manifest, &mut out)?;
    }
    Ok(out.flush()?)
}

/// What was found, up to the end or to the first that cannot be read.
fn check_all(
    folder: &Path,
    manifest: &Manifest,
    roles: &[Role],
    stop: &AtomicBool,
) -> (Vec<Found>, anyhow::Result<()>) {
    let mut all = Vec::new();
    for role in roles {
        let found = check_one(folder, *role, manifest.kept(*role), stop);
        match found.with_context(|| format!("{} in {}", role.name(), folder.display())) {
            Ok(found) => all.extend(found),
            Err(error) => return (all, Err(error)),
        }
    }
    (all, Ok(()))
}

/// What was found of a service; none where nothing is.
fn check_one(
    folder: &Path,
    role: Role,
    kept: Option<&Kept>,
    stop: &AtomicBool,
) -> anyhow::Result<Option<Found>> {
    let Some(kept) = kept else {
        let left = Left::of(folder, role, None, stop)?;
        return Ok((left != Left::default()).then(|| Found::of_nothing(role, left)));
    };
    let bar = progress::of_journal(role, "checking", kept.bytes);
    let found = check(folder, role, kept, &bar, stop);
    bar.finish_and_clear();
    found.map(Some)
}

fn as_json(found: &Found, manifest: &Manifest) -> serde_json::Value {
    let Found {
        role,
        last,
        left,
        faults,
    } = found;
    let fault = |fault: &Fault| {
        json!({
            "file": fault.file.display().to_string(),
            "offset": fault.offset,
            "position": fault.position,
            "description": fault.what,
        })
    };
    json!({
        "journal": format!("journals/{}", role.name()),
        "counts": manifest.kept(*role).is_some(),
        "position": last,
        "bytesOfAnInterruptedRun": left.bytes,
        "entriesOfAnInterruptedRun": left.entries,
        "faults": faults.iter().map(fault).collect::<Vec<_>>(),
    })
}

fn tell(found: &[Found], manifest: &Manifest, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "journal",
        "whole to",
        "of",
        "bytes",
        "last commit (UTC)",
        "parts",
        "verdict",
    ];
    let mut table = output::table(&titles, &[1, 2, 3, 5]);
    for one in found {
        if let Some(kept) = manifest.kept(one.role) {
            table.add_row(row(one, kept));
        }
    }
    writeln!(out, "{table}")?;
    for one in found {
        for fault in &one.faults {
            writeln!(
                out,
                "{} at byte {}, entry {}: {}",
                fault.file.display(),
                fault.offset,
                fault.position,
                fault.what
            )?;
        }
        if one.left != Left::default() {
            tell_left(one.role, one.left, out)?;
        }
    }
    Ok(())
}

fn tell_left(role: Role, left: Left, out: &mut dyn Write) -> io::Result<()> {
    let what_for = match left.entries {
        0 => "nothing of them can be restored",
        _ => {
            "the next backup goes on from them if the journal does, and `entente restore --with-left` takes the entries in"
        }
    };
    writeln!(
        out,
        "{}: {left} of an interrupted run follow and do not count; {what_for}",
        role.name()
    )
}

fn row(found: &Found, kept: &Kept) -> [String; 7] {
    let grouped = |number: u64| figures::grouped(&number.to_string());
    let is_whole = found.faults.is_empty();
    [
        found.role.name().to_owned(),
        grouped(found.last),
        grouped(kept.position),
        grouped(kept.bytes),
        kept.last_commit.chars().take(19).collect(),
        kept.parts.len().to_string(),
        if is_whole { "whole" } else { "DAMAGED" }.to_owned(),
    ]
}
