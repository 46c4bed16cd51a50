//! What a process serves.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::pb::health_server;
use tonic_reflection::pb::{v1, v1alpha};
use tonic_reflection::server::Builder;

use crate::pass::{Pass, Passed};
use crate::{Edge, Error, Shutdown, health};

/// The services of a process, and the schema they stand in.
///
/// Health and reflection are added to them, and speak of these services only.
#[derive(Debug, Clone)]
pub struct App {
    descriptors: &'static [u8],
    routes: Routes,
    services: Vec<&'static str>,
    passed: HashMap<&'static str, Arc<dyn Pass>>,
    edge: Option<Arc<dyn Edge>>,
}

/// What is left of an [`App`] when it is served.
pub(crate) struct Assembled {
    pub(crate) routes: Routes,
    pub(crate) passed: Passed,
    pub(crate) unary: HashSet<String>,
    pub(crate) edge: Option<Arc<dyn Edge>>,
}

impl App {
    /// Serves nothing yet. `descriptors` is an encoded `FileDescriptorSet` with all imports.
    pub fn new(descriptors: &'static [u8]) -> Self {
        Self {
            descriptors,
            routes: Routes::default(),
            services: Vec::new(),
            passed: HashMap::new(),
            edge: None,
        }
    }

    /// Adds a service, such as a generated server.
    ///
    /// # Panics
    ///
    /// When a service of that name was added before.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.services.push(S::NAME);
        self.routes = self.routes.add_service(service);
        self
    }

    /// Hands requests that are no gRPC calls to an edge, and speaks HTTP/1.1 too.
    #[must_use]
    pub fn edge(mut self, edge: impl Edge) -> Self {
        self.edge = Some(Arc::new(edge));
        self
    }

    /// Adds a service that does not run in this process: its calls are passed on undecoded. Reflection speaks of it by
    /// the descriptors, health says whether it can be reached.
    #[must_use]
    pub fn passed(mut self, name: &'static str, pass: impl Pass) -> Self {
        self.services.push(name);
        self.passed.insert(name, Arc::new(pass));
        self
    }

    /// The services that run in this process, for this process itself: what [`serve`](crate::serve()) puts around a
    /// call is not there, its login included.
    pub fn direct(self) -> Routes {
        self.routes.prepare()
    }

    pub(crate) fn assemble(self, shutdown: &Shutdown) -> Result<Assembled, Error> {
        let mut unary = unary(self.descriptors)?;
        unary.extend(self::unary(tonic_health::pb::FILE_DESCRIPTOR_SET)?);
        let health = health::server(self.health(), shutdown.clone());
        let v1 = self.reflection().build_v1().map_err(unreadable)?;
        let v1alpha = self.reflection().build_v1alpha().map_err(unreadable)?;
        let routes = self.routes.add_service(health);
        let routes = routes.add_service(v1).add_service(v1alpha).prepare();
        Ok(Assembled {
            routes,
            passed: Passed::new(self.passed),
            unary,
            edge: self.edge,
        })
    }

    /// What health knows of each service.
    fn health(&self) -> health::Services {
        let names = self.services.iter();
        let reached = |name| self.passed.get(name).map(|pass| pass.reached());
        names
            .map(|name| (*name, reached(name).unwrap_or_else(health::always)))
            .collect()
    }

    fn reflection(&self) -> Builder<'static> {
        let around = [
            health_server::SERVICE_NAME,
            v1::server_reflection_server::SERVICE_NAME,
            v1alpha::server_reflection_server::SERVICE_NAME,
        ];
        let builder = Builder::configure()
            .register_encoded_file_descriptor_set(self.descriptors)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        let names = self.services.iter().chain(&around);
        names.fold(builder, |builder, name| builder.with_service_name(*name))
    }
}

/// Paths of the methods that stream neither way.
fn unary(descriptors: &[u8]) -> Result<HashSet<String>, Error> {
    let files = FileDescriptorSet::decode(descriptors).map_err(unreadable)?;
    let mut paths = HashSet::new();
    for file in &files.file {
        for service in &file.service {
            let methods = service.method.iter();
            let unary = methods.filter(|m| !m.client_streaming() && !m.server_streaming());
            paths.extend(unary.map(|m| path(file.package(), service.name(), m.name())));
        }
    }
    Ok(paths)
}

fn path(package: &str, service: &str, method: &str) -> String {
    let dot = if package.is_empty() { "" } else { "." };
    format!("/{package}{dot}{service}/{method}")
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Descriptors(Box::new(error))
}
