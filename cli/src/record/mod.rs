//! Records that keep their versions: what the commands and the imports of every kind of them have in common.
//!
//! # Layout
//!
//! * this file: [`Kind`], what a kind of record can be asked for, and [`Shown`], how one is shown.
//! * `commands`: create, show, change, delete, versions. `list`: records below each other.
//! * `kinds`: the kinds.
//! * `changes`, `watch`: what became of the records of a service. `feeds`: the services that tell it.

mod changes;
mod commands;
mod feeds;
mod kinds;
mod list;
mod watch;

use prost::Message;
use proto::r#type::v1::Source;
use tonic::Status;

use crate::args::answer::ServerArgs;
use crate::sources::Footnotes;

pub(crate) use changes::changes;
pub(crate) use commands::{create, delete, from_file, show, update, versions};
pub(crate) use feeds::{CultureFeed, EventsFeed, Feed, culture_line, event_line};
pub(crate) use kinds::{Agreements, Events, Programmes, VisaRules};
pub(crate) use list::{More, write_list};
pub(crate) use watch::watch;

/// What a record was from an instant on.
#[derive(Debug)]
pub(crate) struct Version<R> {
    /// Since when.
    pub(crate) record_time: Option<prost_types::Timestamp>,
    /// What became of it then: a `ChangeKind`.
    pub(crate) change: i32,
    /// The fields that changed.
    pub(crate) changed_fields: Vec<String>,
    /// The record; none: it was deleted.
    pub(crate) record: Option<R>,
}

/// A kind of record with the connection to the service that keeps it.
pub(crate) trait Kind: Sized {
    /// A record.
    type Record: Message + Default + Clone + PartialEq;
    /// The request that creates one.
    type Create: Message + Default + Clone;
    /// A version on the wire.
    type Version: Message + Default + Clone;

    /// How names begin: `events`.
    const COLLECTION: &'static str;
    /// What one is called: `event`.
    const NOUN: &'static str;
    /// The record's field in its requests.
    const FIELD: &'static str;
    /// The full name of the record's message.
    const RECORD: &'static str;
    /// The full name of the message that creates one.
    const CREATE: &'static str;
    /// The full name of a version.
    const VERSION: &'static str;

    async fn connect(server: &ServerArgs) -> anyhow::Result<Self>;
    async fn get(
        &mut self,
        name: String,
        as_of: Option<prost_types::Timestamp>,
    ) -> Result<Self::Record, Status>;
    async fn create(&mut self, asked: Self::Create) -> Result<Self::Record, Status>;
    async fn create_batch(&mut self, asked: Vec<Self::Create>)
    -> Result<Vec<Self::Record>, Status>;
    async fn update(
        &mut self,
        record: Self::Record,
        mask: Option<prost_types::FieldMask>,
    ) -> Result<Self::Record, Status>;
    async fn delete(&mut self, name: String, etag: String) -> Result<(), Status>;
    async fn versions(
        &mut self,
        name: String,
        page_token: String,
    ) -> Result<(Vec<Self::Version>, String), Status>;

    /// A version taken apart.
    fn version(version: Self::Version) -> Version<Self::Record>;
    /// The id and the record that a request would create.
    fn asked(create: &Self::Create) -> (&str, Self::Record);
    /// A request for a record that looks like one that is there, where the kind knows such.
    fn allow_duplicate(create: &mut Self::Create);
    /// The record without what the service adds.
    fn bare(record: Self::Record) -> Self::Record;
    /// The record's name.
    fn name(record: &Self::Record) -> &str;
    /// Where it is known from.
    fn sources(record: &Self::Record) -> &[Source];
    /// Puts in the etag that the record must have.
    fn set_etag(record: &mut Self::Record, etag: &str);
}

/// How records of a kind are shown.
pub(crate) trait Shown: Kind {
    /// Titles of the columns of a list.
    const TITLES: &'static [&'static str];
    /// Titles of the columns of CSV.
    const CSV: &'static [&'static str];

    /// The cells of a list.
    fn row(record: &Self::Record, language: &str, notes: &mut Footnotes) -> Vec<String>;
    /// The cells of CSV; texts are safe.
    fn cells(record: &Self::Record, language: &str) -> Vec<String>;
    /// Every field, a line each, without name, times and sources.
    fn lines(record: &Self::Record, language: &str) -> Vec<(String, String)>;
    /// When it was recorded and when it was last changed.
    fn times(
        record: &Self::Record,
    ) -> (
        Option<&prost_types::Timestamp>,
        Option<&prost_types::Timestamp>,
    );
    /// What it is called.
    fn title(record: &Self::Record, language: &str) -> String;
    /// Its etag.
    fn etag(record: &Self::Record) -> &str;
}

/// A record's name by its id, which may be given as the name.
pub(crate) fn full_name<K: Kind>(id: &str) -> String {
    if id.contains('/') {
        return id.to_owned();
    }
    format!("{}/{id}", K::COLLECTION)
}
