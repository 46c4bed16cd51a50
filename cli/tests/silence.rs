//! Servers that take a connection and answer nothing: no command waits for them for ever.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use common::{Ran, entente, run};

const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const PING: u8 = 6;

/// How much is still answered where no call is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// As a process that is stopped: its system takes connections for it.
    Nothing,
    /// HTTP/2 itself, up to its settings.
    Settings,
    /// And pings.
    Pings,
}

/// Listens, and goes on doing so until the tests end; the address.
fn listen(answers: Answers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(&stream.unwrap(), answers));
        }
    });
    url
}

/// Reads until the client goes.
fn serve(mut stream: &TcpStream, answers: Answers) -> Option<()> {
    stream.read_exact(&mut [0; PREFACE]).ok()?;
    if answers != Answers::Nothing {
        stream.write_all(&SETTINGS).ok()?;
    }
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).ok()?;
        let [a, b, c, kind, flags, ..] = head;
        let mut body = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut body).ok()?;
        if answers == Answers::Pings && (kind, flags) == (PING, 0) {
            stream.write_all(&[0, 0, 8, PING, 1, 0, 0, 0, 0]).ok()?;
            stream.write_all(&body).ok()?;
        }
    }
}

fn ask(url: &str, arguments: &[&str]) -> Ran {
    let mut command = entente();
    command.args(arguments);
    command.args(["--timeout", "1", "--server", url]);
    run(command, b"")
}

#[test]
fn a_question_ends_when_its_time_is_over_whatever_is_still_answered() {
    for answers in [Answers::Nothing, Answers::Settings, Answers::Pings] {
        let url = listen(answers);
        let verify = ask(&url, &["verify"]);
        assert_eq!(verify.code, 1, "{verify:?}");
        let told = "verifying trade: no answer came in time";
        assert!(verify.err.contains(told), "{verify:?}");
        for status in [&["status"][..], &["status", "--wait", "1"]] {
            let status = ask(&url, status);
            assert_eq!(status.code, 1, "{status:?}");
            for who in ["the gateway", "trade", "events", "culture"] {
                let told = format!("! {who}: no answer came in time");
                assert!(status.out.contains(&told), "{status:?}");
            }
        }
        let fill = ask(&url, &["generate", "--rows", "10", "--format", "direct"]);
        assert_eq!(fill.code, 1, "{fill:?}");
        let told = format!("creating the dataset at {url}: no answer came in time");
        assert!(fill.err.contains(&told), "{fill:?}");
    }
}

#[test]
fn a_load_test_begins_with_no_call_where_nobody_answers() {
    for answers in [Answers::Nothing, Answers::Settings] {
        let url = listen(answers);
        let load = ask(&url, &["load", "smoke"]);
        assert_eq!((load.code, &*load.out), (1, ""), "{load:?}");
        let told = format!("cannot reach {url}/: nothing that speaks HTTP/2 answered");
        assert!(load.err.contains(&told), "{load:?}");
    }
    let url = listen(Answers::Pings);
    let mut load = entente();
    load.args(["load", "smoke", "--timeout", "10", "--server", &url]);
    let load = run(load, b"");
    assert_eq!((load.code, &*load.out), (1, ""), "{load:?}");
    let told = format!("looking for figures to ask for at {url}: no answer came in time");
    assert!(load.err.contains(&told), "{load:?}");
}
