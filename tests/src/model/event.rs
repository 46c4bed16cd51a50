//! Events against a plain model.

use proptest::prelude::*;
use prost_types::{FieldMask, Timestamp};
use proto::Day;
use proto::events::v1 as wire;
use proto::events::v1::events_service_client::EventsServiceClient;
use proto::events::v1::events_service_server::EventsServiceServer;
use store::Store;
use tonic::Status;
use wire::{Event, EventFilter, EventKind, EventStatus, Participant, ParticipantRole};

use super::{
    Listed, Subject, any_countries, any_date, any_title, date, is_same_pair, never, sources,
};

/// Events.
#[derive(Clone, Debug)]
pub struct Events;

pub(crate) type Client = EventsServiceClient<EventsServiceServer<events::Events>>;

fn days(event: &Event) -> (Day, Day) {
    let start = date(event.start_date.expect("a date"));
    let end = event.end_date.map_or(start, date);
    (start.first(), end.last())
}

impl Subject for Events {
    type Model = events::Model;
    type Record = Event;
    type Client = Client;

    fn client(store: Store<events::Model>) -> Client {
        EventsServiceClient::new(events::Events::new(store, never()).server())
    }

    fn any() -> BoxedStrategy<Event> {
        let kinds = [
            EventKind::StateVisit,
            EventKind::Summit,
            EventKind::Statement,
        ];
        let participants = any_countries(1).prop_map(|countries| {
            let participant = |country: &str| Participant {
                country: country.into(),
                role: ParticipantRole::Party.into(),
                ..Participant::default()
            };
            countries.into_iter().map(participant).collect::<Vec<_>>()
        });
        let parts = (
            prop::sample::select(kinds.to_vec()),
            prop::sample::select(vec![EventStatus::Planned, EventStatus::Concluded]),
            participants,
            any_date(),
            prop::option::of(0..40_i32),
            any_title(),
        );
        parts
            .prop_map(|(kind, status, participants, start, length, title)| Event {
                kind: kind.into(),
                status: status.into(),
                participants,
                start_date: Some(start),
                end_date: length.map(|days| date(start).last().plus(days).into()),
                title,
                sources: sources(),
                ..Event::default()
            })
            .boxed()
    }

    fn any_mask() -> BoxedStrategy<Vec<&'static str>> {
        let masks = [
            vec![],
            vec!["status", "title"],
            vec!["participants"],
            vec!["start_date", "end_date"],
            vec!["kind", "participants", "start_date", "end_date"],
        ];
        prop::sample::select(masks.to_vec()).boxed()
    }

    fn named(event: Event, name: String, etag: String) -> Event {
        Event {
            name,
            etag,
            create_time: None,
            update_time: None,
            ..event
        }
    }

    fn countries(event: &Event) -> Vec<String> {
        event
            .participants
            .iter()
            .map(|one| one.country.clone())
            .collect()
    }

    fn stretches(event: &Event) -> Vec<(Option<Day>, Option<Day>)> {
        let (first, last) = days(event);
        vec![(Some(first), Some(last))]
    }

    fn at(event: &Event) -> u32 {
        date(event.start_date.expect("a date")).ordinal()
    }

    fn is_stretch(event: &Event) -> bool {
        let (first, last) = days(event);
        (0..=731).contains(&first.days_until(last))
    }

    fn resembles(one: &Event, other: &Event) -> bool {
        let ((first, last), (from, until)) = (days(one), days(other));
        one.kind == other.kind
            && is_same_pair::<Events>(one, other)
            && first <= until
            && from <= last
    }

    async fn create(
        mut client: Client,
        event_id: String,
        event: Event,
        allow_duplicate: bool,
    ) -> Result<Event, Status> {
        let request = wire::CreateEventRequest {
            event_id,
            event: Some(event),
            request_id: String::new(),
            allow_duplicate,
        };
        Ok(client.create_event(request).await?.into_inner())
    }

    async fn create_all(
        mut client: Client,
        events: Vec<(String, Event)>,
    ) -> Result<Vec<Event>, Status> {
        let request = |(event_id, event)| wire::CreateEventRequest {
            event_id,
            event: Some(event),
            ..Default::default()
        };
        let request = wire::BatchCreateEventsRequest {
            requests: events.into_iter().map(request).collect(),
            request_id: String::new(),
        };
        Ok(client
            .batch_create_events(request)
            .await?
            .into_inner()
            .events)
    }

    async fn update(mut client: Client, event: Event, mask: FieldMask) -> Result<Event, Status> {
        let request = wire::UpdateEventRequest {
            event: Some(event),
            update_mask: Some(mask),
            request_id: String::new(),
        };
        Ok(client.update_event(request).await?.into_inner())
    }

    async fn delete(mut client: Client, name: String, etag: String) -> Result<(), Status> {
        let request = wire::DeleteEventRequest {
            name,
            etag,
            request_id: String::new(),
        };
        client.delete_event(request).await.map(|_| ())
    }

    async fn get(
        mut client: Client,
        name: String,
        as_of: Option<Timestamp>,
    ) -> Result<Event, Status> {
        let request = wire::GetEventRequest { name, as_of };
        Ok(client.get_event(request).await?.into_inner())
    }

    async fn list(
        mut client: Client,
        asked: Listed,
        page_token: String,
    ) -> Result<(Vec<Event>, String), Status> {
        let request = wire::ListEventsRequest {
            filter: Some(EventFilter {
                country: asked.country,
                partner: asked.partner,
                window: asked.window,
                ..EventFilter::default()
            }),
            page_size: asked.page_size,
            page_token,
            as_of: asked.as_of,
        };
        let page = client.list_events(request).await?.into_inner();
        Ok((page.events, page.next_page_token))
    }

    async fn versions(mut client: Client, name: String) -> Result<Vec<Option<Event>>, Status> {
        let request = wire::ListEventVersionsRequest {
            name,
            page_size: 500,
            page_token: String::new(),
        };
        let page = client.list_event_versions(request).await?.into_inner();
        Ok(page
            .versions
            .into_iter()
            .map(|version| version.event)
            .collect())
    }

    async fn changes(
        client: Client,
        country: String,
        partner: String,
    ) -> Result<Vec<String>, Status> {
        changes(client, country, partner).await
    }
}

/// Names of what changed.
pub(crate) async fn changes(
    mut client: Client,
    country: String,
    partner: String,
) -> Result<Vec<String>, Status> {
    let request = wire::ListChangesRequest {
        country,
        partner,
        page_size: 500,
        ..Default::default()
    };
    let page = client.list_changes(request).await?.into_inner();
    Ok(page.changes.into_iter().map(|change| change.name).collect())
}
