//! Records that nothing is wrong with.

use std::collections::BTreeMap;

use proto::r#type::v1::{LocalizedText, Money, Source};

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
