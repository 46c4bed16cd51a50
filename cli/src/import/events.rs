//! Events from a CSV file, an event a row.

use proto::events::v1 as wire;
use proto::r#type::v1::Place;
use proto::{Country, Slug, check_text};
use wire::{CreateEventRequest, Event, Participant, ParticipantRole};

use super::cells::{Cells, english, parse_rows, passed_over};
use super::sheet::{Rejection, Sheet};
use super::{Imported, ceias, records};
use crate::args::events::{EventLayout, ImportEventsArgs};
use crate::record::Events;

/// Longest summary, in characters.
const MAX_SUMMARY: usize = 4_000;

const REQUIRED: [&str; 7] = [
    "id",
    "kind",
    "status",
    "start_date",
    "countries",
    "source_title",
    "source_publisher",
];
const OPTIONAL: [&str; 11] = [
    "end_date",
    "host",
    "place_country",
    "place",
    "themes",
    "organisations",
    "source_uri",
    "source_date",
    "licence",
    "note",
    "cameo_code",
];

/// Imports a file of events.
pub(crate) async fn events(args: &ImportEventsArgs) -> anyhow::Result<Imported> {
    let import = &args.import;
    let (sheet, mut entries, remarks) = match args.layout {
        EventLayout::Entente => {
            let mut sheet = Sheet::open_whole(&import.file, &REQUIRED)?;
            let known = [&REQUIRED[..], &OPTIONAL[..]].concat();
            let remark = passed_over(&sheet, &known, &["title", "summary"]);
            let entries = parse_rows(&mut sheet, event);
            (sheet, entries, remark.into_iter().collect())
        }
        EventLayout::Ceias => {
            let mut sheet = Sheet::open_whole(&import.file, &ceias::REQUIRED)?;
            let entries = ceias::events(&mut sheet);
            (sheet, entries, Vec::new())
        }
    };
    if args.duplicate.allow_duplicate {
        for (_, request) in &mut entries {
            request.allow_duplicate = true;
        }
    }
    records::import::<Events>(sheet, entries, remarks, import).await
}

/// The event of a row.
fn event(cells: &Cells<'_>) -> Result<CreateEventRequest, Rejection> {
    let id = Slug::parse(cells.required("id")?);
    let id = id.map_err(|error| cells.reject("id", error.to_string()))?;
    let start_date = cells.parsed_date("start_date", cells.required("start_date")?)?;
    let event = Event {
        kind: cells.named::<wire::EventKind>("kind")?.into(),
        status: cells.named::<wire::EventStatus>("status")?.into(),
        themes: cells.themes("themes")?,
        participants: participants(cells)?,
        place: place(cells)?,
        start_date: Some(start_date),
        end_date: cells.date("end_date")?,
        title: Some(cells.title()?),
        summary: cells.texts("summary", |text| check_text(text, MAX_SUMMARY))?,
        sources: vec![cells.source()?],
        cameo_code: cells.get("cameo_code").to_owned(),
        ..Default::default()
    };
    Ok(CreateEventRequest {
        event_id: id.to_string(),
        event: Some(event),
        ..Default::default()
    })
}

/// Countries first, then organisations. With a host the other countries are its guests, else all are equals.
fn participants(cells: &Cells<'_>) -> Result<Vec<Participant>, Rejection> {
    let host = match cells.get("host") {
        "" => None,
        code => Some(cells.country("host", code)?),
    };
    let countries = cells.countries("countries")?;
    if let Some(host) = host.filter(|host| !countries.contains(host)) {
        return Err(cells.reject("host", format!("{host} is none of the countries")));
    }
    let role = |country: Country| match host {
        None => ParticipantRole::Party,
        Some(host) if host == country => ParticipantRole::Host,
        Some(_) => ParticipantRole::Guest,
    };
    let of_country = countries.into_iter().map(|country| Participant {
        country: country.to_string(),
        role: role(country).into(),
        ..Default::default()
    });
    let organisations = cells.organisations("organisations")?.into_iter();
    let of_organisation = organisations.map(|organisation| Participant {
        organisation: Some(organisation),
        role: ParticipantRole::Party.into(),
        ..Default::default()
    });
    let all: Vec<Participant> = of_country.chain(of_organisation).collect();
    if all.is_empty() {
        return Err(cells.reject("countries", "is empty"));
    }
    Ok(all)
}

fn place(cells: &Cells<'_>) -> Result<Option<Place>, Rejection> {
    let (country, name) = (cells.get("place_country"), cells.get("place"));
    if country.is_empty() && name.is_empty() {
        return Ok(None);
    }
    let name = match name {
        "" => None,
        name => Some(english(name).map_err(|reason| cells.reject("place", reason))?),
    };
    let country = match country {
        "" => String::new(),
        code => cells.country("place_country", code)?.to_string(),
    };
    Ok(Some(Place { country, name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: &str = "id,kind,status,start_date,end_date,title_en,title_fr,countries,host,\
        place_country,place,themes,organisations,source_title,source_publisher,source_uri";

    fn read(row: &str) -> (Vec<(u64, CreateEventRequest)>, Vec<Rejection>) {
        let text = format!("{TITLES}\n{row}\n");
        let mut sheet = Sheet::parse_whole("a.csv", text.as_bytes(), &REQUIRED).unwrap();
        let entries = parse_rows(&mut sheet, event);
        (entries, sheet.rejected)
    }

    #[test]
    fn a_row_is_an_event() {
        let (entries, rejected) = read(
            "visit-2024,state visit,concluded,2024-07-02,2024-07-04,State visit,Visite d'État,\
             KAZ;CHN,KAZ,KAZ,Astana,political-trust;culture-and-people,SCO,Programme,Embassy,",
        );
        assert_eq!(rejected, []);
        let (line, request) = &entries[0];
        assert_eq!((*line, &*request.event_id), (2, "visit-2024"));
        let event = request.event.clone().unwrap();
        assert_eq!(event.kind, i32::from(wire::EventKind::StateVisit));
        let roles: Vec<i32> = event.participants.iter().map(|one| one.role).collect();
        let roles_wanted = [
            ParticipantRole::Host,
            ParticipantRole::Guest,
            ParticipantRole::Party,
        ];
        assert_eq!(roles, roles_wanted.map(i32::from));
        assert_eq!(event.title.unwrap().texts["fr"], "Visite d'État");
        assert_eq!(event.themes, [1, 3]);
        assert_eq!(event.start_date.unwrap().day, 2);
        assert!(!request.allow_duplicate);
    }

    #[test]
    fn a_date_is_as_precise_as_the_cell() {
        let row = "a,visit,concluded,2013-09,,Visit,,CHN;KAZ,,,,,,T,P,";
        let event = read(row).0[0].1.event.clone().unwrap();
        let date = event.start_date.unwrap();
        assert_eq!((date.year, date.month, date.day), (2013, 9, 0));
        assert_eq!(
            event.participants[0].role,
            i32::from(ParticipantRole::Party)
        );
        assert_eq!(event.place, None);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        let wrong = [
            ("A b,visit,concluded,2013,,T,,CHN,,,,,,T,P,", "id"),
            ("a,tea,concluded,2013,,T,,CHN,,,,,,T,P,", "kind"),
            ("a,visit,,2013,,T,,CHN,,,,,,T,P,", "status"),
            ("a,visit,concluded,2013-13,,T,,CHN,,,,,,T,P,", "start_date"),
            ("a,visit,concluded,2013,soon,T,,CHN,,,,,,T,P,", "end_date"),
            ("a,visit,concluded,2013,,,,CHN,,,,,,T,P,", "title_en"),
            ("a,visit,concluded,2013,,T,,,,,,,,T,P,", "countries"),
            ("a,visit,concluded,2013,,T,,CHN;CHN,,,,,,T,P,", "countries"),
            ("a,visit,concluded,2013,,T,,CHN;WLD,,,,,,T,P,", "countries"),
            ("a,visit,concluded,2013,,T,,CHN,KAZ,,,,,T,P,", "host"),
            (
                "a,visit,concluded,2013,,T,,CHN,,XX,,,,T,P,",
                "place_country",
            ),
            ("a,visit,concluded,2013,,T,,CHN,,,,peace,,T,P,", "themes"),
            (
                "a,visit,concluded,2013,,T,,CHN,,,,,sco,T,P,",
                "organisations",
            ),
            ("a,visit,concluded,2013,,T,,CHN,,,,,,,P,", "source_title"),
            ("a,visit,concluded,2013,,T,,CHN,,,,,,T,P,here", "source_uri"),
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
