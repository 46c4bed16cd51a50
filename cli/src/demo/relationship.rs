//! What passed between China and Kazakhstan besides trade: loaded, and shown by the commands that ask for it.

use std::io::Write;

use clap::Parser;

use super::unless_there;
use crate::args::{Cli, Command};
use crate::{client, culture, events, records, relationship};

/// What is shown: a line on it, and the command.
const SHOWN: [(&str, &[&str]); 5] = [
    (
        "Who met last, and who meets next, seen from the day before the state visit of July 2024",
        &[
            "events",
            "meetings",
            "CHN",
            "KAZ",
            "--level",
            "head-of-state",
            "--on",
            "2024-07-01",
        ],
    ),
    (
        "What happened around that visit",
        &[
            "events", "timeline", "CHN", "KAZ", "--from", "2024-06", "--to", "2024-08",
        ],
    ),
    (
        "Vocational workshops, with what their sources say of them",
        &[
            "programmes",
            "list",
            "--pair",
            "CHN",
            "KAZ",
            "--kind",
            "vocational-workshop",
        ],
    ),
    (
        "Who needs a visa, on the day on which the accord came into force",
        &["visa", "rules", "CHN", "KAZ", "--on", "2023-11-10"],
    ),
    (
        "Students of Kazakhstan in China, by publisher",
        &[
            "measures",
            "series",
            "--direction",
            "KAZ",
            "CHN",
            "--kind",
            "students",
        ],
    ),
];

/// Loads what is not there yet; how many records that was.
pub(super) async fn load(server: &str) -> anyhow::Result<usize> {
    let mut new = 0;
    let mut events = client::events(server).await?;
    for event in records::demo_events()? {
        new += usize::from(unless_there(events.create_event(event).await)?);
    }
    for agreement in records::demo_agreements()? {
        new += usize::from(unless_there(events.create_agreement(agreement).await)?);
    }
    let mut culture = client::culture(server).await?;
    for programme in records::demo_programmes()? {
        new += usize::from(unless_there(culture.create_programme(programme).await)?);
    }
    for rule in records::demo_visa_rules()? {
        new += usize::from(unless_there(culture.create_visa_rule(rule).await)?);
    }
    let recorded = culture.record_measures(records::demo_measures()?).await?;
    new += usize::try_from(recorded.into_inner().new)?;
    Ok(new)
}

/// Runs the commands as somebody who looks at the demonstration would.
pub(super) async fn show(server: &str) -> anyhow::Result<()> {
    for (what, words) in SHOWN {
        let told = format!("{what}: `entente {}`\n", words.join(" "));
        writeln!(std::io::stdout(), "{told}")?;
        let line = ["entente"].iter().chain(words).copied();
        let cli = Cli::try_parse_from(line.chain(["--server", server]))?;
        match cli.command {
            Command::Events(command) => drop(events::run(command).await?),
            Command::Programmes(command) => drop(culture::run_programmes(command).await?),
            Command::Measures(command) => drop(culture::run_measures(command).await?),
            Command::Visa(command) => drop(culture::run_visa(command).await?),
            Command::Timeline(args) => relationship::run_timeline(&args).await?,
            Command::Changes(_)
            | Command::Watch(_)
            | Command::Demo(_)
            | Command::Serve(_)
            | Command::Import(_)
            | Command::Trade(_)
            | Command::Agreements(_)
            | Command::Culture(_)
            | Command::Backup(_)
            | Command::Restore(_)
            | Command::Completions { .. } => anyhow::bail!("`{}` is not shown", words[0]),
        }
        writeln!(std::io::stdout())?;
    }
    Ok(())
}
