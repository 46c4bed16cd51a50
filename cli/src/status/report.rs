//! What was answered, as a table and as JSON.

use std::io::Write;

use comfy_table::Table;
use proto::gateway::v1::{GatewayStatus, ReplicaState, ReplicaStatus};
use proto::journal::v1::JournalStatus;
use serde_json::{Value, json};

use super::problems::Problem;
use crate::args::serve::Role;
use crate::chart::text::plain;
use crate::client::explain;
use crate::{figures, output, words};

const TITLES: [&str; 11] = [
    "process",
    "version",
    "since (UTC)",
    "state",
    "position",
    "last commit (UTC)",
    "journal",
    "view",
    "records",
    "free",
    "ballast",
];

const REPLICA_TITLES: [&str; 10] = [
    "service",
    "replica",
    "state",
    "calls",
    "version",
    "since (UTC)",
    "position",
    "journal",
    "view",
    "free",
];

/// How all of it is.
pub(super) struct Report {
    /// The gateway; none where no gateway is.
    pub(super) gateway: Option<anyhow::Result<GatewayStatus>>,
    /// The services.
    pub(super) journals: Vec<(Role, anyhow::Result<JournalStatus>)>,
}

impl Report {
    pub(super) fn table(&self, problems: &[Problem], out: &mut dyn Write) -> anyhow::Result<()> {
        let mut table = output::table(&TITLES, &[4, 6, 7, 8, 9, 10]);
        if let Some(gateway) = &self.gateway {
            table.add_row(gateway_row(gateway.as_ref().ok()));
        }
        for (role, status) in &self.journals {
            table.add_row(self.journal_row(*role, status.as_ref().ok()));
        }
        writeln!(out, "{table}")?;
        if let Some(replicas) = self.replicas() {
            writeln!(out, "{replicas}")?;
        }
        let asked: Vec<Role> = self.journals.iter().map(|(role, _)| *role).collect();
        for note in self
            .status()
            .into_iter()
            .flat_map(|gateway| one_of_several(gateway, &asked))
        {
            writeln!(out, "{note}")?;
        }
        for problem in problems {
            writeln!(out, "! {}", problem.text)?;
        }
        if problems.is_empty() {
            writeln!(out, "All is well.")?;
        }
        Ok(())
    }

    fn journal_row(&self, role: Role, status: Option<&JournalStatus>) -> Vec<String> {
        let Some(status) = status else {
            return vec![
                role.name().to_owned(),
                String::new(),
                String::new(),
                "NOT REACHED".into(),
            ];
        };
        let journal = status.journal.clone().unwrap_or_default();
        let state = match self.reached(role) {
            Some(false) => "NOT REACHED",
            Some(true) | None if status.free_bytes < status.reserve_bytes => "REFUSES WRITES",
            Some(true) | None => "serves",
        };
        vec![
            role.name().to_owned(),
            plain(&status.version),
            words::second(status.start_time.as_ref()),
            state.to_owned(),
            figures::grouped(&journal.last_position.to_string()),
            words::second(journal.last_commit_time.as_ref()),
            size(status.journal_bytes),
            size(status.view_bytes),
            figures::grouped(&status.view_records.to_string()),
            size(status.free_bytes),
            size(status.ballast_bytes),
        ]
    }

    fn status(&self) -> Option<&GatewayStatus> {
        self.gateway.as_ref()?.as_ref().ok()
    }

    /// Whether the gateway reaches a service, where there is one.
    fn reached(&self, role: Role) -> Option<bool> {
        let mut backends = self.status()?.backends.iter();
        let backend = backends.find(|backend| backend.service == role.name())?;
        Some(backend.reached)
    }

    /// The processes behind the gateway: what it sees of them, and what they say themselves.
    fn replicas(&self) -> Option<Table> {
        let mut table = output::table(&REPLICA_TITLES, &[3, 6, 7, 8, 9]);
        let mut count = 0;
        for backend in &self.status()?.backends {
            for (number, replica) in backend.replicas.iter().enumerate() {
                table.add_row(replica_row(&backend.service, number, replica));
                count += 1;
            }
        }
        (count > 0).then_some(table)
    }

    pub(super) fn json(&self, problems: &[Problem], out: &mut dyn Write) -> anyhow::Result<()> {
        let gateway = match &self.gateway {
            Some(Ok(status)) => output::value("entente.gateway.v1.GatewayStatus", status)?,
            Some(Err(error)) => json!({ "error": explain(error) }),
            None => Value::Null,
        };
        let mut journals = Vec::new();
        for (role, status) in &self.journals {
            journals.push(match status {
                Ok(status) => output::value("entente.journal.v1.JournalStatus", status)?,
                Err(error) => json!({
                    "journal": { "name": format!("journals/{}", role.name()) },
                    "error": explain(error),
                }),
            });
        }
        let texts: Vec<&str> = problems.iter().map(|one| &*one.text).collect();
        let all = json!({
            "isWell": problems.is_empty(),
            "problems": texts,
            "gateway": gateway,
            "journals": journals,
        });
        Ok(writeln!(out, "{all:#}")?)
    }
}

/// A line for each service of which one process of several answered what was asked through a gateway.
pub(crate) fn one_of_several(gateway: &GatewayStatus, asked: &[Role]) -> Vec<String> {
    let is_asked = |service: &str| asked.iter().any(|role| role.name() == service);
    let backends = gateway.backends.iter();
    let several = backends.filter(|one| one.replicas.len() > 1 && is_asked(&one.service));
    let told = several.map(|backend| {
        format!(
            "{} has {} processes, and one of them answered; --server with the address of each asks it alone",
            backend.service,
            backend.replicas.len()
        )
    });
    told.collect()
}

fn replica_row(service: &str, number: usize, replica: &ReplicaStatus) -> Vec<String> {
    let address = match replica.address.as_str() {
        "" => format!("{}", number + 1),
        address => plain(address),
    };
    let mut row = vec![
        plain(service),
        address,
        state(replica.state()).to_owned(),
        replica.calls.to_string(),
    ];
    if let Some(status) = &replica.journal {
        let position = status.journal.as_ref().map_or(0, |one| one.last_position);
        row.extend([
            plain(&status.version),
            words::second(status.start_time.as_ref()),
            figures::grouped(&position.to_string()),
            size(status.journal_bytes),
            size(status.view_bytes),
            size(status.free_bytes),
        ]);
    }
    row
}

fn gateway_row(status: Option<&GatewayStatus>) -> Vec<String> {
    let (version, since, state) = match status {
        Some(status) => (
            plain(&status.version),
            words::second(status.start_time.as_ref()),
            "serves",
        ),
        None => (String::new(), String::new(), "NOT REACHED"),
    };
    vec!["gateway".to_owned(), version, since, state.to_owned()]
}

fn state(state: ReplicaState) -> &'static str {
    match state {
        ReplicaState::Serving => "serves",
        ReplicaState::LeftOut => "LEFT OUT",
        ReplicaState::NotServing | ReplicaState::Unspecified => "DOES NOT SERVE",
    }
}

/// Bytes for people: `12.3 MiB`.
fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use proto::gateway::v1::{BackendStatus, ReplicaStatus};

    use super::super::problems::problems;
    use super::*;

    #[test]
    fn what_a_service_says_of_itself_does_not_reach_the_terminal_as_it_is() {
        let wild = |text: &str| format!("{text}\u{1b}[2J\n");
        let backend = BackendStatus {
            service: wild("trade"),
            replicas: vec![ReplicaStatus {
                address: wild("10.0.0.7:50051"),
                ..ReplicaStatus::default()
            }],
            ..BackendStatus::default()
        };
        let gateway = GatewayStatus {
            version: wild("0.1.0"),
            backends: vec![backend],
            ..GatewayStatus::default()
        };
        let status = JournalStatus {
            version: wild("0.2.0"),
            ..JournalStatus::default()
        };
        let report = Report {
            gateway: Some(Ok(gateway)),
            journals: vec![(Role::Trade, Ok(status))],
        };
        let mut shown = Vec::new();
        report.table(&problems(&report), &mut shown).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        for told in ["0.1.0[2J", "0.2.0[2J", "10.0.0.7:50051[2J", "trade[2J "] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
    }

    #[test]
    fn of_several_processes_it_is_told_that_one_was_asked() {
        let backend = |service: &str, processes| BackendStatus {
            service: service.into(),
            replicas: vec![ReplicaStatus::default(); processes],
            ..BackendStatus::default()
        };
        let gateway = GatewayStatus {
            backends: vec![
                backend("trade", 3),
                backend("events", 1),
                backend("culture", 2),
            ],
            ..GatewayStatus::default()
        };
        let told = one_of_several(&gateway, &[Role::Trade, Role::Events]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("trade has 3 processes"), "{told:?}");
    }
}
