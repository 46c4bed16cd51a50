//! The list of Confucius institutes of the project `BRIDash`: an institute a row.
//!
//! Its guide says of the column `status`: open or closed as of 22 April 2022, "based on checking availability of known
//! `ci_webpage`". A page that did not answer, or that held a word like `closed` or `404`, counted as closed. So it is a
//! status that the dataset concluded, and nobody observed; it is recorded as such. The date is "estimated". The city
//! is one that the institute is near; the name of the location is the one by which the project found it on a map,
//! which is the host only where the institute is called by it.

use proto::culture::v1 as wire;
use proto::r#type::v1::{CivilDate, Organisation, Place, Source, Theme};
use proto::{Country, Slug};
use wire::{
    CreateProgrammeRequest, InferredStatus, Institution, InstitutionRole, Milestone, MilestoneKind,
    Programme, ProgrammeCountry, ProgrammeKind, ProgrammeRole, ProgrammeStatus,
};

use super::cells::{Cells, checked, english, parse_rows, passed_over};
use super::claims::by_address;
use super::sheet::{Rejection, Sheet};
use super::{Imported, countries, records};
use crate::args::programmes::{ImportProgrammesArgs, ProgrammeLayout};
use crate::record::Programmes;

/// The columns that are read.
const REQUIRED: [&str; 9] = [
    "id",
    "confucius_institute",
    "partner_uni",
    "date_est",
    "location_name",
    "nearest_city",
    "country",
    "status",
    "sources",
];

/// The dataset itself is the first source of each institute.
const DATASET: i32 = 1;
/// The most sources of a programme.
const MAX_SOURCES: usize = 20;
const MAX_TITLE: usize = 500;
const MAX_PUBLISHER: usize = 200;
/// The first Confucius institute opened in 2004; the dataset is of 2022.
const YEARS: std::ops::RangeInclusive<i32> = 2004..=2022;

/// Imports a file of institutes.
pub(crate) async fn programmes(args: &ImportProgrammesArgs) -> anyhow::Result<Imported> {
    let ProgrammeLayout::Bridash = args.layout;
    let mut sheet = Sheet::open_whole(&args.import.file, &REQUIRED)?;
    let known = [&REQUIRED[..], &["ci_webpage", "gl3_id", "country_id"]].concat();
    let remark = passed_over(&sheet, &known, &[]);
    let mut entries = parse_rows(&mut sheet, institute);
    for (_, request) in &mut entries {
        request.allow_duplicate = args.duplicate.allow_duplicate;
    }
    let remarks = remark.into_iter().collect();
    records::import::<Programmes>(sheet, entries, remarks, &args.import).await
}

/// The programme of a row.
fn institute(cells: &Cells<'_>) -> Result<CreateProgrammeRequest, Rejection> {
    let id = Slug::parse(&format!("bridash-{}", cells.required("id")?));
    let id = id.map_err(|error| cells.reject("id", error.to_string()))?;
    let title = cells.required("confucius_institute")?;
    let country = country(cells)?;
    let start_date = date(cells)?;
    let opened = start_date.map(|date| Milestone {
        kind: MilestoneKind::Opened.into(),
        date: Some(date),
        source: DATASET,
        note: "The dataset calls it an estimated date of establishment.".into(),
    });
    let programme = Programme {
        kind: ProgrammeKind::LanguageInstitute.into(),
        countries: vec![
            taking_part(ProgrammeRole::From, "CHN"),
            taking_part(ProgrammeRole::To, &country.to_string()),
        ],
        institutions: institutions(cells, title, country)?,
        places: vec![place(cells, country)?],
        start_date,
        milestones: opened.into_iter().collect(),
        inferred_status: Some(status(cells)?),
        title: Some(english(title).map_err(|reason| cells.reject("confucius_institute", reason))?),
        themes: vec![Theme::CultureAndPeople.into()],
        sources: sources(cells)?,
        ..Default::default()
    };
    Ok(CreateProgrammeRequest {
        programme_id: id.to_string(),
        programme: Some(programme),
        ..Default::default()
    })
}

/// The country of the host. Institutes that the dataset lists under China itself have no direction.
fn country(cells: &Cells<'_>) -> Result<Country, Rejection> {
    let country = countries::by_name(cells.required("country")?);
    let country = country.map_err(|reason| cells.reject("country", reason))?;
    if country.alpha3() == Some("CHN") {
        let reason = "a programme from China to China; the file does not say to which territory";
        return Err(cells.reject("country", reason));
    }
    Ok(country)
}

fn taking_part(role: ProgrammeRole, country: &str) -> ProgrammeCountry {
    ProgrammeCountry {
        country: country.to_owned(),
        role: role.into(),
    }
}

/// `m/d/yy`. The century is this one: there was no institute before 2004.
fn date(cells: &Cells<'_>) -> Result<Option<CivilDate>, Rejection> {
    let text = cells.get("date_est");
    if text.is_empty() {
        return Ok(None);
    }
    let parts: Vec<Option<i32>> = text.split('/').map(|part| part.parse().ok()).collect();
    let [Some(month), Some(day), Some(year @ 0..=99)] = parts.as_slice() else {
        return Err(cells.reject("date_est", format!("`{text}` is no date: expected m/d/yy")));
    };
    let year = 2000 + year;
    if !YEARS.contains(&year) {
        let reason = format!("`{text}` is not between 2004 and 2022");
        return Err(cells.reject("date_est", reason));
    }
    let date = proto::CivilDate::new(year, *month, *day);
    let date = date.map_err(|violations| cells.reject("date_est", violations.to_string()))?;
    Ok(Some(date.into()))
}

/// The host, where the institute is called by it; and the partners in China, which the dataset has `;` between.
fn institutions(
    cells: &Cells<'_>,
    title: &str,
    country: Country,
) -> Result<Vec<Institution>, Rejection> {
    let mut found = Vec::new();
    let mut add = |column: &str, name: &str, country: &str, role: InstitutionRole| {
        let name = english(name).map_err(|reason| cells.reject(column, reason))?;
        found.push(Institution {
            organisation: Some(Organisation {
                code: String::new(),
                display_name: Some(name),
            }),
            country: country.to_owned(),
            role: role.into(),
        });
        Ok::<(), Rejection>(())
    };
    let location = cells.get("location_name");
    if is_host(cells, title, location) {
        let country = country.to_string();
        add("location_name", location, &country, InstitutionRole::Host)?;
    }
    for partner in cells.list("partner_uni") {
        if partner != "Unknown" {
            add("partner_uni", partner, "CHN", InstitutionRole::Organiser)?;
        }
    }
    Ok(found)
}

/// Whether a location is the host: the institute is called by it, and it is no city or country.
fn is_host(cells: &Cells<'_>, title: &str, location: &str) -> bool {
    let is_place = [cells.get("nearest_city"), cells.get("country")].contains(&location);
    let named = title == location
        || ["at ", "at the "]
            .iter()
            .any(|at| title.ends_with(&format!("{at}{location}")));
    !location.is_empty() && !is_place && named
}

fn place(cells: &Cells<'_>, country: Country) -> Result<Place, Rejection> {
    let name = match cells.get("nearest_city") {
        "" => None,
        city => Some(english(city).map_err(|reason| cells.reject("nearest_city", reason))?),
    };
    Ok(Place {
        country: country.to_string(),
        name,
    })
}

/// The status as the dataset concluded it, with what it was concluded from.
fn status(cells: &Cells<'_>) -> Result<InferredStatus, Rejection> {
    let page = cells.get("ci_webpage");
    let (status, word, counted) = match cells.required("status")? {
        "Open" => (
            ProgrammeStatus::Active,
            "open",
            "a page that answered, without a word that speaks of closing, counted as open",
        ),
        "Closed" => (
            ProgrammeStatus::Closed,
            "closed",
            "a page that did not answer, or held a word such as `closed` or `404`, counted as closed",
        ),
        other => {
            let reason = format!("`{other}` is neither Open nor Closed");
            return Err(cells.reject("status", reason));
        }
    };
    let basis = if page.is_empty() {
        format!(
            "The dataset flags it as {word} as of 22 April 2022. It says that its flags rest on whether the known web \
             page could be reached, and gives no page for this institute."
        )
    } else {
        format!(
            "The dataset flags it as {word} as of 22 April 2022, by whether the institute's web page could be reached \
             ({page}): {counted}."
        )
    };
    Ok(InferredStatus {
        status: status.into(),
        date: Some(CivilDate {
            year: 2022,
            month: 4,
            day: 22,
        }),
        basis,
        source: DATASET,
    })
}

/// The dataset, and the pages that it names for the institute.
fn sources(cells: &Cells<'_>) -> Result<Vec<Source>, Rejection> {
    let dataset = Source {
        title: "Global Listing of Confucius Institutes".into(),
        publisher: "BRIDash, Laboratory for Analytic Sciences, NC State University".into(),
        uri: "https://github.com/LAS-NCSU/bridash".into(),
        published_on: Some(CivilDate {
            year: 2022,
            ..Default::default()
        }),
        note: "The date of establishment is estimated, the city is the nearest that was found, and the status is \
               concluded from web pages."
            .into(),
        ..Default::default()
    };
    let dataset = checked(dataset).map_err(|(_, reason)| cells.reject("", reason))?;
    let mut sources = vec![dataset];
    for address in cells.get("sources").split_whitespace() {
        let is_known = sources.iter().any(|source| source.uri == address);
        if sources.len() < MAX_SOURCES && !is_known {
            sources.push(cited(cells, address)?);
        }
    }
    Ok(sources)
}

/// A page that the dataset names, of which it says neither title nor publisher.
fn cited(cells: &Cells<'_>, address: &str) -> Result<Source, Rejection> {
    let named = by_address(address);
    let (title, publisher) =
        named.map_err(|reason| cells.reject("sources", format!("`{address}`: {reason}")))?;
    let shortened = |text: &str, most| text.chars().take(most).collect::<String>();
    let source = Source {
        title: shortened(&title, MAX_TITLE),
        publisher: shortened(&publisher, MAX_PUBLISHER),
        uri: address.to_owned(),
        note: "Named by the dataset, and not read for Entente. Title and publisher are the address and its host."
            .into(),
        ..Default::default()
    };
    checked(source).map_err(|(_, reason)| cells.reject("sources", reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tests::sample;

    fn read(row: &str) -> (Vec<(u64, CreateProgrammeRequest)>, Vec<Rejection>) {
        let text = format!("{},ci_webpage\n{row}\n", REQUIRED.join(","));
        let mut sheet = Sheet::parse_whole("a.csv", text.as_bytes(), &REQUIRED).unwrap();
        let entries = parse_rows(&mut sheet, institute);
        (entries, sheet.rejected)
    }

    fn one(row: &str) -> Programme {
        let (entries, rejected) = read(row);
        assert_eq!(rejected, []);
        entries[0].1.programme.clone().unwrap()
    }

    #[test]
    fn an_institute_is_a_programme_from_china_whose_status_is_concluded() {
        let programme = one(
            "7,Confucius Institute at Example University,Lanzhou University; Other College,2/23/09,\
             Example University,Almaty,Kazakhstan,Closed,http://a.example/x http://b.example/,http://ci.example/",
        );
        let title = programme.title.clone().unwrap();
        assert_eq!(
            title.texts["en"],
            "Confucius Institute at Example University"
        );
        assert_eq!(programme.countries[1].country, "KAZ");
        let roles: Vec<i32> = programme.institutions.iter().map(|one| one.role).collect();
        assert_eq!(roles, [1, 2, 2]);
        let date = programme.start_date.unwrap();
        assert_eq!((date.year, date.month, date.day), (2009, 2, 23));
        assert!(programme.observed_statuses.is_empty());
        let inferred = programme.inferred_status.unwrap();
        assert_eq!(inferred.status, i32::from(ProgrammeStatus::Closed));
        assert!(inferred.basis.contains("http://ci.example/"));
        assert_eq!(programme.sources.len(), 3);
        assert_eq!(programme.sources[1].publisher, "a.example");
    }

    #[test]
    fn what_the_file_does_not_say_is_left_open() {
        let programme = one("8,Confucius Institute at Fiji,Unknown,,Fiji,,Fiji,Open,,");
        assert_eq!(programme.start_date, None);
        assert!(programme.milestones.is_empty());
        assert!(programme.institutions.is_empty());
        assert_eq!(programme.places[0].name, None);
        let inferred = programme.inferred_status.unwrap();
        assert!(inferred.basis.contains("no page for this institute"));
        assert_eq!(inferred.status, i32::from(ProgrammeStatus::Active));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_column() {
        for (row, column) in [
            ("9,CI,,,,,Ruritania,Open,,", "country"),
            ("9,CI,,,,,China,Open,,", "country"),
            ("9,CI,,13/40/09,,,Fiji,Open,,", "date_est"),
            ("9,CI,,1/1/99,,,Fiji,Open,,", "date_est"),
            ("9,CI,,2009,,,Fiji,Open,,", "date_est"),
            ("9,CI,,,,,Fiji,Paused,,", "status"),
            ("9,CI,,,,,Fiji,Open,ftp://a.example,", "sources"),
            ("N 9,CI,,,,,Fiji,Open,,", "id"),
        ] {
            let (entries, rejected) = read(row);
            assert!(entries.is_empty(), "{row}");
            assert_eq!(
                (rejected[0].line, &*rejected[0].column),
                (2, column),
                "{row}"
            );
        }
    }

    #[test]
    fn the_whole_dataset_is_read_but_for_three_rows() {
        let Some(text) = sample("culture/bridash_confucius_institutes.csv") else {
            return;
        };
        let mut sheet = Sheet::parse_whole("bridash.csv", &text, &REQUIRED).unwrap();
        let entries = parse_rows(&mut sheet, institute);
        let columns: Vec<&str> = sheet
            .rejected
            .iter()
            .map(|one| one.column.as_str())
            .collect();
        // Two institutes are listed under China itself, and a date slipped into the sources of a third.
        assert_eq!(columns, ["country", "country", "sources"]);
        assert!(sheet.rejected[2].reason.contains("12/4/2009"));
        assert_eq!(entries.len(), 662);
        let kazakhstan = entries.iter().filter(|(_, request)| {
            let programme = request.programme.as_ref().unwrap();
            programme.countries[1].country == "KAZ"
        });
        assert_eq!(kazakhstan.count(), 5);
        for (_, request) in &entries {
            let programme = request.programme.as_ref().unwrap();
            assert!(programme.observed_statuses.is_empty());
            let years = programme.start_date.map_or(2004, |date| date.year);
            assert!(YEARS.contains(&years));
        }
    }
}
