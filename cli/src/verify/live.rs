//! Running services verified: they do the work, and say how far they are.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use clap::ValueEnum;
use indicatif::ProgressBar;
use proto::journal::v1 as wire;
use tonic::{Code, Request};
use wire::verify_journal_response::Report;
use wire::{Fault, FaultKind, Verdict, VerifyProgress};

use crate::args::answer::ServerArgs;
use crate::args::serve::Role;
use crate::args::verify::VerifyArgs;
use crate::backup;
use crate::chart::text::plain;
use crate::client::{self, JournalsClient, request, within};
use crate::interrupt::interrupted;
use crate::{figures, output, progress, status};

/// How long a service that verifies may say nothing. It says every second how far it is, and later by its rests and by
/// what the disk holds up.
const SILENCE: Duration = Duration::from_secs(60);
const VERDICT: &str = "entente.journal.v1.Verdict";

/// Has services verified, one after another, and tells what was found, also when the next one cannot be; how many
/// faults there are.
pub(super) async fn verify(args: &VerifyArgs) -> anyhow::Result<usize> {
    let mut verdicts = Vec::new();
    let ended = tokio::select! {
        ended = verify_all(args, &mut verdicts) => ended,
        () = interrupted() => Err(anyhow!("interrupted: nothing is known yet of what was not told")),
    };
    let mut faults = 0;
    if !verdicts.is_empty() {
        faults = tell(&verdicts, args)?;
    }
    ended.map(|()| faults)
}

async fn verify_all(args: &VerifyArgs, verdicts: &mut Vec<(Role, Verdict)>) -> anyhow::Result<()> {
    let mut client = client::journals(&args.server.server, "gateway").await?;
    let roles = match &args.only[..] {
        [] => Role::value_variants(),
        only => only,
    };
    for role in roles {
        let mut verdict = None;
        let ended = verify_one(&mut client, *role, args, &mut verdict).await;
        verdicts.extend(verdict.map(|verdict| (*role, verdict)));
        match ended {
            Ok(()) => {}
            Err(error) if args.only.is_empty() && is_not_there(&error) => {}
            Err(error) => return Err(error).with_context(|| format!("verifying {}", role.name())),
        }
    }
    ensure!(!verdicts.is_empty(), "no service is served there");
    let verified: Vec<Role> = verdicts.iter().map(|(role, _)| *role).collect();
    Ok(note_replicas(&verified, &args.server).await?)
}

/// Which of several processes of a service answered is not known; that it was one.
async fn note_replicas(roles: &[Role], server: &ServerArgs) -> io::Result<()> {
    if let Some(Ok(gateway)) = status::gateway(server, server.limit()).await {
        for note in status::one_of_several(&gateway, roles) {
            writeln!(io::stderr(), "note: {note}")?;
        }
    }
    Ok(())
}

fn is_not_there(error: &anyhow::Error) -> bool {
    let status = error.downcast_ref::<tonic::Status>();
    status.is_some_and(|status| status.code() == Code::NotFound)
}

/// Has one service verified. One that cannot go on tells first what it has found.
async fn verify_one(
    client: &mut JournalsClient,
    role: Role,
    args: &VerifyArgs,
    verdict: &mut Option<Verdict>,
) -> anyhow::Result<()> {
    let (name, limit) = (backup::name(role), args.server.limit());
    // Whoever does not answer what is answered at once would be waited for in vain.
    let asked = wire::GetJournalRequest { name: name.clone() };
    within(limit, client.get_journal(request(asked, &args.server))).await?;
    // Without a deadline: it takes as long as it needs.
    let asked = Request::new(wire::VerifyJournalRequest {
        name,
        effort_percent: args.effort.into(),
    });
    let silence = limit.max(SILENCE);
    let mut reports = within(silence, client.verify_journal(asked))
        .await?
        .into_inner();
    let template = "{msg:28} {bar:40} {human_pos} of {human_len}, {eta} left";
    let bar = progress::bar(None, template).with_message(role.name());
    while let Some(report) = within(silence, reports.message()).await? {
        match report.report {
            Some(Report::Progress(progress)) => show(&bar, &progress),
            Some(Report::Verdict(found)) => {
                bar.finish_and_clear();
                *verdict = Some(found);
            }
            None => {}
        }
    }
    let found = verdict.as_ref().map(drop);
    found.context("the service ended without a verdict")
}

fn show(bar: &ProgressBar, progress: &VerifyProgress) {
    let VerifyProgress {
        position,
        last_position,
        records,
        view_records,
    } = *progress;
    let role = bar.message();
    let role = role.split(' ').next().unwrap_or_default().to_owned();
    let (what, at, of) = match records {
        0 => ("reading entries", position, last_position),
        _ => ("comparing records", records, view_records),
    };
    bar.set_message(format!("{role} {what}"));
    bar.set_length(of);
    bar.set_position(at);
}

fn tell(verdicts: &[(Role, Verdict)], args: &VerifyArgs) -> anyhow::Result<usize> {
    let mut out = output::stdout();
    if args.json {
        let verdicts: Vec<Verdict> = verdicts.iter().map(|(_, one)| one.clone()).collect();
        output::json_list(&mut out, VERDICT, &verdicts)?;
    } else {
        table(verdicts, &mut out)?;
    }
    out.flush()?;
    Ok(verdicts.iter().map(|(_, one)| one.faults.len()).sum())
}

fn table(verdicts: &[(Role, Verdict)], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "journal",
        "whole to",
        "bytes",
        "records compared",
        "digest",
        "verdict",
    ];
    let mut table = output::table(&titles, &[1, 2, 3]);
    let grouped = |number: u64| figures::grouped(&number.to_string());
    for (role, verdict) in verdicts {
        let position = verdict.journal.as_ref().map_or(0, |one| one.last_position);
        table.add_row([
            role.name().to_owned(),
            grouped(position),
            grouped(verdict.journal_bytes),
            grouped(verdict.records),
            format!("{:016x}", verdict.digest),
            upshot(&verdict.faults).to_owned(),
        ]);
    }
    writeln!(out, "{table}")?;
    for (_, verdict) in verdicts {
        for fault in &verdict.faults {
            writeln!(out, "{}", told(fault))?;
        }
    }
    Ok(())
}

fn upshot(faults: &[Fault]) -> &'static str {
    let Some(fault) = faults.first() else {
        return "whole";
    };
    match fault.kind() {
        FaultKind::JournalDamaged => "JOURNAL DAMAGED",
        FaultKind::EntryNotApplicable => "ENTRY NOT UNDERSTOOD",
        FaultKind::Unspecified => "DAMAGED",
        FaultKind::RecordMissing
        | FaultKind::RecordUnexpected
        | FaultKind::RecordDiffers
        | FaultKind::ViewUnreadable
        | FaultKind::DigestDiffers => "VIEW DAMAGED",
    }
}

/// A fault in a line.
fn told(fault: &Fault) -> String {
    let place = match fault.kind() {
        FaultKind::JournalDamaged => format!("at byte {}, entry {}", fault.offset, fault.position),
        FaultKind::Unspecified
        | FaultKind::EntryNotApplicable
        | FaultKind::RecordMissing
        | FaultKind::RecordUnexpected
        | FaultKind::RecordDiffers
        | FaultKind::ViewUnreadable
        | FaultKind::DigestDiffers => format!("at position {}", fault.position),
    };
    let key = match fault.key.as_slice() {
        [] => String::new(),
        key => format!(", key {}", key.escape_ascii()),
    };
    let (file, what) = (plain(&fault.file), plain(&fault.description));
    format!("{file} {place}{key}: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_place() {
        let mut fault = Fault {
            kind: FaultKind::JournalDamaged.into(),
            file: "journal/7\u{1b}[2J".into(),
            offset: 120,
            position: 9,
            description: "it is\ncut short".into(),
            ..Fault::default()
        };
        assert_eq!(
            told(&fault),
            "journal/7[2J at byte 120, entry 9: it is cut short"
        );
        assert_eq!(upshot(std::slice::from_ref(&fault)), "JOURNAL DAMAGED");
        fault.kind = FaultKind::EntryNotApplicable.into();
        assert_eq!(upshot(std::slice::from_ref(&fault)), "ENTRY NOT UNDERSTOOD");
        fault.kind = FaultKind::RecordMissing.into();
        fault.key = b"\x01visit".to_vec();
        assert!(told(&fault).contains(r"at position 9, key \x01visit"));
        assert_eq!(upshot(&[fault]), "VIEW DAMAGED");
    }
}
