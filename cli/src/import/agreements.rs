//! Agreements from a CSV file, an agreement a row.

use proto::events::v1 as wire;
use proto::{Slug, check_text};
use wire::{Agreement, AgreementStep, CreateAgreementRequest, Party, StepKind};

use super::cells::{Cells, parse_rows, passed_over};
use super::sheet::{Rejection, Sheet};
use super::{Imported, records};
use crate::args::agreements::ImportAgreementsArgs;
use crate::record::{Agreements, Events, full_name};

/// Longest summary, in characters.
const MAX_SUMMARY: usize = 4_000;
/// The one source of a row.
const SOURCE: i32 = 1;

const REQUIRED: [&str; 5] = ["id", "kind", "parties", "source_title", "source_publisher"];
const OPTIONAL: [&str; 7] = [
    "organisations",
    "event",
    "themes",
    "source_uri",
    "source_date",
    "licence",
    "note",
];

/// The columns of steps, in the order of an agreement's life.
const STEPS: [(&str, StepKind); 7] = [
    ("announced", StepKind::Announced),
    ("signed", StepKind::Signed),
    ("ratified", StepKind::Ratified),
    ("entered_into_force", StepKind::EnteredIntoForce),
    ("in_force", StepKind::EnteredIntoForce),
    ("expired", StepKind::Expired),
    ("denounced", StepKind::Denounced),
];

/// Imports a file of agreements.
pub(crate) async fn agreements(args: &ImportAgreementsArgs) -> anyhow::Result<Imported> {
    let mut sheet = Sheet::open_whole(&args.import.file, &REQUIRED)?;
    let steps = STEPS.map(|(title, _)| title);
    let known = [&REQUIRED[..], &OPTIONAL[..], &steps[..]].concat();
    let remark = passed_over(&sheet, &known, &["title", "summary"]);
    let mut entries = parse_rows(&mut sheet, agreement);
    for (_, request) in &mut entries {
        request.allow_duplicate = args.duplicate.allow_duplicate;
    }
    let remarks = remark.into_iter().collect();
    records::import::<Agreements>(sheet, entries, remarks, &args.import).await
}

/// The agreement of a row.
fn agreement(cells: &Cells<'_>) -> Result<CreateAgreementRequest, Rejection> {
    let id = Slug::parse(cells.required("id")?);
    let id = id.map_err(|error| cells.reject("id", error.to_string()))?;
    let event = match cells.get("event") {
        "" => String::new(),
        event => full_name::<Events>(event),
    };
    let agreement = Agreement {
        kind: cells.named::<wire::AgreementKind>("kind")?.into(),
        parties: parties(cells)?,
        title: Some(cells.title()?),
        summary: cells.texts("summary", |text| check_text(text, MAX_SUMMARY))?,
        themes: cells.themes("themes")?,
        steps: steps(cells)?,
        event,
        sources: vec![cells.source()?],
        ..Default::default()
    };
    Ok(CreateAgreementRequest {
        agreement_id: id.to_string(),
        agreement: Some(agreement),
        ..Default::default()
    })
}

/// Countries first, then organisations.
fn parties(cells: &Cells<'_>) -> Result<Vec<Party>, Rejection> {
    let countries = cells.countries("parties")?;
    let of_country = countries.into_iter().map(|country| Party {
        country: country.to_string(),
        organisation: None,
    });
    let organisations = cells.organisations("organisations")?;
    let of_organisation = organisations.into_iter().map(|organisation| Party {
        country: String::new(),
        organisation: Some(organisation),
    });
    let all: Vec<Party> = of_country.chain(of_organisation).collect();
    if all.is_empty() {
        return Err(cells.reject("parties", "is empty"));
    }
    Ok(all)
}

fn steps(cells: &Cells<'_>) -> Result<Vec<AgreementStep>, Rejection> {
    let mut steps = Vec::new();
    for (column, kind) in STEPS {
        for text in cells.list(column) {
            let (country, date) = match text.split_once(':') {
                Some((code, date)) => (cells.country(column, code.trim())?.to_string(), date),
                None => (String::new(), text),
            };
            steps.push(AgreementStep {
                kind: kind.into(),
                date: Some(cells.parsed_date(column, date.trim())?),
                country,
                source: SOURCE,
                note: String::new(),
            });
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: &str = "id,kind,parties,organisations,title_en,announced,signed,ratified,in_force,event,\
        source_title,source_publisher";

    fn read(row: &str) -> (Vec<(u64, CreateAgreementRequest)>, Vec<Rejection>) {
        let text = format!("{TITLES}\n{row}\n");
        let mut sheet = Sheet::parse_whole("a.csv", text.as_bytes(), &REQUIRED).unwrap();
        let entries = parse_rows(&mut sheet, agreement);
        (entries, sheet.rejected)
    }

    #[test]
    fn a_row_is_an_agreement_with_a_step_for_each_date() {
        let (entries, rejected) = read(
            "visa-2023,agreement,CHN;KAZ,SCO,Exemption from visas,,2023-05-17;2023-05,\
             KAZ:2023-08-01,2023-11-10,summit-2023,Notice,Embassy",
        );
        assert_eq!(rejected, []);
        let agreement = entries[0].1.agreement.clone().unwrap();
        let steps: Vec<(i32, &str)> = agreement
            .steps
            .iter()
            .map(|step| (step.kind, step.country.as_str()))
            .collect();
        assert_eq!(steps, [(2, ""), (2, ""), (3, "KAZ"), (4, "")]);
        assert_eq!(agreement.event, "events/summit-2023");
        assert_eq!(
            agreement.parties[2].organisation.clone().unwrap().code,
            "SCO"
        );
        assert!(agreement.steps.iter().all(|step| step.source == 1));
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        let wrong = [
            ("a,pact,CHN;KAZ,,T,,,,,,T,P", "kind"),
            ("a,treaty,CHN;XXX,,T,,,,,,T,P", "parties"),
            ("a,treaty,CHN,x,T,,,,,,T,P", "organisations"),
            ("a,treaty,,,T,,,,,,T,P", "parties"),
            ("a,treaty,CHN;KAZ,,T,,soon,,,,T,P", "signed"),
            ("a,treaty,CHN;KAZ,,T,,,XXX:2023,,,T,P", "ratified"),
            ("a,treaty,CHN;KAZ,,T,,,,,,T,", "source_publisher"),
        ];
        for (row, column) in wrong {
            let (entries, rejected) = read(row);
            assert!(entries.is_empty(), "{row}");
            assert_eq!(
                (rejected[0].line, &*rejected[0].column),
                (2, column),
                "{row}"
            );
        }
    }
}
