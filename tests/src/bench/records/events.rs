//! Events of two countries each.

use anyhow::Result;
use proto::events::v1 as wire;
use proto::events::v1::events_service_client::EventsServiceClient;
use proto::r#type::v1::{CivilDate, DateWindow};
use tonic::transport::Channel;
use wire::{CreateEventRequest, Event, EventFilter, EventKind, EventStatus, OfficeLevel};
use wire::{Participant, ParticipantRole};

use super::{Subject, pair, scattered};

#[derive(Clone)]
pub(super) struct Events(EventsServiceClient<Channel>);

const KINDS: [EventKind; 4] = [
    EventKind::OfficialVisit,
    EventKind::Ministerial,
    EventKind::Consultation,
    EventKind::TelephoneCall,
];

fn date(year: i32, month: i32, day: i32) -> CivilDate {
    CivilDate { year, month, day }
}

fn request(number: u64) -> CreateEventRequest {
    let place = scattered(number);
    let part = |of: u64, within: u64| i32::try_from(place / of % within).unwrap_or_default();
    let level = [
        OfficeLevel::HeadOfState,
        OfficeLevel::Minister,
        OfficeLevel::Official,
    ];
    let level = level[usize::try_from(place / 7 % 3).unwrap_or_default()];
    let participant = |country: &str, role: ParticipantRole| Participant {
        country: country.into(),
        person: Some(crate::text(
            "en",
            &format!("Minister {} of {country}", place % 97),
        )),
        level: level.into(),
        role: role.into(),
        ..Participant::default()
    };
    let [host, guest] = pair(number);
    CreateEventRequest {
        event_id: format!("e{number}"),
        event: Some(Event {
            kind: KINDS[usize::try_from(place % 4).unwrap_or_default()].into(),
            status: EventStatus::Concluded.into(),
            themes: vec![1 + part(3, 4)],
            participants: vec![
                participant(host, ParticipantRole::Host),
                participant(guest, ParticipantRole::Guest),
            ],
            start_date: Some(date(
                1955 + part(11, 70),
                1 + part(13, 12),
                1 + part(17, 28),
            )),
            title: Some(crate::text(
                "en",
                &format!("Meeting {number} of {host} and {guest}"),
            )),
            sources: vec![crate::source("A page of the ministry")],
            ..Event::default()
        }),
        // As dense as this, all look alike.
        allow_duplicate: true,
        ..CreateEventRequest::default()
    }
}

impl Events {
    async fn list(&mut self, filter: EventFilter) -> Result<usize> {
        let request = wire::ListEventsRequest {
            filter: Some(filter),
            page_size: 50,
            ..wire::ListEventsRequest::default()
        };
        Ok(self.0.list_events(request).await?.into_inner().events.len())
    }
}

impl Subject for Events {
    const ROLE: &'static str = "events";
    const NAME: &'static str = "events";
    const BATCH: u64 = 250;
    const QUESTIONS: &'static [&'static str] = &[
        "first page of a pair",
        "a year of a pair",
        "page of a country",
        "last and next meeting",
        "timeline of a year",
    ];

    fn new(channel: Channel) -> Events {
        Events(EventsServiceClient::new(channel))
    }

    async fn write(mut self, number: u64) -> Result<()> {
        self.0.create_event(request(number)).await?;
        Ok(())
    }

    async fn write_all(mut self, numbers: std::ops::Range<u64>) -> Result<String> {
        let name = format!("events/e{}", numbers.start);
        let requests = numbers.map(request).collect();
        let batch = wire::BatchCreateEventsRequest {
            requests,
            request_id: String::new(),
        };
        self.0.batch_create_events(batch).await?;
        Ok(name)
    }

    async fn read(mut self, name: String) -> Result<()> {
        let request = wire::GetEventRequest { name, as_of: None };
        self.0.get_event(request).await?;
        Ok(())
    }

    async fn ask(mut self, question: usize, number: u64) -> Result<usize> {
        let [country, partner] = pair(number).map(str::to_owned);
        let window = Some(DateWindow {
            start: Some(date(1990, 0, 0)),
            end: Some(date(1991, 0, 0)),
        });
        let filter = EventFilter {
            country: country.clone(),
            partner: partner.clone(),
            ..EventFilter::default()
        };
        match question {
            0 => self.list(filter).await,
            1 => self.list(EventFilter { window, ..filter }).await,
            2 => {
                let partner = String::new();
                self.list(EventFilter { partner, ..filter }).await
            }
            3 => {
                let request = wire::FindMeetingsRequest {
                    country,
                    partner,
                    level: OfficeLevel::Minister.into(),
                    day: Some(date(2000, 1, 1)),
                    as_of: None,
                };
                let found = self.0.find_meetings(request).await?.into_inner();
                Ok(usize::from(found.last.is_some()))
            }
            _ => {
                let request = wire::ListTimelineRequest {
                    country,
                    partner,
                    window,
                    ..wire::ListTimelineRequest::default()
                };
                Ok(self
                    .0
                    .list_timeline(request)
                    .await?
                    .into_inner()
                    .entries
                    .len())
            }
        }
    }
}
