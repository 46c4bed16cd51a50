//! What the system tells of itself: what it counts, and the traces of calls through it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_cmp,
    reason = "a test fails by panicking, wherever it does, and tells what it left out; counts are whole"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use http::{Request, StatusCode};
use opentelemetry_proto::tonic::trace::v1::Span;
use proto::gateway::v1::GetBriefingRequest;
use tests::wire::{Dataset, GetDatasetRequest};
use tests::{
    Collector, Counts, Health, Role, Setting, Spans, Stub, World, build_binary, dataset, date,
    http as web, number, ok, refused, trace_id, within_limit,
};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

tests::both_settings!(
    calls_are_counted_once_by_method_and_code,
    a_write_moves_the_journal,
    whatever_callers_make_up_is_counted_as_one_method,
    a_briefing_is_made_once_and_then_found,
    the_port_of_metrics_has_nothing_else,
    the_text_is_one_that_prometheus_reads,
);

async fn in_time(story: impl AsyncFnOnce()) {
    build_binary().await;
    within_limit(story()).await;
}

async fn tell(setting: Setting, story: impl AsyncFnOnce(&World)) {
    in_time(async || {
        let world = World::start(setting).await;
        story(&world).await;
        world.stop().await;
    })
    .await;
}

/// What trade counts, wherever it is.
async fn trade_counts(world: &World) -> Counts {
    world.trade.first().unwrap_or(&world.door).counts().await
}

async fn get_dataset(world: &World, name: &str, metadata: MetadataMap) -> Result<Dataset, Status> {
    let mut request = tonic::Request::new(GetDatasetRequest {
        name: name.into(),
        as_of: None,
    });
    *request.metadata_mut() = metadata;
    let got = world.trade_client().get_dataset(request).await;
    got.map(tonic::Response::into_inner)
}

async fn get_briefing(world: &World) {
    let request = GetBriefingRequest {
        country: "KAZ".into(),
        partner: "CHN".into(),
        period: "2024-01..2024-05".into(),
        day: Some(date("2024-07-01")),
        ..GetBriefingRequest::default()
    };
    let got = world.gateway_client().get_briefing(request).await;
    got.expect("a briefing");
}

async fn calls_are_counted_once_by_method_and_code(world: &World) {
    let missing = get_dataset(world, "datasets/none", MetadataMap::new()).await;
    assert_eq!(missing.unwrap_err().code(), Code::NotFound);
    let of = [("method", "TradeService/GetDataset"), ("code", "NOT_FOUND")];
    let answered = trade_counts(world).await;
    let under_trade = [&of[..], &[("service", "trade")]].concat();
    assert_eq!(answered.sum("entente_calls_total", &under_trade), 1.0);
    assert_eq!(answered.sum("entente_calls_total", &of), 1.0);
    let timed = answered.sum("entente_call_seconds_count", &of[..1]);
    assert_eq!(timed, 1.0);

    let mut unheard = MetadataMap::new();
    unheard.insert("grpc-timeout", "soon".parse().expect("metadata"));
    let refused = get_dataset(world, "datasets/none", unheard).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);

    let door = world.door.counts().await;
    let turned_away = [of[0], ("code", "INVALID_ARGUMENT")];
    assert_eq!(door.sum("entente_calls_total", &turned_away), 1.0);
    assert_eq!(door.sum("entente_call_seconds_count", &of[..1]), 1.0);
    let passed = [&of[..], &[("service", "gateway")]].concat();
    let apart = world.trade.len();
    assert_eq!(door.sum("entente_calls_total", &of), 1.0);
    assert_eq!(
        door.sum("entente_calls_total", &passed),
        if apart == 0 { 0.0 } else { 1.0 }
    );
    assert_eq!(
        door.sum("entente_calls_running", &[("service", "trade")]),
        0.0
    );
    let connections = door.sum("entente_connections_open", &[]);
    assert!(connections >= 1.0 && connections < door.sum("entente_connections_limit", &[]));
    assert!(door.sum("entente_connections_accepted_total", &[]) >= connections);
    assert!(door.sum("entente_calls_limit", &[]) > 1.0);
    // There from the start, so that the first one is seen as one more.
    let refused = |reason| door.has("entente_calls_refused_total", &[("reason", reason)]);
    assert!(
        ["overloaded", "watchers", "rate_limited"]
            .into_iter()
            .all(refused)
    );
}

async fn a_write_moves_the_journal(world: &World) {
    let before = trade_counts(world).await;
    let mut trade = world.trade_client();
    let created = trade.create_dataset(dataset("comtrade")).await;
    created.expect("recorded");
    let after = trade_counts(world).await;
    let moved = |name| {
        let of_trade = [("service", "trade")];
        after.sum(name, &of_trade) - before.sum(name, &of_trade)
    };
    assert_eq!(moved("entente_journal_position"), 1.0);
    assert_eq!(moved("entente_journal_sync_seconds_count"), 1.0);
    assert_eq!(moved("entente_journal_group_writes_sum"), 1.0);
    assert_eq!(moved("entente_view_apply_seconds_count"), 1.0);
    assert!(moved("entente_journal_bytes") > 64.0);
    assert!(moved("entente_view_records") >= 1.0);
    assert_eq!(after.sum("entente_journal_queue", &[]), 0.0);
    assert!(after.sum("entente_journal_queue_limit", &[]) > 1.0);
    assert!(after.sum("entente_view_cache_bytes", &[]) > 1e6);
    for reason in ["full", "overloaded"] {
        let labels = [("service", "trade"), ("reason", reason)];
        assert!(after.has("entente_writes_refused_total", &labels));
    }
    assert_eq!(after.sum("entente_writes_refused_total", &[]), 0.0);
    assert_eq!(after.sum("entente_view_rebuilds_total", &[]), 0.0);
    assert!(after.sum("entente_disk_free_bytes", &[("service", "trade")]) > 0.0);
}

/// Of services that are not there, and of one that is passed on.
const MADE_UP: [&str; 3] = [
    "/entente.made.v1.UpService/DropEverything",
    "/entente.made.v1.UpService/DropNothing",
    "/entente.trade.v1.TradeService/DropTrade",
];

async fn call_made_up(world: &World, path: &'static str) {
    let mut client = tonic::client::Grpc::new(world.channel().clone());
    client.ready().await.expect("connected");
    let codec = tonic_prost::ProstCodec::<Dataset, Dataset>::default();
    let request = tonic::Request::new(Dataset::default());
    let path = http::uri::PathAndQuery::from_static(path);
    let answer = client.unary(request, path, codec).await;
    assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
}

async fn whatever_callers_make_up_is_counted_as_one_method(world: &World) {
    for path in MADE_UP {
        call_made_up(world, path).await;
    }
    let counts = world.door.counts().await;
    let unknown = [("service", "unknown"), ("method", "unknown")];
    assert_eq!(counts.sum("entente_calls_total", &unknown), 3.0);
    assert!(!counts.text.contains("Drop"), "{}", counts.text);
}

async fn a_briefing_is_made_once_and_then_found(world: &World) {
    get_briefing(world).await;
    get_briefing(world).await;
    let counts = world.door.counts().await;
    let outcome = |outcome| counts.sum("entente_briefing_cache_total", &[("outcome", outcome)]);
    let outcomes = ["miss", "hit", "shared", "unkept", "failed"].map(outcome);
    assert_eq!(outcomes, [1.0, 1.0, 0.0, 0.0, 0.0]);
}

async fn the_port_of_metrics_has_nothing_else(world: &World) {
    let port = world.door.metrics();
    for path in ["/", "/metric", "/metrics/", "/metrics.json", "/v1/briefing"] {
        assert_eq!(
            web::get(port, path).await.code,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let sent = Request::post("/metrics").body("x".repeat(1_000).into());
    let page = web::ask(port, sent.expect("a request")).await;
    assert_eq!(page.code, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(page.headers["allow"], "GET");
    let page = web::get(port, "/metrics?name=entente_calls_total").await;
    assert_eq!(
        page.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
}

/// Debian's package `prometheus` has the checker.
async fn the_text_is_one_that_prometheus_reads(world: &World) {
    get_briefing(world).await;
    let counts = world.door.counts().await;
    let unexplained: Vec<_> = counts
        .names()
        .difference(&counts.explained())
        .copied()
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:?}");
    let checking = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut checking) = checking else {
        assert!(!is_required("promtool"), "promtool is not there");
        println!("NOT checked by promtool, which is not there");
        return;
    };
    let mut input = checking.stdin.take().expect("piped");
    std::io::Write::write_all(&mut input, counts.text.as_bytes()).expect("it reads");
    drop(input);
    let checked = checking.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{told}");
}

/// Whether the machine must have what a test can do without.
fn is_required(what: &str) -> bool {
    let required = std::env::var("ENTENTE_REQUIRE").unwrap_or_default();
    required.split(',').any(|required| required == what)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_fails_is_counted_as_left_out() {
    in_time(async || {
        let stub = Stub::start(|_| Box::pin(async { refused(Code::Unavailable) }));
        let world = World::with_trade_elsewhere(&[stub.address()]).await;
        let trade = proto::trade::v1::trade_service_server::SERVICE_NAME;
        Health::watch(world.channel(), trade)
            .await
            .until(true)
            .await;
        let of_trade = [("backend", "trade")];
        let before = world.door.counts().await;
        assert_eq!(
            before.sum("entente_backend_ejections_total", &of_trade),
            0.0
        );
        assert_eq!(before.sum("entente_backend_up", &of_trade), 1.0);
        assert_eq!(before.sum("entente_backend_reached", &of_trade), 1.0);
        for _ in 0..5 {
            let failed = get_dataset(&world, "datasets/any", MetadataMap::new()).await;
            assert_eq!(failed.unwrap_err().code(), Code::Unavailable);
        }
        let mut after = world.door.counts().await;
        assert_eq!(after.sum("entente_backend_ejections_total", &of_trade), 1.0);
        // It is left out for a moment at first, and for longer each time that it fails again.
        while after.sum("entente_backend_ejected", &of_trade) < 1.0 {
            let failed = get_dataset(&world, "datasets/any", MetadataMap::new()).await;
            failed.unwrap_err();
            after = world.door.counts().await;
        }
        let log = world.end().await;
        assert!(log.contains("a replica is left out for a while"), "{log}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_asked_again_is_counted() {
    in_time(async || {
        let asked: Arc<AtomicUsize> = Arc::default();
        let counted = Arc::clone(&asked);
        let well = Stub::start(|_| Box::pin(async { ok(&Dataset::default()) }));
        let ill = Stub::start(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { refused(Code::Unavailable) })
        });
        let places = [well.address(), ill.address()];
        let world = World::with_trade_elsewhere(&places).await;
        for place in places {
            world.serves(place).await;
        }
        let retries = async || {
            let counts = world.door.counts().await;
            counts.sum("entente_backend_retries_total", &[("backend", "trade")])
        };
        assert_eq!(retries().await, 0.0);
        while retries().await < 1.0 {
            drop(get_dataset(&world, "datasets/any", MetadataMap::new()).await);
        }
        assert!(asked.load(Ordering::Relaxed) >= 1);
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_is_made_anew_is_counted() {
    in_time(async || {
        let mut world = World::start(Setting::Apart).await;
        let mut trade = world.trade_client();
        let created = trade.create_dataset(dataset("comtrade")).await;
        created.expect("recorded");
        let node = world.node(Role::Trade);
        node.stop().await;
        // The view is ahead of what is left.
        fs::remove_dir_all(node.data().join("trade/journal")).expect("there is a journal");
        node.start_again().await;
        let counts = trade_counts(&world).await;
        let of_trade = [("service", "trade")];
        assert_eq!(counts.sum("entente_view_rebuilds_total", &of_trade), 1.0);
        let log = world.node(Role::Trade).end().await;
        assert!(log.contains("moved aside and rebuilt"), "{log}");
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_name_leads_nowhere_is_counted_as_not_reached() {
    in_time(async || {
        let world = World::with_trade_nowhere().await;
        let counts = world.door.counts().await;
        let of_trade = [("backend", "trade")];
        assert!(!counts.has("entente_backend_up", &of_trade));
        assert!(counts.has("entente_backend_ejections_total", &of_trade));
        assert!(counts.has("entente_backend_reached", &of_trade));
        assert_eq!(counts.sum("entente_backend_reached", &of_trade), 0.0);
        world.end().await;
    })
    .await;
}

/// The table in docs/operations.md, the dashboard and the alerts name what there is, and the table all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_counted_is_what_the_documents_name() {
    in_time(async || {
        let world = World::start(Setting::Apart).await;
        world
            .trade_client()
            .create_dataset(dataset("comtrade"))
            .await
            .expect("recorded");
        get_briefing(&world).await;
        let mut counted = BTreeSet::new();
        for node in world.trade.iter().chain([&world.door]) {
            let counts = node.counts().await;
            counted.extend(counts.names().into_iter().map(str::to_owned));
        }
        world.stop().await;
        let told = documented();
        let undocumented: Vec<_> = counted.difference(&told).collect();
        assert!(
            undocumented.is_empty(),
            "not in docs/operations.md: {undocumented:?}"
        );
        // What is counted for the first time when it happens.
        let seldom = [
            "entente_certificate_end_timestamp_seconds",
            "entente_spans_total",
        ];
        let seldom = seldom.map(str::to_owned).into();
        let there: BTreeSet<_> = counted.union(&seldom).cloned().collect();
        assert_eq!(
            told.difference(&there).collect::<Vec<_>>(),
            Vec::<&String>::new()
        );
        for file in [
            "deploy/prometheus/alerts.yml",
            "deploy/grafana/dashboards/entente.json",
        ] {
            let unknown: Vec<_> = named(&read(file))
                .into_iter()
                .filter(|name| !there.contains(name))
                .collect();
            assert!(unknown.is_empty(), "{file} names {unknown:?}");
        }
    })
    .await;
}

fn read(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(file);
    std::fs::read_to_string(path).expect("a file of this repository")
}

/// The names in the table of what is counted.
fn documented() -> BTreeSet<String> {
    let manual = read("docs/operations.md");
    let rows = manual.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.filter_map(|row| row.split(['`', '{']).next());
    let ours = names.filter(|name| name.starts_with("entente_") || name.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

/// The metrics that a text names, without what is put behind the name of a histogram.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let metrics = words.filter(|word| word.starts_with("entente_") || word.starts_with("process_"));
    metrics
        .map(|name| {
            let ends = ["_bucket", "_sum", "_count"];
            let end = ends.iter().find_map(|end| name.strip_suffix(end));
            end.unwrap_or(name).to_owned()
        })
        .collect()
}

fn traceparent(trace: &str, flags: &str) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    let value = format!("00-{trace}-00f067aa0ba902b7-{flags}");
    metadata.insert("traceparent", value.parse().expect("visible ASCII"));
    metadata
}

/// Every span but the first is under another one.
fn assert_one_tree(spans: &Spans) {
    let lost = spans
        .0
        .iter()
        .filter(|(_, span)| spans.above(span).is_none());
    let lost: Vec<_> = lost
        .map(|(process, span)| format!("{process} {}", span.name))
        .collect();
    assert_eq!(lost.len(), 1, "{lost:?} of {spans:#?}");
}

const BRIEFING: &str = "entente.gateway.v1.GatewayService/GetBriefing";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_briefing_is_one_trace_through_all_processes() {
    in_time(async || {
        let mut collector = Collector::start().await;
        let options = ["--otlp", &collector.url(), "--trace-ratio", "1"];
        let world = World::with_options(Setting::Apart, &options).await;
        get_briefing(&world).await;
        // What is left is sent when the processes end.
        world.stop().await;
        let all = collector
            .until(|spans| spans.named(BRIEFING).next().is_some())
            .await;
        let (process, briefing) = all.named(BRIEFING).next().expect("it was there").clone();
        assert_eq!(process, "entente-gateway");
        let trace = all.of_trace(&trace_id(&briefing));
        let processes: Vec<_> = trace.processes().into_iter().collect();
        let expected = [
            "entente-culture",
            "entente-events",
            "entente-gateway",
            "entente-trade",
        ];
        assert_eq!(processes, expected);
        assert_one_tree(&trace);
        let journal = "entente.journal.v1.JournalService/GetJournal";
        let asked = trace
            .named(journal)
            .filter(|(process, _)| process == "entente-gateway");
        assert_eq!(asked.count(), 3);
        assert!(trace.named("view.read").count() > 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_traced_to_the_disk_where_its_caller_wants_it() {
    in_time(async || {
        let mut collector = Collector::start().await;
        let options = ["--otlp", &collector.url(), "--trace-ratio", "0"];
        let world = World::with_options(Setting::Apart, &options).await;
        let mut request = tonic::Request::new(dataset("comtrade"));
        *request.metadata_mut() = traceparent(TRACE, "01");
        world
            .trade_client()
            .create_dataset(request)
            .await
            .expect("recorded");
        world.stop().await;
        let trace = collector
            .until(|spans| spans.named("journal.sync").next().is_some())
            .await;
        let trace = trace.of_trace(TRACE);
        assert_one_tree(&trace);
        let name = "entente.trade.v1.TradeService/CreateDataset";
        let path = |name: &str| {
            let mut at = trace.named(name).next();
            let mut path = Vec::new();
            while let Some((process, span)) = at {
                path.push(format!(
                    "{} {}",
                    process.trim_start_matches("entente-"),
                    span.name
                ));
                at = trace.above(span);
            }
            path
        };
        let expected = [
            "trade journal.sync".to_owned(),
            "trade journal.append".to_owned(),
            "trade write".to_owned(),
            format!("trade {name}"),
            format!("gateway {name}"),
            format!("gateway {name}"),
        ];
        assert_eq!(path("journal.sync"), expected);
        assert_eq!(path("view.apply")[1..], expected[2..]);
        assert_eq!(path("decide")[1..], expected[2..]);
        // The call at the gateway, what that asks, and the call at trade.
        let codes = trace.named(name).map(|(_, span)| code(span));
        assert_eq!(codes.collect::<Vec<_>>(), [Some(0); 3]);
    })
    .await;
}

fn code(span: &Span) -> Option<i64> {
    number(span, "rpc.grpc.status_code")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_the_writes_that_are_synced_at_once_has_the_sync() {
    const WRITES: usize = 40;
    in_time(async || {
        let mut collector = Collector::start().await;
        let options = ["--otlp", &collector.url(), "--trace-ratio", "1"];
        let world = World::with_options(Setting::Together, &options).await;
        let writes = (0..WRITES).map(|number| {
            let mut trade = world.trade_client();
            async move {
                trade
                    .create_dataset(dataset(&format!("source-{number}")))
                    .await
            }
        });
        for created in join_all(writes).await {
            created.expect("recorded");
        }
        world.stop().await;
        let spans = collector
            .until(|spans| spans.named("write").count() == WRITES)
            .await;
        for step in ["journal.append", "journal.sync", "view.apply"] {
            assert_eq!(spans.named(step).count(), WRITES, "{step}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_recorded_if_its_caller_says_so_and_not_if_not() {
    in_time(async || {
        let mut collector = Collector::start().await;
        let options = ["--otlp", &collector.url(), "--trace-ratio", "1"];
        let world = World::with_options(Setting::Together, &options).await;
        let unwanted = TRACE.replace("4bf", "5bf");
        for metadata in [traceparent(&unwanted, "00"), traceparent(TRACE, "01")] {
            get_dataset(&world, "datasets/none", metadata)
                .await
                .unwrap_err();
        }
        let spans = collector
            .until(|spans| !spans.of_trace(TRACE).0.is_empty())
            .await;
        let counts = until_counted(&world, "sent").await;
        assert!(counts.has("entente_spans_total", &[("outcome", "lost")]));
        assert_eq!(spans_counted(&counts, "lost"), 0.0);
        world.stop().await;
        assert!(spans.of_trace(&unwanted).0.is_empty(), "{spans:#?}");
    })
    .await;
}

fn spans_counted(counts: &Counts, outcome: &str) -> f64 {
    counts.sum("entente_spans_total", &[("outcome", outcome)])
}

/// Waits until the door has counted spans; the collector has them a moment before.
async fn until_counted(world: &World, outcome: &str) -> Counts {
    loop {
        let counts = world.door.counts().await;
        if spans_counted(&counts, outcome) > 0.0 {
            return counts;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_callers_make_up_has_one_name_in_traces() {
    in_time(async || {
        let mut collector = Collector::start().await;
        let options = ["--otlp", &collector.url(), "--trace-ratio", "1"];
        let world = World::with_options(Setting::Apart, &options).await;
        for path in MADE_UP {
            call_made_up(&world, path).await;
        }
        world.stop().await;
        let spans = collector
            .until(|spans| spans.named("unknown").count() >= MADE_UP.len())
            .await;
        let codes = spans.named("unknown").map(|(_, span)| code(span));
        assert!(codes.into_iter().all(|code| code == Some(12)), "{spans:#?}");
        let told = spans
            .0
            .iter()
            .filter(|(_, span)| span.name.contains("Drop"));
        assert_eq!(told.count(), 0, "{spans:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_collector_a_process_answers_and_ends_as_ever() {
    in_time(async || {
        let collector = Collector::start().await;
        let options = ["--otlp", &collector.url(), "--trace-ratio", "1"];
        drop(collector);
        let world = World::with_options(Setting::Together, &options).await;
        get_briefing(&world).await;
        until_counted(&world, "lost").await;
        let log = world.end().await;
        let told = log
            .lines()
            .filter(|line| line.contains("the collector takes no spans"));
        assert_eq!(told.count(), 1, "{log}");
    })
    .await;
}
