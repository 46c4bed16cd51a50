//! The methods of the schema, and what is counted of their calls.
//!
//! A call looks its method up once, by its path. What is counted of it belongs to the method from the first time on, so
//! that counting costs a few atomic additions, and neither text nor a search for it. What the schema does not have is
//! counted as one method: paths are the callers' to choose, and must not become labels.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, Histogram, counter, gauge, histogram};
use prost_types::FileDescriptorSet;
use tonic::Code;

/// Codes of gRPC.
const CODES: usize = 17;
/// The service and method under which everything unknown is counted.
const UNKNOWN: &str = "unknown";
/// The service of calls that are passed on: each is counted under its own where it is answered.
const PASSED: &str = "gateway";

/// The methods, by their paths.
#[derive(Debug)]
pub(crate) struct Methods {
    known: HashMap<String, Arc<Method>>,
    unknown: Arc<Method>,
    services: Vec<Arc<Service>>,
}

/// A method, as the schema has it and as it is counted.
#[derive(Debug)]
pub(crate) struct Method {
    is_unary: bool,
    service: Arc<Service>,
    name: Arc<str>,
    full_name: Box<str>,
    ended: [OnceLock<Counter>; CODES],
    seconds: OnceLock<Histogram>,
}

/// A service under which calls are counted.
#[derive(Debug)]
struct Service {
    name: Arc<str>,
    running: AtomicUsize,
}

impl Methods {
    /// The methods of a schema; those of services that are `passed` on are counted as the gateway's.
    pub(crate) fn new(files: &FileDescriptorSet, passed: &HashSet<&str>) -> Methods {
        let mut services = Services::default();
        let mut known = HashMap::new();
        for file in &files.file {
            for service in &file.service {
                let full = format!("{}.{}", file.package(), service.name());
                let full = full.trim_start_matches('.');
                let counted = services.find(if passed.contains(full) {
                    PASSED
                } else {
                    short(file.package())
                });
                known.extend(service.method.iter().map(|method| {
                    let is_unary = !method.client_streaming() && !method.server_streaming();
                    let name = format!("{}/{}", service.name(), method.name());
                    let path = format!("/{full}/{}", method.name());
                    let method = Method::new(is_unary, &counted, &name, &path[1..]);
                    (path, Arc::new(method))
                }));
            }
        }
        let unknown = services.find(UNKNOWN);
        Methods {
            known,
            unknown: Arc::new(Method::new(false, &unknown, UNKNOWN, UNKNOWN)),
            services: services.0,
        }
    }

    /// The method of a path.
    pub(crate) fn find(&self, path: &str) -> &Arc<Method> {
        self.known.get(path).unwrap_or(&self.unknown)
    }

    /// Says how many calls run now.
    pub(crate) fn report(&self) {
        for service in &self.services {
            let running = service.running.load(Ordering::Relaxed);
            gauge!("entente_calls_running", "service" => service.name.clone())
                .set(crate::telemetry::float(running));
        }
    }
}

#[derive(Default)]
struct Services(Vec<Arc<Service>>);

impl Services {
    fn find(&mut self, name: &str) -> Arc<Service> {
        let known = self.0.iter().find(|service| &*service.name == name);
        if let Some(service) = known {
            return service.clone();
        }
        let service = Arc::new(Service {
            name: name.into(),
            running: AtomicUsize::new(0),
        });
        self.0.push(service.clone());
        service
    }
}

/// What is before the version in the name of a package: `trade` of `entente.trade.v1`.
fn short(package: &str) -> &str {
    let before = package
        .rsplit_once('.')
        .map_or(package, |(before, _)| before);
    before.rsplit_once('.').map_or(before, |(_, last)| last)
}

impl Method {
    fn new(is_unary: bool, service: &Arc<Service>, name: &str, full_name: &str) -> Method {
        Method {
            is_unary,
            service: service.clone(),
            name: name.into(),
            full_name: full_name.into(),
            ended: [const { OnceLock::new() }; CODES],
            seconds: OnceLock::new(),
        }
    }

    /// One that nobody calls, of no schema.
    #[cfg(test)]
    pub(crate) fn unary() -> Arc<Method> {
        let service = Services::default().find(UNKNOWN);
        Arc::new(Method::new(true, &service, UNKNOWN, UNKNOWN))
    }

    /// Its name with that of its service and package: `entente.trade.v1.TradeService/GetSeries`.
    pub(crate) fn full_name(&self) -> &str {
        &self.full_name
    }

    /// Whether it streams neither way.
    pub(crate) fn is_unary(&self) -> bool {
        self.is_unary
    }

    /// Counts a call that begins.
    pub(crate) fn begun(&self) {
        self.service.running.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call that has ended, and how long it took unless it was turned away at the door: that takes no time, and
    /// many of them would make slow answers look fast. Nor does it tell that a stream was open for long.
    pub(crate) fn ended(&self, code: Code, took: Option<Duration>) {
        self.service.running.fetch_sub(1, Ordering::Relaxed);
        let ended = &self.ended[code as usize % CODES];
        ended.get_or_init(|| self.counter(code)).increment(1);
        if let Some(took) = took.filter(|_| self.is_unary) {
            let seconds = self.seconds.get_or_init(|| self.histogram());
            seconds.record(took);
        }
    }

    #[cold]
    fn counter(&self, code: Code) -> Counter {
        let (service, method) = (self.service.name.clone(), self.name.clone());
        let code = proto::code_name(code);
        counter!("entente_calls_total", "service" => service, "method" => method, "code" => code)
    }

    #[cold]
    fn histogram(&self) -> Histogram {
        let (service, method) = (self.service.name.clone(), self.name.clone());
        histogram!("entente_call_seconds", "service" => service, "method" => method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    fn methods(passed: &[&str]) -> Methods {
        let files = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap();
        Methods::new(&files, &passed.iter().copied().collect())
    }

    fn counted(methods: &Methods, path: &str) -> String {
        let method = methods.find(path);
        format!("{} {}", method.service.name, method.name)
    }

    const GET: &str = "/entente.trade.v1.TradeService/GetObservation";

    #[test]
    fn a_method_is_counted_under_its_service_or_the_gateways_where_it_is_passed_on() {
        assert_eq!(
            counted(&methods(&[]), GET),
            "trade TradeService/GetObservation"
        );
        let passed = methods(&["entente.trade.v1.TradeService"]);
        assert_eq!(counted(&passed, GET), "gateway TradeService/GetObservation");
        let journal = "/entente.journal.v1.JournalService/GetJournal";
        assert_eq!(
            counted(&passed, journal),
            "journal JournalService/GetJournal"
        );
    }

    #[test]
    fn whatever_callers_make_up_is_one_method() {
        let methods = methods(&[]);
        for path in [
            "/",
            "",
            "/a/b",
            &GET[1..],
            "/entente.trade.v1.TradeService/Guess",
        ] {
            assert_eq!(counted(&methods, path), "unknown unknown");
            assert_eq!(methods.find(path).full_name(), "unknown");
        }
    }

    #[test]
    fn a_call_runs_until_it_ends() {
        let methods = methods(&[]);
        let method = methods.find(GET);
        method.begun();
        assert_eq!(method.service.running.load(Ordering::Relaxed), 1);
        method.ended(Code::Ok, None);
        assert_eq!(method.service.running.load(Ordering::Relaxed), 0);
    }
}
