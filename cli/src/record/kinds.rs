//! The kinds of records that keep their versions, each with its service's calls.

use prost_types::{FieldMask, Timestamp};
use proto::culture::v1 as culture;
use proto::events::v1 as events;
use proto::r#type::v1::Source;
use tonic::Status;

use super::{Kind, Version};
use crate::args::answer::ServerArgs;
use crate::client::{self, CultureClient, EventsClient, request};

macro_rules! kind {
    (
        $(#[$doc:meta])*
        $kind:ident: $client:ty, $connect:ident, $wire:ident, $package:literal,
        $record:ident, $field:ident, $id:ident, $collection:literal, $noun:literal,
        batch: $batch:ident -> $records:ident by $batch_call:ident,
        get: $get:ident by $get_call:ident,
        create: $create:ident by $create_call:ident,
        update: $update:ident by $update_call:ident,
        delete: $delete:ident by $delete_call:ident,
        versions: $versions:ident, $version:ident by $versions_call:ident,
        duplicate: $duplicate:expr,
    ) => {
        $(#[$doc])*
        pub(crate) struct $kind {
            client: $client,
            server: ServerArgs,
        }

        impl Kind for $kind {
            type Record = $wire::$record;
            type Create = $wire::$create;
            type Version = $wire::$version;

            const COLLECTION: &'static str = $collection;
            const NOUN: &'static str = $noun;
            const FIELD: &'static str = stringify!($field);
            const RECORD: &'static str = concat!($package, stringify!($record));
            const CREATE: &'static str = concat!($package, stringify!($create));
            const VERSION: &'static str = concat!($package, stringify!($version));

            async fn connect(server: &ServerArgs) -> anyhow::Result<$kind> {
                Ok($kind {
                    client: client::$connect(&server.server).await?,
                    server: server.clone(),
                })
            }

            async fn get(
                &mut self,
                name: String,
                as_of: Option<Timestamp>,
            ) -> Result<Self::Record, Status> {
                let asked = request($wire::$get { name, as_of }, &self.server);
                Ok(self.client.$get_call(asked).await?.into_inner())
            }

            async fn create(&mut self, asked: Self::Create) -> Result<Self::Record, Status> {
                let asked = request(asked, &self.server);
                Ok(self.client.$create_call(asked).await?.into_inner())
            }

            async fn create_batch(
                &mut self,
                requests: Vec<Self::Create>,
            ) -> Result<Vec<Self::Record>, Status> {
                let asked = $wire::$batch {
                    requests,
                    request_id: String::new(),
                };
                let asked = request(asked, &self.server);
                Ok(self.client.$batch_call(asked).await?.into_inner().$records)
            }

            async fn update(
                &mut self,
                record: Self::Record,
                update_mask: Option<FieldMask>,
            ) -> Result<Self::Record, Status> {
                let asked = $wire::$update {
                    $field: Some(record),
                    update_mask,
                    request_id: String::new(),
                };
                let asked = request(asked, &self.server);
                Ok(self.client.$update_call(asked).await?.into_inner())
            }

            async fn delete(&mut self, name: String, etag: String) -> Result<(), Status> {
                let asked = $wire::$delete {
                    name,
                    etag,
                    request_id: String::new(),
                };
                self.client
                    .$delete_call(request(asked, &self.server))
                    .await?;
                Ok(())
            }

            async fn versions(
                &mut self,
                name: String,
                page_token: String,
            ) -> Result<(Vec<Self::Version>, String), Status> {
                let asked = $wire::$versions {
                    name,
                    page_size: 0,
                    page_token,
                };
                let asked = request(asked, &self.server);
                let page = self.client.$versions_call(asked).await?.into_inner();
                Ok((page.versions, page.next_page_token))
            }

            fn version(version: Self::Version) -> Version<Self::Record> {
                let $wire::$version {
                    record_time,
                    change,
                    changed_fields,
                    $field: record,
                } = version;
                Version {
                    record_time,
                    change,
                    changed_fields,
                    record,
                }
            }

            fn asked(create: &Self::Create) -> (&str, Self::Record) {
                (&create.$id, create.$field.clone().unwrap_or_default())
            }

            fn allow_duplicate(create: &mut Self::Create) {
                let allow: fn(&mut Self::Create) = $duplicate;
                allow(create);
            }

            fn bare(record: Self::Record) -> Self::Record {
                $wire::$record {
                    name: String::new(),
                    etag: String::new(),
                    create_time: None,
                    update_time: None,
                    ..record
                }
            }

            fn name(record: &Self::Record) -> &str {
                &record.name
            }

            fn sources(record: &Self::Record) -> &[Source] {
                &record.sources
            }

            fn set_etag(record: &mut Self::Record, etag: &str) {
                etag.clone_into(&mut record.etag);
            }
        }
    };
}

kind! {
    /// Diplomatic events.
    Events: EventsClient, events, events, "entente.events.v1.",
    Event, event, event_id, "events", "event",
    batch: BatchCreateEventsRequest -> events by batch_create_events,
    get: GetEventRequest by get_event,
    create: CreateEventRequest by create_event,
    update: UpdateEventRequest by update_event,
    delete: DeleteEventRequest by delete_event,
    versions: ListEventVersionsRequest, EventVersion by list_event_versions,
    duplicate: |create| create.allow_duplicate = true,
}

kind! {
    /// Agreements.
    Agreements: EventsClient, events, events, "entente.events.v1.",
    Agreement, agreement, agreement_id, "agreements", "agreement",
    batch: BatchCreateAgreementsRequest -> agreements by batch_create_agreements,
    get: GetAgreementRequest by get_agreement,
    create: CreateAgreementRequest by create_agreement,
    update: UpdateAgreementRequest by update_agreement,
    delete: DeleteAgreementRequest by delete_agreement,
    versions: ListAgreementVersionsRequest, AgreementVersion by list_agreement_versions,
    duplicate: |create| create.allow_duplicate = true,
}

kind! {
    /// Programmes of exchange.
    Programmes: CultureClient, culture, culture, "entente.culture.v1.",
    Programme, programme, programme_id, "programmes", "programme",
    batch: BatchCreateProgrammesRequest -> programmes by batch_create_programmes,
    get: GetProgrammeRequest by get_programme,
    create: CreateProgrammeRequest by create_programme,
    update: UpdateProgrammeRequest by update_programme,
    delete: DeleteProgrammeRequest by delete_programme,
    versions: ListProgrammeVersionsRequest, ProgrammeVersion by list_programme_versions,
    duplicate: |create| create.allow_duplicate = true,
}

kind! {
    /// Visa rules.
    VisaRules: CultureClient, culture, culture, "entente.culture.v1.",
    VisaRule, visa_rule, visa_rule_id, "visaRules", "visa rule",
    batch: BatchCreateVisaRulesRequest -> visa_rules by batch_create_visa_rules,
    get: GetVisaRuleRequest by get_visa_rule,
    create: CreateVisaRuleRequest by create_visa_rule,
    update: UpdateVisaRuleRequest by update_visa_rule,
    delete: DeleteVisaRuleRequest by delete_visa_rule,
    versions: ListVisaRuleVersionsRequest, VisaRuleVersion by list_visa_rule_versions,
    // Rules of one direction that differ stand side by side, so the service never takes two for one.
    duplicate: |_| {},
}
