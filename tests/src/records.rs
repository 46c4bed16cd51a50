//! Records that nothing is wrong with.

use std::collections::BTreeMap;

use proto::culture::v1::{CreateProgrammeRequest, Programme, ProgrammeCountry};
use proto::culture::v1::{ProgrammeKind, ProgrammeRole};
use proto::events::v1::{Agreement, AgreementKind, AgreementStep, CreateAgreementRequest};
use proto::events::v1::{CreateEventRequest, Event, EventKind, EventStatus, OfficeLevel};
use proto::events::v1::{Participant, ParticipantRole, Party, StepKind};
use proto::r#type::v1::{CivilDate, LocalizedText, Money, Source};

use crate::wire::{CreateSectorRequest, CreateStatementRequest, Sector, StatedMeasure, Statement};

/// A text in one language.
pub fn text(language: &str, text: &str) -> LocalizedText {
    LocalizedText {
        texts: BTreeMap::from([(language.to_owned(), text.to_owned())]),
    }
}

/// A source of the press.
pub fn source(title: &str) -> Source {
    Source {
        title: title.into(),
        publisher: "A news agency".into(),
        ..Source::default()
    }
}

/// A sector of H6 codes.
pub fn sector(id: &str, codes: &[&str]) -> CreateSectorRequest {
    CreateSectorRequest {
        sector_id: id.into(),
        sector: Some(Sector {
            display_name: Some(text("en", &format!("Goods of {id}"))),
            classification: "H6".into(),
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            ..Sector::default()
        }),
        request_id: String::new(),
    }
}

/// A statement about turnover in US dollars.
pub fn statement(
    id: &str,
    country: &str,
    partners: &[&str],
    period: &str,
    amount: &str,
) -> CreateStatementRequest {
    CreateStatementRequest {
        statement_id: id.into(),
        statement: Some(Statement {
            country: country.into(),
            partners: partners.iter().map(|code| (*code).to_owned()).collect(),
            measure: StatedMeasure::Turnover.into(),
            period: period.into(),
            value: Some(Money {
                currency_code: "USD".into(),
                amount: amount.into(),
            }),
            source: Some(source("Interview with the ambassador")),
            ..Statement::default()
        }),
        request_id: String::new(),
    }
}

/// A date as it is written: `2024-07-02`, `2024-07`, `2024`.
pub fn date(text: &str) -> CivilDate {
    text.parse::<proto::CivilDate>().expect("a date").into()
}

/// A concluded state visit of some countries, each with somebody of this level.
pub fn event(
    id: &str,
    countries: &[&str],
    level: OfficeLevel,
    start: &str,
    end: &str,
) -> CreateEventRequest {
    let participant = |country: &&str| Participant {
        country: (*country).into(),
        level: level.into(),
        role: ParticipantRole::Party.into(),
        ..Participant::default()
    };
    CreateEventRequest {
        event_id: id.into(),
        event: Some(Event {
            kind: EventKind::StateVisit.into(),
            status: EventStatus::Concluded.into(),
            participants: countries.iter().map(participant).collect(),
            start_date: Some(date(start)),
            end_date: (!end.is_empty()).then(|| date(end)),
            title: Some(text("en", &format!("Visit {id}"))),
            sources: vec![source("Announcement")],
            ..Event::default()
        }),
        ..CreateEventRequest::default()
    }
}

/// An agreement of some countries with steps as kind and date.
pub fn agreement(
    id: &str,
    countries: &[&str],
    steps: &[(StepKind, &str)],
) -> CreateAgreementRequest {
    let party = |country: &&str| Party {
        country: (*country).into(),
        organisation: None,
    };
    let step = |(kind, when): &(StepKind, &str)| AgreementStep {
        kind: (*kind).into(),
        date: Some(date(when)),
        source: 1,
        ..AgreementStep::default()
    };
    CreateAgreementRequest {
        agreement_id: id.into(),
        agreement: Some(Agreement {
            kind: AgreementKind::Agreement.into(),
            parties: countries.iter().map(party).collect(),
            title: Some(text("en", &format!("Agreement {id}"))),
            steps: steps.iter().map(step).collect(),
            sources: vec![source("The text of the agreement")],
            ..Agreement::default()
        }),
        ..CreateAgreementRequest::default()
    }
}

/// A programme between countries, both ways alike.
pub fn programme(id: &str, countries: &[&str], start: &str) -> CreateProgrammeRequest {
    let country = |country: &&str| ProgrammeCountry {
        country: (*country).into(),
        role: ProgrammeRole::Mutual.into(),
    };
    CreateProgrammeRequest {
        programme_id: id.into(),
        programme: Some(Programme {
            kind: ProgrammeKind::TourismYear.into(),
            countries: countries.iter().map(country).collect(),
            start_date: Some(date(start)),
            title: Some(text("en", &format!("Programme {id}"))),
            sources: vec![source("The ministry's page")],
            ..Programme::default()
        }),
        ..CreateProgrammeRequest::default()
    }
}
