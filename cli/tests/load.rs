//! Load: what comes out of a run, and that a server that stalls shows.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use common::{Ran, Server, entente, interrupt, run, start};
use serde_json::Value;

/// All services and the gateway on a folder of their own, with the demonstration's data.
struct Demo {
    folder: tempfile::TempDir,
    process: Child,
    url: String,
}

impl Demo {
    fn start() -> Demo {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (process, url, _) = start(&["demo", "--data", data.to_str().unwrap()]);
        Demo {
            folder,
            process,
            url,
        }
    }

    /// Runs a scenario; what it printed, and its result.
    fn load(&self, scenario: &str, options: &[&str]) -> (Ran, Value) {
        let json = self.folder.path().join("result.json");
        let mut command = entente();
        command
            .args(["load", scenario, "--server", &self.url, "--json"])
            .arg(&json)
            .args(options);
        let ran = run(command, b"");
        let result = std::fs::read_to_string(&json).unwrap_or_else(|_| panic!("{ran:?}"));
        (ran, serde_json::from_str(&result).unwrap())
    }

    /// A scenario as a file; its path.
    fn scenario(&self, text: &str) -> String {
        written(self.folder.path(), text)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn written(folder: &Path, text: &str) -> String {
    let path = folder.join("scenario.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A result as it was written.
fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn number(result: &Value, path: &str) -> f64 {
    let found = result.pointer(path).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("{path} in {result:#}"))
}

fn count(result: &Value, path: &str) -> u64 {
    let found = result.pointer(path).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("{path} in {result:#}"))
}

#[test]
fn a_run_tells_what_came_out_as_text_as_json_and_as_a_page() {
    let demo = Demo::start();
    let html = demo.folder.path().join("report.html");
    let (ran, result) = demo.load(
        "smoke",
        &["--duration", "2s", "--html", html.to_str().unwrap()],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("held   errors 0 %"), "{ran:?}");
    assert!(
        ran.err.contains("smoke ") && ran.err.contains("under way"),
        "{ran:?}"
    );
    assert_eq!(count(&result, "/calls/asked"), 100, "{result:#}");
    assert_eq!(count(&result, "/calls/answered"), 100, "{result:#}");
    assert_eq!(result["methods"].as_array().unwrap().len(), 7);
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(
        page.contains("Latency over time") && !page.contains("<script"),
        "{page}"
    );
}

#[test]
fn a_threshold_that_breaks_sets_the_exit_code() {
    let demo = Demo::start();
    let options = ["--duration", "1s", "--quiet", "--threshold", "p50=1us"];
    let (ran, result) = demo.load("smoke", &options);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.out.contains("BROKEN p50"), "{ran:?}");
    assert_eq!(ran.err, "");
    assert_eq!(
        result.pointer("/thresholds/0/held"),
        Some(&Value::Bool(false))
    );
}

#[test]
fn a_run_is_held_against_the_command_lines_thresholds_alone() {
    let demo = Demo::start();
    let scenario = demo.scenario(
        "name = 'strict'\nduration = '1s'\nwarm_up = '0s'\ndeadline = '10m'\narrival.rate = 10\n[[mix]]\n\
         call = 'health'\nthresholds = { p99 = '1us' }\n[thresholds]\np50 = '1us'\n[watchers]\ncount = 1\nthresholds = { p99 = '1us' }",
    );
    let options = ["--quiet", "--only-thresholds", "--threshold", "errors=0"];
    let (ran, result) = demo.load(&scenario, &options);
    assert_eq!(ran.code, 0, "{ran:?}");
    let verdicts = result["thresholds"].as_array().unwrap();
    let held: Vec<&Value> = verdicts.iter().map(|verdict| &verdict["what"]).collect();
    assert_eq!(held, ["errors"], "{result:#}");
}

#[test]
fn whoever_stops_reading_gets_the_files_and_the_exit_code() {
    let demo = Demo::start();
    let json = demo.folder.path().join("result.json");
    let mut load = entente();
    load.args(["load", "smoke", "--server", &demo.url, "--quiet"]);
    load.args(["--duration", "1s", "--threshold", "p50=1us", "--json"]);
    let mut load = load.arg(&json).stdout(Stdio::piped()).spawn().unwrap();
    drop(load.stdout.take());
    assert_eq!(load.wait().unwrap().code(), Some(4));
    let result = read(&json);
    assert_eq!(count(&result, "/calls/asked"), 50, "{result:#}");
}

/// A run that is under way. It tells a line a second, by its own clock, which is the one that counts.
struct Begun {
    files: tempfile::TempDir,
    load: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Begun {
    fn new(server: &Server, scenario: &str, options: &[&str]) -> Begun {
        Begun::within(tempfile::tempdir().unwrap(), server, scenario, options)
    }

    /// With its files in a folder that is there.
    fn within(
        files: tempfile::TempDir,
        server: &Server,
        scenario: &str,
        options: &[&str],
    ) -> Begun {
        let path = written(files.path(), scenario);
        let mut load = entente();
        load.args(["load", &path, "--server", &server.url])
            .args(["--json", "result.json"])
            .args(options)
            .current_dir(files.path());
        let load = load.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut load = load.unwrap();
        let lines = BufReader::new(load.stderr.take().unwrap()).lines();
        Begun { files, load, lines }
    }

    /// Waits for the next lines.
    fn wait(&mut self, lines: usize) {
        let told = self.lines.by_ref().take(lines).map(Result::unwrap);
        assert_eq!(told.count(), lines);
    }

    /// Waits for so many seconds in which nothing was answered.
    fn wait_silent(&mut self, seconds: usize) {
        let told = self.lines.by_ref().map(Result::unwrap);
        let silent = told.filter(|line| line.contains(" 0/s of ")).take(seconds);
        assert_eq!(silent.count(), seconds, "it ended before");
    }

    /// Waits for its end; the result.
    fn end(mut self) -> Value {
        self.lines.by_ref().for_each(|line| drop(line.unwrap()));
        assert!(self.load.wait().unwrap().success());
        self.result()
    }

    /// Interrupts it.
    fn interrupt(&mut self) -> Ran {
        let mut stdout = self.load.stdout.take().unwrap();
        let code = interrupt(&mut self.load);
        let mut out = String::new();
        stdout.read_to_string(&mut out).unwrap();
        let err = self.lines.by_ref().map(Result::unwrap).collect();
        Ran { code, out, err }
    }

    fn result(&self) -> Value {
        read(&self.files.path().join("result.json"))
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.load.kill().unwrap();
        self.load.wait().unwrap();
    }
}

/// A folder in which a result goes into a pipe, and the pipe with its one reader.
fn piped() -> (tempfile::TempDir, File) {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("result.json");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    // To write as well, since whoever only reads waits for a writer.
    let pipe = OpenOptions::new().read(true).write(true).open(&path);
    (files, pipe.unwrap())
}

#[test]
fn a_run_that_is_interrupted_tells_what_came_out_until_then() {
    let server = Server::start();
    let scenario = "name = 'long'\nduration = '10m'\nwarm_up = '0s'\ndeadline = '10m'\n[arrival]\nfrom = 100\nto = 6100\n\
                    [[mix]]\ncall = 'health'\n[thresholds]\nerrors = 0";
    let mut begun = Begun::new(&server, scenario, &[]);
    begun.wait(2);
    let ran = begun.interrupt();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains(", interrupted, "), "{ran:?}");
    let result = begun.result();
    // Of the ramp only its beginning was asked for, and not what the whole would have come to.
    let (asked, seconds) = (number(&result, "/rate_asked"), number(&result, "/seconds"));
    let until_then = 100.0 + seconds * 10.0 / 2.0;
    assert!((asked - until_then).abs() < 1.0, "{result:#}");
    assert_eq!(result["interrupted"], Value::Bool(true));
}

#[test]
fn a_run_that_is_interrupted_while_warming_up_tells_nothing() {
    let server = Server::start();
    let scenario = "name = 'warm'\nduration = '10m'\nwarm_up = '10m'\narrival.rate = 10\n[[mix]]\ncall = 'health'";
    let mut begun = Begun::new(&server, scenario, &[]);
    begun.wait(1);
    let ran = begun.interrupt();
    assert_eq!((ran.code, &*ran.out), (1, ""), "{ran:?}");
    assert!(ran.err.contains("interrupted while warming up"), "{ran:?}");
}

#[test]
fn whoever_insists_gets_no_file_and_leaves_none_half_written() {
    let server = Server::start();
    // The result is longer than a pipe takes that nobody reads, so that only insisting ends the run.
    let scenario = format!(
        "name = 'stuck'\nabout = '{}'\nduration = '10m'\nwarm_up = '0s'\narrival.rate = 100\n[[mix]]\ncall = 'health'",
        "-".repeat(500_000)
    );
    let (files, _pipe) = piped();
    let mut begun = Begun::within(files, &server, &scenario, &["--html", "report.html"]);
    begun.wait(1);
    let mut insisting = insist(&begun.load);
    assert_eq!(begun.load.wait().unwrap().code(), Some(130));
    insisting.kill().unwrap();
    insisting.wait().unwrap();
    let left = std::fs::read_dir(begun.files.path()).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["result.json", "scenario.toml"]);
}

#[test]
fn whoever_reads_a_file_no_further_gets_the_other_one_and_the_exit_code() {
    let server = Server::start();
    let scenario = "name = 'unread'\nduration = '3s'\nwarm_up = '0s'\narrival.rate = 10\n[[mix]]\ncall = 'health'\n\
                    [thresholds]\np50 = '1us'";
    let (files, pipe) = piped();
    let mut begun = Begun::within(files, &server, scenario, &["--html", "report.html"]);
    begun.wait(1);
    drop(pipe);
    begun.lines.by_ref().for_each(|line| drop(line.unwrap()));
    assert_eq!(begun.load.wait().unwrap().code(), Some(4));
    assert!(begun.files.path().join("report.html").exists());
}

/// Presses Ctrl-C again and again.
fn insist(process: &Child) -> Child {
    let pressing = format!("while kill -INT {}; do sleep 0.01; done", process.id());
    let mut shell = Command::new("sh");
    shell.args(["-c", &pressing]).spawn().unwrap()
}

#[test]
fn a_limit_that_there_must_be_is_found() {
    let demo = Demo::start();
    // One call at a time is answered so and so often, on any machine; most of a rate of twice that is not made.
    let scenario = demo.scenario(
        "name = 'one'\nduration = '1s'\nwarm_up = '0s'\ndeadline = '10m'\nmax_in_flight = 1\narrival.rate = 100\n\
         [[mix]]\ncall = 'health'\n[thresholds]\np50 = '10m'\nerrors = 0.5\nachieved = 0.0",
    );
    let (ran, result) = demo.load(&scenario, &["--quiet", "--find-limit", "--step", "200ms"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("The limit is at"), "{ran:?}");
    assert_eq!(result.pointer("/limit/found"), Some(&true.into()));
    let limit = number(&result, "/limit/rate");
    let steps = result.pointer("/limit/steps").and_then(Value::as_array);
    let broken = steps.unwrap().iter().filter(|step| step["held"] == false);
    let lowest = broken.map(|step| number(step, "/rate")).reduce(f64::min);
    // No rate is tried that is nearer, and 24 are tried at most.
    let lowest = lowest.unwrap();
    assert!(limit < lowest && lowest <= limit * 1.05, "{result:#}");
}

#[test]
fn keys_of_generated_data_ask_for_what_was_generated() {
    let demo = Demo::start();
    let mut generate = entente();
    generate.args(["generate", "--rows", "3000", "--format", "direct"]);
    generate.args(["--server", &demo.url]);
    let filled = run(generate, b"");
    assert_eq!(filled.code, 0, "{filled:?}");
    let scenario = demo.scenario(
        "name = 'generated'\nduration = '1s'\nwarm_up = '0s'\ndeadline = '10m'\narrival.rate = 100\n[[mix]]\n\
         call = 'point-read'\n[[mix]]\ncall = 'series'\n[[mix]]\nmethod = 'entente.trade.v1.TradeService/ListVintages'\n\
         message = { name = '{figure}' }\n[keys]\nfrom = 'generated'\nrows = 3000\n[thresholds]\nerrors = 0",
    );
    let (ran, result) = demo.load(&scenario, &["--quiet"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(count(&result, "/calls/answered"), 100, "{result:#}");
}

#[test]
fn a_search_that_is_interrupted_claims_no_limit() {
    let server = Server::start();
    let scenario = "name = 'search'\nduration = '1s'\nwarm_up = '0s'\narrival.rate = 5\n[[mix]]\ncall = 'health'\n\
                    [thresholds]\np50 = '1m'\nerrors = 1.0\nachieved = 0.0";
    // Nothing can break, however busy the machine is.
    let mut begun = Begun::new(&server, scenario, &["--find-limit", "--step", "1s"]);
    // A step has one line, so the third one is under way or about to begin.
    begun.wait(2);
    let ran = begun.interrupt();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("the limit is not known"), "{ran:?}");
    let limit = &begun.result()["limit"];
    assert_eq!(
        (&limit["found"], &limit["interrupted"]),
        (&false.into(), &true.into()),
        "{limit:#}"
    );
}

#[test]
fn calls_that_fail_are_told_by_their_code() {
    let demo = Demo::start();
    let scenario = demo.scenario(
        "name = 'missing'\nduration = '1s'\nwarm_up = '0s'\ndeadline = '10m'\narrival.rate = 20\n[[mix]]\n\
         call = 'point-read'\n[keys]\nfrom = 'generated'\nrows = 100\n[thresholds]\nerrors = 0",
    );
    let (ran, result) = demo.load(&scenario, &["--quiet"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(
        result.pointer("/errors/0/code"),
        Some(&Value::from("NOT_FOUND"))
    );
    assert_eq!(count(&result, "/errors/0/count"), 20);
    assert!(ran.out.contains("NOT_FOUND: 20"), "{ran:?}");
}

/// Runs a scenario for some seconds, in two of which or longer the server does nothing at all.
fn stalled(scenario: &str) -> Value {
    let server = Server::start();
    let mut begun = Begun::new(&server, scenario, &[]);
    begun.wait(1);
    server.signal("-STOP");
    begun.wait_silent(2);
    server.signal("-CONT");
    begun.end()
}

#[test]
fn a_server_that_stalls_for_a_second_shows_in_the_percentiles() {
    let result = stalled(
        "name = 'stall'\nduration = '12s'\nwarm_up = '0s'\ndeadline = '30s'\narrival.rate = 100\n[[mix]]\ncall = 'health'",
    );
    // A call that came due at the beginning of a silent second waited for all of it; some hundred calls waited for a
    // part. A generator that waits with the server would have sent one.
    assert!(number(&result, "/latency/max_ms") >= 1_000.0, "{result:#}");
    assert!(number(&result, "/latency/p999_ms") >= 1_000.0, "{result:#}");
    assert!(number(&result, "/latency/p95_ms") >= 100.0, "{result:#}");
    assert_eq!(count(&result, "/calls/failed"), 0, "{result:#}");
}

#[test]
fn calls_beyond_the_bound_are_not_made_and_counted_as_errors_of_the_generator() {
    let result = stalled(
        "name = 'bound'\nduration = '12s'\nwarm_up = '0s'\ndeadline = '30s'\nmax_in_flight = 20\narrival.rate = 100\n\
         [[mix]]\ncall = 'health'",
    );
    assert_eq!(
        result.pointer("/errors/0/code"),
        Some(&Value::from("GENERATOR_BUSY"))
    );
    assert!(count(&result, "/calls/refused") >= 50, "{result:#}");
    assert_eq!(count(&result, "/calls/asked"), 1_200, "{result:#}");
}

#[test]
fn a_read_that_found_nobody_until_its_deadline_took_as_long_as_that() {
    let mut server = Server::start();
    let scenario = "name = 'gone'\nduration = '3s'\nwarm_up = '0s'\ndeadline = '500ms'\nretries = 50\narrival.rate = 20\n\
                    [[mix]]\ncall = 'health'";
    let mut begun = Begun::new(&server, scenario, &[]);
    begun.wait(1);
    server.kill();
    let result = begun.end();
    let code = result.pointer("/errors/0/code");
    assert_eq!(code, Some(&Value::from("DEADLINE_EXCEEDED")), "{result:#}");
    assert_eq!(count(&result, "/latency/count"), 60, "{result:#}");
    assert!(number(&result, "/latency/max_ms") >= 500.0, "{result:#}");
}

#[test]
fn an_ingest_fills_a_dataset_of_its_own() {
    let demo = Demo::start();
    let scenario = demo.scenario(
        "name = 'ingest'\nduration = '1s'\nwarm_up = '0s'\ndeadline = '10m'\narrival.rate = 5\n[[mix]]\n\
         call = 'ingest'\n[ingest]\nbatches = 2\nrows = 10\n[thresholds]\nerrors = 0",
    );
    let (ran, result) = demo.load(&scenario, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("This scenario writes to"), "{ran:?}");
    assert_eq!(count(&result, "/calls/answered"), 5, "{result:#}");
    // As many as were answered within the second.
    assert!(result.pointer("/methods/0/rows_achieved").is_some());
    let mut datasets = entente();
    datasets.args(["trade", "datasets", "--server", &demo.url, "-ojson"]);
    let listed = run(datasets, b"").out;
    let (_, rest) = listed.split_once("\"datasets/load-").expect(&listed);
    let id = format!("load-{}", rest.split('"').next().unwrap());
    let mut figures = entente();
    figures.args([
        "trade",
        "list",
        "--dataset",
        &id,
        "--server",
        &demo.url,
        "-ocsv",
        "--limit",
        "1000",
    ]);
    let figures = run(figures, b"").out;
    assert_eq!(figures.lines().count(), 1 + 5 * 2 * 10, "{figures}");
}

#[test]
fn every_watcher_is_told_of_every_event() {
    let demo = Demo::start();
    let scenario = demo.scenario(
        "name = 'watchers'\nduration = '2s'\nwarm_up = '1s'\ndeadline = '10m'\narrival.rate = 5\n[[mix]]\n\
         call = 'record-event'\n[watchers]\ncount = 7\npair = 'CHN-KAZ'\n[thresholds]\nerrors = 0",
    );
    let (ran, result) = demo.load(&scenario, &["--quiet"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        count(&result, "/watchers/latency/count"),
        7 * 10,
        "{result:#}"
    );
    assert_eq!(count(&result, "/watchers/broken"), 0, "{result:#}");
    assert_eq!(count(&result, "/watchers/expected"), 70, "{result:#}");
    assert!(ran.out.contains("7 watchers"), "{ran:?}");
    assert!(ran.out.contains("0 of 70 did not come"), "{ran:?}");
    assert!(ran.out.contains("held   watchers errors 0 %"), "{ran:?}");
}

#[test]
fn a_stream_breaks_once_however_often_it_cannot_be_opened_again() {
    let mut server = Server::start_all();
    let scenario = "name = 'lonely'\nduration = '10m'\nwarm_up = '0s'\narrival.rate = 100\n[[mix]]\ncall = 'health'\n\
                    [watchers]\ncount = 2";
    let mut begun = Begun::new(&server, scenario, &[]);
    begun.wait(1);
    server.kill();
    begun.wait_silent(2);
    let ran = begun.interrupt();
    assert_eq!(ran.code, 0, "{ran:?}");
    let result = begun.result();
    assert_eq!(count(&result, "/watchers/broken"), 2, "{result:#}");
}

#[test]
fn streams_that_nobody_serves_are_told_at_once() {
    let server = Server::start();
    let scenario = "name = 'deaf'\nduration = '1s'\narrival.rate = 5\n[[mix]]\ncall = 'health'\n[watchers]\ncount = 3";
    let path = written(server.folder.path(), scenario);
    let ran = server.run(&["load", &path]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err
            .contains("streams of changes do not open: UNIMPLEMENTED"),
        "{ran:?}"
    );
}

#[test]
fn a_search_for_the_limit_tells_each_rate_that_it_tried() {
    let demo = Demo::start();
    let scenario = demo.scenario(
        "name = 'limit'\nduration = '1s'\nwarm_up = '0s'\narrival.rate = 4\n[[mix]]\ncall = 'health'\n[thresholds]\n\
         p50 = '1us'",
    );
    let (ran, result) = demo.load(&scenario, &["--quiet", "--find-limit", "--step", "500ms"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.out.contains("Not even the lowest rate held."),
        "{ran:?}"
    );
    let steps = result
        .pointer("/limit/steps")
        .and_then(Value::as_array)
        .unwrap();
    let rates: Vec<f64> = steps.iter().map(|step| number(step, "/rate")).collect();
    assert_eq!(format!("{rates:?}"), "[4.0, 2.0, 1.0]");
}

#[test]
fn two_results_are_compared() {
    let demo = Demo::start();
    let (_, _) = demo.load("smoke", &["--duration", "1s", "--quiet"]);
    let result = demo.folder.path().join("result.json");
    let mut compare = entente();
    compare.args(["load", "--compare"]).args([&result, &result]);
    let ran = run(compare, b"");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("1.00") && ran.out.contains("p99.9"),
        "{ran:?}"
    );
}

#[test]
fn options_that_would_not_be_heeded_are_refused() {
    for arguments in [
        "--compare a b --compare c d",
        "--compare a b --json c",
        "--compare a b --html c",
        "--compare a b --rate 5",
        "--compare a b --threshold p99=1s",
        "--compare a b --find-limit",
        "--list --rate 5",
        "smoke --find-limit --duration 5s",
        "smoke --step 5s",
    ] {
        let ran = load(&arguments.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, 2, "{arguments}: {ran:?}");
    }
}

/// Runs `entente load` where somebody asks otherwise, which is not for what asks nobody.
fn load(arguments: &[&str]) -> Ran {
    let mut command = entente();
    command
        .arg("load")
        .args(arguments)
        .env("ENTENTE_CA", "ca.pem");
    run(command, b"")
}

#[test]
fn what_there_is_is_listed_and_what_is_not_is_told() {
    let listed = load(&["--list"]);
    for name in [
        "smoke",
        "point-read",
        "read-only",
        "read-mostly",
        "briefing",
        "ingest",
        "watchers",
    ] {
        assert!(listed.out.contains(name), "{listed:?}");
    }
    let unknown = load(&["read-always"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(unknown.err.contains("read-mostly"), "{unknown:?}");
    let nobody = load(&["smoke", "--server", "http://127.0.0.1:1"]);
    let told = "cannot reach http://127.0.0.1:1";
    assert!(nobody.err.contains(told), "{nobody:?}");
    assert_eq!(load(&[]).code, 2);
}

#[test]
fn files_that_cannot_be_read_or_written_are_told_before_the_first_call() {
    let nowhere = load(&["smoke", "--html", "/nowhere/report.html"]);
    let told = "writing /nowhere/report.html";
    assert!(nowhere.err.contains(told), "{nowhere:?}");
    let folder = tempfile::tempdir().unwrap();
    let name = |path: &str| folder.path().join(path).to_str().unwrap().to_owned();
    let [report, again] = ["report", "./report"].map(name);
    let one = load(&["smoke", "--json", &report, "--html", &again]);
    assert_eq!(one.code, 1, "{one:?}");
    assert!(one.err.contains("name one file"), "{one:?}");
    for arguments in [&["/dev/zero"][..], &["--compare", "/dev/zero", "/dev/zero"]] {
        let endless = load(arguments);
        assert_eq!(endless.code, 1, "{endless:?}");
        assert!(endless.err.contains("/dev/zero is larger"), "{endless:?}");
    }
    let steering = written(folder.path(), "\"\\u001b]0;title\\u0007\" = 1");
    let steering = load(&[&steering]);
    assert_eq!(steering.code, 1, "{steering:?}");
    let told = r"`\u{1b}]0;title\u{7}`";
    assert!(steering.err.contains(told), "{steering:?}");
}

#[test]
fn options_that_say_nothing_of_a_scenario_are_told() {
    let staged = load(&["ramp", "--duration", "5s"]);
    let told = "the stages of ramp say how long";
    assert!(staged.err.contains(told), "{staged:?}");
    assert_eq!(load(&["smoke", "--find-limit", "--step", "0s"]).code, 2);
    let share = load(&["smoke", "--threshold", "errors=5"]);
    assert!(share.err.contains("errors: 5 is no share"), "{share:?}");
}
