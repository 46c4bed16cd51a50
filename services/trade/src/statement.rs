//! Statements: what somebody said about trade. They are no observations and enter no series.

use proto::trade::v1 as wire;
use proto::{CivilDate, Country, Decimal, Money, Period, PeriodWindow, Slug, Source, Violations};
use proto::{check_name, check_text, format_decimal, parse_decimal};
use proto::{parse_statement_name, statement_name, stored_date};
use records::{Page, Paging, Place, Record, Span, Topic};
use store::{Micros, State};
use wire::{BatchCreateStatementsRequest, BatchCreateStatementsResponse, CreateStatementRequest};
use wire::{DeleteStatementRequest, ListStatementsRequest, UpdateStatementRequest};
use wire::{ObservationFlag, StatedMeasure, TradeChange, trade_change::Change};

use crate::Model;
use crate::error::Error;

const MAX_PARTNERS: usize = 20;
const MAX_SPEAKER: usize = 200;
const MAX_NOTE: usize = 1_000;
/// The index of statements by whose trade they are about.
const BY_TOPIC: u8 = 1;
/// The index of statements by pair, by [`date_of`].
pub(crate) const BY_DAY: u8 = 2;
/// What may qualify a statement, in the order in which it is told.
const FLAGS: [ObservationFlag; 4] = [
    ObservationFlag::Provisional,
    ObservationFlag::Estimated,
    ObservationFlag::LowerBound,
    ObservationFlag::Unverified,
];

records::fields!(
    Model,
    wire::Statement,
    "statement",
    [
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
    ],
    statement_name,
    parse_statement_name
);
records::create_request!(Model, CreateStatementRequest, statement_id, statement: wire::Statement);
records::batch_request!(
    Model,
    BatchCreateStatementsRequest of CreateStatementRequest,
    BatchCreateStatementsResponse { statements }
);
records::update_request!(Model, UpdateStatementRequest, statement: wire::Statement);
records::delete_request!(Model, DeleteStatementRequest of wire::Statement);
records::list_request!(Model, ListStatementsRequest);

impl Record<Model> for wire::Statement {
    const KIND: u8 = 3;

    fn check(self) -> Result<wire::Statement, Violations> {
        check(self)
    }

    fn recorded(self, before: Option<&wire::Statement>) -> TradeChange {
        let is_left = |country: &String| countries_of(&self).all(|now| now != country);
        let former = before.into_iter().flat_map(countries_of);
        let recorded = wire::StatementRecorded {
            former_countries: former.filter(|country| is_left(country)).cloned().collect(),
            statement: Some(self),
        };
        TradeChange {
            change: Some(Change::StatementRecorded(recorded)),
        }
    }

    fn deleted(self) -> TradeChange {
        let deleted = wire::StatementDeleted {
            countries: countries_of(&self).cloned().collect(),
            name: self.name,
        };
        TradeChange {
            change: Some(Change::StatementDeleted(deleted)),
        }
    }

    fn places(&self) -> Vec<Place> {
        let place = |index: u8, topic: Topic, at: u32| Place {
            index,
            group: topic.bytes().to_vec(),
            at,
        };
        let day = date_of(self).map(|(date, _)| date.ordinal());
        let mut places = Vec::new();
        for topic in self.topics() {
            places.push(place(BY_TOPIC, topic, 0));
            let day = day.filter(|_| topic.is_pair());
            places.extend(day.map(|at| place(BY_DAY, topic, at)));
        }
        places
    }

    /// Each country, and the country with each partner.
    fn topics(&self) -> Vec<Topic> {
        let mut topics = Vec::new();
        let Ok(country) = self.country.parse::<Country>() else {
            return topics;
        };
        topics.push(Topic::country(country));
        for partner in self
            .partners
            .iter()
            .filter_map(|partner| partner.parse().ok())
        {
            topics.extend([Topic::country(partner), Topic::pair(country, partner)]);
        }
        topics
    }
}

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

/// About whose trade with whom it is.
fn countries_of(statement: &wire::Statement) -> impl Iterator<Item = &String> {
    [&statement.country].into_iter().chain(&statement.partners)
}

/// When a statement was made: on the day on which its source was published; where that is not known, on the last day of
/// its period, which is said by the second.
pub(crate) fn date_of(statement: &wire::Statement) -> Option<(CivilDate, bool)> {
    let published = statement.source.as_ref().map(|source| source.published_on);
    if let Some(date) = stored_date(published.flatten()) {
        return Some((date, false));
    }
    let last = statement.period.parse::<Period>().ok()?.end().plus(-1)?;
    let month = CivilDate::new(last.year().into(), last.month().into(), 0).ok()?;
    Some((month.last().date(), true))
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
    Ok(records::get::<Model, _>(state, id, as_of)?)
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

/// A page of statements by filter.
#[derive(Debug)]
pub(crate) struct Query {
    paging: Paging,
    topic: Option<Topic>,
    window: Option<PeriodWindow>,
}

impl TryFrom<ListStatementsRequest> for Query {
    type Error = Violations;

    fn try_from(mut request: ListStatementsRequest) -> Result<Query, Violations> {
        let mut violations = Violations::new();
        let paging = Paging::take(&mut request, (50, 500), &mut violations);
        let ListStatementsRequest {
            country,
            partner,
            window,
            page_size: _,
            page_token: _,
            as_of: _,
        } = request;
        let topic = Topic::parse(&country, &partner, &mut violations);
        let window = window.map(PeriodWindow::try_from).transpose();
        let window = violations.check_nested("window", window);
        let (Some(paging), Some(topic), Some(window)) = (paging, topic, window) else {
            return Err(violations);
        };
        violations.into_result(Query {
            paging,
            topic,
            window,
        })
    }
}

/// A page of statements, from the index of a topic where one is asked for.
pub(crate) fn list(
    state: &State<'_>,
    query: &Query,
) -> Result<Page<wire::Statement>, records::Error> {
    let Query {
        paging,
        topic,
        window,
    } = query;
    let lies_in = |window: PeriodWindow, period: &str| {
        let period = period.parse::<Period>();
        period.is_ok_and(|period| window.contains(period))
    };
    let keep = |statement: &wire::Statement| {
        window.is_none_or(|window| lies_in(window, &statement.period))
    };
    match topic {
        Some(topic) => {
            let span = Span::of(BY_TOPIC, topic.bytes());
            records::page_along(state, paging, &span, keep)
        }
        None => records::page(state, paging, keep),
    }
}
