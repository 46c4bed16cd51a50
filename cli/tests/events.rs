//! Events and agreements: how they come in, the questions to them, and calendars.

mod common;

use common::{Server, entente, run};

const EVENTS: &str = "\
id,kind,status,start_date,end_date,title_en,title_fr,countries,host,place,place_country,themes,source_title,source_publisher
visit-2013,state visit,concluded,2013-09,,Visit of 2013,,KAZ;CHN,KAZ,Astana,KAZ,,Chronicle,Ministry
visit-2024,state-visit,concluded,2024-07-02,2024-07-04,State visit,Visite d'État,KAZ;CHN,KAZ,Astana,KAZ,political-trust,Programme,Embassy
summit-2025,summit,planned,2025-06-16,2025-06-18,=Summit,,CHN;KAZ;UZB,KAZ,Astana,KAZ,,Programme,Embassy
";

const AGREEMENTS: &str = "\
id,kind,parties,title_en,signed,ratified,in_force,event,source_title,source_publisher
visa-2023,agreement,CHN;KAZ,Exemption from visas,2023-05-17;2023-05,KAZ:2023-08-01,2023-11-10,visit-2024,Notice,Embassy
";

fn start() -> Server {
    let server = Server::start_role("events");
    let events = server.run_with(&["events", "import", "-"], EVENTS.as_bytes());
    assert_eq!(events.code, 0, "{events:?}");
    assert!(events.out.contains("new 3, unchanged 0, rejected 0"));
    let agreements = server.run_with(&["agreements", "import", "-"], AGREEMENTS.as_bytes());
    assert_eq!(agreements.code, 0, "{agreements:?}");
    server
}

#[test]
fn rows_come_in_once_and_are_told_when_they_say_something_else() {
    let server = start();
    let again = server.run_with(&["events", "import", "-"], EVENTS.as_bytes());
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.out.contains("unchanged 3"), "{again:?}");
    assert!(again.out.contains("nothing changed"), "{again:?}");
    let changed = EVENTS
        .replace("Visit of 2013", "Another title")
        .replace("summit,planned", "tea,planned");
    let changed = server.run_with(&["events", "import", "-"], changed.as_bytes());
    assert_eq!(changed.code, 3, "{changed:?}");
    assert!(changed.err.contains("line 2, id: the stored event"));
    assert!(changed.err.contains("line 4, kind: `tea`"), "{changed:?}");
    let twin = EVENTS.replace("visit-2024,", "visit-2024-again,");
    let twin = server.run_with(&["events", "import", "-"], twin.as_bytes());
    assert_eq!(twin.code, 3, "{twin:?}");
    assert!(
        twin.err
            .contains("line 3, id: looks like events/visit-2024")
    );
    assert!(!server.ask(&["events", "list"]).contains("again"));
}

#[test]
fn events_are_listed_in_a_language_with_their_sources() {
    let server = start();
    let pair = ["events", "list", "--pair", "CHN", "KAZ"];
    let table = server.ask(&[&pair[..], &["--language", "fr", "--kind", "state-visit"]].concat());
    assert!(table.contains("Visite d'État"), "{table}");
    assert!(table.contains("2024-07-02 to 2024-07-04"), "{table}");
    assert!(table.contains("2 events"), "{table}");
    assert!(table.contains("[2] Embassy: Programme"), "{table}");
    let csv = server.ask(&[&pair[..], &["--output", "csv", "--from", "2025"]].concat());
    assert!(csv.contains(",'=Summit,"), "{csv}");
    let json = server.ask(&[&pair[..], &["-o", "json", "--limit", "1"]].concat());
    assert!(json.contains("\"nextPageToken\""), "{json}");
    let shown = server.ask(&["events", "show", "visit-2024"]);
    assert!(shown.contains("title fr    Visite d'État"), "{shown}");
    assert!(shown.contains("host        KAZ"), "{shown}");
}

#[test]
fn a_pair_has_a_timeline_meetings_and_counts() {
    let server = start();
    let timeline = server.ask(&["events", "timeline", "CHN", "KAZ", "--from", "2023"]);
    for what in [
        "agreement ratified by KAZ",
        "state visit",
        "summit, planned",
    ] {
        assert!(timeline.contains(what), "{timeline}");
    }
    let meetings = server.ask(&["events", "meetings", "CHN", "KAZ", "--on", "2024-07-10"]);
    assert!(meetings.contains("last        2024-07-02"), "{meetings}");
    assert!(meetings.contains("next        2025-06-16"), "{meetings}");
    let count = server.ask(&["events", "count", "CHN", "KAZ", "--from-year", "2024"]);
    assert!(count.contains("1 meetings"), "{count}");
    let on = |day| {
        let states = ["agreements", "states", "--pair", "CHN", "KAZ", "--on", day];
        server.ask(&states)
    };
    assert!(on("2023-11-09").contains("signed, ratified by KAZ"));
    assert!(on("2023-11-10").contains("in force"));
}

#[test]
fn a_record_is_changed_under_its_etag_and_keeps_its_versions() {
    let server = start();
    let update = |etag: &str| {
        let record = br#"{"name": "events/visit-2024", "summary": {"texts": {"en": "Talks."}}}"#;
        let arguments = ["events", "update", "--file", "-", "--mask", "summary"];
        server.run_with(&[&arguments[..], &["--etag", etag]].concat(), record)
    };
    let stale = update("stale");
    assert_eq!(stale.code, 1, "{stale:?}");
    assert!(stale.err.contains("ETAG_MISMATCH"), "{stale:?}");
    let shown = server.ask(&["events", "show", "visit-2024"]);
    let etag = shown.lines().find_map(|line| line.strip_prefix("etag"));
    assert_eq!(update(etag.unwrap().trim()).code, 0);
    let versions = server.ask(&["events", "versions", "visit-2024"]);
    assert!(versions.contains("updated   summary"), "{versions}");
    assert!(versions.contains("created"), "{versions}");
    let changes = server.ask(&["events", "changes", "--country", "KAZ", "-o", "csv"]);
    assert!(changes.contains("events/visit-2024,updated,summary"));
    server.ask(&["agreements", "delete", "visa-2023"]);
    let gone = server.run(&["agreements", "show", "visa-2023"]);
    assert_eq!(gone.code, 1, "{gone:?}");
    assert!(gone.err.contains("NOT_FOUND"), "{gone:?}");
}

#[test]
fn a_calendar_is_written_and_read() {
    let server = start();
    let out = server.folder.path().join("relations.ics");
    let export = [
        "events", "calendar", "export", "--pair", "CHN", "KAZ", "--out",
    ];
    server.ask(&[&export[..], &[out.to_str().unwrap()]].concat());
    let calendar = std::fs::read_to_string(&out).unwrap();
    assert!(calendar.starts_with("BEGIN:VCALENDAR\r\n"), "{calendar}");
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 3, "{calendar}");
    let given = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a@example.org\r\n\
        DTSTAMP:20240101T000000Z\r\nDTSTART;VALUE=DATE:20190911\r\nSUMMARY:Visit\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:b@example.org\r\nDTSTART:soon\r\nSUMMARY:Another\r\nEND:VEVENT\r\n\
        END:VCALENDAR\r\n";
    let import = |more: &str| {
        let line = format!(
            "events calendar import - --kind visit --status concluded --country CHN --role host \
             --country KAZ --role guest --source-title Calendar --source-publisher Protocol {more}"
        );
        let arguments: Vec<&str> = line.split_whitespace().collect();
        server.run_with(&arguments, given.as_bytes())
    };
    assert_ne!(import("").code, 0);
    let skipped = import("--skip-refused");
    assert_eq!(skipped.code, 3, "{skipped:?}");
    assert!(skipped.err.contains("DTSTART: refused"), "{skipped:?}");
    assert!(skipped.out.contains("new 1, refused 1"), "{skipped:?}");
    let visits = server.ask(&["events", "list", "--to", "2019-12", "--from", "2019"]);
    assert!(visits.contains("2019-09-11"), "{visits}");
}

#[test]
fn changes_are_watched_from_a_position_on() {
    let server = start();
    let mut command = entente();
    let watch = ["events", "watch", "--pair", "CHN", "KAZ", "--after", "0"];
    command
        .env("ENTENTE_SERVER", &server.url)
        .args(watch)
        .stdout(std::process::Stdio::piped());
    let mut process = command.spawn().unwrap();
    let out = process.stdout.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(out));
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("recorded events/"), "{first}");
    assert!(first.split(' ').next().unwrap().parse::<u64>().is_ok());
    assert_eq!(common::interrupt(&mut process), 0);
}

#[test]
fn a_request_that_does_not_parse_names_the_choices() {
    let mut command = entente();
    command.args(["events", "list", "--kind", "tea"]);
    let ran = run(command, b"");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("telephone-call"), "{ran:?}");
}
