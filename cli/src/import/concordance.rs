//! A conversion table between two revisions, recorded as a whole.

use std::collections::HashSet;

use proto::Code;
use proto::trade::v1 as wire;
use wire::{ConcordanceRow, Relation};

use super::Imported;
use super::sheet::{Column, Rejection, Row, Sheet};
use crate::args::import::ConcordanceArgs;
use crate::client::{self, entry_violations, request};
use crate::figures;

const COLUMNS: [Column; 3] = [
    Column {
        title: "from",
        required: true,
    },
    Column {
        title: "to",
        required: true,
    },
    Column {
        title: "relationship",
        required: false,
    },
];

/// Imports a conversion table.
pub(crate) async fn concordance(args: &ConcordanceArgs) -> anyhow::Result<Imported> {
    let mut sheet = Sheet::open(&args.file, &COLUMNS)?;
    let lines: Vec<u64> = sheet.rows.iter().map(|row| row.line).collect();
    let rows = parse(&mut sheet);
    let count = rows.len();
    if sheet.rejected.is_empty() {
        let asked = wire::RecordConcordanceRequest {
            from: args.from.to_string(),
            to: args.to.to_string(),
            rows,
            source: Some(source(args, sheet.file_name())),
            validate_only: args.dry_run,
        };
        let mut client = client::trade(&args.server.server).await?;
        let recorded = client.record_concordance(request(asked, &args.server));
        if let Err(status) = recorded.await {
            let Some(violations) = entry_violations(&status, "rows") else {
                return Err(status.into());
            };
            for violation in violations {
                let line = lines.get(violation.entry).copied().unwrap_or_default();
                let column = column_of(&violation.field);
                sheet
                    .rejected
                    .push(Rejection::new(line, column, violation.reason));
            }
        }
    }
    let mut sums = vec![format!(
        "{} to {}, {} rows",
        args.from,
        args.to,
        figures::grouped(&count.to_string())
    )];
    if args.dry_run || !sheet.rejected.is_empty() {
        sums.push("nothing was written".into());
    }
    sheet.tell(&sums)
}

fn source(args: &ConcordanceArgs, file: &str) -> proto::r#type::v1::Source {
    let title = args.title.clone();
    proto::r#type::v1::Source {
        title: title.unwrap_or_else(|| format!("Table {} to {} in {file}", args.from, args.to)),
        publisher: args.publisher.clone(),
        uri: args.uri.clone(),
        ..Default::default()
    }
}

/// The rows of the table. A row that is none, or comes twice, is rejected.
fn parse(sheet: &mut Sheet) -> Vec<ConcordanceRow> {
    let mut seen = HashSet::new();
    let mut rows = Vec::new();
    for row in &sheet.rows {
        match parse_row(row) {
            Err(rejection) => sheet.rejected.push(rejection),
            Ok(parsed) => {
                let pair = (parsed.from_code.clone(), parsed.to_code.clone());
                if seen.insert(pair) {
                    rows.push(parsed);
                } else {
                    let twice = Rejection::new(row.line, "to", "this pair was given before");
                    sheet.rejected.push(twice);
                }
            }
        }
    }
    rows
}

fn parse_row(row: &Row) -> Result<ConcordanceRow, Rejection> {
    let [from, to, relation] = row.cells.as_slice() else {
        return Err(Rejection::new(row.line, "", "too few cells"));
    };
    let code = |text: &str, column| {
        let code = text.parse::<Code>();
        let code = code.map_err(|error| Rejection::new(row.line, column, error.to_string()))?;
        if code.level() == 6 {
            return Ok(code.to_string());
        }
        Err(Rejection::new(
            row.line,
            column,
            "a code of 6 digits is required",
        ))
    };
    let relation = match relation.as_str() {
        "" => Relation::Unspecified,
        "1:1" => Relation::OneToOne,
        "n:1" => Relation::ManyToOne,
        "1:n" => Relation::OneToMany,
        "n:n" | "n:m" => Relation::ManyToMany,
        _ => {
            let reason = "one of 1:1, n:1, 1:n, n:n";
            return Err(Rejection::new(row.line, "relationship", reason));
        }
    };
    Ok(ConcordanceRow {
        from_code: code(from, "from")?,
        to_code: code(to, "to")?,
        relation: relation.into(),
    })
}

fn column_of(field: &str) -> &str {
    match field {
        "from_code" => "from",
        "to_code" => "to",
        "relation" => "relationship",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> Row {
        Row {
            line: 4,
            cells: cells.map(str::to_owned).to_vec(),
        }
    }

    #[test]
    fn a_row_says_its_relation_or_leaves_it_open() {
        let parsed = parse_row(&row(["010121", "010121", "1:1"])).unwrap();
        assert_eq!(parsed.relation, i32::from(Relation::OneToOne));
        let open = parse_row(&row(["010121", "010129", ""])).unwrap();
        assert_eq!(open.relation, i32::from(Relation::Unspecified));
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        for (cells, column) in [
            (["0101", "010121", "1:1"], "from"),
            (["010121", "01012x", "1:1"], "to"),
            (["010121", "010121", "2:1"], "relationship"),
        ] {
            let rejection = parse_row(&row(cells)).unwrap_err();
            assert_eq!((rejection.line, &*rejection.column), (4, column));
        }
    }

    #[test]
    fn a_pair_that_comes_twice_is_rejected() {
        let mut sheet = Sheet {
            name: "table.csv".into(),
            titles: Vec::new(),
            rows: vec![row(["010121", "010121", ""]), row(["010121", "010121", ""])],
            rejected: Vec::new(),
        };
        assert_eq!(parse(&mut sheet).len(), 1);
        assert!(sheet.rejected[0].reason.contains("before"));
    }
}
