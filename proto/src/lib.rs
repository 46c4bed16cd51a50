//! The wire of Entente and the words that every crate shares.
//!
//! # Layout
//!
//! * [`trade`], [`events`], [`culture`], [`gateway`], [`journal`], [`error`], [`type`](mod@crate::type), [`google`]: the generated
//!   messages, clients and servers, one module a package; the `.proto` files beside this crate are their manual.
//! * The words, parsed once at the edge, so that no other crate looks at their text again. Each says
//!   what is wrong with a text in a typed error, and prints what it parses:
//!     * `country`: [`Country`], which keeps apart what UN Comtrade keeps apart
//!     * `period`: [`Period`] and [`Month`], [`PeriodWindow`]
//!     * `date`: [`CivilDate`] with its precision, [`Day`], [`DateWindow`]
//!     * `commodity`: [`Code`] in a [`Classification`], and the [`CodePattern`] of a filter
//!     * `flow`: [`Flow`]
//!     * `money`: exact [`Decimal`]s, [`Scaled`] for storage, [`Money`]
//!     * `text`: [`LocalizedText`], and the checks of every text for people
//!     * `source`: [`Source`], and the [`Document`] that it is
//!     * `id`: [`Slug`] and the names of resources, [`ObservationKey`] among them
//! * `part`: parts that records have in common: titles, sources, themes, places, organisations.
//! * `event`: whether an event is of two countries alone.
//! * `fields` and `status`: [`Violations`], collected by field path, and how errors go over the wire.
//! * `page`: [`PageToken`]. `time`: instants.
//! * `excerpt`: [`Excerpt`], what an error may repeat of its input.

mod commodity;
mod country;
mod country_table;
mod date;
mod event;
mod excerpt;
mod fields;
mod flow;
mod id;
mod money;
mod page;
mod part;
mod period;
mod source;
mod status;
mod text;
mod time;

pub use entente::{culture, error, events, gateway, journal, trade, r#type};

pub use commodity::{Classification, ClassificationError, Code, CodeError, CodePattern, Commodity};
pub use country::{Country, CountryError, CountryKind};
pub use date::{CivilDate, DateError, DateWindow, Day};
pub use event::is_multilateral;
pub use excerpt::Excerpt;
pub use fields::Violations;
pub use flow::{Flow, FlowError};
pub use id::{
    NameError, ObservationKey, Slug, SlugError, agreement_name, dataset_name, event_name,
    ingest_name, measure_name, observation_name, parse_agreement_name, parse_dataset_name,
    parse_event_name, parse_ingest_name, parse_measure_name, parse_observation_name,
    parse_programme_name, parse_sector_name, parse_statement_name, parse_visa_rule_name,
    programme_name, sector_name, statement_name, visa_rule_name,
};
pub use money::{
    Currency, CurrencyError, Decimal, DecimalError, Money, Scaled, format_decimal, parse_decimal,
};
pub use page::{PageToken, PageTokenError, page_size, query_digest};
pub use part::{
    check_each, check_list, check_once, check_organisation, check_place, check_sources,
    check_summary, check_themes, check_title, given, has_wanted, one_country, one_of,
    organisation_texts, source_index, stored_date,
};
pub use period::{Frequency, FrequencyError, Month, Period, PeriodError, PeriodWindow};
pub use source::{Document, Source};
pub use status::{DOMAIN, code_name, status, status_retry, status_violations};
pub use text::{
    LanguageError, LocalizedText, TextError, check_language, check_name, check_text, is_same_text,
};
pub use time::{TimeError, parse_timestamp, to_timestamp};

macro_rules! package {
    ($name:ident, $package:literal, $folder:literal) => {
        #[doc = concat!("Generated from `", $folder, "`.")]
        pub mod $name {
            #[allow(
                missing_docs,
                unreachable_pub,
                clippy::all,
                clippy::pedantic,
                clippy::allow_attributes_without_reason,
                reason = "generated"
            )]
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    };
}

/// The packages of `entente`, nested as they are named: generated code finds its way by that.
mod entente {
    package!(error, "entente.error.v1", "entente/error/v1");
    package!(r#type, "entente.r#type.v1", "entente/type/v1");
    package!(trade, "entente.trade.v1", "entente/trade/v1");
    package!(events, "entente.events.v1", "entente/events/v1");
    package!(culture, "entente.culture.v1", "entente/culture/v1");
    package!(gateway, "entente.gateway.v1", "entente/gateway/v1");
    package!(journal, "entente.journal.v1", "entente/journal/v1");
}

/// Generated from `google/api`: the bodies that are neither JSON nor protobuf.
pub mod google {
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        rustdoc::all,
        reason = "generated"
    )]
    pub mod api {
        tonic::include_proto!("google.api");
    }
}

/// The whole schema as an encoded `FileDescriptorSet`, custom options and comments included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
