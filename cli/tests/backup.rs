//! Journals are copied while they are served, carried on, verified, and become services again.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{Ran, Server, entente, interrupt, run};
use serde_json::Value;
use tempfile::TempDir;

const EVENTS: &str = "\
id,kind,status,start_date,title_en,countries,source_title,source_publisher
visit-2013,state visit,concluded,2013-09,Visit of 2013,KAZ;CHN,Chronicle,Ministry
visit-2024,state-visit,concluded,2024-07-02,State visit,KAZ;CHN,Programme,Embassy
";
const CALL: &str = "call-2025,telephone-call,concluded,2025-01-10,Call,KAZ;CHN,Notice,Ministry";

/// A server with events, recorded one after another, so that each is an entry.
fn start() -> Server {
    let server = Server::start_role("events");
    let rows = EVENTS.lines().skip(1);
    rows.for_each(|row| record(&server, row));
    server
}

fn record(server: &Server, row: &str) {
    import(&server.url, row);
}

fn import(url: &str, row: &str) {
    let titles = EVENTS.lines().next().unwrap();
    let mut command = entente();
    command.env("ENTENTE_SERVER", url);
    command.args(["events", "import", "-"]);
    let ran = run(command, format!("{titles}\n{row}\n").as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// Runs a command that needs no service.
fn offline(arguments: &[&str]) -> Ran {
    let mut command = entente();
    command.args(arguments);
    run(command, b"")
}

fn serve(data: &Path) -> (Child, String) {
    let data = data.to_str().unwrap();
    let (process, url, _) = common::start(&["serve", "--data", data, "--log", "warn"]);
    (process, url)
}

fn ask(url: &str, arguments: &[&str]) -> String {
    let mut command = entente();
    command.env("ENTENTE_SERVER", url).args(arguments);
    let ran = run(command, b"");
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out
}

/// All that can be asked of the records: as they are, their versions, and the changes.
fn answers(url: &str) -> Vec<String> {
    vec![
        ask(url, &["events", "list", "-o", "json"]),
        ask(url, &["events", "versions", "visit-2013", "-o", "json"]),
        ask(url, &["events", "changes", "-o", "json"]),
    ]
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

/// All services, with events, and a backup that was carried on after more was recorded and deleted.
fn carried_on(backup: &Path) -> Server {
    let server = Server::start_all();
    EVENTS.lines().skip(1).for_each(|row| record(&server, row));
    let path = backup.to_str().unwrap();
    let first = server.ask(&["backup", path]);
    for told in [
        "events   2 new entries, 2 in all",
        "trade    0 new entries",
        "is complete and on the disk",
    ] {
        assert!(first.contains(told), "{first}");
    }
    record(&server, CALL);
    server.ask(&["events", "delete", "visit-2024"]);
    let second = server.ask(&["backup", path, "--rate", "100MiB/s"]);
    assert!(
        second.contains("events   2 new entries, 4 in all"),
        "{second}"
    );
    server
}

#[test]
fn a_backup_is_carried_on_with_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    let server = carried_on(&backup);
    let before = manifest(&backup);
    let events = &before["journals"]["events"];
    assert_eq!(events["position"], 4);
    assert_eq!(events["entries"], 4);
    assert_eq!(events["service_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(events["parts"].as_array().unwrap().len(), 2);
    let nothing = server.ask(&["backup", backup.to_str().unwrap()]);
    assert!(
        nothing.contains("events   0 new entries, 4 in all"),
        "{nothing}"
    );
    assert_eq!(manifest(&backup), before);
}

#[test]
fn a_backup_that_was_carried_on_becomes_the_services_again() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, data) = (folder.path().join("backup"), folder.path().join("data"));
    let path = backup.to_str().unwrap();
    let server = carried_on(&backup);
    let verified = offline(&["verify", path]);
    assert_eq!(verified.code, 0, "{verified:?}");
    assert_eq!(verified.out.matches("whole").count(), 4, "{verified:?}");
    let verified = server.ask(&["verify", "--effort", "100"]);
    assert_eq!(verified.matches("whole").count(), 4, "{verified}");

    fs::create_dir_all(data.join("events")).unwrap();
    let restore = ["restore", path, "--data", data.to_str().unwrap()];
    let restored = offline(&restore);
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(restored.out.contains("Restored 4 entries"), "{restored:?}");
    assert_eq!(restored.err, "", "{restored:?}");
    assert_eq!(names(&data), ["culture", "events", "trade"]);
    let taken = offline(&restore);
    assert_eq!(taken.code, 1, "{taken:?}");
    assert!(taken.err.contains("is not empty"), "{taken:?}");
    let (mut again, url) = serve(&data);
    assert_eq!(answers(&url), answers(&server.url));
    // The backup goes on from what was restored as from what was copied.
    let from_restored = ask(&url, &["backup", path]);
    assert!(
        from_restored.contains("events   0 new entries"),
        "{from_restored}"
    );
    assert_eq!(interrupt(&mut again), 0);
}

#[test]
fn what_is_kept_copied_and_restored_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, data) = (folder.path().join("backup"), folder.path().join("data"));
    let server = carried_on(&backup);
    let files = [
        "culture.journal",
        "events.journal",
        "manifest.json",
        "trade.journal",
    ];
    assert_eq!(names(&backup), files);
    for name in files {
        assert_eq!(mode(&backup.join(name)), 0o600, "{name}");
    }
    let [path, to] = [&backup, &data].map(|folder| folder.to_str().unwrap());
    let restored = offline(&["restore", path, "--data", to]);
    assert_eq!(restored.code, 0, "{restored:?}");
    for made in [server.folder.path().join("events"), data.join("events")] {
        assert_eq!(mode(&made), 0o700);
        assert_eq!(mode(&made.join("journal")), 0o700);
        let segment = names(&made.join("journal")).remove(0);
        assert_eq!(mode(&made.join("journal").join(segment)), 0o600);
    }
}

#[test]
fn what_cannot_be_read_of_a_backup_does_not_hide_what_was_found_before() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    carried_on(&backup);
    fs::remove_file(backup.join("culture.journal")).unwrap();
    fs::create_dir(backup.join("culture.journal")).unwrap();
    let verified = offline(&["verify", backup.to_str().unwrap()]);
    assert_eq!(verified.code, 1, "{verified:?}");
    assert_eq!(verified.out.matches("whole").count(), 3, "{verified:?}");
    assert!(verified.err.contains("culture"), "{verified:?}");
}

#[test]
fn an_interrupted_backup_goes_on_where_it_ended() {
    let server = start();
    let folder = tempfile::tempdir().unwrap();
    let (path, journal) = (
        folder.path().join("b"),
        folder.path().join("b/events.journal"),
    );
    let backup = ["backup", path.to_str().unwrap()];
    server.ask(&backup);
    let whole = fs::read(&journal).unwrap();
    // As a process leaves it that is killed before the manifest is written.
    fs::remove_file(path.join("manifest.json")).unwrap();
    fs::write(&journal, &whole[..whole.len() - 7]).unwrap();
    let unfinished = offline(&["verify", path.to_str().unwrap()]);
    assert!(unfinished.err.contains("is no backup"), "{unfinished:?}");
    let told = server.ask(&backup);
    assert!(told.contains("2 in all"), "{told}");
    assert_eq!(manifest(&path)["journals"]["events"]["position"], 2);

    // The same behind what a manifest counts.
    let counted = fs::read(path.join("manifest.json")).unwrap();
    record(&server, CALL);
    server.ask(&backup);
    let longer = fs::read(&journal).unwrap();
    fs::write(path.join("manifest.json"), counted).unwrap();
    fs::write(&journal, [&longer[..], b"\x7fcut"].concat()).unwrap();
    let left = offline(&["verify", path.to_str().unwrap()]);
    assert_eq!(left.code, 0, "{left:?}");
    assert!(
        left.out.contains("of an interrupted run follow"),
        "{left:?}"
    );
    let told = server.ask(&backup);
    assert!(told.contains("1 new entries, 3 in all"), "{told}");
    assert_eq!(fs::read(&journal).unwrap(), longer);
    let verified = offline(&["verify", path.to_str().unwrap()]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

/// Records so much that a copy of it comes in several messages.
fn record_much(url: &str) {
    let (title, source) = ("é".repeat(300), "é".repeat(500));
    for year in 2000..2004 {
        let row = |day: u32| {
            let (month, day) = (day / 28 + 1, day % 28 + 1);
            format!(
                "v{year}-{month}-{day},summit,concluded,{year}-{month:02}-{day:02},{title},KAZ;CHN,{source},B"
            )
        };
        let rows: Vec<String> = (0..200).map(row).collect();
        import(url, &rows.join("\n"));
    }
}

/// Waits until a file has so many bytes, for as long as the process lives that writes it.
fn await_bytes(file: &Path, bytes: u64, writes: &mut Child) {
    while fs::metadata(file).map_or(0, |found| found.len()) < bytes {
        assert_eq!(writes.try_wait().unwrap(), None, "it ended before");
        thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn a_backup_that_is_interrupted_while_it_copies_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_all();
    record_much(&server.url);
    let backup = folder.path().join("backup");
    let (path, journal) = (backup.to_str().unwrap(), backup.join("events.journal"));
    let mut command = entente();
    command.env("ENTENTE_SERVER", &server.url);
    command.args(["backup", path, "--rate", "1KiB/s"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut copies = command.spawn().unwrap();
    // At this rate the next message may come minutes after the first.
    await_bytes(&journal, 100_000, &mut copies);
    assert_eq!(interrupt(&mut copies), 1);
    let mut told = String::new();
    let said = copies.stderr.take().unwrap().read_to_string(&mut told);
    said.unwrap();
    assert!(
        told.contains(&format!("what {path} counts stays, also of this run")),
        "{told}"
    );
    let counted = &manifest(&backup)["journals"];
    assert_eq!(counted["trade"]["position"], 0);
    assert!(counted["events"].is_null(), "{counted}");

    let left = fs::read(&journal).unwrap();
    server.ask(&["backup", path]);
    let whole = fs::read(&journal).unwrap();
    assert!(whole.len() > left.len() && whole.starts_with(&left));
    let verified = offline(&["verify", path]);
    assert_eq!(verified.out.matches("whole").count(), 4, "{verified:?}");
}

/// A backup of two entries behind which an interrupted run left a third; the node is lost.
struct Interrupted {
    folder: TempDir,
    left: Vec<u8>,
    counted: Vec<u8>,
}

impl Interrupted {
    fn new() -> Interrupted {
        let server = start();
        let folder = tempfile::tempdir().unwrap();
        let backup = folder.path().join("backup");
        let run = || server.ask(&["backup", backup.to_str().unwrap()]);
        run();
        let counted = fs::read(backup.join("manifest.json")).unwrap();
        record(&server, CALL);
        run();
        let left = fs::read(backup.join("events.journal")).unwrap();
        let made = Interrupted {
            folder,
            left,
            counted,
        };
        made.interrupt_again();
        made
    }

    fn interrupt_again(&self) {
        let backup = self.folder.path().join("backup");
        fs::write(backup.join("events.journal"), &self.left).unwrap();
        fs::write(backup.join("manifest.json"), &self.counted).unwrap();
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The events of what was kept aside, as docs/operations.md has them read: behind what counted then, in a folder of
    /// their own.
    fn restored_with(&self, aside: &[u8], name: &str) -> String {
        let manifest: Value = serde_json::from_slice(&self.counted).unwrap();
        let counted = manifest["journals"]["events"]["bytes"].as_u64().unwrap();
        let apart = self.folder.path().join(name);
        fs::create_dir(&apart).unwrap();
        let counted = &self.left[..usize::try_from(counted).unwrap()];
        let behind = &aside["entente journal copy 1\n".len()..];
        fs::write(apart.join("events.journal"), [counted, behind].concat()).unwrap();
        let data = self.at(&format!("{name}-data"));
        let restored = offline(&[
            "restore",
            apart.to_str().unwrap(),
            "--with-left",
            "--data",
            &data,
        ]);
        assert_eq!(restored.code, 0, "{restored:?}");
        let (mut process, url, _) = common::start(&["serve", "events", "--data", &data]);
        let events = ask(&url, &["events", "list"]);
        assert_eq!(interrupt(&mut process), 0);
        events
    }
}

#[test]
fn a_service_that_was_restored_is_backed_up_again_and_what_an_interrupted_run_left_is_kept_aside() {
    let lost = Interrupted::new();
    let (backup, data) = (lost.at("backup"), lost.at("data"));
    let restored = offline(&["restore", &backup, "--data", &data]);
    assert_eq!(restored.code, 0, "{restored:?}");
    let (mut process, url, _) = common::start(&["serve", "events", "--data", &data]);
    for (entries, new, aside) in [(2, 0, "left"), (3, 1, "left.2"), (4, 2, "left.3")] {
        lost.interrupt_again();
        let mut command = entente();
        command
            .env("ENTENTE_SERVER", &url)
            .args(["backup", &backup]);
        let told = run(command, b"");
        let expected = format!("{new} new entries, {entries} in all");
        assert!(told.out.contains(&expected), "{told:?}");
        let aside = lost.at(&format!("backup/events.journal.{aside}"));
        let kept = format!(
            "with 1 entry of an interrupted run are not of the journal as it is now; they are kept as {aside}"
        );
        assert!(told.err.contains(&kept), "{told:?}");
        let kept = fs::read(&aside).unwrap();
        assert!(kept.starts_with(b"entente journal copy 1\n"));
        let verified = offline(&["verify", &backup]);
        assert_eq!(verified.code, 0, "{verified:?}");
        assert!(!verified.out.contains("interrupted"), "{verified:?}");
        assert!(verified.err.contains("was kept aside"), "{verified:?}");
        assert!(
            lost.restored_with(&kept, &format!("apart-{entries}"))
                .contains("call-2025")
        );
        let row = format!("visit-{entries},summit,concluded,2025-06-1{entries},Visit,KAZ;CHN,A,B");
        import(&url, &row);
    }
    assert_eq!(interrupt(&mut process), 0);
}

#[test]
fn a_restore_tells_what_an_interrupted_backup_left_and_takes_it_in_when_it_is_told_to() {
    let lost = Interrupted::new();
    let backup = lost.at("backup");
    let [counted, all, unfinished] = ["counted", "all", "unfinished"].map(|name| lost.at(name));
    let verified = offline(&["verify", &backup, "--json"]);
    let found: Value = serde_json::from_str(&verified.out).unwrap();
    assert_eq!(found["journals"][0]["entriesOfAnInterruptedRun"], 1);
    let restored = offline(&["restore", &backup, "--data", &counted]);
    assert!(restored.out.contains("Restored 2 entries"), "{restored:?}");
    let told = "with 1 entry that an interrupted backup left do not count and were not restored";
    assert!(
        restored.err.contains("events: ") && restored.err.contains(told),
        "{restored:?}"
    );

    // Another service's first copy was interrupted as well.
    fs::write(
        lost.at("backup/trade.journal"),
        "entente journal copy 1\n\x7fcut",
    )
    .unwrap();
    let verified = offline(&["verify", &backup]);
    let told = "trade: 27 bytes with 0 entries of an interrupted run follow and do not count";
    assert!(verified.out.contains(told), "{verified:?}");
    // The copy ends in the middle of a message, as a killed run leaves it.
    let cut = [&lost.left[..], b"\x7fcut"].concat();
    fs::write(lost.at("backup/events.journal"), cut).unwrap();
    let with_left = |data| ["restore", &backup, "--data", data, "--with-left"];
    let restored = offline(&with_left(&all));
    let told = "Restored 3 entries into";
    assert!(restored.out.contains(told), "{restored:?}");
    assert!(
        restored
            .out
            .contains(", 1 of them left by an interrupted backup."),
        "{restored:?}"
    );
    let told = "events: 4 bytes behind the last entry that follows were not taken in";
    assert!(restored.err.contains(told), "{restored:?}");
    let (mut process, url, _) = common::start(&["serve", "events", "--data", &all]);
    assert!(ask(&url, &["events", "list"]).contains("call-2025"));
    // The next backup goes on from what was left, since the journal does.
    let carried_on = ask(&url, &["backup", &backup]);
    assert!(
        carried_on.contains("1 new entries, 3 in all"),
        "{carried_on}"
    );
    assert_eq!(interrupt(&mut process), 0);

    fs::remove_file(lost.at("backup/manifest.json")).unwrap();
    let refused = offline(&["restore", &backup, "--data", &unfinished]);
    assert!(refused.err.contains("is no backup"), "{refused:?}");
    let restored = offline(&with_left(&unfinished));
    assert!(
        restored.out.contains("Restored 3 entries into"),
        "{restored:?}"
    );
}

#[test]
fn what_an_interrupted_run_left_of_another_journal_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (first, backup) = (at("first"), at("backup"));
    let server = start();
    record(&server, CALL);
    server.ask(&["backup", &first]);
    drop(server);

    // All that is left of the service is what a first run copied before it was interrupted.
    fs::create_dir(&backup).unwrap();
    let left = fs::read(at("first/events.journal")).unwrap();
    fs::write(at("backup/events.journal"), &left).unwrap();
    let other = start();
    let ran = other.run(&["backup", &backup, "--only", "events"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("are of another journal than this one"),
        "{ran:?}"
    );
    assert_eq!(fs::read(at("backup/events.journal")).unwrap(), left);
}

#[test]
fn a_lost_service_does_not_keep_the_others_from_being_copied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup");
    let backup = ["backup", path.to_str().unwrap()];
    let server = start();
    server.ask(&backup);
    fs::write(
        path.join("culture.journal"),
        "no copy of a journal, of any length",
    )
    .unwrap();
    record(&server, CALL);
    let other = Server::start_all();
    EVENTS.lines().skip(1).for_each(|row| record(&other, row));
    let ran = other.run(&backup);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("trade    0 new entries"), "{ran:?}");
    for role in ["events", "culture"] {
        let told = format!("the journal of {role}: ");
        assert!(ran.err.contains(&told), "{role}: {ran:?}");
    }
    let manifest = manifest(&path);
    assert_eq!(manifest["journals"]["events"]["position"], 2);
    assert_eq!(manifest["journals"]["trade"]["position"], 0);
    assert!(manifest["journals"]["culture"].is_null(), "{manifest}");
}

#[test]
fn a_backup_that_was_tampered_with_or_cut_off_is_refused_and_leaves_nothing() {
    let server = start();
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    let path = backup.to_str().unwrap();
    server.ask(&["backup", path]);
    let file = backup.join("events.journal");
    let copy = fs::read(&file).unwrap();
    let at = copy.windows(5).position(|text| text == b"State").unwrap();
    let mut tampered = copy.clone();
    tampered[at] = b'M';
    let cut = &copy[..copy.len() - 1];
    let data = folder.path().join("data");
    let commands = [
        vec!["verify", path],
        vec!["restore", path, "--data", data.to_str().unwrap()],
    ];
    for (bytes, fault, position) in [(&tampered[..], "entry 2", 2), (cut, "cut off", 1)] {
        fs::write(&file, bytes).unwrap();
        for command in &commands {
            let refused = server.run(command);
            assert_eq!(refused.code, 1, "{command:?}: {refused:?}");
            let told = format!("{}{}", refused.out, refused.err);
            assert!(told.contains("events.journal"), "{refused:?}");
            assert!(
                told.contains(fault) && told.contains("at byte"),
                "{refused:?}"
            );
        }
        let verified = offline(&["verify", path, "--json"]);
        let found: Value = serde_json::from_str(&verified.out).unwrap();
        let faults = found["journals"][0]["faults"].as_array().unwrap();
        let first_lost = &faults.last().unwrap()["position"];
        assert_eq!(*first_lost, position, "{found}");
        assert!(!data.exists() || names(&data).is_empty());
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
    // A backup goes on behind what the manifest counts, which a file that was cut no longer has.
    let refused = server.run(&["backup", path]);
    assert!(refused.err.contains("damaged"), "{refused:?}");
    fs::remove_file(&file).unwrap();
    let gone = offline(&["verify", path]);
    assert_eq!(gone.code, 1, "{gone:?}");
}

#[test]
fn a_backup_of_another_journal_is_not_carried_on() {
    let (server, other) = (start(), start());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup");
    let backup = ["backup", path.to_str().unwrap()];
    server.ask(&backup);
    let file = path.join("events.journal");
    let copy = fs::read(&file).unwrap();
    let same_length = other.run(&backup);
    assert!(
        same_length.err.contains("another journal"),
        "{same_length:?}"
    );
    record(&other, CALL);
    let longer = other.run(&backup);
    assert!(
        longer.err.contains("entry 3 has another hash"),
        "{longer:?}"
    );
    assert_eq!(fs::read(&file).unwrap(), copy);
    let role = Server::start_role("culture").run(&backup);
    assert!(role.err.contains("--only"), "{role:?}");
    let only = offline(&["restore", backup[1], "--only", "trade", "--data", "none"]);
    assert!(only.err.contains("nothing of trade"), "{only:?}");
}

/// Verifies and restores a backup; what both say, which is an error.
fn refused(backup: &Path, data: &Path) -> [String; 2] {
    let (path, data) = (backup.to_str().unwrap(), data.to_str().unwrap());
    let commands = [vec!["verify", path], vec!["restore", path, "--data", data]];
    commands.map(|command| {
        let ran = offline(&command);
        assert_eq!(ran.code, 1, "{command:?}: {ran:?}");
        format!("{}{}", ran.out, ran.err)
    })
}

#[test]
fn a_manifest_that_counts_what_is_not_there_is_refused() {
    let server = start();
    let folder = tempfile::tempdir().unwrap();
    let (backup, data) = (folder.path().join("backup"), folder.path().join("data"));
    server.ask(&["backup", backup.to_str().unwrap()]);
    let whole = manifest(&backup);
    let write = |manifest: &Value| {
        fs::write(backup.join("manifest.json"), manifest.to_string()).unwrap();
    };
    let bytes = whole["journals"]["events"]["bytes"].as_u64().unwrap();
    for counted in [bytes + 1, u64::MAX] {
        let mut foreign = whole.clone();
        let events = &mut foreign["journals"]["events"];
        events["bytes"] = counted.into();
        events["parts"][0]["bytes"] = counted.into();
        write(&foreign);
        for told in refused(&backup, &data) {
            assert!(told.contains(&format!("ends at byte {counted}")), "{told}");
        }
    }
    let mut empty = whole.clone();
    empty["journals"] = serde_json::json!({});
    write(&empty);
    for told in refused(&backup, &data) {
        assert!(told.contains("the backup has no journals"), "{told}");
    }
    write(&whole);
    let within = backup.join("data");
    let told = offline(&[
        "restore",
        backup.to_str().unwrap(),
        "--data",
        within.to_str().unwrap(),
    ]);
    assert!(told.err.contains("within the backup"), "{told:?}");
    assert!(!within.exists() && !data.exists());
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let server = start();
    let folder = tempfile::tempdir().unwrap();
    let (backup, data) = (folder.path().join("backup"), folder.path().join("data"));
    server.ask(&["backup", backup.to_str().unwrap()]);
    for name in ["events.journal", "manifest.json"] {
        let file = backup.join(name);
        let whole = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let made = Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(made.success());
        let carried_on = server.run(&["backup", backup.to_str().unwrap()]);
        for told in refused(&backup, &data).iter().chain([&carried_on.err]) {
            assert!(told.contains("no regular file"), "{told}");
            assert!(told.contains(name), "{told}");
        }
        fs::remove_file(&file).unwrap();
        fs::write(&file, whole).unwrap();
    }
}
