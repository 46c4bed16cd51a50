//! A service against a plain model of it, through whatever order of writes, restarts and crashes.
//!
//! The model is a map from ids to versions; what a list must answer is what a loop over the map finds. The service is
//! the real one over a real store, called without a socket. A crash is what `kill -9` leaves: the files as they are
//! while the store is open, opened by another one. After each step every record, every list and every earlier instant
//! is compared, and the indexes are held against what the records say. [`measures`] and [`figures`], which are recorded
//! and not created, have maps of their own.

mod agreement;
mod event;
pub mod figures;
pub mod measures;
mod programme;
mod visa_rule;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use chassis::Shutdown;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use prost_types::{FieldMask, Timestamp};
use proto::r#type::v1::{CivilDate as WireDate, DateWindow};
use proto::{CivilDate, Day};
use records::Fields;
use store::Store;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tonic::{Code, Status};

pub use agreement::Agreements;
pub use event::Events;
pub use programme::Programmes;
pub use visa_rule::VisaRules;

/// Ids that are written to: few, so that they meet.
const IDS: usize = 6;
/// Countries that records are about.
pub(crate) const COUNTRIES: [&str; 4] = ["CHN", "KAZ", "UZB", "CT810"];
/// Earlier instants that are asked about, at most.
const REMEMBERED: usize = 4;

/// A kind of record of a service, as a client sees it, and what a loop must find.
pub trait Subject: Clone + Debug + Send + Sync + 'static {
    /// The model of the service's store.
    type Model: store::Model + Debug;
    /// The record.
    type Record: Fields<Self::Model> + PartialEq;
    /// A client without a socket.
    type Client: Clone + Debug + Send + Sync;

    /// A client of the service over a store.
    fn client(store: Store<Self::Model>) -> Self::Client;
    /// Any record that nothing is wrong with.
    fn any() -> BoxedStrategy<Self::Record>;
    /// Any fields that an update may name.
    fn any_mask() -> BoxedStrategy<Vec<&'static str>>;
    /// A record under a name and an etag, without its times.
    fn named(record: Self::Record, name: String, etag: String) -> Self::Record;

    /// The countries that it is about.
    fn countries(record: &Self::Record) -> Vec<String>;
    /// The first and the last day that it may touch; open where not known. With more than one stretch, all.
    fn stretches(record: &Self::Record) -> Vec<(Option<Day>, Option<Day>)>;
    /// Where it stands in a list.
    fn at(record: &Self::Record) -> u32;
    /// Whether dates that were changed one without the other still make a stretch.
    fn is_stretch(record: &Self::Record) -> bool;
    /// Whether one is taken for the other.
    fn resembles(one: &Self::Record, other: &Self::Record) -> bool;

    /// Creates.
    fn create(
        client: Self::Client,
        id: String,
        record: Self::Record,
        allow_duplicate: bool,
    ) -> impl Future<Output = Result<Self::Record, Status>>;
    /// Creates several, none of which may look like another.
    fn create_all(
        client: Self::Client,
        records: Vec<(String, Self::Record)>,
    ) -> impl Future<Output = Result<Vec<Self::Record>, Status>>;
    /// Changes.
    fn update(
        client: Self::Client,
        record: Self::Record,
        mask: FieldMask,
    ) -> impl Future<Output = Result<Self::Record, Status>>;
    /// Deletes.
    fn delete(
        client: Self::Client,
        name: String,
        etag: String,
    ) -> impl Future<Output = Result<(), Status>>;
    /// Gets.
    fn get(
        client: Self::Client,
        name: String,
        as_of: Option<Timestamp>,
    ) -> impl Future<Output = Result<Self::Record, Status>>;
    /// A page of a list.
    fn list(
        client: Self::Client,
        asked: Listed,
        page_token: String,
    ) -> impl Future<Output = Result<(Vec<Self::Record>, String), Status>>;
    /// All versions, the latest first; a deletion is none.
    fn versions(
        client: Self::Client,
        name: String,
    ) -> impl Future<Output = Result<Vec<Option<Self::Record>>, Status>>;
    /// Names of what changed, of a topic or of all, in order.
    fn changes(
        client: Self::Client,
        country: String,
        partner: String,
    ) -> impl Future<Output = Result<Vec<String>, Status>>;
}

/// A list that is asked for.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// A country, or none.
    pub country: String,
    /// Another one, or none.
    pub partner: String,
    /// The window.
    pub window: Option<DateWindow>,
    /// Records a page.
    pub page_size: i32,
    /// As of when.
    pub as_of: Option<Timestamp>,
}

/// Whose etag an update or a deletion brings.
#[derive(Clone, Copy, Debug)]
pub enum Etag {
    /// None.
    Any,
    /// That of the record as it is.
    Current,
    /// Another one.
    Stale,
}

/// A step.
#[derive(Clone, Debug)]
pub enum Step<S: Subject> {
    /// Create a record.
    Create(usize, S::Record, bool),
    /// Create several at once.
    CreateAll(Vec<(usize, S::Record)>),
    /// Change fields of a record.
    Update(usize, S::Record, Vec<&'static str>, Etag),
    /// Delete a record.
    Delete(usize, Etag),
    /// Close the store and open it again.
    Restart,
    /// The same without the view.
    RestartWithoutView,
    /// End the process where it stands.
    Crash,
}

/// What there is: for each id all versions, `None` for a deletion.
#[derive(Clone, Debug)]
pub struct Records<S: Subject> {
    versions: BTreeMap<usize, Vec<Option<S::Record>>>,
    /// Ids in the order in which they were written, with the versions' countries before and after.
    changes: Vec<(usize, Vec<String>, Vec<String>)>,
}

impl<S: Subject> Records<S> {
    fn current(&self, id: usize) -> Option<&S::Record> {
        self.versions.get(&id)?.last()?.as_ref()
    }

    fn all(&self) -> impl Iterator<Item = (usize, &S::Record)> {
        self.versions
            .keys()
            .filter_map(|id| Some((*id, self.current(*id)?)))
    }

    fn push(&mut self, id: usize, version: Option<S::Record>) {
        let countries = |record: Option<&S::Record>| record.map(S::countries).unwrap_or_default();
        let before = countries(self.current(id));
        self.changes.push((id, before, countries(version.as_ref())));
        self.versions.entry(id).or_default().push(version);
    }

    fn create(&mut self, id: usize, record: &S::Record, allow_duplicate: bool) -> Code {
        if self.versions.contains_key(&id) {
            return Code::AlreadyExists;
        }
        if !allow_duplicate && self.all().any(|(_, other)| S::resembles(record, other)) {
            return Code::AlreadyExists;
        }
        self.push(id, Some(record.clone()));
        Code::Ok
    }

    fn create_all(&mut self, records: &[(usize, S::Record)]) -> Code {
        let mut after = self.clone();
        let twice = |at: usize| records[..at].iter().any(|(id, _)| *id == records[at].0);
        if (0..records.len()).any(twice) {
            return Code::InvalidArgument;
        }
        for (id, record) in records {
            let code = after.create(*id, record, false);
            if code != Code::Ok {
                return code;
            }
        }
        // What is recorded together is told by name.
        after.changes[self.changes.len()..].sort_by_key(|(id, ..)| *id);
        *self = after;
        Code::Ok
    }

    fn update(&mut self, id: usize, given: &S::Record, mask: &[&str], etag: Etag) -> Code {
        let Some(now) = self.current(id) else {
            return Code::NotFound;
        };
        if matches!(etag, Etag::Stale) {
            return Code::Aborted;
        }
        let mut next = now.clone();
        for field in S::Record::FIELDS {
            let is_named = mask.contains(&field.path);
            if is_named || (mask.is_empty() && (field.is_given)(given)) {
                (field.set)(&mut next, given);
            }
        }
        if !S::is_stretch(&next) {
            return Code::InvalidArgument;
        }
        let is_same = S::Record::FIELDS
            .iter()
            .all(|field| (field.is_same)(&next, now));
        if !is_same {
            self.push(id, Some(next));
        }
        Code::Ok
    }

    fn delete(&mut self, id: usize, etag: Etag) -> Code {
        match (self.current(id), etag) {
            (None, _) => Code::NotFound,
            (Some(_), Etag::Stale) => Code::Aborted,
            (Some(_), Etag::Any | Etag::Current) => {
                self.push(id, None);
                Code::Ok
            }
        }
    }

    fn apply(&mut self, step: &Step<S>) -> Code {
        match step {
            Step::Create(id, record, allowed) => self.create(*id, record, *allowed),
            Step::CreateAll(records) => self.create_all(records),
            Step::Update(id, record, mask, etag) => self.update(*id, record, mask, *etag),
            Step::Delete(id, etag) => self.delete(*id, *etag),
            Step::Restart | Step::RestartWithoutView | Step::Crash => Code::Ok,
        }
    }

    /// What a list must answer.
    fn listed(&self, asked: &Listed) -> Vec<String> {
        let window = asked
            .window
            .map(|window| proto::DateWindow::try_from(window).expect("a window"));
        let is_wanted = |record: &S::Record| {
            let countries = S::countries(record);
            let is_among = |code: &String| code.is_empty() || countries.contains(code);
            let touches = |window: proto::DateWindow| {
                S::stretches(record)
                    .iter()
                    .any(|(first, last)| window.overlaps(*first, *last))
            };
            is_among(&asked.country) && is_among(&asked.partner) && window.is_none_or(touches)
        };
        let mut listed: Vec<(u32, String)> = self
            .all()
            .filter(|(_, record)| is_wanted(record))
            .map(|(id, record)| (S::at(record), name_of::<S>(id)))
            .collect();
        listed.sort();
        listed.into_iter().map(|(_, name)| name).collect()
    }

    /// Names of what changed.
    fn changed(&self, topic: &[&str]) -> Vec<String> {
        let is_about = |countries: &[String]| {
            topic
                .iter()
                .all(|code| countries.iter().any(|country| country == code))
        };
        let of_topic = self
            .changes
            .iter()
            .filter(|(_, before, after)| topic.is_empty() || is_about(before) || is_about(after));
        of_topic.map(|(id, ..)| name_of::<S>(*id)).collect()
    }
}

fn id_of(id: usize) -> String {
    format!("r{id}")
}

fn name_of<S: Subject>(id: usize) -> String {
    let id = proto::Slug::parse(&id_of(id)).expect("an id");
    S::Record::NAME(&id)
}

/// The order of steps.
#[derive(Debug)]
pub struct Machine<S>(std::marker::PhantomData<S>);

impl<S: Subject> ReferenceStateMachine for Machine<S> {
    type State = Records<S>;
    type Transition = Step<S>;

    fn init_state() -> BoxedStrategy<Records<S>> {
        let versions = BTreeMap::new();
        let changes = Vec::new();
        Just(Records { versions, changes }).boxed()
    }

    fn transitions(_: &Records<S>) -> BoxedStrategy<Step<S>> {
        let etag =
            prop_oneof![3 => Just(Etag::Any), 2 => Just(Etag::Current), 1 => Just(Etag::Stale)];
        let id = 0..IDS;
        prop_oneof![
            6 => (id.clone(), S::any(), any::<bool>())
                .prop_map(|(id, record, allowed)| Step::Create(id, record, allowed)),
            2 => prop::collection::vec((id.clone(), S::any()), 1..4).prop_map(Step::CreateAll),
            6 => (id.clone(), S::any(), S::any_mask(), etag.clone())
                .prop_map(|(id, record, mask, etag)| Step::Update(id, record, mask, etag)),
            2 => (id, etag).prop_map(|(id, etag)| Step::Delete(id, etag)),
            1 => Just(Step::Restart),
            1 => Just(Step::RestartWithoutView),
            1 => Just(Step::Crash),
        ]
        .boxed()
    }

    fn apply(mut state: Records<S>, step: &Step<S>) -> Records<S> {
        state.apply(step);
        state
    }
}

/// The service under test.
#[derive(Debug)]
pub struct Service<S: Subject> {
    runtime: Arc<Runtime>,
    folder: TempDir,
    store: Store<S::Model>,
    client: S::Client,
    /// What there was before, and the instant as of which it is asked for.
    past: Vec<(Timestamp, Records<S>)>,
    before: Records<S>,
}

fn open<M: store::Model>(folder: &Path) -> Store<M> {
    let config = store::Config {
        reserve_bytes: 0,
        ballast_bytes: 0,
        cache_bytes: 8 << 20,
        ..store::Config::default()
    };
    Store::open(folder, &config).expect("it opens")
}

impl<S: Subject> Service<S> {
    fn take_up(&mut self, folder: TempDir) {
        self.store = open(folder.path());
        self.client = S::client(self.store.clone());
        self.folder = folder;
    }

    /// Closes the store, so that its folder is free.
    fn close(&mut self) -> TempDir {
        self.runtime.block_on(self.store.close());
        let empty = tempfile::tempdir().expect("a folder");
        let folder = std::mem::replace(&mut self.folder, empty);
        self.store = open(self.folder.path());
        self.client = S::client(self.store.clone());
        folder
    }

    fn write(&self, step: &Step<S>) -> Code {
        let client = self.client.clone();
        let etag = |id: usize, etag: Etag| match etag {
            Etag::Any => String::new(),
            Etag::Stale => "stale".to_owned(),
            Etag::Current => {
                let now = S::get(self.client.clone(), name_of::<S>(id), None);
                let now = self.runtime.block_on(now);
                now.map(|now| now.etag().to_owned()).unwrap_or_default()
            }
        };
        let named = |id: usize, record: &S::Record| (id_of(id), record.clone());
        let outcome = match step {
            Step::Create(id, record, allowed) => {
                let created = S::create(client, id_of(*id), record.clone(), *allowed);
                self.runtime.block_on(created).map(|_| ())
            }
            Step::CreateAll(records) => {
                let records = records
                    .iter()
                    .map(|(id, record)| named(*id, record))
                    .collect();
                self.runtime
                    .block_on(S::create_all(client, records))
                    .map(|_| ())
            }
            Step::Update(id, record, mask, of) => {
                let record = S::named(record.clone(), name_of::<S>(*id), etag(*id, *of));
                let mask = FieldMask {
                    paths: mask.iter().map(|path| (*path).to_owned()).collect(),
                };
                self.runtime
                    .block_on(S::update(client, record, mask))
                    .map(|_| ())
            }
            Step::Delete(id, of) => {
                let etag = etag(*id, *of);
                let deleted = S::delete(client, name_of::<S>(*id), etag);
                self.runtime.block_on(deleted)
            }
            Step::Restart | Step::RestartWithoutView | Step::Crash => Ok(()),
        };
        outcome.map_or_else(|status| status.code(), |()| Code::Ok)
    }

    fn names(&self, asked: &Listed) -> Vec<String> {
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let page = S::list(self.client.clone(), asked.clone(), token);
            let (records, next) = self.runtime.block_on(page).expect("a page");
            names.extend(records.iter().map(|record| record.name().to_owned()));
            token = next;
            if token.is_empty() {
                return names;
            }
        }
    }

    fn check_at(&self, there: &Records<S>, as_of: Option<Timestamp>) {
        for id in 0..IDS {
            let found = S::get(self.client.clone(), name_of::<S>(id), as_of);
            let found = self.runtime.block_on(found).map(without_output::<S>);
            match there.current(id) {
                Some(record) => assert_eq!(found.expect("it is there"), *record),
                None => assert_eq!(found.expect_err("it is not there").code(), Code::NotFound),
            }
        }
        for asked in lists(as_of) {
            assert_eq!(self.names(&asked), there.listed(&asked), "{asked:?}");
        }
    }

    fn check_history(&self, there: &Records<S>) {
        for (id, versions) in &there.versions {
            let told = S::versions(self.client.clone(), name_of::<S>(*id));
            let told = self.runtime.block_on(told).expect("versions");
            let told = told
                .into_iter()
                .rev()
                .map(|version| version.map(without_output::<S>));
            assert_eq!(told.collect::<Vec<_>>(), *versions);
        }
        let topics: [&[&str]; 3] = [&[], &["CHN"], &["KAZ", "CHN"]];
        for topic in topics {
            let code = |at: usize| topic.get(at).map(ToString::to_string).unwrap_or_default();
            let told = S::changes(self.client.clone(), code(0), code(1));
            let told = self.runtime.block_on(told).expect("changes");
            assert_eq!(told, there.changed(topic), "{topic:?}");
        }
    }
}

/// Lists that are compared: all, by country, by pair in both orders, and in windows.
fn lists(as_of: Option<Timestamp>) -> Vec<Listed> {
    let date = |year, month| {
        Some(WireDate {
            year,
            month,
            day: 0,
        })
    };
    let windows = [
        None,
        Some(DateWindow {
            start: date(2013, 6),
            end: date(2014, 0),
        }),
        Some(DateWindow {
            start: date(2014, 2),
            end: None,
        }),
        Some(DateWindow {
            start: None,
            end: date(2013, 9),
        }),
    ];
    let topics = [("", ""), ("KAZ", ""), ("CHN", "KAZ"), ("KAZ", "CHN")];
    let asked = topics
        .iter()
        .zip(1..)
        .flat_map(|((country, partner), page_size)| {
            windows.map(|window| Listed {
                country: (*country).into(),
                partner: (*partner).into(),
                window,
                page_size,
                as_of,
            })
        });
    asked.collect()
}

fn without_output<S: Subject>(record: S::Record) -> S::Record {
    S::named(record, String::new(), String::new())
}

impl<S: Subject> StateMachineTest for Service<S>
where
    S::Record: records::Record<S::Model>,
{
    type SystemUnderTest = Service<S>;
    type Reference = Machine<S>;

    fn init_test(there: &Records<S>) -> Service<S> {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path());
        let runtime = Runtime::new().expect("a runtime");
        Service {
            runtime: Arc::new(runtime),
            client: S::client(store.clone()),
            store,
            folder,
            past: Vec::new(),
            before: there.clone(),
        }
    }

    fn apply(mut service: Service<S>, there: &Records<S>, step: Step<S>) -> Service<S> {
        let mut before = std::mem::replace(&mut service.before, there.clone());
        let instant = proto::to_timestamp(service.store.last().time);
        if service.past.len() < REMEMBERED {
            service.past.push((instant, before.clone()));
        }
        match step {
            Step::Restart => {
                let folder = service.close();
                service.take_up(folder);
            }
            Step::RestartWithoutView => {
                let folder = service.close();
                std::fs::remove_dir_all(folder.path().join("view")).expect("a view");
                service.take_up(folder);
            }
            Step::Crash => {
                let left = tempfile::tempdir().expect("a folder");
                copy(service.folder.path(), left.path());
                drop(service.close());
                service.take_up(left);
            }
            Step::Create(..) | Step::CreateAll(_) | Step::Update(..) | Step::Delete(..) => {
                let expected = before.apply(&step);
                assert_eq!(service.write(&step), expected, "{step:?}");
            }
        }
        service
    }

    fn check_invariants(service: &Service<S>, there: &Records<S>) {
        service.check_at(there, None);
        service.check_history(there);
        for (instant, past) in &service.past {
            service.check_at(past, Some(*instant));
        }
        let wrong = service
            .store
            .read(records::recompute::<S::Model, S::Record>);
        assert_eq!(wrong.expect("it can be read"), Vec::<Vec<u8>>::new());
    }
}

/// What `kill -9` leaves.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).expect("a folder");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file");
        }
    }
}

/// A handle that never ends anything.
pub(crate) fn never() -> Shutdown {
    Shutdown::new()
}

/// Any date of three years, of any precision.
pub(crate) fn any_date() -> impl Strategy<Value = WireDate> {
    (2012..2015_i32, 0..=12_i32, 0..=28_i32).prop_map(|(year, month, day)| WireDate {
        year,
        month,
        day: if month == 0 { 0 } else { day },
    })
}

/// Whether both are about the same two countries, or both about the same one alone.
pub(crate) fn is_same_pair<S: Subject>(one: &S::Record, other: &S::Record) -> bool {
    let set = |record| S::countries(record).into_iter().collect::<BTreeSet<_>>();
    let (mine, theirs) = (set(one), set(other));
    let shared = mine.intersection(&theirs).count();
    shared >= 2 || (shared == 1 && mine.len() == 1 && theirs.len() == 1)
}

/// Some countries, each once.
pub(crate) fn any_countries(least: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(COUNTRIES.to_vec(), least..=COUNTRIES.len()).prop_shuffle()
}

/// The date of a message.
pub(crate) fn date(date: WireDate) -> CivilDate {
    CivilDate::try_from(date).expect("a date")
}

/// A source that nothing is wrong with.
pub(crate) fn sources() -> Vec<proto::r#type::v1::Source> {
    vec![crate::source("A page"), crate::source("Another page")]
}

/// Any short title.
pub(crate) fn any_title() -> impl Strategy<Value = Option<proto::r#type::v1::LocalizedText>> {
    prop::sample::select(vec!["Talks", "Tea", "Visit"])
        .prop_map(|title| Some(crate::text("en", title)))
}
