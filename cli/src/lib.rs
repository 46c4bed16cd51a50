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
//! * `records`: what Entente ships.
//! * `output`, `figures`, `words`: tables, JSON and CSV; how a figure is written; what the wire's codes are
//!   called. `sources`, `reasons`: what stands below a table.
//! * `chart`: what a chart shows; `plot` draws it on the terminal, `svg` into a file. `series_chart`: the
//!   chart of a series.

mod args;
mod batches;
mod chart;
mod client;
pub mod comtrade;
mod datasets;
mod demo;
mod export;
mod figures;
mod import;
mod output;
mod plot;
mod reasons;
mod records;
mod rows;
mod run;
mod sdmx;
mod series_chart;
mod serve;
mod sources;
mod svg;
mod trade;
mod words;

pub use run::run;
