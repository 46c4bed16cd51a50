//! The services of the backends on the gateway's own port.

use chassis::{App, Pass, Passing};
use http::{Request, Response};
use http_body_util::Full;
use prost::Message as _;
use proto::error::v1::ErrorReason;
use proto::{Excerpt, Violations, culture, events, journal, trade};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::backend::{Message, gather};
use crate::which::Which;
use crate::{Backend, Backends, frame};

const TRADE: &str = trade::v1::trade_service_server::SERVICE_NAME;
const EVENTS: &str = events::v1::events_service_server::SERVICE_NAME;
const CULTURE: &str = culture::v1::culture_service_server::SERVICE_NAME;
const JOURNALS: &str = journal::v1::journal_service_server::SERVICE_NAME;

/// Adds the services behind the gateway to what it serves.
#[must_use]
pub fn passed(app: App, backends: &Backends) -> App {
    app.passed(TRADE, backends.trade.clone())
        .passed(EVENTS, backends.events.clone())
        .passed(CULTURE, backends.culture.clone())
        .passed(JOURNALS, Journals(backends.clone()))
}

impl Pass for Backend {
    fn pass(&self, request: Request<Body>) -> Passing {
        Box::pin(self.clone().pass(request))
    }

    fn reached(&self) -> watch::Receiver<bool> {
        self.reached()
    }
}

/// The journals of all backends under one service: a call goes to the backend whose journal it names.
#[derive(Clone, Debug)]
struct Journals(Backends);

/// What every request of the journals has in common: its first field says which.
#[derive(Clone, PartialEq, prost::Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

impl Pass for Journals {
    fn pass(&self, request: Request<Body>) -> Passing {
        let journals = self.clone();
        Box::pin(async move {
            let passed = journals.pass(request).await;
            passed.unwrap_or_else(Status::into_http)
        })
    }

    /// It is the gateway's own service: what it passes to says its health itself.
    fn reached(&self) -> watch::Receiver<bool> {
        watch::channel(true).1
    }
}

impl Journals {
    async fn pass(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let (head, body) = request.into_parts();
        let message = match gather(body).await {
            Ok(Message::Whole(message)) => message,
            Ok(Message::Piped(..)) => return Err(too_large()),
            Err(failure) => return Err(Status::from(&failure)),
        };
        let backend = self.find(&named(&message)?)?.clone();
        let request = Request::from_parts(head, Body::new(Full::new(message)));
        Ok(backend.pass(request).await)
    }

    fn find(&self, name: &str) -> Result<&Backend, Status> {
        let journal = name.strip_prefix("journals/");
        let journal = journal.ok_or_else(|| misnamed(name))?;
        match Which::find(journal).ok_or_else(|| unknown(name))? {
            Which::Trade => Ok(&self.0.trade),
            Which::Events => Ok(&self.0.events),
            Which::Culture => Ok(&self.0.culture),
        }
    }
}

/// The name in the one message of a request.
fn named(request: &[u8]) -> Result<String, Status> {
    let (flag, length, message) = frame::split(request).ok_or_else(no_message)?;
    if flag != frame::PLAIN {
        return Err(Status::unimplemented(
            "requests of this service are not read compressed",
        ));
    }
    if message.len() != length {
        return Err(no_message());
    }
    let named = Named::decode(message).map_err(|_| no_message())?;
    Ok(named.name)
}

fn no_message() -> Status {
    let what = "the request is not one message of this call";
    proto::status(Code::InvalidArgument, ErrorReason::InvalidField, what, [])
}

fn unknown(name: &str) -> Status {
    proto::status(
        Code::NotFound,
        ErrorReason::NotFound,
        format!("there is no {}", Excerpt::of(name)),
        [],
    )
}

fn misnamed(name: &str) -> Status {
    let name = Excerpt::of(name);
    let rule = format!("{name} is not of the form `journals/{{role}}`");
    Violations::one("name", rule).into()
}

fn too_large() -> Status {
    proto::status(
        Code::ResourceExhausted,
        ErrorReason::TooLarge,
        "a request to journals has at most 64 KiB",
        [],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::FileDescriptorSet;

    #[test]
    fn every_service_is_passed_or_the_gateways_own() {
        let files = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap();
        let services = files.file.iter().flat_map(|file| {
            let services = file.service.iter();
            services.map(|service| format!("{}.{}", file.package(), service.name()))
        });
        for service in services {
            let own = proto::gateway::v1::gateway_service_server::SERVICE_NAME;
            let known = [TRADE, EVENTS, CULTURE, JOURNALS, own];
            assert!(known.contains(&&*service), "{service} is not passed");
        }
    }

    #[test]
    fn a_request_names_its_journal() {
        let message = Named {
            name: "journals/trade".into(),
        };
        let request = frame::frame(&message).unwrap();
        assert_eq!(named(&request).unwrap(), "journals/trade");
        let twice = [&request[..], &request[..]].concat();
        let cut = &request[..request.len() - 1];
        for broken in [
            &[][..],
            &[0, 0, 0, 0],
            &[0, 0, 0, 0, 2, 0xff, 0xff],
            &twice,
            cut,
        ] {
            assert_eq!(named(broken).unwrap_err().code(), Code::InvalidArgument);
        }
    }
}
