//! Statements: what somebody said about trade. They are no observations and enter no series.

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Country, Decimal, Money, Period, PeriodWindow, Slug, Source, Violations};
use proto::{check_name, check_text, format_decimal, parse_decimal};
use proto::{parse_statement_name, statement_name};
use store::{Decision, Micros, Origin, Request, Stamp, State};
use wire::{ObservationFlag, StatedMeasure, TradeChange, trade_change::Change};

use crate::error::Error;
use crate::keys;
use crate::record::{self, Record, Refused, record};
use crate::record_list::{Page, Paging, page, page_by_index};
use crate::record_write::{Changed, New, Removed, is_done, origin};

const MAX_PARTNERS: usize = 20;
const MAX_SPEAKER: usize = 200;
const MAX_NOTE: usize = 1_000;
const MAX_BATCH: usize = 500;
/// What may qualify a statement, in the order in which it is told.
const FLAGS: [ObservationFlag; 4] = [
    ObservationFlag::Provisional,
    ObservationFlag::Estimated,
    ObservationFlag::LowerBound,
    ObservationFlag::Unverified,
];

record!(wire::Statement, kind: 3, field: "statement",
        changes: [speaker, country, partners, measure, side, period, value, value_precision, growth,
                  growth_precision, flags, source, note],
        name: statement_name, parse_name: parse_statement_name, check: check);

/// What somebody said about trade.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    pub(crate) speaker: Option<String>,
    /// About whose trade.
    pub(crate) country: Country,
    /// With whom, all together; 1 to 20, each once, and not the country itself.
    pub(crate) partners: Vec<Country>,
    /// Never unspecified. A mirror gap has one partner.
    pub(crate) measure: StatedMeasure,
    /// Whose statistics the figure is said to come from.
    pub(crate) side: Option<Country>,
    pub(crate) period: Period,
    /// Not negative, but for a mirror gap.
    pub(crate) value: Money,
    /// What one unit of the value's last digit is worth; above 0.
    pub(crate) value_precision: Option<Decimal>,
    /// A ratio above −1, so that a base follows from it.
    pub(crate) growth: Option<Decimal>,
    /// What one unit of the growth's last digit is worth; above 0, and only with a growth.
    pub(crate) growth_precision: Option<Decimal>,
    /// Of those that may qualify a statement, each once.
    pub(crate) flags: Vec<ObservationFlag>,
    /// Every stored statement has one.
    pub(crate) source: Option<Source>,
    pub(crate) note: Option<String>,
}

impl Statement {
    /// Parses a statement, whose `name`, `source` and output-only fields may be left out.
    pub(crate) fn parse(statement: wire::Statement) -> Result<Statement, Violations> {
        let wire::Statement {
            name: _,
            speaker,
            country,
            partners,
            measure,
            side,
            period,
            value,
            value_precision,
            growth,
            growth_precision,
            flags,
            source,
            note,
            etag: _,
            create_time: _,
            update_time: _,
        } = statement;
        let mut violations = Violations::new();
        let speaker = given(&speaker, |text| check_name(text, MAX_SPEAKER));
        let speaker = violations.check("speaker", speaker);
        let country = violations.check("country", country.parse::<Country>());
        let partners = violations.check_nested("", parse_partners(&partners, country));
        let measure = violations.check("measure", parse_measure(measure));
        let side = violations.check("side", given(&side, str::parse::<Country>));
        let period = violations.check("period", period.parse::<Period>());
        let value = value.ok_or_else(|| Violations::one("", "is required"));
        let value = violations.check_nested("value", value.and_then(Money::try_from));
        let value_precision = given(&value_precision, positive);
        let value_precision = violations.check("value_precision", value_precision);
        let growth = violations.check("growth", given(&growth, parse_growth));
        let growth_precision = given(&growth_precision, positive);
        let growth_precision = violations.check("growth_precision", growth_precision);
        let flags = violations.check_nested("", parse_flags(&flags));
        let source = source.map(Source::try_from).transpose();
        let source = violations.check_nested("source", source);
        let note = given(&note, |text| check_text(text, MAX_NOTE));
        let note = violations.check("note", note);
        let (Some(country), Some(partners), Some(measure), Some(period), Some(value)) =
            (country, partners, measure, period, value)
        else {
            return Err(violations);
        };
        let statement = Statement {
            speaker: speaker.flatten(),
            country,
            partners,
            measure,
            side: side.flatten(),
            period,
            value,
            value_precision: value_precision.flatten(),
            growth: growth.flatten(),
            growth_precision: growth_precision.flatten(),
            flags: flags.unwrap_or_default(),
            source: source.flatten(),
            note: note.flatten(),
        };
        statement.check_together(&mut violations);
        violations.into_result(statement)
    }

    /// What no field is wrong in alone.
    fn check_together(&self, violations: &mut Violations) {
        let is_gap = self.measure == StatedMeasure::MirrorGap;
        if is_gap && self.partners.len() != 1 {
            violations.push("partners", "a mirror gap is with one partner");
        }
        if !is_gap && self.value.amount.is_sign_negative() && !self.value.amount.is_zero() {
            violations.push("value.amount", "must not be negative");
        }
        if let Some(side) = self.side
            && side != self.country
            && !self.partners.contains(&side)
        {
            violations.push("side", "is neither the country nor a partner");
        }
        if self.partners.len() > 1 {
            for (index, partner) in self.partners.iter().enumerate() {
                if !partner.stands_beside_others() {
                    violations.push(
                        format!("partners[{index}]"),
                        "holds others that are added up",
                    );
                }
            }
        }
        if self.growth.is_none() && self.growth_precision.is_some() {
            violations.push("growth_precision", "without a growth");
        }
    }
}

impl From<Statement> for wire::Statement {
    fn from(statement: Statement) -> wire::Statement {
        let Statement {
            speaker,
            country,
            partners,
            measure,
            side,
            period,
            value,
            value_precision,
            growth,
            growth_precision,
            flags,
            source,
            note,
        } = statement;
        let decimal = |value: Option<Decimal>| value.map(format_decimal).unwrap_or_default();
        wire::Statement {
            speaker: speaker.unwrap_or_default(),
            country: country.to_string(),
            partners: partners.iter().map(Country::to_string).collect(),
            measure: measure.into(),
            side: side.map(|side| side.to_string()).unwrap_or_default(),
            period: period.to_string(),
            value: Some(value.into()),
            value_precision: decimal(value_precision),
            growth: decimal(growth),
            growth_precision: decimal(growth_precision),
            flags: flags.into_iter().map(i32::from).collect(),
            source: source.map(Into::into),
            note: note.unwrap_or_default(),
            ..wire::Statement::default()
        }
    }
}

/// The statement of an id, as of an instant or now.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or was none then.
pub(crate) fn find(
    state: &State<'_>,
    id: &Slug,
    as_of: Option<Micros>,
) -> Result<wire::Statement, Error> {
    Ok(record::get(state, id, as_of)?)
}

fn given<T, E>(text: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, E> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some)
}

fn positive(text: &str) -> Result<Decimal, String> {
    let value = parse_decimal(text).map_err(|error| error.to_string())?;
    if value <= Decimal::ZERO {
        return Err("must be above 0".into());
    }
    Ok(value)
}

fn parse_growth(text: &str) -> Result<Decimal, String> {
    let growth = parse_decimal(text).map_err(|error| error.to_string())?;
    if growth <= Decimal::NEGATIVE_ONE {
        return Err("must be above -1: nothing can shrink by more than all of it".into());
    }
    Ok(growth)
}

fn parse_measure(number: i32) -> Result<StatedMeasure, String> {
    match StatedMeasure::try_from(number) {
        Ok(StatedMeasure::Unspecified) => Err("is required".into()),
        Ok(measure) => Ok(measure),
        Err(_) => Err(format!("{number} is no measure")),
    }
}

fn parse_partners(
    partners: &[String],
    country: Option<Country>,
) -> Result<Vec<Country>, Violations> {
    if partners.is_empty() || partners.len() > MAX_PARTNERS {
        let description = format!(
            "{} partners: 1 to {MAX_PARTNERS} are required",
            partners.len()
        );
        return Err(Violations::one("partners", description));
    }
    let mut violations = Violations::new();
    let mut parsed = Vec::with_capacity(partners.len());
    for (index, partner) in partners.iter().enumerate() {
        let field = format!("partners[{index}]");
        match violations.check(&field, partner.parse::<Country>()) {
            Some(partner) if Some(partner) == country => {
                violations.push(field, format!("{partner} is the country itself"));
            }
            Some(partner) if parsed.contains(&partner) => {
                violations.push(field, format!("{partner} twice"));
            }
            Some(partner) => parsed.push(partner),
            None => {}
        }
    }
    violations.into_result(parsed)
}

fn parse_flags(numbers: &[i32]) -> Result<Vec<ObservationFlag>, Violations> {
    let mut violations = Violations::new();
    for (index, number) in numbers.iter().enumerate() {
        if !FLAGS.iter().any(|flag| i32::from(*flag) == *number) {
            let description = format!("{number} is no flag that a statement can have");
            violations.push(format!("flags[{index}]"), description);
        }
    }
    let set = FLAGS
        .into_iter()
        .filter(|flag| numbers.contains(&i32::from(*flag)));
    violations.into_result(set.collect())
}

/// A statement that can be stored, in its normal form.
fn check(statement: wire::Statement) -> Result<wire::Statement, Violations> {
    let has_source = statement.source.is_some();
    let mut violations = Violations::new();
    let parsed = violations.check_nested("", Statement::parse(statement));
    if !has_source {
        violations.push("source", "is required");
    }
    violations.into_result(parsed.map(wire::Statement::from).unwrap_or_default())
}

/// Parses a request to create a statement.
pub(crate) fn parse_create(
    mut request: wire::CreateStatementRequest,
) -> Result<(New<wire::Statement>, Origin), Violations> {
    let request_id = std::mem::take(&mut request.request_id);
    let origin = origin("CreateStatement", &request_id, &request);
    let mut violations = Violations::new();
    let new = parse_new(request, &mut violations);
    let origin = violations.check("request_id", origin);
    new.zip(origin).ok_or(violations)
}

fn parse_new(
    request: wire::CreateStatementRequest,
    violations: &mut Violations,
) -> Option<New<wire::Statement>> {
    let wire::CreateStatementRequest {
        statement_id,
        statement,
        request_id,
    } = request;
    if !request_id.is_empty() {
        violations.push("request_id", "is that of the whole batch");
    }
    New::parse("statement_id", &statement_id, statement, violations)
}

/// Statements to be created together.
#[derive(Debug)]
pub(crate) struct Batch(Vec<New<wire::Statement>>);

impl Batch {
    pub(crate) fn parse(
        mut request: wire::BatchCreateStatementsRequest,
    ) -> Result<(Batch, Origin), Violations> {
        let request_id = std::mem::take(&mut request.request_id);
        let origin = origin("BatchCreateStatements", &request_id, &request);
        let mut violations = Violations::new();
        let batch = violations.check_nested("", parse_batch(request.requests));
        let origin = violations.check("request_id", origin);
        batch.map(Batch).zip(origin).ok_or(violations)
    }

    /// Decides to create them all, or none.
    pub(crate) fn decide(
        self,
        state: &State<'_>,
        stamp: Stamp,
        request: Option<Request>,
    ) -> Result<Decision<TradeChange, wire::BatchCreateStatementsResponse>, Refused> {
        let Batch(news) = self;
        let subject = news.first().map(|new| statement_name(&new.id));
        let subject = subject.unwrap_or_default();
        if is_done(state, request, &subject)? {
            let now = news.iter().map(|new| record::get(state, &new.id, None));
            let statements = now.collect::<Result<_, Refused>>()?;
            return Ok(Decision::nothing(wire::BatchCreateStatementsResponse {
                statements,
            }));
        }
        let created = news.into_iter().map(|new| new.created(state, stamp));
        let statements: Vec<wire::Statement> = created.collect::<Result<_, Refused>>()?;
        Ok(Decision {
            changes: statements.iter().cloned().map(recorded).collect(),
            subject,
            reply: wire::BatchCreateStatementsResponse { statements },
        })
    }
}

fn parse_batch(
    requests: Vec<wire::CreateStatementRequest>,
) -> Result<Vec<New<wire::Statement>>, Violations> {
    if requests.is_empty() || requests.len() > MAX_BATCH {
        let description = format!("{} requests: 1 to {MAX_BATCH} are required", requests.len());
        return Err(Violations::one("requests", description));
    }
    let mut violations = Violations::new();
    let mut news: Vec<New<wire::Statement>> = Vec::with_capacity(requests.len());
    let mut ids = std::collections::HashSet::new();
    for (index, request) in requests.into_iter().enumerate() {
        let mut inner = Violations::new();
        if let Some(new) = parse_new(request, &mut inner) {
            if !ids.insert(new.id.clone()) {
                inner.push("statement_id", format!("`{}` twice", new.id));
            }
            news.push(new);
        }
        violations.nest(&format!("requests[{index}]"), inner);
    }
    violations.into_result(news)
}

/// Parses a request to change a statement.
pub(crate) fn parse_update(
    mut request: wire::UpdateStatementRequest,
) -> Result<(Changed<wire::Statement>, Origin), Violations> {
    let request_id = std::mem::take(&mut request.request_id);
    let origin = origin("UpdateStatement", &request_id, &request);
    let wire::UpdateStatementRequest {
        statement,
        update_mask,
        request_id: _,
    } = request;
    let mut violations = Violations::new();
    let changed = Changed::parse(statement, update_mask, &mut violations);
    let origin = violations.check("request_id", origin);
    changed.zip(origin).ok_or(violations)
}

/// Parses a request to delete a statement.
pub(crate) fn parse_delete(
    mut request: wire::DeleteStatementRequest,
) -> Result<(Removed<wire::Statement>, Origin), Violations> {
    let request_id = std::mem::take(&mut request.request_id);
    let origin = origin("DeleteStatement", &request_id, &request);
    let wire::DeleteStatementRequest {
        name,
        etag,
        request_id: _,
    } = request;
    let mut violations = Violations::new();
    let removed = violations.check("name", Removed::parse(&name, etag));
    let origin = violations.check("request_id", origin);
    removed.zip(origin).ok_or(violations)
}

/// A page of statements by filter.
#[derive(Debug)]
pub(crate) struct Query {
    paging: Paging,
    country: Option<Country>,
    partner: Option<Country>,
    window: Option<PeriodWindow>,
}

impl TryFrom<wire::ListStatementsRequest> for Query {
    type Error = Violations;

    fn try_from(mut request: wire::ListStatementsRequest) -> Result<Query, Violations> {
        let page_size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let digest = proto::query_digest(&[b"ListStatements", &request.encode_to_vec()]);
        let wire::ListStatementsRequest {
            country,
            partner,
            window,
            page_size: _,
            page_token: _,
            as_of,
        } = request;
        let mut violations = Violations::new();
        if country.is_empty() && !partner.is_empty() {
            violations.push("country", "is required with a partner");
        }
        let country = violations.check("country", given(&country, str::parse::<Country>));
        let partner = violations.check("partner", given(&partner, str::parse::<Country>));
        let window = window.map(PeriodWindow::try_from).transpose();
        let window = violations.check_nested("window", window);
        let (sizes, as_of) = ((50, 500), as_of.as_ref());
        let paging = Paging::parse(digest, sizes, page_size, token, as_of, &mut violations);
        match (paging, country, partner, window) {
            (Some(paging), Some(country), Some(partner), Some(window)) => {
                violations.into_result(Query {
                    paging,
                    country,
                    partner,
                    window,
                })
            }
            _ => Err(violations),
        }
    }
}

/// A page of statements, from the index of a country where one is asked for.
pub(crate) fn list(state: &State<'_>, query: &Query) -> Result<Page<wire::Statement>, Refused> {
    let Query {
        paging,
        country,
        partner,
        window,
    } = query;
    let codes = [*country, *partner].map(|code| code.map(|code| code.to_string()));
    let lies_in = |window: PeriodWindow, period: &str| {
        let period = period.parse::<Period>();
        period.is_ok_and(|period| window.contains(period))
    };
    let keep = |statement: &wire::Statement| {
        is_about(statement, codes[0].as_deref(), codes[1].as_deref())
            && window.is_none_or(|window| lies_in(window, &statement.period))
    };
    match country {
        Some(country) => page_by_index(state, paging, &keys::statements_about(*country), keep),
        None => page(state, paging, keep),
    }
}

/// The change that a created or changed statement is.
pub(crate) fn recorded(statement: wire::Statement) -> TradeChange {
    let statement = Some(statement);
    TradeChange {
        change: Some(Change::StatementRecorded(wire::StatementRecorded {
            statement,
        })),
    }
}

/// The change that a deleted statement is.
pub(crate) fn deleted(name: String) -> TradeChange {
    TradeChange {
        change: Some(Change::StatementDeleted(wire::StatementDeleted { name })),
    }
}

/// Applies that a statement was created or changed. It stays in the index of countries that it is no
/// longer about: reads as of an earlier instant find it there.
pub(crate) fn apply_recorded(
    state: &mut State<'_>,
    recorded: &wire::StatementRecorded,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let statement = recorded.statement.clone().unwrap_or_default();
    let unreadable =
        |what: &dyn std::fmt::Display| store::Error::View(format!("a recorded statement: {what}"));
    let id = wire::Statement::PARSE_NAME(&statement.name).map_err(|error| unreadable(&error))?;
    for country in [&statement.country].into_iter().chain(&statement.partners) {
        let country: Country = country.parse().map_err(|error| unreadable(&error))?;
        state.put(keys::statement_about(country, &id), Vec::new())?;
    }
    record::apply_recorded(state, &statement, stamp)
}

/// Whether a statement is about the countries that are given: about the one as either side, or about the
/// trade of both with each other.
pub(crate) fn is_about(
    statement: &wire::Statement,
    country: Option<&str>,
    partner: Option<&str>,
) -> bool {
    let is_with = |one: &str, other: &str| {
        statement.country == one && statement.partners.iter().any(|partner| partner == other)
    };
    let is_of = |one: &str| {
        statement.country == one || statement.partners.iter().any(|partner| partner == one)
    };
    match (country, partner) {
        (Some(country), Some(partner)) => is_with(country, partner) || is_with(partner, country),
        (Some(one), None) | (None, Some(one)) => is_of(one),
        (None, None) => true,
    }
}
