//! Visa rules against a plain model.

use proptest::prelude::*;
use prost_types::{FieldMask, Timestamp};
use proto::Day;
use proto::culture::v1 as wire;
use proto::culture::v1::culture_service_client::CultureServiceClient;
use store::Store;
use tonic::Status;
use wire::{VisaRequirement, VisaRule};

use super::programme::{Client, changes};
use super::{COUNTRIES, Listed, Subject, any_date, date, never, sources};

/// Visa rules.
#[derive(Clone, Debug)]
pub struct VisaRules;

impl Subject for VisaRules {
    type Model = culture::Model;
    type Record = VisaRule;
    type Client = Client;

    fn client(store: Store<culture::Model>) -> Client {
        CultureServiceClient::new(culture::Culture::new(store, never()).server())
    }

    fn any() -> BoxedStrategy<VisaRule> {
        let requirements = vec![VisaRequirement::VisaFree, VisaRequirement::VisaRequired];
        let pair = prop::sample::subsequence(COUNTRIES.to_vec(), 2).prop_shuffle();
        let parts = (
            prop::sample::select(requirements),
            pair,
            prop::option::weighted(0.8, any_date()),
            prop::bool::weighted(0.2),
            prop::option::of(1..900_i32),
            0..90_i32,
        );
        parts
            .prop_map(
                |(requirement, pair, start, is_seen, length, days_allowed)| VisaRule {
                    citizens_of: pair[0].into(),
                    destination: pair[1].into(),
                    requirement: requirement.into(),
                    days_allowed,
                    start_date: start.filter(|_| !is_seen),
                    start_by: start.filter(|_| is_seen),
                    end_date: start
                        .zip(length)
                        .map(|(start, days)| date(start).last().plus(days).into()),
                    sources: sources(),
                    ..VisaRule::default()
                },
            )
            .boxed()
    }

    fn any_mask() -> BoxedStrategy<Vec<&'static str>> {
        let masks = [
            vec![],
            vec!["requirement", "days_allowed"],
            vec!["citizens_of", "destination"],
            vec!["start_date", "start_by", "end_date"],
            vec!["start_date", "end_date"],
        ];
        prop::sample::select(masks.to_vec()).boxed()
    }

    fn named(rule: VisaRule, name: String, etag: String) -> VisaRule {
        VisaRule {
            name,
            etag,
            create_time: None,
            update_time: None,
            ..rule
        }
    }

    fn countries(rule: &VisaRule) -> Vec<String> {
        vec![rule.citizens_of.clone(), rule.destination.clone()]
    }

    fn stretches(rule: &VisaRule) -> Vec<(Option<Day>, Option<Day>)> {
        // Before the day on which it was first seen it may have been in force as well.
        let start = rule.start_date.map(date).map(proto::CivilDate::first);
        // The end is the first day outside.
        let end = rule.end_date.map(|end| date(end).last().plus(-1));
        vec![(start, end)]
    }

    fn at(rule: &VisaRule) -> u32 {
        let first = rule.start_date.or(rule.start_by);
        first.map_or(0, |first| date(first).ordinal())
    }

    fn is_stretch(rule: &VisaRule) -> bool {
        let has_one_start = rule.start_date.is_none() || rule.start_by.is_none();
        let stretch = rule.start_date.or(rule.start_by).zip(rule.end_date);
        has_one_start && stretch.is_none_or(|(start, end)| date(start).first() < date(end).last())
    }

    fn resembles(_one: &VisaRule, _other: &VisaRule) -> bool {
        false
    }

    async fn create(
        mut client: Client,
        visa_rule_id: String,
        visa_rule: VisaRule,
        _allow_duplicate: bool,
    ) -> Result<VisaRule, Status> {
        let request = wire::CreateVisaRuleRequest {
            visa_rule_id,
            visa_rule: Some(visa_rule),
            request_id: String::new(),
        };
        Ok(client.create_visa_rule(request).await?.into_inner())
    }

    async fn create_all(
        mut client: Client,
        visa_rules: Vec<(String, VisaRule)>,
    ) -> Result<Vec<VisaRule>, Status> {
        let request = |(visa_rule_id, visa_rule)| wire::CreateVisaRuleRequest {
            visa_rule_id,
            visa_rule: Some(visa_rule),
            ..Default::default()
        };
        let request = wire::BatchCreateVisaRulesRequest {
            requests: visa_rules.into_iter().map(request).collect(),
            request_id: String::new(),
        };
        Ok(client
            .batch_create_visa_rules(request)
            .await?
            .into_inner()
            .visa_rules)
    }

    async fn update(
        mut client: Client,
        visa_rule: VisaRule,
        mask: FieldMask,
    ) -> Result<VisaRule, Status> {
        let request = wire::UpdateVisaRuleRequest {
            visa_rule: Some(visa_rule),
            update_mask: Some(mask),
            request_id: String::new(),
        };
        Ok(client.update_visa_rule(request).await?.into_inner())
    }

    async fn delete(mut client: Client, name: String, etag: String) -> Result<(), Status> {
        let request = wire::DeleteVisaRuleRequest {
            name,
            etag,
            request_id: String::new(),
        };
        client.delete_visa_rule(request).await.map(|_| ())
    }

    async fn get(
        mut client: Client,
        name: String,
        as_of: Option<Timestamp>,
    ) -> Result<VisaRule, Status> {
        let request = wire::GetVisaRuleRequest { name, as_of };
        Ok(client.get_visa_rule(request).await?.into_inner())
    }

    async fn list(
        mut client: Client,
        asked: Listed,
        page_token: String,
    ) -> Result<(Vec<VisaRule>, String), Status> {
        let request = wire::ListVisaRulesRequest {
            country: asked.country,
            partner: asked.partner,
            window: asked.window,
            page_size: asked.page_size,
            page_token,
            as_of: asked.as_of,
        };
        let page = client.list_visa_rules(request).await?.into_inner();
        Ok((page.visa_rules, page.next_page_token))
    }

    async fn versions(mut client: Client, name: String) -> Result<Vec<Option<VisaRule>>, Status> {
        let request = wire::ListVisaRuleVersionsRequest {
            name,
            page_size: 500,
            page_token: String::new(),
        };
        let page = client.list_visa_rule_versions(request).await?.into_inner();
        Ok(page
            .versions
            .into_iter()
            .map(|version| version.visa_rule)
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
