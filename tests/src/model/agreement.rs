//! Agreements against a plain model.

use proptest::prelude::*;
use prost_types::{FieldMask, Timestamp};
use proto::Day;
use proto::events::v1 as wire;
use proto::events::v1::events_service_client::EventsServiceClient;
use store::Store;
use tonic::Status;
use wire::{Agreement, AgreementFilter, AgreementKind, AgreementStep, Party, StepKind};

use super::event::{Client, changes};
use super::{
    Listed, Subject, any_countries, any_date, any_title, date, is_same_pair, never, sources,
};

/// Agreements.
#[derive(Clone, Debug)]
pub struct Agreements;

fn any_steps() -> impl Strategy<Value = Vec<AgreementStep>> {
    let kinds = vec![StepKind::Signed, StepKind::EnteredIntoForce];
    let step = (prop::sample::select(kinds), any_date(), 1..=2_i32);
    let step = step.prop_map(|(kind, date, source)| AgreementStep {
        kind: kind.into(),
        date: Some(date),
        source,
        ..AgreementStep::default()
    });
    prop::collection::vec(step, 0..4)
}

impl Subject for Agreements {
    type Model = events::Model;
    type Record = Agreement;
    type Client = Client;

    fn client(store: Store<events::Model>) -> Client {
        EventsServiceClient::new(events::Events::new(store, never()).server())
    }

    fn any() -> BoxedStrategy<Agreement> {
        let kinds = vec![AgreementKind::Treaty, AgreementKind::Memorandum];
        let parties = any_countries(1).prop_map(|countries| {
            let party = |country: &str| Party {
                country: country.into(),
                organisation: None,
            };
            countries.into_iter().map(party).collect::<Vec<_>>()
        });
        let parts = (
            prop::sample::select(kinds),
            parties,
            any_title(),
            any_steps(),
        );
        parts
            .prop_map(|(kind, parties, title, steps)| Agreement {
                kind: kind.into(),
                parties,
                title,
                steps,
                sources: sources(),
                ..Agreement::default()
            })
            .boxed()
    }

    fn any_mask() -> BoxedStrategy<Vec<&'static str>> {
        let masks = [
            vec![],
            vec!["title"],
            vec!["parties"],
            vec!["steps"],
            vec!["kind", "steps"],
        ];
        prop::sample::select(masks.to_vec()).boxed()
    }

    fn named(agreement: Agreement, name: String, etag: String) -> Agreement {
        Agreement {
            name,
            etag,
            create_time: None,
            update_time: None,
            ..agreement
        }
    }

    fn countries(agreement: &Agreement) -> Vec<String> {
        agreement
            .parties
            .iter()
            .map(|party| party.country.clone())
            .collect()
    }

    fn stretches(agreement: &Agreement) -> Vec<(Option<Day>, Option<Day>)> {
        let dates = agreement
            .steps
            .iter()
            .filter_map(|step| step.date)
            .map(date);
        dates
            .map(|date| (Some(date.first()), Some(date.last())))
            .collect()
    }

    fn at(agreement: &Agreement) -> u32 {
        let dates = agreement.steps.iter().filter_map(|step| step.date);
        dates.map(|one| date(one).ordinal()).min().unwrap_or(0)
    }

    fn is_stretch(_agreement: &Agreement) -> bool {
        true
    }

    fn resembles(one: &Agreement, other: &Agreement) -> bool {
        let meet = Agreements::stretches(one).into_iter().any(|(first, last)| {
            Agreements::stretches(other)
                .into_iter()
                .any(|(from, until)| first <= until && from <= last)
        });
        let is_same = is_same_pair::<Agreements>(one, other);
        one.kind == other.kind && one.title == other.title && is_same && meet
    }

    async fn create(
        mut client: Client,
        agreement_id: String,
        agreement: Agreement,
        allow_duplicate: bool,
    ) -> Result<Agreement, Status> {
        let request = wire::CreateAgreementRequest {
            agreement_id,
            agreement: Some(agreement),
            request_id: String::new(),
            allow_duplicate,
        };
        Ok(client.create_agreement(request).await?.into_inner())
    }

    async fn create_all(
        mut client: Client,
        agreements: Vec<(String, Agreement)>,
    ) -> Result<Vec<Agreement>, Status> {
        let request = |(agreement_id, agreement)| wire::CreateAgreementRequest {
            agreement_id,
            agreement: Some(agreement),
            ..Default::default()
        };
        let request = wire::BatchCreateAgreementsRequest {
            requests: agreements.into_iter().map(request).collect(),
            request_id: String::new(),
        };
        let response = client.batch_create_agreements(request).await?;
        Ok(response.into_inner().agreements)
    }

    async fn update(
        mut client: Client,
        agreement: Agreement,
        mask: FieldMask,
    ) -> Result<Agreement, Status> {
        let request = wire::UpdateAgreementRequest {
            agreement: Some(agreement),
            update_mask: Some(mask),
            request_id: String::new(),
        };
        Ok(client.update_agreement(request).await?.into_inner())
    }

    async fn delete(mut client: Client, name: String, etag: String) -> Result<(), Status> {
        let request = wire::DeleteAgreementRequest {
            name,
            etag,
            request_id: String::new(),
        };
        client.delete_agreement(request).await.map(|_| ())
    }

    async fn get(
        mut client: Client,
        name: String,
        as_of: Option<Timestamp>,
    ) -> Result<Agreement, Status> {
        let request = wire::GetAgreementRequest { name, as_of };
        Ok(client.get_agreement(request).await?.into_inner())
    }

    async fn list(
        mut client: Client,
        asked: Listed,
        page_token: String,
    ) -> Result<(Vec<Agreement>, String), Status> {
        let request = wire::ListAgreementsRequest {
            filter: Some(AgreementFilter {
                country: asked.country,
                partner: asked.partner,
                window: asked.window,
                ..AgreementFilter::default()
            }),
            page_size: asked.page_size,
            page_token,
            as_of: asked.as_of,
        };
        let page = client.list_agreements(request).await?.into_inner();
        Ok((page.agreements, page.next_page_token))
    }

    async fn versions(mut client: Client, name: String) -> Result<Vec<Option<Agreement>>, Status> {
        let request = wire::ListAgreementVersionsRequest {
            name,
            page_size: 500,
            page_token: String::new(),
        };
        let page = client.list_agreement_versions(request).await?.into_inner();
        Ok(page
            .versions
            .into_iter()
            .map(|version| version.agreement)
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
