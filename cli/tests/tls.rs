//! Certificates are made, a service is asked over TLS with them, and who has none is told why not.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Child;

use common::{Ran, entente, interrupt, run};
use tempfile::TempDir;

/// A folder of certificates.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn make() -> Certificates {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates { folder };
        let made = certificates.certs(&[]);
        assert_eq!(made.code, 0, "{made:?}");
        certificates
    }

    /// Runs `entente certs` on the folder.
    fn certs(&self, options: &[&str]) -> Ran {
        let mut command = entente();
        command.args(["certs", "--dir", &self.at("")]).args(options);
        run(command, b"")
    }

    fn at(&self, file: &str) -> String {
        self.folder.path().join(file).to_str().unwrap().to_owned()
    }

    fn files(&self) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let file = |path: &Path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        };
        entries.map(|entry| file(&entry.unwrap().path())).collect()
    }

    /// Options that serve with the certificate of a name.
    fn served_as(&self, name: &str) -> [String; 4] {
        let (pem, key) = (format!("{name}.pem"), format!("{name}.key"));
        [
            "--tls-cert".into(),
            self.at(&pem),
            "--tls-key".into(),
            self.at(&key),
        ]
    }

    /// Options that believe the authority.
    fn believed(&self) -> [String; 2] {
        ["--ca".into(), self.at("ca.pem")]
    }

    /// Options that prove the name of a gateway.
    fn gateway(&self) -> [String; 4] {
        let at = |file: &str| self.at(file);
        [
            "--client-cert".into(),
            at("gateway-client.pem"),
            "--client-key".into(),
            at("gateway-client.key"),
        ]
    }
}

/// Starts a serving command over TLS; the address to ask at.
fn start(command: &[&str], options: &[String]) -> (Child, String, String) {
    let options = options.iter().map(String::as_str);
    let arguments: Vec<_> = command.iter().copied().chain(options).collect();
    let (process, url, printed) = common::start(&arguments);
    (process, url.replace("http://", "https://"), printed)
}

fn datasets(url: &str, options: &[String]) -> Ran {
    let mut command = entente();
    command.args(["trade", "datasets", "--server", url, "-o", "csv"]);
    command.args(options);
    run(command, b"")
}

#[test]
fn a_service_is_asked_over_https_by_who_believes_its_authority() {
    let (certificates, other) = (Certificates::make(), Certificates::make());
    let data = tempfile::tempdir().unwrap();
    let command = ["demo", "--data", data.path().to_str().unwrap()];
    let (mut process, url, printed) = start(&command, &certificates.served_as("gateway"));
    assert!(
        printed.contains("Loaded 19 demonstration figures"),
        "{printed}"
    );

    let asked = datasets(&url, &certificates.believed());
    assert_eq!(asked.code, 0, "{asked:?}");
    assert!(asked.out.contains("china-customs"), "{asked:?}");
    let unasked = datasets(&url, &[]);
    assert_eq!(unasked.code, 1);
    assert!(unasked.err.contains("--ca"), "{unasked:?}");
    let stranger = datasets(&url, &other.believed());
    assert_eq!(stranger.code, 1);
    assert!(stranger.err.contains("certificate"), "{stranger:?}");
    let plain = datasets(&url.replace("https", "http"), &[]);
    assert_eq!(plain.code, 1);
    assert!(plain.err.contains("want https"), "{plain:?}");
    assert_eq!(interrupt(&mut process), 0);
}

#[test]
fn a_service_that_asks_for_certificates_lets_in_whom_its_authority_knows() {
    let (certificates, other) = (Certificates::make(), Certificates::make());
    let data = tempfile::tempdir().unwrap();
    let command = ["serve", "trade", "--data", data.path().to_str().unwrap()];
    let mut options = certificates.served_as("trade").to_vec();
    options.extend(["--tls-client-ca".into(), certificates.at("ca.pem")]);
    let (mut process, url, _) = start(&command, &options);
    let ask = |proof: &[String]| datasets(&url, &[&certificates.believed()[..], proof].concat());

    let known = ask(&certificates.gateway());
    assert_eq!(known.code, 0, "{known:?}");
    let server = certificates
        .served_as("events")
        .map(|option| option.replace("--tls-", "--client-"));
    for refused in [&[][..], &other.gateway(), &server] {
        let refused = ask(refused);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("--client-cert"), "{refused:?}");
    }
    assert_eq!(interrupt(&mut process), 0);
}

#[test]
fn a_gateway_and_its_services_prove_to_each_other_who_they_are() {
    let certificates = Certificates::make();
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let services = ["serve", "trade", "events", "culture", "--data", folder];
    let mut options = certificates.served_as("trade").to_vec();
    options.extend(["--tls-client-ca".into(), certificates.at("ca.pem")]);
    let (mut services, behind, _) = start(&services, &options);
    let gateway = [
        "serve",
        "gateway",
        "--trade",
        &behind,
        "--events",
        &behind,
        "--culture",
        &behind,
    ];
    let mut options = certificates.served_as("gateway").to_vec();
    options.extend(certificates.believed());
    options.extend(certificates.gateway());
    let (mut gateway, door, _) = start(&gateway, &options);
    // The gateway connects meanwhile.
    let mut wait = entente();
    wait.args(["status", "--wait", "60", "--server", &door]);
    wait.args(certificates.believed());
    let well = run(wait, b"");
    assert_eq!(well.code, 0, "{well:?}");
    let asked = datasets(&door, &certificates.believed());
    assert_eq!(asked.code, 0, "{asked:?}");
    assert_eq!(interrupt(&mut gateway), 0);
    assert_eq!(interrupt(&mut services), 0);
}

#[test]
fn a_gateway_that_is_not_told_whom_to_believe_does_not_start() {
    let behind = "https://trade:50061";
    let mut command = entente();
    command.args(["serve", "gateway", "--listen", "127.0.0.1:0"]);
    command.args(["--trade", behind, "--events", behind, "--culture", behind]);
    let refused = run(command, b"");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.err.contains(behind) && refused.err.contains("--ca"),
        "{refused:?}"
    );
}

#[test]
fn keys_are_for_their_owner_alone() {
    let certificates = Certificates::make();
    for (name, _) in certificates.files() {
        let mode = fs::metadata(certificates.at(&name))
            .unwrap()
            .permissions()
            .mode();
        let is_key = Path::new(&name).extension().unwrap() == "key";
        let expected = if is_key { 0o600 } else { 0o644 };
        assert_eq!(mode & 0o777, expected, "{name}");
    }
}

#[test]
fn nothing_is_overwritten_unasked() {
    let certificates = Certificates::make();
    let first = certificates.files();
    assert_eq!(first.len(), 14, "{:?}", first.keys());
    let again = certificates.certs(&[]);
    assert!(again.out.contains("--renew"), "{again:?}");
    assert_eq!(certificates.files(), first);

    certificates.certs(&["--renew", "--name", "desk.example.org"]);
    let renewed = certificates.files();
    for (name, text) in &renewed {
        assert_eq!(name.starts_with("ca."), first[name] == *text, "{name}");
    }
    certificates.certs(&["--force"]);
    let forced = certificates.files();
    assert!(forced.iter().all(|(name, text)| renewed[name] != *text));
    assert_eq!(forced.len(), 14);
}

#[test]
fn what_is_missing_is_made_by_the_authority_that_is_there() {
    let certificates = Certificates::make();
    let first = certificates.files();
    for file in ["trade.pem", "trade.key"] {
        fs::remove_file(certificates.at(file)).unwrap();
    }
    let made = certificates.certs(&[]);
    assert_eq!(made.code, 0, "{made:?}");
    let second = certificates.files();
    for (name, text) in &first {
        assert_eq!(!name.starts_with("trade."), second[name] == *text, "{name}");
    }
}

#[test]
fn a_folder_that_does_not_fit_together_is_left_as_it_is() {
    let (certificates, other) = (Certificates::make(), Certificates::make());
    let is_left = |why: &str| {
        let before = certificates.files();
        for options in [&[][..], &["--renew"]] {
            let refused = certificates.certs(options);
            assert_eq!(refused.code, 1, "{refused:?}");
            assert!(refused.err.contains(why), "{refused:?}");
        }
        assert_eq!(certificates.files(), before);
    };
    fs::copy(other.at("ca.key"), certificates.at("ca.key")).unwrap();
    is_left("do not belong together");
    fs::write(certificates.at("ca.key"), "no key").unwrap();
    is_left("no private key");
    fs::remove_file(certificates.at("ca.key")).unwrap();
    is_left("ca.pem is there without ca.key");
    fs::remove_file(certificates.at("ca.pem")).unwrap();
    is_left("not their authority");
}
