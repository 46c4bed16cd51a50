//! What a process serves.

use std::collections::HashMap;
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

use crate::methods::Methods;
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
    pub(crate) methods: Arc<Methods>,
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
        let methods = Arc::new(self.methods()?);
        let health = health::server(self.health(), shutdown.clone());
        let v1 = self.reflection().build_v1().map_err(unreadable)?;
        let v1alpha = self.reflection().build_v1alpha().map_err(unreadable)?;
        let routes = self.routes.add_service(health);
        let routes = routes.add_service(v1).add_service(v1alpha).prepare();
        Ok(Assembled {
            routes,
            passed: Passed::new(self.passed),
            methods,
            edge: self.edge,
        })
    }

    /// The methods that may be called, with those of the services around it.
    fn methods(&self) -> Result<Methods, Error> {
        let mut all = FileDescriptorSet::default();
        for descriptors in [self.descriptors, tonic_health::pb::FILE_DESCRIPTOR_SET] {
            let files = FileDescriptorSet::decode(descriptors).map_err(unreadable)?;
            all.file.extend(files.file);
        }
        Ok(Methods::new(&all, &self.passed.keys().copied().collect()))
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

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Descriptors(Box::new(error))
}
