//! Calendars written and read.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proto::events::v1 as wire;
use proto::r#type::v1::{CivilDate, LocalizedText, Organisation, Place, Source, Theme};
use proto::{Slug, parse_event_name};
use records::{Changed, Error, New, Piece, Record, Removed};
use store::{Origin, Request, State, Store};
use wire::{CalendarRemark, Event, EventKind, EventStatus, Link, LinkKind, OfficeLevel};
use wire::{EventFilter, ParticipantRole, UpdateEventRequest};
use wire::{ExportCalendarRequest, ImportCalendarRequest, ImportCalendarResponse, Participant};

use super::import::find;
use super::lines::Lines;
use super::read::{Context, Found};
use super::remarks::Report;
use super::{Export, Import, write};
use crate::Model;

fn date(year: i32, month: i32, day: i32) -> CivilDate {
    CivilDate { year, month, day }
}

fn texts(texts: &[(&str, &str)]) -> LocalizedText {
    let texts = texts
        .iter()
        .map(|(l, t)| ((*l).to_owned(), (*t).to_owned()));
    LocalizedText {
        texts: texts.collect(),
    }
}

fn country(code: &str) -> Participant {
    Participant {
        country: code.into(),
        role: ParticipantRole::Party.into(),
        ..Participant::default()
    }
}

fn source() -> Source {
    Source {
        title: "Made up".into(),
        publisher: "A test".into(),
        ..Source::default()
    }
}

fn defaults() -> Event {
    Event {
        kind: EventKind::Visit.into(),
        status: EventStatus::Concluded.into(),
        participants: vec![country("CHN"), country("KAZ")],
        sources: vec![source()],
        ..Event::default()
    }
}

fn visit(id: &str, day: i32) -> Event {
    Event {
        name: format!("events/{id}"),
        start_date: Some(date(2024, 7, day)),
        title: Some(texts(&[("en", "A visit")])),
        ..defaults()
    }
}

/// An event that has something in every field.
fn full() -> Event {
    let person = Participant {
        country: "KAZ".into(),
        organisation: Some(Organisation {
            code: "SCO".into(),
            display_name: Some(texts(&[
                ("en", "A \"made-up\"; organisation"),
                ("ru", "Организация"),
            ])),
        }),
        person: Some(texts(&[
            ("en", "Askar, Jr."),
            ("kk", "Асқар"),
            ("zh-Hans", "阿斯卡尔"),
        ])),
        office: Some(texts(&[("en", "Minister; of: \"trade\"")])),
        level: OfficeLevel::Minister.into(),
        role: ParticipantRole::Host.into(),
    };
    let named_only = Participant {
        country: String::new(),
        organisation: Some(Organisation {
            code: String::new(),
            display_name: Some(texts(&[("en", "A forum")])),
        }),
        ..country("")
    };
    let told = Source {
        title: "Ministers met, again; in Astana".into(),
        publisher: "A \"paper\", made up".into(),
        uri: "https://example.org/a,b;c?d=e#f".into(),
        published_on: Some(date(2024, 7, 0)),
        read_on: Some(date(2024, 7, 3)),
        licence: "CC-BY-4.0".into(),
        may_be_shown_outside: true,
        note: "line ^one\nline \"two\"".into(),
    };
    let link = |kind: LinkKind, name: &str| Link {
        kind: kind.into(),
        name: name.into(),
    };
    Event {
        status: EventStatus::UnderWay.into(),
        themes: vec![
            Theme::TradeAndCooperation.into(),
            Theme::PoliticalTrust.into(),
        ],
        participants: vec![country("CHN"), person, named_only],
        place: Some(Place {
            country: "KAZ".into(),
            name: Some(texts(&[("en", "Astana, the palace"), ("ru", "Астана")])),
        }),
        start_date: Some(date(2024, 5, 0)),
        end_date: Some(date(2024, 6, 2)),
        title: Some(texts(&[
            ("en", "Ministers, of trade; meet\\again"),
            ("ru", "Министры"),
            ("zh-Hans", "部长会晤"),
        ])),
        summary: Some(texts(&[
            ("en", "First line\nsecond; line"),
            ("fr", "Été à l’étranger"),
        ])),
        sources: vec![source(), told],
        links: vec![
            link(LinkKind::SignedAgreement, "agreements/made-up"),
            link(LinkKind::FollowsUp, "events/before"),
        ],
        cameo_code: "042".into(),
        ..visit("full", 1)
    }
}

fn written(event: &Event, language: &str) -> String {
    let mut lines = Lines::default();
    lines.raw("BEGIN", "VCALENDAR");
    lines.raw("VERSION", "2.0");
    write::event(&mut lines, event, 3, language);
    lines.raw("END", "VCALENDAR");
    String::from_utf8(lines.into_bytes()).unwrap()
}

fn in_english(defaults: &Event) -> Context<'_> {
    Context {
        language: "en",
        defaults,
    }
}

fn read(content: &[u8], defaults: &Event) -> (Vec<Found>, Report) {
    let mut report = Report::default();
    let found = find(content, in_english(defaults), &mut report).unwrap();
    (found, report)
}

/// Where remarks stand.
fn places(remarks: &[(i32, String, String)]) -> Vec<(i32, &str)> {
    let places = remarks.iter().map(|(at, name, _)| (*at, &name[..]));
    places.collect()
}

fn told(remarks: Vec<CalendarRemark>) -> Vec<(i32, String, String)> {
    let told = remarks
        .into_iter()
        .map(|one| (one.line, one.property, one.text));
    told.collect()
}

/// A calendar of one event, whose properties begin in line 4.
fn calendar(properties: &str) -> String {
    let properties = properties.trim().replace("\r\n", "\n");
    let properties = properties.replace('\n', "\r\n");
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n{properties}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn one(properties: &str) -> (Found, Vec<(i32, String, String)>) {
    let (found, report) = read(calendar(properties).as_bytes(), &defaults());
    assert_eq!(told(report.refusals.into_wire()), []);
    assert_eq!(found.len(), 1);
    (found[0].clone(), told(report.notes.into_wire()))
}

fn refusals(content: &str) -> Vec<(i32, String, String)> {
    let (_, report) = read(content.as_bytes(), &defaults());
    told(report.refusals.into_wire())
}

/// Whether an event comes back from its export as it was.
fn comes_back(event: &Event, language: &str) {
    let expected = Record::<Model>::check(event.clone()).unwrap();
    let mut event = event.clone();
    event.update_time = Some(proto::to_timestamp(0));
    let text = written(&event, language);
    let (found, report) = read(text.as_bytes(), &Event::default());
    assert_eq!(told(report.refusals.into_wire()), [], "{text}");
    assert_eq!(told(report.notes.into_wire()), [], "{text}");
    let id = parse_event_name(&event.name).unwrap();
    assert_eq!((&found[0].id, &found[0].event), (&id, &expected), "{text}");
}

#[test]
fn an_event_comes_back_from_its_export_as_it_was() {
    for language in ["en", "ru", "zh-Hans-CN", "kk"] {
        comes_back(&full(), language);
        comes_back(&visit("plain", 2), language);
    }
}

#[test]
fn dates_of_every_precision_come_back() {
    let end = Some(date(2024, 7, 2));
    let cases = [
        (date(2024, 7, 2), None),
        (date(2024, 7, 2), end),
        (date(2024, 6, 30), end),
        (date(2024, 7, 0), None),
        (date(2024, 7, 0), end),
        (date(2024, 7, 0), Some(date(2024, 7, 0))),
        (date(2024, 7, 2), Some(date(2024, 7, 0))),
        (date(2024, 0, 0), None),
        (date(2023, 0, 0), Some(date(2024, 0, 0))),
        (date(1, 1, 1), None),
        (date(9999, 12, 31), None),
        (date(9999, 0, 0), None),
        (date(9999, 12, 30), Some(date(9999, 12, 31))),
    ];
    for (start_date, end_date) in cases {
        let event = Event {
            start_date: Some(start_date),
            end_date,
            ..visit("dated", 1)
        };
        comes_back(&event, "en");
    }
}

#[test]
fn an_event_is_written_for_other_programs_too() {
    let mut event = full();
    event.create_time = Some(proto::to_timestamp(1_719_912_600_000_000));
    event.update_time = Some(proto::to_timestamp(1_719_912_601_000_000));
    let text = written(&event, "en");
    assert!(
        text.split("\r\n")
            .all(|row| row.len() <= 75 && !row.contains(['\n', '\r']))
    );
    let unfolded = text.replace("\r\n ", "");
    for line in [
        "UID:full@entente",
        "DTSTAMP:20240702T093001Z",
        "CREATED:20240702T093000Z",
        "LAST-MODIFIED:20240702T093001Z",
        "SEQUENCE:3",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        "DTSTART;VALUE=DATE:20240501",
        "DTEND;VALUE=DATE:20240603",
        "X-ENTENTE-DATE-PRECISION:MONTH",
        "X-ENTENTE-END-PRECISION:DAY",
        "SUMMARY;LANGUAGE=en:Ministers\\, of trade\\; meet\\\\again",
        "X-ENTENTE-TITLE;LANGUAGE=zh-Hans:部长会晤",
        "LOCATION:Astana\\, the palace\\, KAZ",
        "CATEGORIES:Visit,Trade and cooperation,Political trust",
        "URL:https://example.org/a,b;c?d=e#f",
        "X-ENTENTE-KIND:VISIT",
        "X-ENTENTE-STATUS:UNDER_WAY",
    ] {
        assert!(
            unfolded.lines().any(|row| row == line),
            "{line}\n{unfolded}"
        );
    }
    assert!(!unfolded.contains("ATTENDEE"));
    let description = unfolded.lines().find(|row| row.starts_with("DESCRIPTION:"));
    let description = description.unwrap();
    for part in [
        "First line\\nsecond\\; line\\n\\nCHN (party)\\nKAZ\\, A \"made-up\"\\; organisation\\, Askar\\, Jr.\\,",
        "\\n\\nSource: Made up\\, A test\\nSource: Ministers met",
        "https://example.org/a\\,b\\;c",
    ] {
        assert!(description.contains(part), "{description}");
    }
    let cancelled = Event {
        status: EventStatus::Cancelled.into(),
        ..event
    };
    assert!(written(&cancelled, "en").contains("\r\nSTATUS:CANCELLED\r\n"));
}

#[test]
fn a_stretch_that_was_moved_elsewhere_is_taken_as_days() {
    let event = Event {
        start_date: Some(date(2024, 5, 0)),
        ..visit("moved", 1)
    };
    let text = written(&event, "en");
    let text = text.replace("VALUE=DATE:20240501", "VALUE=DATE:20240502");
    let (found, report) = read(text.as_bytes(), &Event::default());
    assert_eq!(found[0].event.start_date, Some(date(2024, 5, 2)));
    assert_eq!(found[0].event.end_date, Some(date(2024, 5, 31)));
    let notes = told(report.notes.into_wire());
    assert!(
        notes
            .iter()
            .any(|(_, name, _)| name == "X-ENTENTE-DATE-PRECISION")
    );
}

#[test]
fn a_status_that_was_changed_elsewhere_is_taken() {
    let text = written(&full(), "en").replace("STATUS:CONFIRMED", "STATUS:cancelled");
    let (found, report) = read(text.as_bytes(), &Event::default());
    assert_eq!(found[0].event.status(), EventStatus::Cancelled);
    let notes = told(report.notes.into_wire());
    assert!(notes.iter().any(|(_, name, _)| name == "STATUS"));
}

#[test]
fn another_program_s_event_is_read() {
    let (found, notes) = one("UID:1961094_6362@example.com
DTSTAMP:20240101T000000Z
DTSTART;TZID=Asia/Almaty:20240702T230000
DTEND;TZID=Asia/Almaty:20240704T000000
SUMMARY;LANGUAGE=RU:Визит
DESCRIPTION:Two lines\\nof text
LOCATION:The palace\\n Astana
STATUS:Confirmed
CATEGORIES:Visits
RRULE:FREQ=YEARLY
GEO:51.1;71.4");
    let Found { id, event, at } = found;
    assert!(
        id.as_str().starts_with("ics-19610946362examplecom-"),
        "{id}"
    );
    assert_eq!((at, event.kind()), (3, EventKind::Visit));
    assert_eq!(event.status(), EventStatus::Confirmed);
    assert_eq!(event.start_date, Some(date(2024, 7, 2)));
    assert_eq!(event.end_date, Some(date(2024, 7, 3)));
    assert_eq!(event.title, Some(texts(&[("ru", "Визит")])));
    assert_eq!(event.summary, Some(texts(&[("en", "Two lines\nof text")])));
    let place = event.place.unwrap().name.unwrap();
    assert_eq!(place, texts(&[("en", "The palace, Astana")]));

    let expected = [
        (6, "DTSTART"),
        (10, "LOCATION"),
        (12, "CATEGORIES"),
        (13, "RRULE"),
        (14, "GEO"),
    ];
    assert_eq!(places(&notes), expected);
}

#[test]
fn what_is_missing_is_made_up_for_with_a_note() {
    let (found, notes) = one("DTSTART:20240702\nDTEND:20240702\nSUMMARY:A visit\nSTATUS:odd");
    assert!(found.id.as_str().starts_with("ics-avisit-"), "{}", found.id);
    assert_eq!(found.event.status(), EventStatus::Concluded);
    assert_eq!(found.event.end_date, None);

    let expected = [(3, "UID"), (3, "DTSTAMP"), (5, "DTEND"), (7, "STATUS")];
    assert_eq!(places(&notes), expected);
    let again = one("DTSTART:20240702\nDTEND:20240702\nSUMMARY:A visit").0;
    assert_eq!(found.id, again.id);
}

#[test]
fn what_is_wrong_is_refused_by_its_line() {
    let whole = "UID:a\nDTSTAMP:20240101T000000Z\nDTSTART:20240702\nSUMMARY:A visit\n";
    let with = |line: &str| calendar(&format!("{whole}{line}"));
    let instead = |line: &str, other: &str| calendar(whole).replace(line, other);
    let cases = [
        (
            instead("DTSTART:20240702", "DTSTART:INVALID-DATE"),
            6,
            "DTSTART",
        ),
        (
            instead("DTSTART:20240702", "DTSTART:20230229"),
            6,
            "DTSTART",
        ),
        (
            instead("DTSTART:20240702", "DTSTART:20231301"),
            6,
            "DTSTART",
        ),
        (instead("DTSTART:20240702", "RDATE:20240702"), 6, "RDATE"),
        (instead("DTSTART:20240702", "COMMENT:none"), 3, "VEVENT"),
        (
            instead("SUMMARY:A visit", "SUMMARY:A\u{202E}visit"),
            7,
            "SUMMARY",
        ),
        (
            instead("SUMMARY:A visit", "SUMMARY:A\u{200B}visit"),
            7,
            "SUMMARY",
        ),
        (
            instead("SUMMARY:A visit", "SUMMARY:A\u{7}visit"),
            7,
            "SUMMARY",
        ),
        (
            instead("SUMMARY:A visit", "SUMMARY:A\r\n \u{7}visit"),
            8,
            "SUMMARY",
        ),
        (instead("SUMMARY:A visit", "SUMMARY:"), 7, "SUMMARY"),
        (instead("SUMMARY:A visit", "COMMENT:A visit"), 3, "VEVENT"),
        (with("DTEND:20240701"), 8, "DTEND"),
        (with("DTEND:20240732"), 8, "DTEND"),
        (with("DTEND:20270101"), 8, "DTEND"),
        (with("DURATION:P1H"), 8, "DURATION"),
        (with("DURATION:P9999W"), 8, "DURATION"),
        (with("DTSTART:20240703"), 8, "DTSTART"),
        (with("LOCATION"), 8, "LOCATION"),
        (
            with(&format!("LOCATION:{}", "x".repeat(201))),
            8,
            "LOCATION",
        ),
        (with("DESCRIPTION:\u{200F}hidden"), 8, "DESCRIPTION"),
        (with("X-ENTENTE-KIND:PARTY"), 8, "X-ENTENTE-KIND"),
        (
            with("X-ENTENTE-PARTICIPANT;X-COUNTRY=KAZ:a"),
            8,
            "X-ENTENTE-PARTICIPANT",
        ),
        (
            with("X-ENTENTE-PARTICIPANT;X-ROLE=GUEST;X-COUNTRY=XX:a"),
            8,
            "X-ENTENTE-PARTICIPANT",
        ),
        (
            with("X-ENTENTE-PERSON;X-PARTICIPANT=7;LANGUAGE=en:a"),
            8,
            "X-ENTENTE-PERSON",
        ),
        (
            with("X-ENTENTE-SOURCE;X-READ=2024-13:a"),
            8,
            "X-ENTENTE-SOURCE",
        ),
        (
            with("X-ENTENTE-TITLE;LANGUAGE=en:twice"),
            8,
            "X-ENTENTE-TITLE",
        ),
        (
            with("X-ENTENTE-TITLE;LANGUAGE=e_n:no tag"),
            8,
            "X-ENTENTE-TITLE",
        ),
        (with("X-ENTENTE-CAMEO:visit"), 8, "X-ENTENTE-CAMEO"),
        (with("BEGIN:VALARM\r\nTRIGGER:-PT1H"), 8, "VALARM"),
        (with("END:VALARM"), 8, "VALARM"),
        (with("END:VEVENT"), 9, "VEVENT"),
        (instead("END:VEVENT\r\n", ""), 3, "VEVENT"),
        (instead("END:VCALENDAR\r\n", ""), 1, "VCALENDAR"),
        (
            instead("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", ""),
            1,
            "VEVENT",
        ),
        (
            instead("VERSION:2.0", "VERSION:2.0\r\nCALSCALE:HEBREW"),
            3,
            "CALSCALE",
        ),
        (with(&"BEGIN:VALARM\r\n".repeat(20)), 22, "VALARM"),
        ("\r\n".into(), 1, "VCALENDAR"),
        ("<html></html>".into(), 1, ""),
    ];
    for (content, line, property) in cases {
        let refused = refusals(&content);
        let is_it = |(at, name, _): &(i32, String, String)| (*at, &name[..]) == (line, property);
        assert!(refused.iter().any(is_it), "{content}\n{refused:?}");
    }
    assert_eq!(refusals(&calendar(whole)), []);
}

#[test]
fn a_line_that_is_no_text_is_named() {
    let mut content = calendar("UID:a\nDTSTART:20240702\nSUMMARY:A\r\n visit").into_bytes();
    let place = content
        .windows(5)
        .position(|bytes| bytes == b"visit")
        .unwrap();
    content[place] = 0xE9;
    let (found, report) = read(&content, &defaults());
    assert_eq!(found.len(), 0);
    let refused = told(report.refusals.into_wire());
    assert_eq!(refused[0].0, 7);
    assert_eq!(refused[0].1, "SUMMARY");
}

#[test]
fn a_fault_leaves_the_other_events_alone() {
    let good = "BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20240801\r\nSUMMARY:Good\r\nEND:VEVENT\r\n";
    for bad in [
        "BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20240702\r\nSUMMARY:Not closed\r\n",
        "BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20240702\r\nSUMMARY:Bad\r\nno line\r\nEND:VEVENT\r\n",
        "BEGIN:VEVENT\r\nBEGIN:VALARM\r\nUID:a\r\nEND:VEVENT\r\n",
        "END:VEVENT\r\n",
        "BEGIN:VTODO\r\nSUMMARY:Not closed\r\n",
        "no line\r\n",
    ] {
        let content = format!("BEGIN:VCALENDAR\r\n{bad}{good}END:VCALENDAR\r\n");
        let (found, report) = read(content.as_bytes(), &defaults());
        assert_eq!(found.len(), 1, "{content}");
        assert_eq!(report.refusals.len(), 1, "{content}");
    }
}

#[test]
fn components_of_other_kinds_are_passed_over_with_one_note_each() {
    let alarm = "BEGIN:VALARM\nSUMMARY:x\nDTSTART:bad\nEND:VALARM\n";
    let (found, notes) = one(&format!(
        "UID:a@entente\nDTSTAMP:20240101T000000Z\n{alarm}{alarm}DTSTART:20240702\nSUMMARY:A visit"
    ));
    assert_eq!(found.id.as_str(), "a");
    assert_eq!(notes.len(), 1);
    assert_eq!((notes[0].0, &notes[0].1[..]), (6, "VALARM"));
    let zone = "BEGIN:VTIMEZONE\r\nBEGIN:STANDARD\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
    let content = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{zone}{zone}END:VCALENDAR\r\n");
    let notes = told(read(content.as_bytes(), &defaults()).1.notes.into_wire());
    assert_eq!(notes.len(), 1);
    assert_eq!((notes[0].0, &notes[0].1[..]), (3, "VTIMEZONE"));
}

#[test]
fn an_occurrence_of_another_event_is_left_out() {
    let content = calendar("UID:a\nRECURRENCE-ID:20240702\nDTSTART:20240703\nSUMMARY:Moved");
    let (found, report) = read(content.as_bytes(), &defaults());
    assert_eq!((found.len(), report.refusals.len()), (0, 0));
    assert_eq!(told(report.notes.into_wire())[0].0, 5);
}

#[test]
fn line_ends_and_a_mark_are_mended_with_a_note_each() {
    let content = calendar("UID:a\nDTSTAMP:20240101T000000Z\nDTSTART:20240702\nSUMMARY:A visit");
    for content in [content.replace("\r\n", "\n"), content.replace("\r\n", "\r")] {
        let content = format!("\u{FEFF}{content}");
        let (found, report) = read(content.as_bytes(), &defaults());
        assert_eq!(found.len(), 1);
        let notes = told(report.notes.into_wire());

        assert_eq!(places(&notes), [(1, ""), (1, "")]);
    }
}

fn texts_of_events() -> impl Strategy<Value = String> {
    let checked = |text: &String| proto::check_name(text, 200).is_ok_and(|one| one == *text);
    "\\PC{1,80}".prop_filter("a text that is taken as it is", checked)
}

proptest! {
    #[test]
    fn any_event_comes_back(
        title in texts_of_events(),
        other in texts_of_events(),
        name in texts_of_events(),
        day in 1..=28_i32,
        lasts in 0..=600_i32,
    ) {
        let start = date(2024, 2, day);
        let first = proto::CivilDate::try_from(start).unwrap().first();
        let participant = Participant {
            person: Some(texts(&[("en", &name), ("ru", &other)])),
            ..country("KAZ")
        };
        let source = Source {
            publisher: name.clone(),
            note: format!("{other}\n{title}"),
            title: other.clone(),
            ..source()
        };
        let event = Event {
            title: Some(texts(&[("en", &title), ("fr", &other)])),
            summary: Some(texts(&[("en", &format!("{other}\n\n{name}"))])),
            place: Some(Place { country: String::new(), name: Some(texts(&[("en", &name)])) }),
            participants: vec![participant],
            sources: vec![source],
            start_date: Some(start),
            end_date: Some(first.plus(lasts).into()),
            ..visit("any", 1)
        };
        comes_back(&event, "en");
    }

    #[test]
    fn nothing_that_is_sent_makes_it_panic(content in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut report = Report::default();
        prop_assert!(find(&content, in_english(&defaults()), &mut report).is_ok());
    }

    #[test]
    fn nothing_that_is_nearly_a_calendar_makes_it_panic(
        rows in proptest::collection::vec((row(), end()), 0..60),
    ) {
        let rows: Vec<String> = rows.into_iter().map(|(row, end)| row + end).collect();
        let content = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{}", rows.concat());
        let mut report = Report::default();
        let found = find(content.as_bytes(), in_english(&defaults()), &mut report).unwrap();
        for Found { event, .. } in found {
            prop_assert_eq!(Record::<Model>::check(event.clone()), Ok(event));
        }
    }
}

fn row() -> impl Strategy<Value = String> {
    let names = [
        "BEGIN",
        "END",
        "UID",
        "DTSTAMP",
        "DTSTART",
        "DTEND;VALUE=DATE",
        "DTEND",
        "DURATION",
        "SUMMARY",
        "SUMMARY;LANGUAGE=\"ru\"",
        "DESCRIPTION",
        "LOCATION",
        "STATUS",
        "RRULE",
        "RECURRENCE-ID",
        "X-ENTENTE-KIND",
        "X-ENTENTE-STATUS",
        "X-ENTENTE-THEMES",
        "X-ENTENTE-DATE-PRECISION",
        "X-ENTENTE-END-PRECISION",
        "X-ENTENTE-TITLE;LANGUAGE=ru",
        "X-ENTENTE-PLACE;LANGUAGE=ru",
        "X-ENTENTE-PARTICIPANT;X-ROLE=HOST;X-COUNTRY=KAZ",
        "X-ENTENTE-PERSON;X-PARTICIPANT=1;LANGUAGE=ru",
        "X-ENTENTE-ORGANISATION;X-PARTICIPANT=1;LANGUAGE=ru",
        "X-ENTENTE-SOURCE;X-PUBLISHER=^'a;X-READ=2024",
        "X-ENTENTE-LINK;X-KIND=FOLLOWS_UP",
        "X-ENTENTE-CAMEO",
        "X-ODD;A=\"",
        "",
        " ",
        "\t",
        "Ä",
    ];
    let values = [
        "VEVENT",
        "VEVENT",
        "VEVENT",
        "VALARM",
        "VCALENDAR",
        "20240702",
        "20240702T093000Z",
        "20230229",
        "00010101",
        "99991231",
        "P1D",
        "-P1D",
        "P99999999999999999999W",
        "YEAR",
        "MONTH",
        "DAY",
        "VISIT",
        "CONFIRMED",
        "POLITICAL_TRUST,POLITICAL_TRUST",
        "a@entente",
        "-@entente",
        "events/a",
        "042",
        "a\\n\\,\\",
        "\u{202E}",
        "\u{FEFF}",
        "",
    ];
    let row = (
        proptest::sample::select(names.to_vec()),
        proptest::sample::select(values.to_vec()),
    );
    prop_oneof![
        9 => row.prop_map(|(name, value)| format!("{name}:{value}")),
        1 => "\\PC{0,40}",
    ]
}

fn end() -> impl Strategy<Value = &'static str> {
    prop_oneof![9 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("\r\n "), 1 => Just("")]
}

#[test]
fn a_calendar_of_a_megabyte_is_read_in_one_pass() {
    for line in [
        "A:\n",
        "x\n",
        " x\n",
        "BEGIN:VEVENT\n",
        "BEGIN:A\nEND:A\n",
        "SUMMARY:a\n",
        "\n",
        "\r",
        "A;B=\"",
        "^",
    ] {
        let content = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}",
            line.repeat(990_000 / line.len())
        );
        let mut report = Report::default();
        let defaults = defaults();
        let began = std::time::Instant::now();
        let found = find(content.as_bytes(), in_english(&defaults), &mut report);
        assert!(found.is_err() || found.unwrap().is_empty());
        // It takes a fraction of that; what grows with the square would take hours.
        assert!(began.elapsed().as_secs() < 30, "{line:?}");
    }
}

// What the service does with them.

fn folder_and_store() -> (tempfile::TempDir, Store<Model>) {
    let folder = tempfile::tempdir().unwrap();
    let config = store::Config {
        ballast_bytes: 0,
        ..store::Config::default()
    };
    let store = Store::open(folder.path(), &config).unwrap();
    (folder, store)
}

async fn create(store: &Store<Model>, event: Event) -> Event {
    let id = parse_event_name(&event.name).unwrap();
    let new = New::<Model, Event>::checked(id, Record::<Model>::check(event).unwrap(), true);
    let decide = move |state: &State<'_>, stamp| new.decide(state, stamp, None);
    store.write(Origin::default(), decide).await.unwrap().reply
}

fn asked(content: &str) -> ImportCalendarRequest {
    ImportCalendarRequest {
        content: content.as_bytes().to_vec(),
        defaults: Some(defaults()),
        ..ImportCalendarRequest::default()
    }
}

async fn import(
    store: &Store<Model>,
    request: ImportCalendarRequest,
) -> Result<ImportCalendarResponse, Error> {
    let (import, origin) = Import::parse(tonic::Request::new(request))?;
    let request: Option<Request> = origin.request;
    let decide =
        move |state: &State<'_>, stamp: store::Stamp| import.decide(state, stamp.time, request);
    Ok(store.write(origin, decide).await?.reply)
}

fn export(store: &Store<Model>, request: ExportCalendarRequest) -> Vec<String> {
    let mut export = Export::try_from(request).unwrap();
    let mut parts = Vec::new();
    loop {
        match store.read(|state| export.next(state)).unwrap() {
            Piece::Message(body) => {
                assert_eq!(body.content_type, "text/calendar; charset=utf-8");
                parts.push(String::from_utf8(body.data).unwrap());
            }
            Piece::Nothing => {}
            Piece::End => return parts,
        }
    }
}

fn two() -> String {
    let event = |uid: &str, day: u8| {
        format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:202407{day:02}\r\nSUMMARY:{uid}\r\nEND:VEVENT\r\n"
        )
    };
    let events = event("one@entente", 1) + &event("two@entente", 2);
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
}

fn names(answer: &ImportCalendarResponse) -> Vec<&str> {
    answer.events.iter().map(|event| &event.name[..]).collect()
}

fn violations(error: Error) -> Vec<(String, String)> {
    let Error::Invalid(violations) = error else {
        panic!("{error}");
    };
    let told = violations
        .iter()
        .map(|(field, why)| (field.to_owned(), why.to_owned()));
    told.collect()
}

#[tokio::test]
async fn events_are_created_once() {
    let (_folder, store) = folder_and_store();
    let request = ImportCalendarRequest {
        request_id: "e6f2ff62-5bd0-4b5f-8d4c-2a4d9c4b4c11".into(),
        ..asked(&two())
    };
    create(&store, visit("two", 20)).await;
    let first = import(&store, request.clone()).await.unwrap();
    assert_eq!(names(&first), ["events/one"]);
    assert_eq!(first.events[0].title, Some(texts(&[("en", "one@entente")])));
    let notes = told(first.notes.clone());
    assert!(
        notes
            .iter()
            .any(|(line, name, _)| (*line, &name[..]) == (8, "UID")),
        "{notes:?}"
    );
    let again = import(&store, request.clone()).await.unwrap();
    assert_eq!(again, first);
    let other = ImportCalendarRequest {
        skip_refused: true,
        ..request
    };
    let reused = import(&store, other).await.unwrap_err();
    assert!(matches!(reused, Error::RequestIdReused));
    let anew = import(&store, asked(&two())).await.unwrap();
    assert_eq!(names(&anew), [""; 0]);
    store.close().await;
}

#[tokio::test]
async fn a_repeated_request_answers_what_is_left_of_its_events() {
    let (_folder, store) = folder_and_store();
    let request = ImportCalendarRequest {
        request_id: "e6f2ff62-5bd0-4b5f-8d4c-2a4d9c4b4c12".into(),
        ..asked(&two())
    };
    import(&store, request.clone()).await.unwrap();
    let delete = wire::DeleteEventRequest {
        name: "events/one".into(),
        ..wire::DeleteEventRequest::default()
    };
    let (removed, origin) = Removed::<Model, Event>::parse(tonic::Request::new(delete)).unwrap();
    let decide = move |state: &State<'_>, _| removed.decide(state, None);
    store.write(origin, decide).await.unwrap();
    let again = import(&store, request).await.unwrap();
    assert_eq!(names(&again), ["events/two"]);
    store.close().await;
}

#[tokio::test]
async fn what_looks_like_another_is_refused_by_its_line() {
    let (_folder, store) = folder_and_store();
    create(&store, visit("there", 1)).await;
    let same_day = two().replace("20240702", "20240705\r\nDTEND:20240709");
    let third =
        "BEGIN:VEVENT\r\nUID:three@entente\r\nDTSTART:20240706\r\nSUMMARY:3\r\nEND:VEVENT\r\n";
    let content = same_day.replace("END:VCALENDAR", &format!("{third}END:VCALENDAR"));
    let refused = violations(import(&store, asked(&content)).await.unwrap_err());
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert_eq!(refused[0].0, "content[line 3]");
    assert!(refused[0].1.contains("events/there"), "{refused:?}");
    assert_eq!(refused[1].0, "content[line 14]");
    assert!(refused[1].1.contains("events/two"), "{refused:?}");

    let skip_refused = ImportCalendarRequest {
        skip_refused: true,
        validate_only: true,
        ..asked(&content)
    };
    let (looked, _) = Import::parse(tonic::Request::new(skip_refused.clone())).unwrap();
    assert!(looked.validate_only());
    let looked = store.read(|state| looked.decide(state, 0, None)).unwrap();
    assert_eq!(names(&looked.reply), ["events/two"]);
    assert_eq!(
        (
            looked.reply.events[0].etag.as_str(),
            looked.reply.refusals.len()
        ),
        ("", 2)
    );

    let allowed = ImportCalendarRequest {
        allow_duplicate: true,
        ..asked(&content)
    };
    let created = import(&store, allowed).await.unwrap();
    assert_eq!(
        names(&created),
        ["events/one", "events/two", "events/three"]
    );
    store.close().await;
}

#[tokio::test]
async fn a_refusal_keeps_all_out_unless_it_is_to_be_skipped() {
    let (_folder, store) = folder_and_store();
    let content = two().replace("DTSTART:20240701", "DTSTART:INVALID-DATE");
    let refused = violations(import(&store, asked(&content)).await.unwrap_err());
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].0, "content[line 5]");
    assert!(
        refused[0]
            .1
            .starts_with("DTSTART: `INVALID-DATE` is no date")
    );
    let request = ImportCalendarRequest {
        skip_refused: true,
        ..asked(&content)
    };
    let answer = import(&store, request).await.unwrap();
    assert_eq!(names(&answer), ["events/two"]);
    assert_eq!(answer.refusals.len(), 1);
    store.close().await;
}

#[test]
fn a_request_is_refused_by_field() {
    let fields = |request: ImportCalendarRequest| {
        let violations = Import::parse(tonic::Request::new(request)).unwrap_err();
        let fields: Vec<String> = violations.iter().map(|(field, _)| field.into()).collect();
        fields.join(" ")
    };
    let defaults = Event {
        name: "events/a".into(),
        kind: 99,
        participants: vec![country("XX")],
        title: Some(texts(&[("en", "no")])),
        ..Event::default()
    };
    let wrong = ImportCalendarRequest {
        defaults: Some(defaults),
        language_code: "e_n".into(),
        request_id: "no".into(),
        ..ImportCalendarRequest::default()
    };
    assert_eq!(
        fields(wrong),
        "request_id language_code defaults.name defaults.title defaults.kind \
         defaults.participants[0].country content"
    );
    assert_eq!(
        fields(ImportCalendarRequest {
            defaults: None,
            ..asked("x")
        }),
        "defaults"
    );
    assert_eq!(fields(asked(&"x".repeat(1_000_001))), "content");
    let event = "BEGIN:VEVENT\r\nEND:VEVENT\r\n";
    assert_eq!(fields(asked(&event.repeat(501))), "content");
}

#[test]
fn what_comes_to_more_than_one_write_is_refused() {
    let event = |id: usize| {
        format!("BEGIN:VEVENT\r\nUID:{id}\r\nDTSTART:20240702\r\nSUMMARY:A visit\r\nEND:VEVENT\r\n")
    };
    let events: Vec<String> = (0..400).map(event).collect();
    let mut request = asked(&format!(
        "BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n",
        events.concat()
    ));
    let note = Source {
        note: "x".repeat(1_000),
        ..source()
    };
    request.defaults = Some(Event {
        sources: vec![note; 6],
        ..defaults()
    });
    let violations = Import::parse(tonic::Request::new(request)).unwrap_err();
    assert!(
        violations
            .to_string()
            .starts_with("content: its events are"),
        "{violations}"
    );
}

#[tokio::test]
async fn an_export_is_of_one_instant_in_parts() {
    let (_folder, store) = folder_and_store();
    for number in 0..250 {
        create(
            &store,
            visit(&format!("visit-{number:03}"), 1 + number % 28),
        )
        .await;
    }
    let mut export_of_all = Export::try_from(ExportCalendarRequest {
        calendar_name: "Visits, all".into(),
        ..ExportCalendarRequest::default()
    })
    .unwrap();
    let mut next = || match store.read(|state| export_of_all.next(state)).unwrap() {
        Piece::Message(body) => String::from_utf8(body.data).unwrap(),
        Piece::Nothing => String::new(),
        Piece::End => "over".into(),
    };
    let head = next();
    assert!(
        head.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Entente//"),
        "{head}"
    );
    assert!(
        head.contains("\r\nNAME:Visits\\, all\r\nX-WR-CALNAME:Visits\\, all\r\n"),
        "{head}"
    );
    let first = next();
    create(&store, visit("visit-later", 28)).await;
    let rest = next();
    let count = |part: &str| part.matches("BEGIN:VEVENT\r\n").count();
    assert_eq!((count(&first), count(&rest)), (200, 50));
    assert!(rest.ends_with("END:VCALENDAR\r\n"));
    assert_eq!(next(), "over");

    let of_nobody = ExportCalendarRequest {
        filter: Some(EventFilter {
            country: "FJI".into(),
            ..EventFilter::default()
        }),
        ..ExportCalendarRequest::default()
    };
    let text = export(&store, of_nobody).concat();
    assert_eq!(count(&text), 0);
    assert!(text.ends_with("END:VCALENDAR\r\n"));
    store.close().await;
}

#[tokio::test]
async fn a_change_shows_in_the_sequence_and_an_earlier_instant_does_not_know_it() {
    let (_folder, store) = folder_and_store();
    let created = create(&store, full()).await;
    let update = UpdateEventRequest {
        event: Some(Event {
            name: created.name.clone(),
            status: EventStatus::Cancelled.into(),
            ..Event::default()
        }),
        ..UpdateEventRequest::default()
    };
    let (changed, origin) = Changed::<Model, Event>::parse(tonic::Request::new(update)).unwrap();
    let decide = move |state: &State<'_>, stamp| changed.decide(state, stamp, None);
    store.write(origin, decide).await.unwrap();

    let now = export(&store, ExportCalendarRequest::default()).concat();
    assert!(
        now.contains("\r\nSEQUENCE:1\r\nSTATUS:CANCELLED\r\n"),
        "{now}"
    );
    let then = ExportCalendarRequest {
        as_of: created.update_time,
        ..ExportCalendarRequest::default()
    };
    let then = export(&store, then).concat();
    assert!(
        then.contains("\r\nSEQUENCE:0\r\nSTATUS:CONFIRMED\r\n"),
        "{then}"
    );

    // What was exported is there: nothing is to be done.
    let answer = import(&store, asked(&now)).await.unwrap();
    assert_eq!((answer.events.len(), answer.refusals.len()), (0, 0));
    let (_other_folder, other) = folder_and_store();
    let answer = import(&other, asked(&now)).await.unwrap();
    let expected = Event {
        status: EventStatus::Cancelled.into(),
        ..full()
    };
    let id = Slug::parse("full").unwrap();
    let there = other
        .read(|state| records::get::<Model, Event>(state, &id, None))
        .unwrap();
    assert_eq!(answer.events, std::slice::from_ref(&there));
    assert_eq!(
        Record::<Model>::check(there),
        Record::<Model>::check(expected)
    );
    store.close().await;
    other.close().await;
}

// The samples beside the project, where they are; none of them may be copied into it.

fn sample(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("ENTENTE_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = folder.join("ics");
    if folder.is_dir() {
        return Some(std::fs::read(folder.join(name)).unwrap());
    }
    let why = "the sample files are not at hand; ENTENTE_SHARED_DATA may name their folder";
    let required = std::env::var("ENTENTE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|one| one == "samples"), "{why}");
    println!("NOT CHECKED: {why}");
    None
}

/// Days of the events of a sample, its notes and its refusals, each by line and property.
fn read_sample(name: &str) -> Option<(Vec<String>, Vec<String>, Vec<String>)> {
    let (found, report) = read(&sample(name)?, &defaults());
    let days = found.iter().map(|found| {
        let (first, last) = crate::event::days(&found.event).unwrap();
        format!("{first} {last}")
    });
    let short = |remarks: Vec<CalendarRemark>| -> Vec<String> {
        let remarks = remarks.into_iter();
        remarks
            .map(|one| format!("{} {}", one.line, one.property))
            .collect()
    };
    let (notes, refusals) = (report.notes.into_wire(), report.refusals.into_wire());
    Some((days.collect(), short(notes), short(refusals)))
}

#[test]
fn samples_that_are_whole_are_read() {
    let Some(holidays) = read_sample("example.ics") else {
        return;
    };
    let (days, notes, refusals) = holidays;
    assert_eq!(
        days,
        [
            "2022-01-01 2022-01-01",
            "2022-01-07 2022-01-07",
            "2022-03-08 2022-03-08"
        ]
    );
    assert_eq!(
        notes,
        [
            "11 DTEND",
            "19 DTSTAMP",
            "22 DTEND",
            "30 DTSTAMP",
            "33 DTEND"
        ]
    );
    assert_eq!(refusals, [""; 0]);

    let (days, notes, refusals) = read_sample("timezoned.ics").unwrap();
    assert_eq!(days, ["2012-02-13 2012-02-17"]);
    assert_eq!(notes, ["1 ", "8 VTIMEZONE", "27 DTSTART"]);
    assert_eq!(refusals, [""; 0]);

    let (days, notes, refusals) = read_sample("issue_218_bad_tzid.ics").unwrap();
    assert_eq!(days, ["2017-02-28 2017-02-28"]);
    assert_eq!(notes, ["1 ", "4 VTIMEZONE", "17 DTSTART", "18 RESOURCES"]);
    assert_eq!(refusals, [""; 0]);

    let (days, notes, refusals) = read_sample("issue_127_categories_with_commas.ics").unwrap();
    assert_eq!(days, ["2014-02-04 2014-02-04"]);
    assert_eq!(notes, ["1 ", "7 DTSTART", "9 CATEGORIES"]);
    assert_eq!(refusals, [""; 0]);

    let (days, notes, refusals) = read_sample("calendar_with_unicode.ics").unwrap();
    assert_eq!((days.len(), notes.len(), refusals.len()), (0, 0, 0));

    let (days, notes, refusals) = read_sample("bom_calendar.ics").unwrap();
    assert_eq!((days.len(), refusals.len()), (0, 0));
    assert_eq!(notes, ["1 ", "1 VCALENDAR"]);
}

#[test]
fn samples_that_are_broken_are_refused_by_line() {
    let Some((days, _, refusals)) = read_sample("broken_dtstart.ics") else {
        return;
    };
    assert_eq!(days, [""; 0]);
    assert_eq!(refusals, ["4 VEVENT", "6 DTSTART"]);

    // None of them has a date that it starts on, nor a title.
    let (days, _, refusals) = read_sample("rfc_5545_RDATE_example.ics").unwrap();
    assert_eq!(days, [""; 0]);
    let dates = refusals.iter().filter(|one| one.ends_with(" RDATE"));
    let dates: Vec<&String> = dates.collect();
    assert_eq!(
        dates,
        [
            "4 RDATE", "8 RDATE", "12 RDATE", "16 RDATE", "21 RDATE", "26 RDATE"
        ]
    );
}
