//! Names of commodities in a language.

use std::collections::HashSet;

use proto::trade::v1 as wire;
use proto::{Code, check_name};
use wire::CommodityName;

use super::Imported;
use super::sheet::{Column, Rejection, Row, Sheet};
use crate::args::import::NomenclatureArgs;
use crate::client::{self, TradeClient, entry_violations, request};
use crate::figures;

const COLUMNS: [Column; 2] = [
    Column {
        title: "hscode",
        required: true,
    },
    Column {
        title: "description",
        required: true,
    },
];
const MAX_NAME: usize = 1_000;
/// Bounds of one call: the service takes 10,000 names, and messages of 1 MiB.
const BATCH: usize = 10_000;
const BATCH_BYTES: usize = 900 << 10;

/// Imports names.
pub(crate) async fn nomenclature(args: &NomenclatureArgs) -> anyhow::Result<Imported> {
    let mut sheet = Sheet::open(&args.file, &COLUMNS)?;
    let names = parse(&mut sheet);
    let count = names.len();
    let mut client = client::trade(&args.server.server).await?;
    let mut sums = wire::RecordCommodityNamesResponse::default();
    for batch in batches(names) {
        let recorded = record(&mut client, batch, &mut sheet.rejected, args).await;
        let written = sums.new + sums.changed;
        let recorded = match recorded {
            Err(status) if written > 0 => Err(anyhow::Error::new(status).context(format!(
                "{written} names are in; import the file again to go on"
            ))),
            recorded => recorded.map_err(Into::into),
        }?;
        sums.new += recorded.new;
        sums.changed += recorded.changed;
        sums.unchanged += recorded.unchanged;
    }
    let group = |count: i32| figures::grouped(&count.to_string());
    let mut lines = vec![
        format!(
            "{} in {}, {} names",
            args.classification,
            args.language,
            figures::grouped(&count.to_string())
        ),
        format!(
            "new {}, changed {}, unchanged {}, rejected {}",
            group(sums.new),
            group(sums.changed),
            group(sums.unchanged),
            sheet.rejected.len()
        ),
    ];
    if args.dry_run {
        lines.push("nothing was written".into());
    }
    sheet.tell(&lines)
}

/// A name with the line that it stands on.
struct Named {
    line: u64,
    name: CommodityName,
}

fn parse(sheet: &mut Sheet) -> Vec<Named> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for row in &sheet.rows {
        match parse_row(row) {
            Err(rejection) => sheet.rejected.push(rejection),
            Ok(name) if seen.insert(name.code.clone()) => names.push(Named {
                line: row.line,
                name,
            }),
            Ok(_) => {
                let twice = Rejection::new(row.line, "hscode", "this code was given before");
                sheet.rejected.push(twice);
            }
        }
    }
    names
}

fn parse_row(row: &Row) -> Result<CommodityName, Rejection> {
    let [code, text] = row.cells.as_slice() else {
        return Err(Rejection::new(row.line, "", "too few cells"));
    };
    let code = code.parse::<Code>();
    let code = code.map_err(|error| Rejection::new(row.line, "hscode", error.to_string()))?;
    let text = check_name(text, MAX_NAME);
    let text = text.map_err(|error| Rejection::new(row.line, "description", error.to_string()))?;
    Ok(CommodityName {
        code: code.to_string(),
        text,
    })
}

/// Names cut into calls that the service takes.
fn batches(names: Vec<Named>) -> Vec<Vec<Named>> {
    let mut batches: Vec<Vec<Named>> = Vec::new();
    let mut bytes = 0;
    for named in names {
        let size = named.name.code.len() + named.name.text.len() + 16;
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes + size <= BATCH_BYTES => batch.push(named),
            Some(_) | None => {
                batches.push(vec![named]);
                bytes = 0;
            }
        }
        bytes += size;
    }
    batches
}

/// Records a batch; those that the service refuses are rejected and the others recorded.
async fn record(
    client: &mut TradeClient,
    mut batch: Vec<Named>,
    rejected: &mut Vec<Rejection>,
    args: &NomenclatureArgs,
) -> Result<wire::RecordCommodityNamesResponse, tonic::Status> {
    while !batch.is_empty() {
        let asked = wire::RecordCommodityNamesRequest {
            classification: args.classification.to_string(),
            language_code: args.language.clone(),
            names: batch.iter().map(|named| named.name.clone()).collect(),
            validate_only: args.dry_run,
        };
        let recorded = client.record_commodity_names(request(asked, &args.server));
        let status = match recorded.await {
            Ok(recorded) => return Ok(recorded.into_inner()),
            Err(status) => status,
        };
        let violations = entry_violations(&status, "names").filter(|found| !found.is_empty());
        let Some(violations) = violations else {
            return Err(status);
        };
        let refused: HashSet<usize> = violations.iter().map(|one| one.entry).collect();
        for violation in violations {
            let Some(named) = batch.get(violation.entry) else {
                return Err(status);
            };
            let column = match violation.field.as_str() {
                "code" => "hscode",
                "text" => "description",
                other => other,
            };
            rejected.push(Rejection::new(named.line, column, violation.reason));
        }
        let numbered = batch.into_iter().enumerate();
        let kept = numbered.filter(|(at, _)| !refused.contains(at));
        batch = kept.map(|(_, named)| named).collect();
    }
    Ok(wire::RecordCommodityNamesResponse::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 2]) -> Row {
        Row {
            line: 3,
            cells: cells.map(str::to_owned).to_vec(),
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        let code = parse_row(&row(["8x", "Cars"])).unwrap_err();
        assert_eq!((code.line, &*code.column), (3, "hscode"));
        let text = parse_row(&row(["87", ""])).unwrap_err();
        assert_eq!(&*text.column, "description");
        assert_eq!(parse_row(&row(["TOTAL", "All"])).unwrap().code, "TOTAL");
    }

    #[test]
    fn many_names_go_in_several_calls() {
        let name = |at: usize| Named {
            line: 1,
            name: CommodityName {
                code: format!("{at:06}"),
                text: "x".repeat(900),
            },
        };
        let batches = batches((0..2_500).map(name).collect());
        let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 2_500);
        assert!(
            sizes.len() == 3 && sizes.iter().all(|size| size * 922 <= 900 << 10),
            "{sizes:?}"
        );
    }
}
