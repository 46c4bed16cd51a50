//! What a process needs around its domain, so that a service is its domain and nothing else.
//!
//! ```no_run
//! use chassis::{App, Config, Drained, Shutdown, telemetry};
//! # use proto::trade::v1::trade_service_server::{TradeService, TradeServiceServer};
//!
//! # async fn run(trade: impl TradeService) -> Result<(), chassis::Error> {
//! telemetry::init(telemetry::LogFormat::Text, "info")?;
//! let config = Config::default();
//! let shutdown = Shutdown::on_signal()?;
//! let listener = chassis::bind(([127, 0, 0, 1], 50051).into(), &config)?;
//! let app = App::new(proto::DESCRIPTORS).service(TradeServiceServer::new(trade));
//! match chassis::serve(listener, app, &config, shutdown).await? {
//!     Drained::Clean => {}
//!     Drained::LimitReached { calls } => eprintln!("{calls} calls were cut"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! * [`Config`]: every limit, with its unit. [`Error`]: what can fail at the start, and what to do.
//! * [`runtime()`]: the threads. [`bind`], [`App`], [`serve()`]: the address, what is served on it, and the serving
//!   until the drain is over. [`Shutdown`] is the handle that ends it, and that endless streams watch.
//! * `call`: what happens to every call, whatever its service: its deadline, its place among the calls
//!   that run, its panics, its span and its line in the log. [`Deadline`] is what the handler sees of
//!   it, [`panics`] what an operator counts.
//! * [`Pass`]: the way to a service that runs elsewhere, whose calls are passed on.
//! * [`Caller`]: who makes a call, and how that is told to a service behind a gateway.
//! * `auth`: login. [`Login`] is what a process believes, [`policy`] which role a call needs, [`Rates`] how often it may
//!   be made, [`TokenFile`] where tokens are kept.
//! * `connection`: accepting under a limit, settings of HTTP, the greeting's own deadline. [`Gather`]: writing for many
//!   calls at once.
//! * [`Edge`]: who answers what is no gRPC call, by way of [`Grpc`].
//! * `tls`: [`ServerTls`] of the listener and [`ClientTls`] towards other processes, from files that are looked at
//!   again while the process runs.
//! * `kept`: what is made of files, and made again when they change: those of `tls` and of `auth`.
//! * `health`: the health service, which reads [`Shutdown`] and keeps no state of its own. [`serves`] asks another
//!   process for it.
//! * `methods`: the methods of the schema, and what is counted of their calls.
//! * [`telemetry`]: the log of the process, what it counts, and traces. [`Trace`]: where a call stands in one.

mod app;
mod auth;
mod call;
mod caller;
mod config;
mod connection;
mod edge;
mod error;
mod gather;
mod health;
mod kept;
mod listen;
mod methods;
mod pass;
mod runtime;
mod serve;
mod shutdown;
pub mod telemetry;
mod tls;

pub use app::App;
pub use auth::{Jwt, Login, NewToken, Rate, Rates, TokenFile, TokenFileError, TokenRecord};
pub use auth::{TokenState, failed_logins, policy};
pub use call::{Deadline, Trace, panics};
pub use caller::{Caller, PeerNames, Role, strip};
pub use config::Config;
pub use edge::{Answering, Edge, Grpc};
pub use error::{Error, Missing};
pub use gather::Gather;
pub use health::{HealthCheckRequest, HealthCheckResponse, ServingStatus, serves};
pub use listen::bind;
pub use pass::{Pass, Passing};
pub use runtime::runtime;
pub use serve::{Drained, serve};
pub use shutdown::Shutdown;
pub use tls::{ClientFiles, ClientTls, Identity, SecureStream, ServerFiles, ServerTls};
