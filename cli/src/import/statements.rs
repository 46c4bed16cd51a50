//! Statements into a service: those that are new are recorded, those that are there stay as they are.

use std::collections::HashSet;

use proto::trade::v1 as wire;
use tonic::{Code, Status};
use wire::{CreateStatementRequest, Statement};

use super::sheet::{Rejection, Sheet};
use super::{Imported, claims};
use crate::args::answer::ServerArgs;
use crate::args::import::StatementsArgs;
use crate::client::{self, TradeClient, entry_violations, request};

/// The most statements of one call.
const BATCH: usize = 500;

/// Imports a file of claims.
pub(crate) async fn statements(args: &StatementsArgs) -> anyhow::Result<Imported> {
    let mut sheet = Sheet::open(&args.file, &claims::COLUMNS)?;
    let parsed = parse(&mut sheet);
    let read = parsed.len();
    let mut client = client::trade(&args.server.server).await?;
    let mut fresh = Vec::new();
    let mut unchanged = 0;
    for claim in parsed {
        match stored(&mut client, &claim.request, &args.server).await? {
            None => fresh.push(claim),
            Some(stored) if same(&stored, &claim.request) => unchanged += 1,
            Some(_) => sheet.rejected.push(claim.rejection(
                "the stored statement of this id says something else, and is left as it is",
            )),
        }
    }
    let mut new = 0;
    if args.dry_run {
        new = fresh.len();
    } else {
        let mut left = fresh.into_iter();
        loop {
            let batch: Vec<Claim> = left.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            new += record(&mut client, batch, &mut sheet.rejected, &args.server).await?;
        }
    }
    let rejected = sheet.rejected.len();
    let mut sums = vec![
        format!("{read} statements"),
        format!("new {new}, unchanged {unchanged}, rejected {rejected}"),
    ];
    if args.dry_run {
        sums.push("nothing was written".into());
    } else if new == 0 {
        sums.push("nothing changed".into());
    }
    sheet.tell(&sums)
}

/// A statement with the line that it stands on.
struct Claim {
    line: u64,
    request: CreateStatementRequest,
}

impl Claim {
    fn rejection(&self, reason: &str) -> Rejection {
        Rejection::new(self.line, "claim_id", reason)
    }
}

/// The rows that are statements; the others, and ids that come twice, are rejected.
fn parse(sheet: &mut Sheet) -> Vec<Claim> {
    let mut seen = HashSet::new();
    let mut parsed = Vec::new();
    let file = sheet.file_name().to_owned();
    for row in std::mem::take(&mut sheet.rows) {
        match claims::statement(&row, &file) {
            Err(rejection) => sheet.rejected.push(rejection),
            Ok(request) => {
                let claim = Claim {
                    line: row.line,
                    request,
                };
                if seen.insert(claim.request.statement_id.clone()) {
                    parsed.push(claim);
                } else {
                    sheet
                        .rejected
                        .push(claim.rejection("given before in this file"));
                }
            }
        }
    }
    parsed
}

/// The stored statement of the same id.
async fn stored(
    client: &mut TradeClient,
    asked: &CreateStatementRequest,
    server: &ServerArgs,
) -> Result<Option<Statement>, Status> {
    let asked = wire::GetStatementRequest {
        name: format!("statements/{}", asked.statement_id),
        as_of: None,
    };
    match client.get_statement(request(asked, server)).await {
        Ok(found) => Ok(Some(found.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

/// Whether a stored statement says what a request does.
fn same(stored: &Statement, asked: &CreateStatementRequest) -> bool {
    let bare = Statement {
        name: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        ..stored.clone()
    };
    let mut given = asked.statement.clone().unwrap_or_default();
    let mut bare = bare;
    for statement in [&mut bare, &mut given] {
        statement.flags.sort_unstable();
        statement.partners.sort_unstable();
    }
    bare == given
}

/// Records a batch; those that the service refuses are rejected and the others recorded. How many are in.
async fn record(
    client: &mut TradeClient,
    mut batch: Vec<Claim>,
    rejected: &mut Vec<Rejection>,
    server: &ServerArgs,
) -> Result<usize, Status> {
    loop {
        let asked = wire::BatchCreateStatementsRequest {
            requests: batch.iter().map(|claim| claim.request.clone()).collect(),
            request_id: String::new(),
        };
        let recorded = client.batch_create_statements(request(asked, server));
        let Err(status) = recorded.await else {
            return Ok(batch.len());
        };
        if status.code() == Code::AlreadyExists {
            return one_by_one(client, batch, rejected, server).await;
        }
        let violations = entry_violations(&status, "requests").filter(|found| !found.is_empty());
        let Some(violations) = violations else {
            return Err(status);
        };
        let mut refused = HashSet::new();
        for violation in violations {
            let Some(claim) = batch.get(violation.entry) else {
                return Err(status);
            };
            refused.insert(violation.entry);
            let field = violation.field.trim_start_matches("statement.");
            rejected.push(Rejection::new(claim.line, field, violation.reason));
        }
        let mut at = 0;
        batch.retain(|_| {
            at += 1;
            !refused.contains(&(at - 1))
        });
        if batch.is_empty() {
            return Ok(0);
        }
    }
}

/// Records each for itself, where one id of a batch was used and deleted before.
async fn one_by_one(
    client: &mut TradeClient,
    batch: Vec<Claim>,
    rejected: &mut Vec<Rejection>,
    server: &ServerArgs,
) -> Result<usize, Status> {
    let mut new = 0;
    for claim in batch {
        let asked = request(claim.request.clone(), server);
        match client.create_statement(asked).await {
            Ok(_) => new += 1,
            Err(status) if status.code() == Code::AlreadyExists => {
                rejected.push(
                    claim.rejection("a statement of this id was deleted; ids are not used again"),
                );
            }
            Err(status) => return Err(status),
        }
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_statement_is_the_same_whatever_the_service_added() {
        let said = Statement {
            country: "CHN".into(),
            partners: vec!["UZB".into(), "KAZ".into()],
            period: "2024".into(),
            ..Default::default()
        };
        let asked = CreateStatementRequest {
            statement_id: "claim-1".into(),
            statement: Some(said.clone()),
            request_id: String::new(),
        };
        let stored = Statement {
            name: "statements/claim-1".into(),
            etag: "1".into(),
            create_time: Some(prost_types::Timestamp::default()),
            partners: vec!["KAZ".into(), "UZB".into()],
            ..said
        };
        assert!(same(&stored, &asked));
        let other = Statement {
            period: "2023".into(),
            ..stored
        };
        assert!(!same(&other, &asked));
    }
}
