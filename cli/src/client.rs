//! The way to a service, and what went wrong there in words.

mod login;
mod way;

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use chassis::ClientTls;
use proto::culture::v1::culture_service_client::CultureServiceClient;
use proto::culture::v1::culture_service_server::SERVICE_NAME as CULTURE;
use proto::events::v1::events_service_client::EventsServiceClient;
use proto::events::v1::events_service_server::SERVICE_NAME as EVENTS;
use proto::gateway::v1::gateway_service_client::GatewayServiceClient;
use proto::journal::v1::journal_service_client::JournalServiceClient;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use proto::trade::v1::trade_service_server::SERVICE_NAME as TRADE;
use tonic::codegen::http::HeaderValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, TimeoutExpired};
use tonic_types::StatusExt;

use crate::args::answer::{Address, ServerArgs};
use crate::args::serve::Role;

use self::login::Login;
use self::way::Way;

/// A way to a service, whose calls bring a login.
type Connection = InterceptedService<Way, Login>;

/// A client of the trade service.
pub(crate) type TradeClient = TradeServiceClient<Connection>;
/// A client of the events service.
pub(crate) type EventsClient = EventsServiceClient<Connection>;
/// A client of the culture service.
pub(crate) type CultureClient = CultureServiceClient<Connection>;

/// A client of what only a gateway answers.
pub(crate) type GatewayClient = GatewayServiceClient<Connection>;
/// A client of the journals of a process.
pub(crate) type JournalsClient = JournalServiceClient<Connection>;

/// The largest answer that is read.
pub(crate) const MAX_ANSWER: usize = 16 << 20;

/// How long nothing may come during a call before a ping asks whether anybody is there still, and how long the answer to
/// that may take: a call without a deadline ends when the other side is gone without a word.
const PING_AFTER: Duration = Duration::from_secs(20);
const PING_LIMIT: Duration = Duration::from_secs(20);

/// Connects to the trade service at an address.
pub(crate) async fn trade(server: &Address) -> anyhow::Result<TradeClient> {
    let connection = connect(server, "trade").await?;
    Ok(TradeServiceClient::new(connection).max_decoding_message_size(MAX_ANSWER))
}

/// Connects to the events service at an address.
pub(crate) async fn events(server: &Address) -> anyhow::Result<EventsClient> {
    let connection = connect(server, "events").await?;
    Ok(EventsServiceClient::new(connection).max_decoding_message_size(MAX_ANSWER))
}

/// Connects to the culture service at an address.
pub(crate) async fn culture(server: &Address) -> anyhow::Result<CultureClient> {
    let connection = connect(server, "culture").await?;
    Ok(CultureServiceClient::new(connection).max_decoding_message_size(MAX_ANSWER))
}

/// Connects to the gateway at an address.
pub(crate) async fn gateway(server: &Address) -> anyhow::Result<GatewayClient> {
    let connection = connect(server, "gateway").await?;
    Ok(GatewayServiceClient::new(connection).max_decoding_message_size(MAX_ANSWER))
}

/// Connects to the journals of the process at an address, which serves a role.
pub(crate) async fn journals(server: &Address, role: &str) -> anyhow::Result<JournalsClient> {
    let connection = connect(server, role).await?;
    Ok(JournalServiceClient::new(connection).max_decoding_message_size(MAX_ANSWER))
}

/// Whether the process at an address says that it serves: itself, or one of the services that it has or leads to.
pub(crate) async fn serves(server: &Address, service: Option<Role>) -> anyhow::Result<bool> {
    let role = service.map_or("gateway", Role::name);
    let channel = channel(server, role).await?;
    let name = match service {
        None => "",
        Some(Role::Trade) => TRADE,
        Some(Role::Events) => EVENTS,
        Some(Role::Culture) => CULTURE,
    };
    Ok(chassis::serves(channel, name).await?)
}

/// What a call that is made by hand shows to log in, if there is anything.
pub(crate) fn authorization(server: &Address) -> anyhow::Result<Option<HeaderValue>> {
    let shown = Login::read(server.token_file.as_deref())?.header();
    let header = shown.map(|shown| HeaderValue::from_bytes(shown.as_bytes()));
    let mut header = header.transpose()?;
    if let Some(header) = &mut header {
        header.set_sensitive(true);
    }
    Ok(header)
}

async fn connect(server: &Address, role: &str) -> anyhow::Result<Connection> {
    if let Some(services) = &server.direct {
        let way = Way::Direct(services.clone());
        return Ok(InterceptedService::new(way, Login::default()));
    }
    let login = Login::read(server.token_file.as_deref())?;
    let way = Way::Connection(channel(server, role).await?);
    Ok(InterceptedService::new(way, login))
}

async fn channel(server: &Address, role: &str) -> anyhow::Result<Channel> {
    let url = &server.url;
    let endpoint = Endpoint::from(url.uri())
        .connect_timeout(Duration::from_secs(5))
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(2 << 20)
        .http2_keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_LIMIT)
        .tcp_nodelay(true);
    let connected = match tls(server)? {
        None => endpoint.connect().await,
        Some(tls) => endpoint.connect_with_connector(tls).await,
    };
    connected.with_context(|| {
        format!(
            "cannot reach {url}; start a service with `entente serve {role}`, or name its address with --server"
        )
    })
}

/// TLS, where the address asks for it.
fn tls(server: &Address) -> anyhow::Result<Option<ClientTls>> {
    if !server.url.is_secure() {
        return Ok(None);
    }
    let tls = server.tls.load()?;
    Ok(Some(tls.with_context(|| unbelieved(&server.url))?))
}

/// What is missing for an address of https.
pub(crate) fn unbelieved(address: impl fmt::Display) -> String {
    format!(
        "nothing says whose certificate {address} may show: name the authority's certificate with --ca; \
         none is believed unasked"
    )
}

/// A request with the deadline that was asked for.
pub(crate) fn request<T>(message: T, server: &ServerArgs) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(server.limit());
    request
}

/// What was asked for, if it comes in time; else the error of a call that reached its deadline. That of a request ends
/// with the head of the answer, which may be all that comes.
pub(crate) async fn within<T, E: From<Status>>(
    limit: Duration,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let answered = tokio::time::timeout(limit, asked).await;
    answered.unwrap_or_else(|_| {
        let late = Status::from_error(Box::new(TimeoutExpired(())));
        Err(late.into())
    })
}

/// An error for people: what was being done, and why it failed; a service's status with all that it says. What it
/// quotes, of a file or of a service, steers no terminal.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let mut parts = Vec::new();
    for cause in error.chain() {
        if let Some(status) = cause.downcast_ref::<Status>() {
            parts.push(explain_status(status));
            break;
        }
        parts.push(cause.to_string());
    }
    harmless(&parts.join(": "))
}

/// A text whose control characters are told by their escapes, apart from those that its lines are made of.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\n' | '\t') {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A violation of one entry of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EntryViolation {
    /// The entry, from 0.
    pub(crate) entry: usize,
    /// The field inside it; empty for the entry itself.
    pub(crate) field: String,
    /// What is wrong.
    pub(crate) reason: String,
}

/// Violations that name an entry of a list, as `names[3].text` does. None when any names something else.
pub(crate) fn entry_violations(status: &Status, list: &str) -> Option<Vec<EntryViolation>> {
    let details = status.get_error_details();
    let violations = &details.bad_request()?.field_violations;
    let parsed = violations.iter().map(|violation| {
        let rest = violation.field.strip_prefix(list)?.strip_prefix('[')?;
        let (entry, field) = rest.split_once(']')?;
        Some(EntryViolation {
            entry: entry.parse().ok()?,
            field: field.trim_start_matches('.').to_owned(),
            reason: violation.description.clone(),
        })
    });
    parsed.collect()
}

/// Whether no answer came in time. The connection is none the worse for it.
fn is_late(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<TimeoutExpired>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What a status says; where the connection made it, with what happened there.
fn causes(status: &Status) -> String {
    let mut parts = vec![status.message().to_owned()];
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        let text = error.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        cause = error.source();
    }
    parts.join(": ")
}

/// What a connection that ends before its answer does not say: a server refuses a client's certificate after the
/// client is done, and what is no TLS without a word.
const BROKEN: &str = "the connection ended before the answer; if it always does, the server may want https, or a \
    certificate of who asks (--client-cert)";

const LATE: &str = "no answer came in time (--timeout says how long a question may take)";

/// A status with its violations, its reason and when to try again.
fn explain_status(status: &Status) -> String {
    if is_late(status) {
        return LATE.to_owned();
    }
    let details = status.get_error_details();
    let mut lines = match details.bad_request() {
        None => vec![causes(status)],
        Some(_) => vec!["the service refuses the request".to_owned()],
    };
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.as_slice());
    for violation in violations.unwrap_or_default() {
        lines.push(format!("{}: {}", violation.field, violation.description));
    }
    if std::error::Error::source(status).is_some() {
        lines.push(BROKEN.to_owned());
    }
    let code = format!("{:?}", status.code());
    lines.push(match details.error_info() {
        Some(info) => format!("({code}, {})", info.reason),
        None => format!("({code})"),
    });
    if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
        lines.push(format!("try again in {delay:?}"));
    }
    if status.code() == tonic::Code::Unauthenticated {
        lines.push(
            "name the file of a token with --token-file, or put one into ENTENTE_TOKEN".into(),
        );
    }
    lines.join("\n  ")
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, FieldViolation};

    use super::*;

    fn refusal(fields: &[&str]) -> Status {
        let violation = |field: &&str| FieldViolation::new(*field, "is wrong");
        let violations: Vec<_> = fields.iter().map(violation).collect();
        let details = ErrorDetails::with_bad_request(violations);
        Status::with_error_details(tonic::Code::InvalidArgument, "invalid", details)
    }

    #[test]
    fn what_an_error_quotes_steers_no_terminal() {
        let error =
            anyhow::anyhow!("unknown field `\u{1b}]0;title\u{7}`\n\tat\rline 1, \u{9b}31m中");
        assert_eq!(
            explain(&error),
            "unknown field `\\u{1b}]0;title\\u{7}`\n\tat\\rline 1, \\u{9b}31m中"
        );
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_no_connection_that_ended() {
        let never = std::future::pending::<Result<(), Status>>();
        let late = within(Duration::ZERO, never).await.unwrap_err();
        let told = explain(&anyhow::Error::from(late).context("asking trade"));
        assert_eq!(told, format!("asking trade: {LATE}"));
    }

    #[test]
    fn a_violation_is_brought_back_to_the_entry_that_it_names() {
        let found = entry_violations(&refusal(&["names[3].text"]), "names").unwrap();
        assert_eq!((found[0].entry, &*found[0].field), (3, "text"));
        assert_eq!(found[0].reason, "is wrong");
        assert_eq!(
            entry_violations(&refusal(&["names[3].text", "language_code"]), "names"),
            None
        );
        assert_eq!(entry_violations(&Status::internal("defect"), "names"), None);
    }
}
