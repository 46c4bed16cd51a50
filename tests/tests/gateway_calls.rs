//! What the gateway does with a call on its way: what it says of it and what it keeps to itself, when it sends it
//! again, and what it does when its client goes away.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, wherever it does, and tells what it counted"
)]

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chassis::{Caller, Deadline};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, StreamBody};
use proto::trade::v1 as wire;
use tests::{Client, Door, Stub, ok, reason, refused, within_limit};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;
use wire::{Dataset, GetDatasetRequest, IngestObservationsRequest, WatchChangesRequest};

fn named(name: &str) -> GetDatasetRequest {
    GetDatasetRequest {
        name: name.into(),
        as_of: None,
    }
}

fn any() -> Dataset {
    Dataset {
        name: "datasets/any".into(),
        ..Dataset::default()
    }
}

fn method(request: &Request<Body>) -> &str {
    request.uri().path().rsplit('/').next().unwrap_or_default()
}

/// What a service sees of a call.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Call>>>);

/// Its metadata, and what is left of its deadline.
type Call = (HeaderMap, Option<Duration>);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_sees_what_concerns_it_and_less_time() {
    within_limit(async {
        let seen = Seen::default();
        let noted = seen.clone();
        let stub = Stub::start(move |request| {
            let left = request.extensions().get::<Deadline>();
            let left = left.map(|deadline| deadline.remaining());
            noted
                .0
                .lock()
                .unwrap()
                .push((request.headers().clone(), left));
            Box::pin(async { ok(&any()) })
        });
        let door = Door::to(&[&stub]).await;
        let mut request = tonic::Request::new(named("datasets/any"));
        request.set_timeout(Duration::from_secs(10));
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (name, value) in [
            ("authorization", "Bearer secret".to_owned()),
            ("x-entente-caller", "mallory".to_owned()),
            ("x-entente-role", "admin".to_owned()),
            ("x-request-id", "desk-7".to_owned()),
            ("traceparent", format!("00-{trace}-00f067aa0ba902b7-01")),
            ("x-theirs", "2".to_owned()),
        ] {
            request.metadata_mut().insert(name, value.parse().unwrap());
        }
        door.client().await.get_dataset(request).await.unwrap();

        let seen = seen.0.lock().unwrap();
        let [(headers, left)] = &seen[..] else {
            panic!("one call: {}", seen.len());
        };
        assert!(left.unwrap() < Duration::from_secs(10));
        assert!(!headers.contains_key("authorization"));
        assert!(Caller::forwarded(headers).is_none());
        assert_eq!(headers["x-request-id"], "desk-7");
        assert_eq!(headers["x-theirs"], "2");
        // A gateway that records nothing is no part of the trace.
        let passed = headers["traceparent"].to_str().unwrap();
        assert_eq!(passed, format!("00-{trace}-00f067aa0ba902b7-01"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_streams_both_ways_is_a_conversation() {
    within_limit(async {
        // What comes goes back as it is.
        let stub = Stub::start(|request| {
            Box::pin(async {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", "0".parse().unwrap());
                let back = request
                    .into_body()
                    .with_trailers(async { Some(Ok(trailers)) });
                let mut response = http::Response::new(Body::new(back));
                let grpc = "application/grpc".parse().unwrap();
                response.headers_mut().insert("content-type", grpc);
                response
            })
        });
        let door = Door::to(&[&stub]).await;
        let mut client = Grpc::new(door.channel().await);
        client.ready().await.unwrap();
        let (said, saying) = mpsc::channel(1);
        let path = PathAndQuery::from_static("/entente.trade.v1.TradeService/Converse");
        let codec = ProstCodec::<Dataset, Dataset>::default();
        let saying = tonic::Request::new(ReceiverStream::new(saying));
        let mut heard = client
            .streaming(saying, path, codec)
            .await
            .unwrap()
            .into_inner();
        for turn in 0..10 {
            let name = format!("turn {turn}");
            said.send(Dataset {
                name: name.clone(),
                ..Dataset::default()
            })
            .await
            .unwrap();
            assert_eq!(heard.message().await.unwrap().unwrap().name, name);
        }
        drop(said);
        assert!(heard.message().await.unwrap().is_none());
    })
    .await;
}

/// How an upload ended, as its service sees it.
#[derive(Debug, PartialEq, Eq)]
enum Upload {
    Whole,
    Broken,
}

async fn read(mut body: Body) -> Upload {
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return Upload::Broken;
        }
    }
    Upload::Whole
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_whose_client_goes_away_never_looks_whole() {
    within_limit(async {
        let (ended, mut ends) = mpsc::unbounded_channel();
        let begun = Arc::new(Semaphore::new(0));
        let (told, beginning) = (ended, begun.clone());
        let stub = Stub::start(move |request| {
            let (told, beginning) = (told.clone(), beginning.clone());
            Box::pin(async move {
                beginning.add_permits(1);
                // A call that is reset is dropped; what reads its request is not.
                let reading =
                    tokio::spawn(async move { told.send(read(request.into_body()).await) });
                drop(reading.await);
                ok(&wire::IngestObservationsResponse::default())
            })
        });
        let door = Door::to(&[&stub]).await;
        let mut client = door.client().await;
        let part = IngestObservationsRequest::default;
        let whole = tokio_stream::iter([part(), part()]);
        client.ingest_observations(whole).await.unwrap();
        assert_eq!(ends.recv().await, Some(Upload::Whole));
        begun.forget_permits(1);

        for _ in 0..20 {
            let endless = tokio_stream::iter([part()]).chain(tokio_stream::pending());
            let mut client = client.clone();
            let uploading = tokio::spawn(async move { client.ingest_observations(endless).await });
            begun.acquire().await.unwrap().forget();
            uploading.abort();
            assert_eq!(ends.recv().await, Some(Upload::Broken));
        }
    })
    .await;
}

/// Answers `GetDataset` at once, and nothing else ever; notes over which connections calls come.
fn half_deaf(arrived: &Arc<AtomicUsize>, peers: &Arc<Mutex<HashSet<u16>>>) -> Stub {
    let (arrived, peers) = (arrived.clone(), peers.clone());
    Stub::start(move |request| {
        let info = request.extensions().get::<TcpConnectInfo>();
        let peer = info.and_then(TcpConnectInfo::remote_addr).unwrap();
        peers.lock().unwrap().insert(peer.port());
        let answers = method(&request) == "GetDataset";
        if !answers {
            arrived.fetch_add(1, Ordering::Relaxed);
        }
        Box::pin(async move {
            if answers {
                return ok(&any());
            }
            std::future::pending().await
        })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_gives_up_thousands_of_calls_harms_no_other() {
    within_limit(async {
        let (arrived, peers) = (Arc::default(), Arc::default());
        let stub = half_deaf(&arrived, &peers);
        let door = Door::to(&[&stub]).await;
        let impatient = door.channel().await;
        let giving_up = tokio::spawn(async move {
            for round in 0..40 {
                give_up_calls(&impatient, 100, round % 5).await;
            }
        });
        let patient = door.client().await;
        let mut made = 0;
        while !giving_up.is_finished() || made < 1_000 {
            patient
                .clone()
                .get_dataset(named("datasets/any"))
                .await
                .unwrap();
            made += 1;
        }
        giving_up.await.unwrap();
        let arrived = arrived.load(Ordering::Relaxed);
        eprintln!("{arrived} of 4,000 calls had reached the service; {made} others were answered");
        assert!(arrived > 100, "too few calls came so far: {arrived}");
        let peers = peers.lock().unwrap().len();
        assert!(
            peers <= 2,
            "{peers} connections for calls: some were closed"
        );
    })
    .await;
}

/// Makes calls that are never answered, and drops each after a few turns of the runtime.
async fn give_up_calls(channel: &tonic::transport::Channel, calls: usize, turns: usize) {
    let mut given_up = tokio::task::JoinSet::new();
    for _ in 0..calls {
        let mut client = Client::new(channel.clone());
        given_up.spawn(async move {
            let call = client.get_series(wire::GetSeriesRequest::default());
            tokio::select! {
                biased;
                // The gateway may close the connection of such a client.
                answer = call => assert!(answer.is_err(), "it is never answered"),
                () = async { for _ in 0..turns { tokio::task::yield_now().await } } => {}
            }
        });
    }
    while let Some(ended) = given_up.join_next().await {
        ended.unwrap();
    }
    // Another call over the same connection: what was sent before it has arrived.
    let mut client = Client::new(channel.clone());
    drop(client.get_dataset(named("datasets/any")).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_do_not_read_hold_up_no_other() {
    within_limit(async {
        let stub = Stub::start(|request| {
            let endless = method(&request) == "WatchChanges";
            Box::pin(async move {
                if !endless {
                    return ok(&any());
                }
                let frames = tokio_stream::iter(std::iter::repeat_with(|| {
                    Ok::<_, Status>(http_body::Frame::data(Bytes::from(vec![0; 64 << 10])))
                }));
                let mut response = http::Response::new(Body::new(StreamBody::new(frames)));
                let grpc = "application/grpc".parse().unwrap();
                response.headers_mut().insert("content-type", grpc);
                response
            })
        });
        let door = Door::to(&[&stub]).await;
        let mut idle = Vec::new();
        for _ in 0..32 {
            let mut client = door.client().await;
            let watched = client.watch_changes(WatchChangesRequest::default()).await;
            idle.push((client, watched.unwrap()));
        }
        let mut client = door.client().await;
        for _ in 0..200 {
            client.get_dataset(named("datasets/any")).await.unwrap();
        }
    })
    .await;
}

/// A stub that counts its calls and answers all with a code.
fn answering(code: Code, calls: &Arc<AtomicUsize>) -> Stub {
    let calls = calls.clone();
    Stub::start(move |_| {
        calls.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if code == Code::Ok {
                return ok(&any());
            }
            refused(code)
        })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_asked_again_elsewhere_and_a_replica_that_fails_is_left_out() {
    within_limit(async {
        let (well, ill) = (Arc::default(), Arc::default());
        let stubs = [
            answering(Code::Ok, &well),
            answering(Code::Unavailable, &ill),
        ];
        let door = Door::to(&[&stubs[0], &stubs[1]]).await;
        let mut client = door.client().await;
        // A gateway reaches its replicas one by one, and the one that fails may be the first.
        let asked = |replica: &AtomicUsize| replica.load(Ordering::Relaxed);
        while asked(&well) == 0 || asked(&ill) == 0 {
            drop(client.get_dataset(named("datasets/any")).await);
        }
        let before = (asked(&well), asked(&ill));
        for _ in 0..200 {
            client.get_dataset(named("datasets/any")).await.unwrap();
        }
        assert_eq!(asked(&well) - before.0, 200);
        let ill = asked(&ill) - before.1;
        assert!(ill < 20, "it was asked {ill} times although it fails");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_sent_once() {
    within_limit(async {
        let (well, ill) = (Arc::default(), Arc::default());
        let stubs = [
            answering(Code::Ok, &well),
            answering(Code::Unavailable, &ill),
        ];
        let door = Door::to(&[&stubs[0], &stubs[1]]).await;
        let mut client = door.client().await;
        let mut failed = 0;
        for _ in 0..200 {
            let created = client
                .create_dataset(wire::CreateDatasetRequest::default())
                .await;
            failed += usize::from(created.is_err());
        }
        let sent = well.load(Ordering::Relaxed) + ill.load(Ordering::Relaxed);
        assert_eq!(sent, 200);
        assert_eq!(failed, ill.load(Ordering::Relaxed));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_again_is_a_small_share_of_what_is_asked() {
    within_limit(async {
        let calls: Arc<AtomicUsize> = Arc::default();
        let stubs = [Code::Unavailable; 2].map(|code| answering(code, &calls));
        let door = Door::to(&[&stubs[0], &stubs[1]]).await;
        let mut client = door.client().await;
        for _ in 0..500 {
            let asked = client.get_dataset(named("datasets/any")).await;
            assert_eq!(asked.unwrap_err().code(), Code::Unavailable);
        }
        let sent = calls.load(Ordering::Relaxed);
        // A fifth of the calls, what there is at the start, and a few a second.
        assert!((500..=750).contains(&sent), "{sent} calls for 500");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_gone_is_told_with_its_reason() {
    within_limit(async {
        let stub = Stub::start(|_| Box::pin(async { ok(&any()) }));
        let door = Door::to(&[&stub]).await;
        let mut health = door.health().await;
        health.until(true).await;
        drop(stub);
        health.until(false).await;
        let asked = door.client().await.get_dataset(named("datasets/any")).await;
        assert_eq!(reason(&asked.unwrap_err()), "Unavailable UNREACHABLE");
    })
    .await;
}
