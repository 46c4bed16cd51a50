//! Programmes against a plain model.

use proptest::prelude::*;
use prost_types::{FieldMask, Timestamp};
use proto::Day;
use proto::culture::v1 as wire;
use proto::culture::v1::culture_service_client::CultureServiceClient;
use proto::culture::v1::culture_service_server::CultureServiceServer;
use store::Store;
use tonic::Status;
use wire::{Programme, ProgrammeCountry, ProgrammeFilter, ProgrammeKind, ProgrammeRole};

use super::{
    Listed, Subject, any_countries, any_date, any_title, date, is_same_pair, never, sources,
};

/// Programmes.
#[derive(Clone, Debug)]
pub struct Programmes;

pub(crate) type Client = CultureServiceClient<CultureServiceServer<culture::Culture>>;

fn days(programme: &Programme) -> (Option<Day>, Option<Day>) {
    let start = programme.start_date.map(date);
    let end = programme.end_date.map(date);
    (
        start.map(proto::CivilDate::first),
        end.map(proto::CivilDate::last),
    )
}

impl Subject for Programmes {
    type Model = culture::Model;
    type Record = Programme;
    type Client = Client;

    fn client(store: Store<culture::Model>) -> Client {
        CultureServiceClient::new(culture::Culture::new(store, never()).server())
    }

    fn any() -> BoxedStrategy<Programme> {
        let kinds = vec![ProgrammeKind::TourismYear, ProgrammeKind::LanguageInstitute];
        let countries = any_countries(1).prop_map(|countries| {
            let country = |country: &str| ProgrammeCountry {
                country: country.into(),
                role: ProgrammeRole::Mutual.into(),
            };
            countries.into_iter().map(country).collect::<Vec<_>>()
        });
        let parts = (
            prop::sample::select(kinds),
            countries,
            prop::option::weighted(0.8, any_date()),
            prop::option::of(0..900_i32),
            any_title(),
        );
        parts
            .prop_map(|(kind, countries, start, length, title)| Programme {
                kind: kind.into(),
                countries,
                start_date: start,
                end_date: start
                    .zip(length)
                    .map(|(start, days)| date(start).last().plus(days).into()),
                title,
                sources: sources(),
                ..Programme::default()
            })
            .boxed()
    }

    fn any_mask() -> BoxedStrategy<Vec<&'static str>> {
        let masks = [
            vec![],
            vec!["title"],
            vec!["countries"],
            vec!["start_date", "end_date"],
        ];
        prop::sample::select(masks.to_vec()).boxed()
    }

    fn named(programme: Programme, name: String, etag: String) -> Programme {
        Programme {
            name,
            etag,
            create_time: None,
            update_time: None,
            ..programme
        }
    }

    fn countries(programme: &Programme) -> Vec<String> {
        programme
            .countries
            .iter()
            .map(|one| one.country.clone())
            .collect()
    }

    fn stretches(programme: &Programme) -> Vec<(Option<Day>, Option<Day>)> {
        vec![days(programme)]
    }

    fn at(programme: &Programme) -> u32 {
        programme
            .start_date
            .map_or(0, |start| date(start).ordinal())
    }

    fn is_stretch(programme: &Programme) -> bool {
        let (first, last) = days(programme);
        first.zip(last).is_none_or(|(first, last)| first <= last)
    }

    fn resembles(one: &Programme, other: &Programme) -> bool {
        let ((first, last), (from, until)) = (days(one), days(other));
        let meet = |start: Option<Day>, end: Option<Day>| {
            start.zip(end).is_none_or(|(start, end)| start <= end)
        };
        one.kind == other.kind
            && one.title == other.title
            && is_same_pair::<Programmes>(one, other)
            && meet(first, until)
            && meet(from, last)
    }

    async fn create(
        mut client: Client,
        programme_id: String,
        programme: Programme,
        allow_duplicate: bool,
    ) -> Result<Programme, Status> {
        let request = wire::CreateProgrammeRequest {
            programme_id,
            programme: Some(programme),
            request_id: String::new(),
            allow_duplicate,
        };
        Ok(client.create_programme(request).await?.into_inner())
    }

    async fn create_all(
        mut client: Client,
        programmes: Vec<(String, Programme)>,
    ) -> Result<Vec<Programme>, Status> {
        let request = |(programme_id, programme)| wire::CreateProgrammeRequest {
            programme_id,
            programme: Some(programme),
            ..Default::default()
        };
        let request = wire::BatchCreateProgrammesRequest {
            requests: programmes.into_iter().map(request).collect(),
            request_id: String::new(),
        };
        Ok(client
            .batch_create_programmes(request)
            .await?
            .into_inner()
            .programmes)
    }

    async fn update(
        mut client: Client,
        programme: Programme,
        mask: FieldMask,
    ) -> Result<Programme, Status> {
        let request = wire::UpdateProgrammeRequest {
            programme: Some(programme),
            update_mask: Some(mask),
            request_id: String::new(),
        };
        Ok(client.update_programme(request).await?.into_inner())
    }

    async fn delete(mut client: Client, name: String, etag: String) -> Result<(), Status> {
        let request = wire::DeleteProgrammeRequest {
            name,
            etag,
            request_id: String::new(),
        };
        client.delete_programme(request).await.map(|_| ())
    }

    async fn get(
        mut client: Client,
        name: String,
        as_of: Option<Timestamp>,
    ) -> Result<Programme, Status> {
        let request = wire::GetProgrammeRequest { name, as_of };
        Ok(client.get_programme(request).await?.into_inner())
    }

    async fn list(
        mut client: Client,
        asked: Listed,
        page_token: String,
    ) -> Result<(Vec<Programme>, String), Status> {
        let request = wire::ListProgrammesRequest {
            filter: Some(ProgrammeFilter {
                country: asked.country,
                partner: asked.partner,
                window: asked.window,
                ..ProgrammeFilter::default()
            }),
            page_size: asked.page_size,
            page_token,
            as_of: asked.as_of,
        };
        let page = client.list_programmes(request).await?.into_inner();
        Ok((page.programmes, page.next_page_token))
    }

    async fn versions(mut client: Client, name: String) -> Result<Vec<Option<Programme>>, Status> {
        let request = wire::ListProgrammeVersionsRequest {
            name,
            page_size: 500,
            page_token: String::new(),
        };
        let page = client.list_programme_versions(request).await?.into_inner();
        Ok(page
            .versions
            .into_iter()
            .map(|version| version.programme)
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
