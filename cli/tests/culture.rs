//! Programmes, figures of exchange and visa rules: how they come in, and the questions to them.

mod common;

use common::{Server, entente};

const INSTITUTES: &str = "\
id,confucius_institute,partner_uni,date_est,location_name,nearest_city,country,status,ci_webpage,sources
1,Confucius Institute at Example University,Other University,2/23/09,Example University,Almaty,Kazakhstan,Closed,http://ci.example/,http://a.example/x
2,Confucius Institute of a place,,,of a place,Kowloon,China,Open,,
";

const DIPLOMACY: &str = "\
receiving_country,year,confucius_institutes,sister_cities_established,government_visits,military_visits,total_elite_visits,ambassador_op_eds,journalist_visits,media_partnerships,outbound_chinese_students,inbound_students_to_china
Kazakhstan,2016,5,1,9,2,11,N/A,5,N/A,N/A,100
Kazakhstan,2017,5,0,11,N/A,11,N/A,6,N/A,N/A,125
";

const SNAPSHOTS: &str = "\
snapshot_date,passport_iso3,destination_iso3,requirement
2019-11-23,KAZ,CHN,0
2019-11-23,CHN,KAZ,0
2023-11-06,KAZ,CHN,visa required
2023-11-06,CHN,KAZ,14
2023-12-03,KAZ,CHN,30
2023-12-03,CHN,KAZ,sometimes
";

#[test]
fn an_institute_keeps_what_was_concluded_apart_from_what_was_observed() {
    let server = Server::start_role("culture");
    let import = ["programmes", "import", "--layout", "bridash", "-"];
    let first = server.run_with(&import, INSTITUTES.as_bytes());
    assert_eq!(first.code, 3, "{first:?}");
    assert!(first.err.contains("line 3, country"), "{first:?}");
    let again = server.run_with(&import, INSTITUTES.as_bytes());
    assert!(again.out.contains("new 0, unchanged 1"), "{again:?}");
    let list = |option: &str| {
        let list = [
            "programmes",
            "list",
            "--pair",
            "CHN",
            "KAZ",
            option,
            "closed",
        ];
        server.ask(&list)
    };
    assert!(list("--inferred").contains("closed 2022-04-22"));
    assert!(list("--observed").contains("0 programmes"));
    let shown = server.ask(&["programmes", "show", "bridash-1"]);
    assert!(
        shown.contains("concluded   closed 2022-04-22 [1]"),
        "{shown}"
    );
    assert!(!shown.contains("observed "), "{shown}");
    assert!(shown.contains("host: Example University, KAZ"), "{shown}");
}

#[test]
fn what_is_not_available_is_never_zero() {
    let server = Server::start_role("culture");
    let import = ["measures", "import", "--layout", "aiddata", "-"];
    let first = server.run_with(&import, DIPLOMACY.as_bytes());
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.out.contains("new 20, revised 0"), "{first:?}");
    let revised = DIPLOMACY.replace(",125", ",150");
    let revised = server.run_with(&import, revised.as_bytes());
    assert!(
        revised.out.contains("revised 1, unchanged 19"),
        "{revised:?}"
    );
    let series = ["measures", "series", "--direction", "KAZ", "CHN"];
    let plotted = server.ask(&[&series[..], &["--plot"]].concat());
    assert!(plotted.contains("+50.0 %"), "{plotted}");
    assert!(plotted.contains('█'), "{plotted}");
    let visits = ["measures", "list", "--pair", "CHN", "KAZ", "--item"];
    let visits = server.ask(&[&visits[..], &["military-visits", "-o", "csv"]].concat());
    assert!(visits.contains("2016,2,,"), "{visits}");
    assert!(visits.contains("2017,,not available"), "{visits}");
}

#[test]
fn visa_rules_begin_and_end_between_snapshots() {
    let server = Server::start_role("culture");
    let import = server.run_with(&["visa", "import", "-"], SNAPSHOTS.as_bytes());
    assert_eq!(import.code, 3, "{import:?}");
    assert!(import.err.contains("line 7, requirement: `sometimes`"));
    assert!(import.out.contains("new 4, unchanged 0"), "{import:?}");
    let rules = |day| server.ask(&["visa", "rules", "KAZ", "CHN", "--on", day]);
    let between = rules("2023-11-20");
    assert!(between.contains("uncertain"), "{between}");
    assert!(between.contains("after 2023-11-06, by 2023-12-03"));
    let seen = rules("2023-11-06");
    assert!(seen.contains("visa required"), "{seen}");
    assert!(seen.contains("in force"), "{seen}");
    let before = rules("2019-11-22");
    assert!(before.contains("uncertain") && before.contains("by 2019-11-23"));
    let changes = ["visa", "changes", "KAZ", "CHN", "--since", "2023-11-06"];
    let changes = server.ask(&[&changes[..], &["--until", "2023-12-03"]].concat());
    assert!(changes.contains("KAZ to CHN: differs"), "{changes}");
    let listed = server.ask(&["visa", "list", "--country", "KAZ", "-o", "csv"]);
    assert_eq!(listed.lines().count(), 5, "{listed}");
    assert!(listed.contains(",,2019-11-23,2023-11-06,"), "{listed}");
}

#[test]
fn changes_are_shown_between_instants_and_watched_from_a_position_on() {
    let server = Server::start_role("culture");
    let measures = ["measures", "import", "--layout", "aiddata", "-"];
    server.run_with(&measures, DIPLOMACY.as_bytes());
    server.run_with(&["visa", "import", "-"], SNAPSHOTS.as_bytes());
    server.ask(&["visa", "delete", "passport-index-kaz-chn-2019-11-23"]);
    let table = server.ask(&["culture", "changes", "--pair", "CHN", "KAZ"]);
    assert!(table.contains("25 changes"), "{table}");
    assert!(table.contains("KAZ to CHN: visa free, 30 days"), "{table}");
    assert!(table.contains("military-visits 2016: 2 "), "{table}");
    assert!(table.contains("deleted"), "{table}");
    let none = ["culture", "changes", "--country", "RUS", "-o", "csv"];
    assert_eq!(server.ask(&none).lines().count(), 1);
    let later = server.ask(&["culture", "changes", "--since", "9000-01-01"]);
    assert!(later.contains("0 changes"), "{later}");

    let watched = |option: &str| {
        let mut command = entente();
        let watch = ["culture", "watch", "--pair", "CHN", "KAZ", "--after"];
        command
            .env("ENTENTE_SERVER", &server.url)
            .args(watch)
            .args(option.split(' '))
            .stdout(std::process::Stdio::piped());
        let mut process = command.spawn().unwrap();
        let out = process.stdout.take().unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(out));
        let first = lines.next().unwrap().unwrap();
        assert_eq!(common::interrupt(&mut process), 0);
        first
    };
    assert!(watched("0").contains(" recorded measures/"));
    let second = watched("1 --json");
    assert!(second.starts_with("{\"position\":\"2\""), "{second}");
    assert!(second.contains("visaRuleRecorded"), "{second}");
    assert!(watched("2").contains("deleted visaRules/passport-index-kaz-chn-2019-11-23"));
}
