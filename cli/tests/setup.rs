//! Processes that are apart are set up once, trust each other, and say whether they serve.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use common::{Ran, entente, interrupt, run, start};

/// A folder that was set up.
struct Setup {
    folder: tempfile::TempDir,
}

/// Options by their names; a value that is a file lies in a process's folder.
type Options<'a> = &'a [(&'a str, &'a str)];

impl Setup {
    fn make() -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup { folder };
        let made = setup.again(&[]);
        assert_eq!(made.code, 0, "{made:?}");
        setup
    }

    fn again(&self, options: &[&str]) -> Ran {
        let mut command = entente();
        command.arg("setup").args(options);
        command.arg("--dir").arg(self.folder.path());
        run(command, b"")
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// All files by their paths in the folder.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for folder in fs::read_dir(self.folder.path()).unwrap() {
            let folder = folder.unwrap().path();
            for file in fs::read_dir(&folder).unwrap() {
                let path = file.unwrap().path();
                let name = path.strip_prefix(self.folder.path()).unwrap();
                files.insert(name.to_str().unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
        files
    }

    fn token(&self) -> String {
        fs::read_to_string(self.at("access/admin.token")).unwrap()
    }

    /// Options whose values are files of a process's folder.
    fn files_of(&self, process: &str, options: Options<'_>) -> Vec<String> {
        let folder = self.at(process);
        let path = |file: &str| folder.join(file).to_str().unwrap().to_owned();
        let pair = |(option, file): &(&str, &str)| [(*option).to_owned(), path(file)];
        options.iter().flat_map(pair).collect()
    }

    /// Starts a service as a container of its role is started; where it serves.
    fn serve(&self, role: &str, data: &Path) -> (Child, String) {
        let mut arguments: Vec<String> = ["serve", role, "--log", "warn", "--forwarder", "gateway"]
            .map(str::to_owned)
            .to_vec();
        arguments.extend(["--data".to_owned(), data.to_str().unwrap().to_owned()]);
        let (pem, key) = (format!("{role}.pem"), format!("{role}.key"));
        let files = [
            ("--tls-cert", &*pem),
            ("--tls-key", &*key),
            ("--tls-client-ca", "ca.pem"),
        ];
        arguments.extend(self.files_of(role, &files));
        secure(&arguments)
    }

    /// Starts a gateway to the services at these addresses.
    fn serve_gateway(&self, services: &[(&str, String)]) -> (Child, String) {
        let mut arguments = ["serve", "gateway", "--log", "warn"]
            .map(str::to_owned)
            .to_vec();
        for (role, url) in services {
            arguments.extend([format!("--{role}"), url.clone()]);
        }
        let files = [
            ("--tokens", "tokens.json"),
            ("--tls-cert", "gateway.pem"),
            ("--tls-key", "gateway.key"),
            ("--ca", "ca.pem"),
            ("--client-cert", "gateway-client.pem"),
            ("--client-key", "gateway-client.key"),
        ];
        arguments.extend(self.files_of("gateway", &files));
        secure(&arguments)
    }

    fn healthcheck(&self, url: &str, process: &str, files: Options<'_>, service: &[&str]) -> Ran {
        let mut command = entente();
        command.args(["healthcheck", "--timeout", "60", "--server", url]);
        command.args(service);
        command.args(self.files_of(process, files));
        run(command, b"")
    }

    /// Runs a command as the first administrator.
    fn ask(&self, url: &str, arguments: &[&str]) -> Ran {
        let mut command = entente();
        command.args(arguments).args(["--server", url]);
        let files = [("--ca", "ca.pem"), ("--token-file", "admin.token")];
        command.args(self.files_of("access", &files));
        run(command, b"")
    }
}

fn secure(arguments: &[String]) -> (Child, String) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (process, url, _) = start(&arguments);
    (process, url.replace("http://", "https://"))
}

/// What a health check of a service shows.
const PROBE: Options<'_> = &[
    ("--ca", "ca.pem"),
    ("--client-cert", "probe.pem"),
    ("--client-key", "probe.key"),
];
const BELIEVED: Options<'_> = &[("--ca", "ca.pem")];

#[test]
fn each_process_gets_what_it_needs_and_no_more() {
    let setup = Setup::make();
    let files = setup.files();
    let of = |process: &str| {
        let inside = files.keys().filter_map(|path| path.strip_prefix(process));
        inside.map(|path| &path[1..]).collect::<Vec<_>>()
    };
    let trade = ["ca.pem", "probe.key", "probe.pem", "trade.key", "trade.pem"];
    assert_eq!(of("trade"), trade);
    assert_eq!(of("access"), ["admin.token", "ca.pem"]);
    let signing = files.keys().filter(|path| path.ends_with("/ca.key"));
    assert_eq!(signing.collect::<Vec<_>>(), ["authority/ca.key"]);
    for path in files.keys() {
        let mode = fs::metadata(setup.at(path)).unwrap().permissions().mode();
        let is_certificate = Path::new(path).extension().unwrap() == "pem";
        let expected = if is_certificate { 0o644 } else { 0o600 };
        assert_eq!(mode & 0o777, expected, "{path}");
    }
    for folder in ["authority", "gateway", "trade", "access"] {
        let mode = fs::metadata(setup.at(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
}

#[test]
fn a_second_setup_changes_nothing_and_no_setup_shows_the_token_unasked() {
    let setup = Setup::make();
    let (before, token) = (setup.files(), setup.token());
    let again = setup.again(&[]);
    assert!(again.out.contains("nothing was changed"), "{again:?}");
    assert!(again.out.contains("access/admin.token"), "{again:?}");
    assert!(!again.out.contains(token.trim()) && !again.err.contains(token.trim()));
    assert_eq!(setup.files(), before);

    let shown = setup.again(&["--show", "token"]);
    assert_eq!((shown.code, shown.out), (0, token));
    let shown = setup.again(&["--show", "ca"]);
    assert_eq!(shown.out.as_bytes(), before["access/ca.pem"]);
    assert_eq!(setup.files(), before);
}

#[test]
fn a_setup_waits_for_another_one_and_finds_what_that_made() {
    let folder = tempfile::tempdir().unwrap();
    let other = fs::File::open(folder.path()).unwrap();
    other.lock().unwrap();
    let mut command = entente();
    command.arg("setup").arg("--dir").arg(folder.path());
    let waiting = command.stdout(Stdio::piped()).spawn().unwrap();
    // The other one needs as long as this one would, had it not to wait.
    let made = Setup::make();
    for (path, text) in made.files() {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    drop(other);
    let waited = waiting.wait_with_output().unwrap();
    assert!(waited.status.success(), "{waited:?}");
    let told = String::from_utf8(waited.stdout).unwrap();
    assert!(told.contains("nothing was changed"), "{told}");
    let setup = Setup { folder };
    assert_eq!(setup.files(), made.files());
}

#[test]
fn a_token_that_was_taken_away_is_not_made_again() {
    let setup = Setup::make();
    fs::remove_file(setup.at("access/admin.token")).unwrap();
    let before = setup.files();
    let again = setup.again(&[]);
    assert!(again.out.contains("no longer here"), "{again:?}");
    assert_eq!(setup.files(), before);
    assert_eq!(setup.again(&["--show", "token"]).code, 1);
}

#[test]
fn a_file_of_tokens_that_is_none_is_told() {
    let setup = Setup::make();
    fs::write(setup.at("gateway/tokens.json"), "{").unwrap();
    let again = setup.again(&[]);
    assert_eq!((again.code, &*again.out), (1, ""), "{again:?}");
    assert!(
        again.err.contains("gateway/tokens.json is no file"),
        "{again:?}"
    );
}

#[test]
fn what_a_killed_setup_left_is_removed_and_nothing_else() {
    let setup = Setup::make();
    let before = setup.files();
    for file in [
        "authority/.tmpA1b2C3",
        "trade/.tmpzzzzzz",
        "access/.tmp000000",
    ] {
        fs::write(setup.at(file), "a key").unwrap();
    }
    fs::create_dir(setup.at("gateway/.tmpd4E5f6")).unwrap();
    fs::write(setup.at("gateway/.tmpd4E5f6/tokens.json"), "{}").unwrap();
    fs::write(setup.at("trade/.tmpl"), "of somebody else").unwrap();
    let again = setup.again(&[]);
    assert_eq!(again.code, 0, "{again:?}");
    fs::remove_file(setup.at("trade/.tmpl")).unwrap();
    assert_eq!(setup.files(), before);
}

#[test]
fn renewed_certificates_are_handed_out_and_the_token_stays() {
    let setup = Setup::make();
    let before = setup.files();
    let renewed = setup.again(&["--renew", "--name", "desk.example.org"]);
    assert!(renewed.out.contains("desk.example.org"), "{renewed:?}");
    let after = setup.files();
    for (path, text) in &before {
        let stays = path.contains("/ca.") || path.contains("token");
        assert_eq!(after[path] == *text, stays, "{path}");
    }
    assert_eq!(after["trade/trade.pem"], after["authority/trade.pem"]);
}

#[test]
fn an_authority_is_exchanged_in_three_steps() {
    let (setup, next) = (Setup::make(), Setup::make());
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    let (old, new) = (
        read(setup.at("access/ca.pem")),
        read(next.at("access/ca.pem")),
    );
    let step = |believed: &str, options: &[&str]| {
        fs::write(setup.at("authority/ca.pem"), believed).unwrap();
        let again = setup.again(options);
        assert_eq!(again.code, 0, "{again:?}");
        for process in ["gateway", "trade", "access"] {
            assert_eq!(read(setup.at(process).join("ca.pem")), believed);
        }
    };
    let (token, certificate) = (setup.token(), read(setup.at("trade/trade.pem")));
    step(&format!("{old}{new}"), &[]);
    assert_eq!(read(setup.at("trade/trade.pem")), certificate);
    fs::copy(next.at("authority/ca.key"), setup.at("authority/ca.key")).unwrap();
    step(&format!("{new}{old}"), &["--renew"]);
    step(&new, &[]);
    assert_eq!(setup.token(), token);

    let data = tempfile::tempdir().unwrap();
    let (mut process, url) = setup.serve("trade", data.path());
    assert_eq!(setup.healthcheck(&url, "trade", PROBE, &[]).code, 0);
    fs::write(setup.at("trade/ca.pem"), &old).unwrap();
    assert_eq!(setup.healthcheck(&url, "trade", PROBE, &[]).code, 1);
    assert_eq!(interrupt(&mut process), 0);
}

#[test]
fn an_authority_that_is_gone_is_made_anew_for_all_and_the_token_stays() {
    let setup = Setup::make();
    let before = setup.files();
    fs::remove_dir_all(setup.at("authority")).unwrap();
    let again = setup.again(&[]);
    assert_eq!(again.code, 0, "{again:?}");
    let after = setup.files();
    for (path, text) in &before {
        assert_eq!(after[path] == *text, path.contains("token"), "{path}");
    }
    assert_eq!(after["trade/ca.pem"], after["authority/ca.pem"]);
}

#[test]
fn processes_that_were_set_up_trust_each_other_and_nobody_else() {
    let (setup, other) = (Setup::make(), Setup::make());
    let data = tempfile::tempdir().unwrap();
    let mut processes = Vec::new();
    let mut services = Vec::new();
    for role in ["trade", "events", "culture"] {
        let (process, url) = setup.serve(role, data.path());
        let healthy = setup.healthcheck(&url, role, PROBE, &[]);
        assert_eq!(healthy.code, 0, "{healthy:?}");
        // Whoever has no certificate is not let in, and the probe's opens nothing else.
        assert_eq!(setup.healthcheck(&url, role, BELIEVED, &[]).code, 1);
        assert_eq!(other.healthcheck(&url, role, PROBE, &[]).code, 1);
        processes.push(process);
        services.push((role, url));
    }
    let mut pried = entente();
    pried.args(["trade", "datasets", "--server", &services[0].1]);
    pried.args(setup.files_of("trade", PROBE));
    let pried = run(pried, b"");
    assert!(pried.err.contains("NOT_LOGGED_IN"), "{pried:?}");

    let (gateway, url) = setup.serve_gateway(&services);
    processes.push(gateway);
    // The gateway connects meanwhile.
    let well = setup.ask(&url, &["status", "--wait", "60"]);
    assert_eq!(well.code, 0, "{well:?}");
    for service in [&[][..], &["trade"], &["events"], &["culture"]] {
        let healthy = setup.healthcheck(&url, "access", BELIEVED, service);
        assert_eq!(healthy.code, 0, "{healthy:?}");
        assert!(healthy.out.contains("serves"), "{healthy:?}");
    }
    for loaded in ["Loaded 19 demonstration figures", "Found the demonstration"] {
        let imported = setup.ask(&url, &["import", "demo"]);
        assert!(imported.out.contains(loaded), "{imported:?}");
    }
    let asked = setup.ask(&url, &["trade", "datasets", "--output", "csv"]);
    assert!(asked.out.contains("china-customs"), "{asked:?}");
    for mut process in processes.into_iter().rev() {
        assert_eq!(interrupt(&mut process), 0);
    }
}

#[test]
fn what_does_not_serve_is_told_by_the_exit_code() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let check = |url: &str| {
        let mut command = entente();
        command.args(["healthcheck", "--timeout", "1", "--server", url]);
        run(command, b"")
    };
    let waited = check(&url);
    assert_eq!(waited.code, 1);
    assert!(
        waited.err.contains("did not answer within 1s"),
        "{waited:?}"
    );
    drop(silent);
    let refused = check(&url);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("cannot reach"), "{refused:?}");
}
