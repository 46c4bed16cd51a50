//! What is not well.

use proto::gateway::v1::{BackendStatus, ReplicaState, ReplicaStatus};
use proto::journal::v1::JournalStatus;

use super::report::Report;
use crate::chart::text::plain;
use crate::client::explain;

/// Something that somebody should look at.
#[derive(Debug)]
pub(super) struct Problem {
    /// What, in a line.
    pub(super) text: String,
    /// Whether a process does not answer, or gets no calls.
    pub(super) is_lost: bool,
}

impl Problem {
    fn lost(text: String) -> Problem {
        Problem {
            text,
            is_lost: true,
        }
    }

    fn room(text: String) -> Problem {
        Problem {
            text,
            is_lost: false,
        }
    }
}

/// All that somebody should look at.
pub(super) fn problems(report: &Report) -> Vec<Problem> {
    let mut problems = Vec::new();
    match &report.gateway {
        Some(Ok(gateway)) => {
            for backend in &gateway.backends {
                of_backend(backend, &mut problems);
            }
        }
        Some(Err(error)) => {
            problems.push(Problem::lost(format!("the gateway: {}", explain(error))));
        }
        None => {}
    }
    for (role, journal) in &report.journals {
        match journal {
            Ok(status) => problems.extend(of_journal(role.name(), status).map(Problem::room)),
            Err(error) => {
                let text = format!("{}: {}", role.name(), explain(error));
                problems.push(Problem::lost(text));
            }
        }
    }
    problems
}

fn of_backend(backend: &BackendStatus, problems: &mut Vec<Problem>) {
    let service = &plain(&backend.service);
    if !backend.reached {
        let text = format!("{service} cannot be reached from the gateway");
        problems.push(Problem::lost(text));
    }
    // An older gateway asks none.
    let some_tell = backend.replicas.iter().any(|one| one.journal.is_some());
    for (number, replica) in backend.replicas.iter().enumerate() {
        if some_tell && replica.state() == ReplicaState::Serving && replica.journal.is_none() {
            let who = called(service, number, replica);
            problems.push(Problem::lost(format!("{who} does not say how it is")));
        }
        // Of a single one the service has told.
        if let Some(status) = replica
            .journal
            .as_ref()
            .filter(|_| backend.replicas.len() > 1)
        {
            let who = called(service, number, replica);
            problems.extend(of_journal(&who, status).map(Problem::room));
        }
        let what = match replica.state() {
            ReplicaState::Serving => continue,
            ReplicaState::LeftOut => "fails although it says that it serves, and is left out",
            ReplicaState::NotServing | ReplicaState::Unspecified => "does not serve",
        };
        let text = format!("{} {what}", called(service, number, replica));
        problems.push(Problem::lost(text));
    }
}

/// Its address, where that is told.
fn called(service: &str, number: usize, replica: &ReplicaStatus) -> String {
    match replica.address.as_str() {
        "" => format!("replica {} of {service}", number + 1),
        address => format!("{service} at {}", plain(address)),
    }
}

fn of_journal(who: &str, status: &JournalStatus) -> impl Iterator<Item = String> {
    let (free, reserve) = (status.free_bytes, status.reserve_bytes);
    let room = if free < reserve {
        Some("refuses writes: its disk has less free than its reserve")
    } else if free < reserve.saturating_mul(2) {
        Some("will refuse writes soon: its disk has less free than twice its reserve")
    } else {
        None
    };
    let is_given_up = status.ballast_bytes < status.wanted_ballast_bytes;
    let ballast = is_given_up.then_some("has no ballast: a start with room lays it down again");
    let told = [room, ballast].into_iter().flatten();
    told.map(move |what| format!("{who} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_is_told_before_it_is_full() {
        let told = |free_bytes, ballast_bytes| {
            let status = JournalStatus {
                free_bytes,
                reserve_bytes: 100,
                ballast_bytes,
                wanted_ballast_bytes: 10,
                ..JournalStatus::default()
            };
            let problems: Vec<String> = of_journal("trade", &status).collect();
            problems.join("; ")
        };
        assert_eq!(told(200, 10), "");
        assert!(told(199, 10).contains("soon"));
        assert!(told(99, 10).contains("refuses writes"));
        assert!(told(200, 0).contains("no ballast"));
    }

    #[test]
    fn one_of_several_replicas_whose_disk_fills_is_told() {
        let replica = |free_bytes| ReplicaStatus {
            state: ReplicaState::Serving.into(),
            journal: Some(JournalStatus {
                free_bytes,
                reserve_bytes: 100,
                ..JournalStatus::default()
            }),
            ..ReplicaStatus::default()
        };
        let told = |replicas: Vec<ReplicaStatus>| {
            let backend = BackendStatus {
                service: "trade".into(),
                reached: true,
                replicas,
            };
            let mut problems = Vec::new();
            of_backend(&backend, &mut problems);
            let texts: Vec<String> = problems.into_iter().map(|one| one.text).collect();
            texts.join("; ")
        };
        let full = told(vec![replica(200), replica(99)]);
        assert!(
            full.starts_with("replica 2 of trade refuses writes"),
            "{full}"
        );
        assert_eq!(told(vec![replica(99)]), "", "the service says it itself");
    }

    #[test]
    fn a_replica_without_an_address_has_a_number() {
        let backend = BackendStatus {
            service: "trade".into(),
            reached: true,
            replicas: vec![
                ReplicaStatus {
                    state: ReplicaState::Serving.into(),
                    ..ReplicaStatus::default()
                },
                ReplicaStatus::default(),
            ],
        };
        let mut problems = Vec::new();
        of_backend(&backend, &mut problems);
        let texts: Vec<&str> = problems.iter().map(|one| &*one.text).collect();
        assert_eq!(texts, ["replica 2 of trade does not serve"]);
    }
}
