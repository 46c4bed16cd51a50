//! The binary, run as its user runs it.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::print_stdout, reason = "a check that is left out is told")]
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A service in a process of its own, on a folder of its own; it ends with the value.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) url: String,
    process: Child,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn entente() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entente"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ENTENTE_")) {
        command.env_remove(name);
    }
    command
}

/// Starts a serving command and waits until it says where; what it printed before comes back too.
pub(crate) fn start(arguments: &[&str]) -> (Child, String, String) {
    let mut command = entente();
    command.args(arguments).args([
        "--listen",
        "127.0.0.1:0",
        "--reserve-mib",
        "1",
        "--ballast-mib",
        "0",
    ]);
    spawn(command)
}

/// The same with no other options than its own.
pub(crate) fn started(command: Command) -> (Child, String) {
    let (process, url, _) = spawn(command);
    (process, url)
}

#[expect(
    clippy::zombie_processes,
    reason = "the caller gets the process and ends it"
)]
fn spawn(mut command: Command) -> (Child, String, String) {
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap());
    let mut printed = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap() == 0 {
            let mut err = String::new();
            process
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut err)
                .unwrap();
            process.wait().unwrap();
            panic!("it ended before it served: {printed}{err}");
        }
        if let Some(address) = line.strip_prefix("Serving on ") {
            let url = format!("http://{}", address.trim());
            process.stdout = Some(lines.into_inner());
            return (process, url, printed);
        }
        printed.push_str(&line);
    }
}

/// Ends a process as Ctrl-C does; its exit code.
pub(crate) fn interrupt(process: &mut Child) -> i32 {
    let pid = process.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    process.wait().unwrap().code().unwrap()
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::start_role("trade")
    }

    pub(crate) fn start_role(role: &str) -> Server {
        Server::serve(&["serve", role])
    }

    /// All services in one process.
    pub(crate) fn start_all() -> Server {
        Server::serve(&["serve"])
    }

    fn serve(command: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_str().unwrap();
        let options = ["--data", data, "--log", "warn"];
        let (process, url, _) = start(&[command, &options].concat());
        Server {
            folder,
            url,
            process,
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = entente();
        command.env("ENTENTE_SERVER", &self.url).args(arguments);
        run(command, input)
    }

    /// Runs a command that must go well; what it printed.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    }
}

impl Server {
    /// Sends a signal to the process.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends the process where it stands.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn run(mut command: Command, input: &[u8]) -> Ran {
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A command that does not read its input closes it.
        drop(stdin.write_all(&input));
    });
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Comtrade's real files, where they are at hand; they may not be passed on.
pub(crate) fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("ENTENTE_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let samples = folder.join("comtrade");
    if samples.is_dir() {
        return Some(samples);
    }
    let why = "the sample files are not at hand; ENTENTE_SHARED_DATA may name their folder";
    let required = std::env::var("ENTENTE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|one| one == "samples"), "{why}");
    println!("NOT CHECKED: {why}");
    None
}

pub(crate) const TITLES: &str = "typeCode,freqCode,refYear,refMonth,period,reporterCode,flowCode,\
    partnerCode,partner2Code,classificationCode,cmdCode,customsCode,motCode,mosCode,qtyUnitCode,qty,\
    netWgt,primaryValue";

/// A row of China's exports to Kazakhstan in the layout of the API.
pub(crate) fn row(year: u16, code: &str, value: &str) -> String {
    format!("C,A,{year},52,{year},156,X,398,0,H6,{code},C00,0,0,-1,,,{value}")
}

pub(crate) fn file(rows: &[String]) -> String {
    format!("{TITLES}\n{}\n", rows.join("\n"))
}
