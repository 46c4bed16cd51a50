//! The requests on records, and what is alike in them. Each message is taken apart in full where it is named, so
//! that a new field does not compile until somebody says what becomes of it.

use prost::Message;
use prost_types::{FieldMask, Timestamp};
use store::Model;

use crate::history::Revision;
use crate::list::Page;
use crate::record::Record;

/// A request to create a record; [`create_request!`](crate::create_request) writes it.
pub trait CreateRequest<S: Model>: Message + Default + 'static {
    /// What is created.
    type Record: Record<S>;
    /// What a request id is bound to beside the request itself.
    const METHOD: &'static str;
    /// The field of the id.
    const ID: &'static str;

    /// Takes the request id out of it.
    fn take_request_id(&mut self) -> String;
    /// Takes it apart.
    fn parts(self) -> CreateParts<Self::Record>;
}

/// What a request to create a record says.
#[derive(Debug)]
pub struct CreateParts<M> {
    /// The id.
    pub id: String,
    /// The record.
    pub record: Option<M>,
    /// Whether one that looks like it is no reason to refuse it.
    pub allow_duplicate: bool,
}

/// A request to create several records; [`batch_request!`](crate::batch_request) writes it.
pub trait BatchRequest<S: Model>: Message + Default + 'static {
    /// One of its requests.
    type Create: CreateRequest<S>;
    /// Its answer.
    type Response: Send + 'static;
    /// What a request id is bound to beside the request itself.
    const METHOD: &'static str;

    /// Takes the request id out of it.
    fn take_request_id(&mut self) -> String;
    /// Takes it apart.
    fn requests(self) -> Vec<Self::Create>;
    /// The answer with the records, in the order of the requests.
    fn response(records: Vec<<Self::Create as CreateRequest<S>>::Record>) -> Self::Response;
}

/// A request to change a record; [`update_request!`](crate::update_request) writes it.
pub trait UpdateRequest<S: Model>: Message + Default + 'static {
    /// What is changed.
    type Record: Record<S>;
    /// What a request id is bound to beside the request itself.
    const METHOD: &'static str;

    /// Takes the request id out of it.
    fn take_request_id(&mut self) -> String;
    /// Takes it apart.
    fn parts(self) -> (Option<Self::Record>, Option<FieldMask>);
}

/// A request to delete a record; [`delete_request!`](crate::delete_request) writes it.
pub trait DeleteRequest<S: Model>: Message + Default + 'static {
    /// What is deleted.
    type Record: Record<S>;
    /// What a request id is bound to beside the request itself.
    const METHOD: &'static str;

    /// Takes the request id out of it.
    fn take_request_id(&mut self) -> String;
    /// Takes it apart: name and etag.
    fn parts(self) -> (String, String);
}

/// A request for a page; [`list_request!`](crate::list_request) writes it.
pub trait ListRequest<S>: Message + Default + 'static {
    /// What a page token is bound to beside the request itself.
    const METHOD: &'static str;

    /// Takes size and token of the page out of it.
    fn take_page(&mut self) -> (i32, String);
    /// The instant as of which it is asked.
    fn as_of(&self) -> Option<&Timestamp>;
}

/// A request for the versions of a record; [`versions_request!`](crate::versions_request) writes it.
pub trait VersionsRequest<S: Model>: ListRequest<S> {
    /// Whose versions.
    type Record: Record<S>;
    /// Its answer.
    type Response: Message;

    /// The name of the record.
    fn name(self) -> String;
    /// The answer with a page of versions.
    fn response(page: Page<Revision<Self::Record>>) -> Self::Response;
}

/// A request to watch changes; [`watch_request!`](crate::watch_request) writes it.
pub trait WatchRequest<S: Model>: Message + Default + 'static {
    /// A message of the feed.
    type Response: Message;

    /// Takes it apart.
    fn parts(self) -> WatchParts;
    /// The message of an entry of the journal, or of a sign of life, which has neither time nor changes.
    fn response(
        position: u64,
        commit_time: Option<Timestamp>,
        changes: Vec<S::Change>,
    ) -> Self::Response;
}

/// What a request to watch changes says.
#[derive(Debug)]
pub struct WatchParts {
    /// Changes after this position.
    pub after_position: u64,
    /// A country.
    pub country: String,
    /// Another one.
    pub partner: String,
}

/// Names a request to create a record: its message, the field of the id, the record's field and message, and
/// `allow_duplicate` where it has that.
#[macro_export]
macro_rules! create_request {
    ($model:ty, $request:ident, $id:ident, $record:ident: $message:ty $(, $allow_duplicate:ident)?) => {
        impl $crate::CreateRequest<$model> for $request {
            type Record = $message;
            const METHOD: &'static str = stringify!($request);
            const ID: &'static str = stringify!($id);

            fn take_request_id(&mut self) -> String {
                std::mem::take(&mut self.request_id)
            }

            fn parts(self) -> $crate::CreateParts<$message> {
                let $request { $id: id, $record: record, request_id: _ $(, $allow_duplicate: allowed)? } = self;
                #[allow(unused_mut, unused_assignments, reason = "a kind may have no duplicates")]
                let mut allow_duplicate = true;
                $(let $allow_duplicate = allowed; allow_duplicate = $allow_duplicate;)?
                $crate::CreateParts { id, record, allow_duplicate }
            }
        }
    };
}

/// Names a request to create several records: its message, that of its requests, its response and the field there.
#[macro_export]
macro_rules! batch_request {
    ($model:ty, $request:ident of $create:ty, $response:ident { $records:ident }) => {
        impl $crate::BatchRequest<$model> for $request {
            type Create = $create;
            type Response = $response;
            const METHOD: &'static str = stringify!($request);

            fn take_request_id(&mut self) -> String {
                std::mem::take(&mut self.request_id)
            }

            fn requests(self) -> Vec<$create> {
                let $request {
                    requests,
                    request_id: _,
                } = self;
                requests
            }

            fn response(
                records: Vec<<$create as $crate::CreateRequest<$model>>::Record>,
            ) -> $response {
                $response { $records: records }
            }
        }
    };
}

/// Names a request to change a record: its message, and the record's field and message.
#[macro_export]
macro_rules! update_request {
    ($model:ty, $request:ident, $record:ident: $message:ty) => {
        impl $crate::UpdateRequest<$model> for $request {
            type Record = $message;
            const METHOD: &'static str = stringify!($request);

            fn take_request_id(&mut self) -> String {
                std::mem::take(&mut self.request_id)
            }

            fn parts(self) -> (Option<$message>, Option<prost_types::FieldMask>) {
                let $request {
                    $record: record,
                    update_mask,
                    request_id: _,
                } = self;
                (record, update_mask)
            }
        }
    };
}

/// Names a request to delete a record: its message, and the record's.
#[macro_export]
macro_rules! delete_request {
    ($model:ty, $request:ident of $message:ty) => {
        impl $crate::DeleteRequest<$model> for $request {
            type Record = $message;
            const METHOD: &'static str = stringify!($request);

            fn take_request_id(&mut self) -> String {
                std::mem::take(&mut self.request_id)
            }

            fn parts(self) -> (String, String) {
                let $request {
                    name,
                    etag,
                    request_id: _,
                } = self;
                (name, etag)
            }
        }
    };
}

/// Names a request for the versions of a record: its message, the record's, its response, and the message of a version
/// with the record's field there.
#[macro_export]
macro_rules! versions_request {
    ($model:ty, $request:ident of $message:ty, $response:ident { $version:ident { $record:ident } }) => {
        impl $crate::VersionsRequest<$model> for $request {
            type Record = $message;
            type Response = $response;

            fn name(self) -> String {
                let $request {
                    name,
                    page_size: _,
                    page_token: _,
                } = self;
                name
            }

            fn response(page: $crate::Page<$crate::Revision<$message>>) -> $response {
                let (revisions, next_page_token) = page;
                let version = |revision: $crate::Revision<$message>| {
                    let $crate::Revision {
                        time,
                        change,
                        changed_fields,
                        record,
                    } = revision;
                    $version {
                        record_time: Some(proto::to_timestamp(time)),
                        change: change.into(),
                        changed_fields,
                        $record: record,
                    }
                };
                $response {
                    versions: revisions.into_iter().map(version).collect(),
                    next_page_token,
                }
            }
        }
    };
}

/// Names a request to watch changes, and the message of the feed.
#[macro_export]
macro_rules! watch_request {
    ($model:ty, $request:ident, $response:ident) => {
        impl $crate::WatchRequest<$model> for $request {
            type Response = $response;

            fn parts(self) -> $crate::WatchParts {
                let $request {
                    after_position,
                    country,
                    partner,
                } = self;
                $crate::WatchParts {
                    after_position,
                    country,
                    partner,
                }
            }

            fn response(
                position: u64,
                commit_time: Option<prost_types::Timestamp>,
                changes: Vec<<$model as store::Model>::Change>,
            ) -> $response {
                $response {
                    position,
                    commit_time,
                    changes,
                }
            }
        }
    };
}

/// Names requests for a page; those of the second form answer as of now only.
#[macro_export]
macro_rules! list_request {
    (@ $model:ty, $request:ident, $as_of:expr) => {
        impl $crate::ListRequest<$model> for $request {
            const METHOD: &'static str = stringify!($request);

            fn take_page(&mut self) -> (i32, String) {
                (std::mem::take(&mut self.page_size), std::mem::take(&mut self.page_token))
            }

            fn as_of(&self) -> Option<&prost_types::Timestamp> {
                let as_of: fn(&$request) -> Option<&prost_types::Timestamp> = $as_of;
                as_of(self)
            }
        }
    };
    ($model:ty, now: $($request:ident),+ $(,)?) => {
        $($crate::list_request!(@ $model, $request, |_| None);)+
    };
    ($model:ty, $($request:ident),+ $(,)?) => {
        $($crate::list_request!(@ $model, $request, |request| request.as_of.as_ref());)+
    };
}
