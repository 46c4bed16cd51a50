//! The one binary of Entente: it serves any role, and is the client of all.
//!
//! # Layout
//!
//! * `args`: every command and option, with its help. [`run`]: from arguments to an exit code.
//! * `serve`: a role as a process. `demo`: the platform with the demonstration figures.
//! * `token`: who may log in. `audit`: who wrote what.
//! * `backup`: journals into a folder; `restore`: data folders from one. `verify`: whether what is kept is what was
//!   recorded. `status`: how all of it is.
//! * `certs`: certificates for development. `setup`: what processes need to trust each other, each in its folder.
//! * `healthcheck`: whether a process serves, for whoever starts and stops it.
//! * `import`: files into a service; [`comtrade`] and `sdmx` read them, with what `rows` gives to both.
//!   `batches`: rows cut into batches. `export`: figures into files. `datasets`: new datasets.
//! * `trade`, `events`, `culture`: questions to a service, and their answers on the terminal. `record`: what they
//!   have in common where records keep their versions.
//! * `load`: scenarios of calls at a rate, and what came out. `generate`: data of any size to ask about.
//! * `briefing`: the briefing on a page, for the terminal and as Markdown.
//! * `client`: the connection, and what went wrong there in words.
//! * `records`: what Entente ships. `whole`: files that are read as a whole. `target`: a file that appears
//!   when it is complete.
//! * `interrupt`: Ctrl-C and SIGTERM. `progress`: bars that say how far something is.
//! * `output`, `figures`, `words`, `names`, `dates`: tables, JSON and CSV; how a figure is written; what the wire's
//!   codes are called; the names of its enums; dates of any precision. `sources`, `reasons`: what stands below a table.
//! * `chart`: what a chart shows; `plot` draws it on the terminal, `svg` into a file. `series_chart`: the
//!   chart of a series.

mod args;
mod audit;
mod backup;
mod batches;
mod briefing;
mod certs;
mod chart;
mod client;
pub mod comtrade;
mod culture;
mod datasets;
mod dates;
mod demo;
mod events;
mod export;
mod figures;
mod generate;
mod healthcheck;
mod import;
mod interrupt;
mod load;
mod names;
mod output;
mod plot;
mod progress;
mod reasons;
mod record;
mod records;
mod relationship;
mod restore;
mod rows;
mod run;
mod sdmx;
mod series_chart;
mod serve;
mod setup;
mod sources;
mod status;
mod svg;
mod target;
mod telemetry;
mod token;
mod trade;
mod verify;
mod whole;
mod words;

pub use run::run;
