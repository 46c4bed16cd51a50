//! Calls over TLS: who is believed, who is let in, and certificates that change under way.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use chassis::{
    Caller, ClientFiles, ClientTls, Config, Drained, Error, Identity, Login, Role, SecureStream,
    ServerFiles, ServerTls,
};
use proto::trade::v1::trade_service_client::TradeServiceClient;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::metadata::MetadataMap;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use crate::authority::{Authority, identity};
use crate::desk::{Http, Running, client_over, get, try_client_over, within};
use crate::log;

/// Often enough that a test does not wait.
const SOON: Duration = Duration::from_millis(5);

fn with(tls: ServerTls) -> Config {
    Config {
        tls: Some(tls),
        ..Config::default()
    }
}

async fn shake(process: &Running, tls: &ClientTls) -> io::Result<SecureStream> {
    let socket = process.socket().await;
    within(tls.connect("trade", socket)).await
}

async fn client(process: &Running, tls: &ClientTls) -> TradeServiceClient<Http> {
    client_over(shake(process, tls).await.unwrap()).await
}

/// A client that has called, however often the time for its greeting was too short.
async fn greeted(process: &Running, tls: &ClientTls) -> TradeServiceClient<Http> {
    let greeting = async {
        loop {
            let Ok(stream) = shake(process, tls).await else {
                continue;
            };
            let Ok(mut client) = try_client_over(stream).await else {
                continue;
            };
            if ask(&mut client, "echo").await.is_ok() {
                return client;
            }
        }
    };
    within(Box::pin(greeting)).await
}

async fn ask(client: &mut TradeServiceClient<Http>, name: &str) -> Result<String, Status> {
    let answer = within(client.get_dataset(get(name))).await;
    answer.map(|answer| answer.into_inner().name)
}

/// The certificate that a new connection is shown, as it stands in its file.
async fn shown(process: &Running, tls: &ClientTls) -> Vec<u8> {
    let stream = shake(process, tls).await.unwrap();
    let (_, session) = stream.get_ref();
    session.peer_certificates().unwrap()[0].to_vec()
}

fn written(identity: &Identity) -> Vec<u8> {
    let certificate = CertificateDer::from_pem_file(&identity.certificate);
    certificate.unwrap().to_vec()
}

#[tokio::test]
async fn a_call_is_answered_over_tls() {
    let authority = Authority::new();
    let process = Running::with(&with(authority.server()));
    let stream = shake(&process, &authority.client(None)).await.unwrap();
    let (_, session) = stream.get_ref();
    assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]));
    let mut client = client_over(stream).await;
    assert_eq!(ask(&mut client, "echo").await.unwrap(), "echo");
    assert_eq!(ask(&mut client, "peer names").await.unwrap(), "nobody");
}

#[tokio::test]
async fn a_channel_connects_over_tls() {
    let authority = Authority::new();
    let identity = authority.certify("127.0.0.1");
    let files = ServerFiles {
        identity,
        client_ca: None,
    };
    let process = Running::with(&with(ServerTls::load(files).unwrap()));
    let address = format!("https://{}", process.address);
    let endpoint = Endpoint::from_shared(address).unwrap();
    let connecting = endpoint.connect_with_connector(authority.client(None));
    let channel = within(connecting).await.unwrap();
    let asked = get("echo");
    let answer = within(TradeServiceClient::new(channel).get_dataset(asked)).await;
    assert_eq!(answer.unwrap().into_inner().name, "echo");
}

#[tokio::test]
async fn a_server_of_another_name_or_of_another_authority_is_not_believed() {
    let authority = Authority::new();
    let process = Running::with(&with(authority.server()));
    let tls = authority.client(None);
    let socket = process.socket().await;
    within(tls.connect("events", socket)).await.unwrap_err();
    let other = Authority::new().client(None);
    shake(&process, &other).await.unwrap_err();
    ask(&mut client(&process, &tls).await, "echo")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_may_be_reached_by_another_name_than_it_proves() {
    let authority = Authority::new();
    let process = Running::with(&with(authority.server()));
    let files = ClientFiles {
        ca: authority.ca(),
        identity: None,
        server_name: Some("trade".to_owned()),
    };
    let tls = ClientTls::load(files).unwrap();
    let socket = process.socket().await;
    within(tls.connect("127.0.0.1", socket)).await.unwrap();
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused_where_one_is_asked_for() {
    let (authority, other) = (Authority::new(), Authority::new());
    let process = Running::with(&with(authority.mutual_server()));
    for refused in [None, Some(other.certify("gateway"))] {
        // The client is done before its certificate has been looked at.
        let mut client = client(&process, &authority.client(refused)).await;
        ask(&mut client, "echo").await.unwrap_err();
    }
}

#[tokio::test]
async fn a_handler_sees_which_name_a_client_has_proved() {
    let authority = Authority::new();
    let process = Running::with(&with(authority.mutual_server()));
    let gateway = authority.client(Some(authority.certify("gateway")));
    let mut client = client(&process, &gateway).await;
    for _ in 0..2 {
        assert_eq!(ask(&mut client, "peer names").await.unwrap(), "gateway");
    }
}

#[tokio::test]
async fn a_gateway_that_has_proved_its_name_says_whose_calls_it_passes_on() {
    let authority = Authority::new();
    let config = Config {
        login: Some(Login::default()),
        ..with(authority.mutual_server())
    };
    let process = Running::with(&config);
    let ask_as = async |name: &str| {
        let tls = authority.client(Some(authority.certify(name)));
        let mut request = get("caller");
        let desk = Caller {
            name: "desk-7".into(),
            role: Role::Editor,
        };
        let mut headers = http::HeaderMap::new();
        desk.forward(&mut headers);
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        let mut client = client(&process, &tls).await;
        let answer = within(client.get_dataset(request)).await;
        answer.map(|answer| answer.into_inner().name)
    };
    assert_eq!(ask_as("gateway").await.unwrap(), "desk-7 (editor)");
    let refused = ask_as("desk-7").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn who_does_not_speak_tls_keeps_no_place() {
    let authority = Authority::new();
    let process = Running::with(&Config {
        max_connections: 1,
        greeting_limit: Duration::from_millis(50),
        ..with(authority.server())
    });
    for greeting in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "\x16\x03",
        "",
    ] {
        let mut socket = process.socket().await;
        socket.write_all(greeting.as_bytes()).await.unwrap();
        // That it ends is the point; closed or reset depends on what was left unread.
        drop(within(socket.read_to_end(&mut Vec::new())).await);
    }
    greeted(&process, &authority.client(None)).await;
}

#[tokio::test]
async fn who_is_silent_after_the_handshake_is_closed_and_who_greeted_may_be_idle() {
    let authority = Authority::new();
    let process = Running::with(&Config {
        greeting_limit: Duration::from_millis(50),
        ..with(authority.server())
    });
    let tls = authority.client(None);
    let mut client = greeted(&process, &tls).await;
    if let Ok(mut silent) = shake(&process, &tls).await {
        drop(within(silent.read_to_end(&mut Vec::new())).await);
    }
    ask(&mut client, "echo").await.unwrap();
}

#[tokio::test]
async fn a_shutdown_waits_for_calls_and_not_for_handshakes() {
    let authority = Authority::new();
    let endless = Duration::from_secs(3_600);
    let process = Running::with(&Config {
        greeting_limit: endless,
        drain_limit: endless,
        ..with(authority.server())
    });
    let silent = process.socket().await;
    let mut client = client(&process, &authority.client(None)).await;
    let running = tokio::spawn(async move { ask(&mut client, "gate").await });
    process.desk.begun().await;
    process.shutdown.trigger();
    process.desk.open_gate();
    assert_eq!(within(running).await.unwrap().unwrap(), "through");
    assert_eq!(process.drained().await, Drained::Clean);
    drop(silent);
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_connections_and_the_open_ones_go_on() {
    let authority = Authority::new();
    let [first, second] = ["first", "second"].map(|name| {
        let folder = authority.folder.path().join(name);
        fs::create_dir(&folder).unwrap();
        authority.certify_into(&folder, "trade")
    });
    // As Kubernetes exchanges them: a link that points to another folder.
    let now = authority.folder.path().join("now");
    point(&now, "first");
    let files = ServerFiles {
        identity: identity(&now, "trade"),
        client_ca: None,
    };
    let server = ServerTls::load(files).unwrap().looking_every(SOON);
    let process = Running::with(&with(server));
    let tls = authority.client(None);
    assert_eq!(shown(&process, &tls).await, written(&first));
    let mut open = client(&process, &tls).await;
    ask(&mut open, "echo").await.unwrap();

    point(&now, "second");
    within(async { while shown(&process, &tls).await != written(&second) {} }).await;
    assert_eq!(ask(&mut open, "still here").await.unwrap(), "still here");
}

/// Lets a link point to a folder beside it, in one step.
fn point(link: &Path, folder: &str) {
    let next = link.with_extension("next");
    std::os::unix::fs::symlink(folder, &next).unwrap();
    fs::rename(next, link).unwrap();
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_told_once_and_changes_nothing() {
    let authority = Authority::new();
    let trade = authority.certify("trade");
    let good = written(&trade);
    let files = ServerFiles {
        identity: trade.clone(),
        client_ca: None,
    };
    let server = ServerTls::load(files).unwrap().looking_every(SOON);
    let process = Running::with(&with(server));
    let tls = authority.client(None);
    let path = trade.certificate.to_str().unwrap();
    let told =
        || log::matching(|line| line["level"] == "WARN" && line.to_string().contains(path)).len();
    assert_eq!(told(), 0);

    fs::write(&trade.certificate, "half a certif").unwrap();
    within(async {
        while told() == 0 {
            assert_eq!(shown(&process, &tls).await, good);
        }
    })
    .await;
    let renewed = authority.certify("trade");
    within(async { while shown(&process, &tls).await != written(&renewed) {} }).await;
    assert_eq!(told(), 1);
}

#[tokio::test]
async fn a_client_takes_new_authorities_for_its_next_connection() {
    let (old, new) = (Authority::new(), Authority::new());
    let process = Running::with(&with(new.server()));
    let tls = old.client(None).looking_every(Duration::ZERO);
    shake(&process, &tls).await.unwrap_err();
    fs::copy(new.ca(), old.ca()).unwrap();
    ask(&mut client(&process, &tls).await, "echo")
        .await
        .unwrap();
}

#[test]
fn files_that_do_not_fit_together_are_named() {
    let authority = Authority::new();
    let (trade, events) = (authority.certify("trade"), authority.certify("events"));
    let load = |certificate: &Path, key: &Path, client_ca: Option<&Path>| {
        let files = ServerFiles {
            identity: Identity {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            },
            client_ca: client_ca.map(Path::to_owned),
        };
        ServerTls::load(files).unwrap_err()
    };
    let (certificate, key) = (&trade.certificate, &trade.key);
    let missing = authority.folder.path().join("missing.pem");
    let of_another = load(certificate, &events.key, None);
    assert!(matches!(&of_another, Error::KeyMismatch { key, .. } if *key == events.key));
    for (error, named, what) in [
        (load(&missing, key, None), &missing, "cannot read"),
        (load(key, key, None), key, "a certificate"),
        (
            load(certificate, certificate, None),
            certificate,
            "a private key",
        ),
        (load(certificate, key, Some(key)), key, "a certificate"),
        (of_another, &events.key, "made together"),
    ] {
        let text = error.to_string();
        assert!(text.contains(named.to_str().unwrap()), "{text}");
        assert!(text.contains(what), "{text}");
    }
}

#[test]
fn a_key_is_in_no_debug() {
    let authority = Authority::new();
    let shown = format!("{:?}", with(authority.mutual_server()));
    let key = fs::read_to_string(identity(authority.folder.path(), "trade").key).unwrap();
    assert!(shown.contains("trade.key"));
    assert!(key.lines().all(|line| !shown.contains(line)));
}
