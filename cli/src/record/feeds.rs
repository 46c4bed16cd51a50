//! What became of a service's records, as the service tells it: each service with its calls.

use prost::Message;
use prost_types::Timestamp;
use proto::culture::v1 as culture;
use proto::events::v1 as events;
use tonic::{Request, Status, Streaming};

use super::{Agreements, Events, Programmes, Shown, VisaRules};
use crate::args::answer::{AsOf, ServerArgs};
use crate::args::records::{ChangesArgs, WatchArgs};
use crate::client::{self, CultureClient, EventsClient, request};
use crate::culture::measure_title;

/// What became of a record at an instant.
#[derive(Debug)]
pub(crate) struct Changed<'a> {
    /// When it was recorded.
    pub(crate) record_time: Option<&'a Timestamp>,
    /// The record.
    pub(crate) name: &'a str,
    /// What became of it: a `ChangeKind`.
    pub(crate) change: i32,
    /// The fields that changed.
    pub(crate) fields: &'a [String],
    /// What the record is called; empty when it was deleted.
    pub(crate) title: String,
}

/// What was recorded together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told<'a> {
    /// The position behind it.
    pub(crate) position: u64,
    /// When it was committed.
    pub(crate) commit_time: Option<&'a Timestamp>,
    /// Its changes, a line each: `recorded events/visit-2024-07: State visit`.
    pub(crate) lines: Vec<String>,
}

/// A service that tells what became of its records.
pub(crate) trait Feed: Sized {
    /// What became of a record.
    type Change: Message + Default;
    /// The answer that holds such changes.
    type Changes: Message;
    /// What was recorded together.
    type Entry: Message;

    /// The full name of the answer.
    const CHANGES: &'static str;
    /// The full name of an entry.
    const ENTRY: &'static str;

    async fn connect(server: &ServerArgs) -> anyhow::Result<Self>;
    /// A page of what the arguments ask for.
    async fn changes(
        &mut self,
        args: &ChangesArgs,
        page_size: i32,
        page_token: String,
    ) -> Result<(Vec<Self::Change>, String), Status>;
    async fn watch(&mut self, args: &WatchArgs) -> Result<Streaming<Self::Entry>, Status>;

    /// The answer of all pages.
    fn answer(changes: Vec<Self::Change>, next_page_token: String) -> Self::Changes;
    /// The changes of an answer.
    fn listed(answer: &Self::Changes) -> (&[Self::Change], &str);
    /// A change taken apart.
    fn changed<'a>(change: &'a Self::Change, language: &str) -> Changed<'a>;
    /// An entry taken apart.
    fn told<'a>(entry: &'a Self::Entry, language: &str) -> Told<'a>;
}

macro_rules! feed {
    (
        $(#[$doc:meta])*
        $feed:ident: $client:ty, $connect:ident, $wire:ident, $package:literal,
        title: $title:path,
        line: $line:path,
    ) => {
        $(#[$doc])*
        pub(crate) struct $feed {
            client: $client,
            server: ServerArgs,
        }

        impl Feed for $feed {
            type Change = $wire::RecordChange;
            type Changes = $wire::ListChangesResponse;
            type Entry = $wire::WatchChangesResponse;

            const CHANGES: &'static str = concat!($package, "ListChangesResponse");
            const ENTRY: &'static str = concat!($package, "WatchChangesResponse");

            async fn connect(server: &ServerArgs) -> anyhow::Result<$feed> {
                Ok($feed {
                    client: client::$connect(&server.server).await?,
                    server: server.clone(),
                })
            }

            async fn changes(
                &mut self,
                args: &ChangesArgs,
                page_size: i32,
                page_token: String,
            ) -> Result<(Vec<Self::Change>, String), Status> {
                let (country, partner) = args.countries.to_wire();
                let asked = $wire::ListChangesRequest {
                    country,
                    partner,
                    start_time: args.since.map(AsOf::to_wire),
                    end_time: args.until.map(AsOf::to_wire),
                    page_size,
                    page_token,
                };
                let page = self.client.list_changes(request(asked, &self.server));
                let page = page.await?.into_inner();
                Ok((page.changes, page.next_page_token))
            }

            async fn watch(&mut self, args: &WatchArgs) -> Result<Streaming<Self::Entry>, Status> {
                let (country, partner) = args.countries.to_wire();
                // Without a deadline: it goes on until somebody ends it.
                let asked = Request::new($wire::WatchChangesRequest {
                    after_position: args.after,
                    country,
                    partner,
                });
                Ok(self.client.watch_changes(asked).await?.into_inner())
            }

            fn answer(changes: Vec<Self::Change>, next_page_token: String) -> Self::Changes {
                $wire::ListChangesResponse {
                    changes,
                    next_page_token,
                }
            }

            fn listed(answer: &Self::Changes) -> (&[Self::Change], &str) {
                (&answer.changes, &answer.next_page_token)
            }

            fn changed<'a>(change: &'a Self::Change, language: &str) -> Changed<'a> {
                let $wire::RecordChange {
                    record_time,
                    name,
                    change,
                    changed_fields,
                    record,
                } = change;
                let title = record.as_ref().map(|record| $title(record, language));
                Changed {
                    record_time: record_time.as_ref(),
                    name,
                    change: *change,
                    fields: changed_fields,
                    title: title.unwrap_or_default(),
                }
            }

            fn told<'a>(entry: &'a Self::Entry, language: &str) -> Told<'a> {
                let $wire::WatchChangesResponse {
                    position,
                    commit_time,
                    changes,
                } = entry;
                // One of a kind that this build does not know is told by its position alone.
                let line = |change: &_| $line(change, language);
                let lines = changes.iter().map(|one| one.change.as_ref().map(line));
                Told {
                    position: *position,
                    commit_time: commit_time.as_ref(),
                    lines: lines.map(Option::unwrap_or_default).collect(),
                }
            }
        }
    };
}

feed! {
    /// Of events and agreements.
    EventsFeed: EventsClient, events, events, "entente.events.v1.",
    title: event_title,
    line: event_line,
}

feed! {
    /// Of programmes, measures and visa rules.
    CultureFeed: CultureClient, culture, culture, "entente.culture.v1.",
    title: culture_title,
    line: culture_line,
}

fn event_title(record: &events::record_change::Record, language: &str) -> String {
    use events::record_change::Record;
    match record {
        Record::Event(event) => Events::title(event, language),
        Record::Agreement(agreement) => Agreements::title(agreement, language),
    }
}

/// A change of an event or an agreement as a line.
pub(crate) fn event_line(change: &events::events_change::Change, language: &str) -> String {
    use events::events_change::Change;
    match change {
        Change::EventRecorded(recorded) => of_kind::<Events>(recorded.event.as_ref(), language),
        Change::EventDeleted(deleted) => gone(&deleted.name),
        Change::AgreementRecorded(recorded) => {
            of_kind::<Agreements>(recorded.agreement.as_ref(), language)
        }
        Change::AgreementDeleted(deleted) => gone(&deleted.name),
    }
}

fn culture_title(record: &culture::record_change::Record, language: &str) -> String {
    use culture::record_change::Record;
    match record {
        Record::Programme(programme) => Programmes::title(programme, language),
        Record::Measure(measure) => measure_title(measure),
        Record::VisaRule(rule) => VisaRules::title(rule, language),
    }
}

/// A change of a programme, a measure or a visa rule as a line.
pub(crate) fn culture_line(change: &culture::culture_change::Change, language: &str) -> String {
    use culture::culture_change::Change;
    match change {
        Change::ProgrammeRecorded(recorded) => {
            of_kind::<Programmes>(recorded.programme.as_ref(), language)
        }
        Change::ProgrammeDeleted(deleted) => gone(&deleted.name),
        Change::MeasureRecorded(recorded) => {
            let measure = recorded.measure.clone().unwrap_or_default();
            there(&measure.name, &measure_title(&measure))
        }
        Change::MeasureDeleted(deleted) => gone(&deleted.name),
        Change::VisaRuleRecorded(recorded) => {
            of_kind::<VisaRules>(recorded.visa_rule.as_ref(), language)
        }
        Change::VisaRuleDeleted(deleted) => gone(&deleted.name),
    }
}

fn of_kind<K: Shown>(record: Option<&K::Record>, language: &str) -> String {
    let record = record.cloned().unwrap_or_default();
    there(K::name(&record), &K::title(&record, language))
}

fn there(name: &str, title: &str) -> String {
    format!("recorded {name}: {title}")
}

fn gone(name: &str) -> String {
    format!("deleted {name}")
}

#[cfg(test)]
mod tests {
    use proto::culture::v1 as wire;
    use wire::culture_change::Change;

    use super::*;

    #[test]
    fn a_figure_is_told_with_what_it_counts() {
        let measure = wire::Measure {
            name: "measures/a".into(),
            kind: wire::MeasureKind::Students.into(),
            period: "2017".into(),
            value: "14224".into(),
            unit: "persons".into(),
            subject: Some(wire::measure::Subject::Direction(wire::Direction {
                from: "KAZ".into(),
                to: "CHN".into(),
            })),
            ..Default::default()
        };
        let recorded = wire::MeasureRecorded {
            measure: Some(measure),
        };
        assert_eq!(
            culture_line(&Change::MeasureRecorded(recorded), "en"),
            "recorded measures/a: KAZ to CHN, students 2017: 14,224 persons"
        );
    }
}
