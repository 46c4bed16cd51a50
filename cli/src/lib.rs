//! The one binary of Entente: it serves any role, and is the client of all.
//!
//! # Layout
//!
//! * `args`: every command and option, with its help. [`run`]: from arguments to an exit code.
//! * `serve`: a role as a process. `demo`: the platform with the demonstration figures.
//! * `import`: files into a service; [`comtrade`] and `sdmx` read them, with what `rows` gives to both.
//!   `batches`: rows cut into batches. `export`: figures into files. `datasets`: new datasets.
//! * `trade`: questions to the trade service, and their answers on the terminal.
//! * `client`: the connection, and what went wrong there in words.
//! * `output`, `figures`, `plot`: tables, JSON and CSV; how a figure is written; bars.

mod args;
mod batches;
mod client;
pub mod comtrade;
mod datasets;
mod demo;
mod export;
mod figures;
mod import;
mod output;
mod plot;
mod rows;
mod run;
mod sdmx;
mod serve;
mod trade;

pub use run::run;
