//! The dataset "Who | Where | When" of CEIAS: travel of China's leaders, a trip to a country a row.
//!
//! The file says a year, a person, the person's position and a country, and no more; so an event is a visit of which
//! only the year is known. Several rows of one person to one country in one year are several visits: they are
//! numbered, and never taken for one.

use std::collections::HashMap;

use proto::events::v1 as wire;
use proto::r#type::v1::{CivilDate, Place, Source, Theme};
use wire::{CreateEventRequest, Event, EventKind, EventStatus, OfficeLevel};
use wire::{Participant, ParticipantRole};

use super::cells::{Cells, checked, english, parse_rows};
use super::countries;
use super::sheet::{Rejection, Sheet};

/// The columns that are read.
pub(super) const REQUIRED: [&str; 4] = ["year", "name", "level", "country"];

/// The events of a file.
pub(super) fn events(sheet: &mut Sheet) -> Vec<(u64, CreateEventRequest)> {
    let mut visits = HashMap::new();
    parse_rows(sheet, |cells| event(cells, &mut visits))
}

/// The visit of a row; `visits` counts those that were read before, by id.
fn event(
    cells: &Cells<'_>,
    visits: &mut HashMap<String, u32>,
) -> Result<CreateEventRequest, Rejection> {
    let year = cells.required("year")?;
    let year = year.parse::<u16>().ok().filter(|year| *year >= 1949);
    let year = year.ok_or_else(|| cells.reject("year", "a year since 1949 is expected"))?;
    let (name, position) = (cells.required("name")?, cells.required("level")?);
    let level = level(position).map_err(|reason| cells.reject("level", reason))?;
    let called = cells.required("country")?;
    let country = countries::in_year(called, year);
    let country = country.map_err(|reason| cells.reject("country", reason))?;
    let text = |column: &str, text: &str| {
        english(text)
            .map(Some)
            .map_err(|reason| cells.reject(column, reason))
    };
    let traveller = Participant {
        country: "CHN".to_owned(),
        person: text("name", name)?,
        office: text("level", position)?,
        level: level.into(),
        role: ParticipantRole::Guest.into(),
        organisation: None,
    };
    let host = Participant {
        country: country.to_string(),
        role: ParticipantRole::Host.into(),
        ..Default::default()
    };
    let event = Event {
        kind: EventKind::Visit.into(),
        status: EventStatus::Concluded.into(),
        themes: vec![Theme::PoliticalTrust.into()],
        participants: vec![host, traveller],
        place: Some(Place {
            country: country.to_string(),
            name: None,
        }),
        start_date: Some(CivilDate {
            year: year.into(),
            ..Default::default()
        }),
        title: text("name", &format!("Visit of {name} ({position}) to {called}"))?,
        sources: vec![source().map_err(|reason| cells.reject("", reason))?],
        ..Default::default()
    };
    let base = format!(
        "ceias-{year}-{}-{}",
        slug(name),
        country.to_string().to_lowercase()
    );
    let visit = visits.entry(base.clone()).or_default();
    *visit += 1;
    Ok(CreateEventRequest {
        event_id: match *visit {
            1 => base,
            later => format!("{base}-{later}"),
        },
        event: Some(event),
        // Visits of one year to one country overlap as far as is known: the file says that they are several.
        allow_duplicate: true,
        ..Default::default()
    })
}

/// How high a position is. The file's positions of party leaders are no offices of state: who held one may have been
/// a vice premier or nothing besides, which the file does not say, so they are officials.
fn level(position: &str) -> Result<OfficeLevel, String> {
    match position {
        "President" => Ok(OfficeLevel::HeadOfState),
        "Premier" => Ok(OfficeLevel::HeadOfGovernment),
        "Leader CCP" | "Paramount Leader" | "Other (Acting leader)" => Ok(OfficeLevel::Official),
        other => Err(format!(
            "`{other}` is none of President, Premier, Leader CCP, Paramount Leader, Other (Acting leader)"
        )),
    }
}

/// A name as an id has it: `zhou-enlai`.
fn slug(name: &str) -> String {
    let letters = name.to_lowercase();
    let words = letters.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

fn source() -> Result<Source, String> {
    let source = Source {
        title: "WHO | WHERE | WHEN - International travel of the PRC leaders (1949-2020)".into(),
        publisher: "Central European Institute of Asian Studies (CEIAS)".into(),
        uri: "https://who-where-when.ceias.eu/".into(),
        published_on: Some(CivilDate {
            year: 2021,
            ..Default::default()
        }),
        note: "Of each trip the dataset gives the year, the traveller's position and the country. Its authors are \
               R. Turcsányi, M. Eckert, M. Šimalčík and N. Majsniarová."
            .into(),
        ..Default::default()
    };
    checked(source).map_err(|(field, reason)| format!("{field}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tests::sample;

    fn read(rows: &str) -> (Vec<(u64, CreateEventRequest)>, Vec<Rejection>) {
        let text = format!("Year,Name,Level,Country,Continent\n{rows}");
        let mut sheet = Sheet::parse_whole("a.csv", text.as_bytes(), &REQUIRED).unwrap();
        let entries = events(&mut sheet);
        (entries, sheet.rejected)
    }

    #[test]
    fn a_trip_is_a_visit_of_a_year() {
        let (entries, rejected) = read("1957,Mao Zedong,President,Soviet Union,Europe\n");
        assert_eq!(rejected, []);
        let request = &entries[0].1;
        assert_eq!(request.event_id, "ceias-1957-mao-zedong-ct810");
        let event = request.event.clone().unwrap();
        let [host, guest] = event.participants.as_slice() else {
            panic!("{:?}", event.participants);
        };
        assert_eq!(host.country, "CT810");
        assert_eq!(guest.level, i32::from(OfficeLevel::HeadOfState));
        assert_eq!(guest.person.clone().unwrap().texts["en"], "Mao Zedong");
        let date = event.start_date.unwrap();
        assert_eq!((date.year, date.month, date.day), (1957, 0, 0));
        assert_eq!(event.kind, i32::from(EventKind::Visit));
    }

    #[test]
    fn several_visits_of_a_year_are_numbered() {
        let row = "2013,Xi Jinping,President,Russia,Europe\n";
        let (entries, _) = read(&[row, row].concat());
        let ids: Vec<&str> = entries.iter().map(|(_, r)| r.event_id.as_str()).collect();
        assert_eq!(
            ids,
            ["ceias-2013-xi-jinping-rus", "ceias-2013-xi-jinping-rus-2"]
        );
        assert!(entries.iter().all(|(_, request)| request.allow_duplicate));
    }

    #[test]
    fn a_party_leader_is_no_head_of_state() {
        assert_eq!(level("Leader CCP"), Ok(OfficeLevel::Official));
        assert_eq!(level("Premier"), Ok(OfficeLevel::HeadOfGovernment));
        assert!(level("Emperor").is_err());
    }

    #[test]
    fn what_is_not_known_is_rejected() {
        for (row, column) in [
            ("1957,Mao Zedong,President,Ruritania,\n", "country"),
            ("1999,Jiang Zemin,President,Yugoslavia,\n", "country"),
            ("1999,Jiang Zemin,Emperor,Italy,\n", "level"),
            ("around,Jiang Zemin,President,Italy,\n", "year"),
        ] {
            let (entries, rejected) = read(row);
            assert!(entries.is_empty());
            assert_eq!((rejected[0].line, &*rejected[0].column), (2, column));
        }
    }

    #[test]
    fn the_whole_dataset_is_read() {
        let Some(text) = sample("culture/ceias_chinese_leaders_travel_1949_2020.csv") else {
            return;
        };
        let mut sheet = Sheet::parse_whole("ceias.csv", &text, &REQUIRED).unwrap();
        let entries = events(&mut sheet);
        assert_eq!(sheet.rejected, []);
        assert_eq!(entries.len(), 595);
        let ids: std::collections::HashSet<&str> =
            entries.iter().map(|(_, r)| r.event_id.as_str()).collect();
        assert_eq!(ids.len(), entries.len());
        let kazakhstan = entries.iter().filter(|(_, r)| r.event_id.contains("-kaz"));
        assert_eq!(kazakhstan.count(), 10);
    }
}
