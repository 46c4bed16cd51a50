//! Measures: published figures of exchange.

use proto::culture::v1 as wire;
use proto::{Currency, DecimalError, Excerpt, Month, Period, PeriodWindow};
use proto::{Scaled, Slug, Source, Violations, check_each, check_text, given, has_wanted};
use proto::{measure_name, one_country, one_of, parse_measure_name, parse_programme_name};
use records::{Field, Place, Record, Span, Topic, text_group};
use wire::{CultureChange, DeleteMeasureRequest, Direction, ListMeasureVersionsRequest};
use wire::{ListMeasuresRequest, Measure, MeasureFilter, MeasureFlag, MeasureKind};
use wire::{culture_change::Change, measure::Subject};

use crate::Model;
use crate::identity::subject_text;

const MAX_ITEM: usize = 40;
const MAX_UNIT: usize = 32;
const MAX_NOTE: usize = 1_000;

/// All measures by the first months of their periods.
const BY_DATE: u8 = 1;
/// By topic, by period.
const BY_TOPIC: u8 = 2;
/// By subject and kind (0: any), by period.
const BY_SUBJECT: u8 = 3;
/// By subject and item, by period: a subject may have many items.
const BY_ITEM: u8 = 4;

const PROGRAMME: Field<Measure> = Field {
    path: "programme",
    is_given: |of| programme(of).is_some(),
    is_same: |one, other| programme(one) == programme(other),
    set: |to, from| to.subject.clone_from(&from.subject),
};
const DIRECTION: Field<Measure> = Field {
    path: "direction",
    is_given: |of| direction(of).is_some(),
    is_same: |one, other| direction(one) == direction(other),
    set: |to, from| to.subject.clone_from(&from.subject),
};

records::fields!(
    Model,
    Measure,
    "measure",
    [kind, item, unit, period, value, flags, source, note],
    measure_name,
    parse_measure_name,
    by hand: [PROGRAMME, DIRECTION]
);
records::delete_request!(Model, DeleteMeasureRequest of Measure);
records::list_request!(Model, ListMeasuresRequest);
records::list_request!(Model, now: ListMeasureVersionsRequest);

impl Record<Model> for Measure {
    const KIND: u8 = 2;

    fn check(self) -> Result<Measure, Violations> {
        check(self)
    }

    fn recorded(self, _: Option<&Measure>) -> CultureChange {
        let recorded = wire::MeasureRecorded {
            measure: Some(self),
        };
        CultureChange {
            change: Some(Change::MeasureRecorded(recorded)),
        }
    }

    fn deleted(self) -> CultureChange {
        let deleted = wire::MeasureDeleted {
            countries: countries(&self).map(ToString::to_string).collect(),
            name: self.name,
        };
        CultureChange {
            change: Some(Change::MeasureDeleted(deleted)),
        }
    }

    fn places(&self) -> Vec<Place> {
        let at = period(self).map_or(0, |period| ordinal(period.start()));
        let place = |index: u8, group: Vec<u8>| Place { index, group, at };
        let topics = self.topics();
        let topics = topics.iter().map(|topic| topic.bytes().to_vec());
        let mut places = vec![place(BY_DATE, Vec::new())];
        places.extend(topics.map(|group| place(BY_TOPIC, group)));
        if let Some(subject) = &self.subject {
            let kinds = [MeasureKind::Unspecified, self.kind()];
            let groups = kinds.map(|kind| subject_group(subject, kind));
            places.extend(groups.map(|group| place(BY_SUBJECT, group)));
            if !self.item.is_empty() {
                places.push(place(BY_ITEM, item_group(subject, &self.item)));
            }
        }
        places
    }

    fn topics(&self) -> Vec<Topic> {
        Topic::all_named(countries(self))
    }
}

fn programme(measure: &Measure) -> Option<&str> {
    match measure.subject.as_ref()? {
        Subject::Programme(name) => Some(name),
        Subject::Direction(_) => None,
    }
}

fn direction(measure: &Measure) -> Option<&Direction> {
    match measure.subject.as_ref()? {
        Subject::Programme(_) => None,
        Subject::Direction(direction) => Some(direction),
    }
}

/// The countries that it is about; none of a programme's.
pub(crate) fn countries(measure: &Measure) -> impl Iterator<Item = &str> {
    let direction = direction(measure).into_iter();
    direction.flat_map(|direction| [&direction.from[..], &direction.to[..]])
}

/// The period of a measure that was checked.
pub(crate) fn period(measure: &Measure) -> Option<Period> {
    measure.period.parse().ok()
}

/// Whether there is no figure, as its publisher says.
pub(crate) fn is_not_available(flags: &[i32]) -> bool {
    flags.contains(&MeasureFlag::NotAvailable.into())
}

/// A month among dates: sorts as [`proto::CivilDate::ordinal`], and the month after all others does too.
fn ordinal(month: Month) -> u32 {
    u32::from(month.year()) << 9 | u32::from(month.month()) << 5
}

fn subject_group(subject: &Subject, kind: MeasureKind) -> Vec<u8> {
    let kind = i32::from(kind).to_be_bytes();
    [&text_group(&subject_text(subject))[..], &kind].concat()
}

fn item_group(subject: &Subject, item: &str) -> Vec<u8> {
    [text_group(&subject_text(subject)), text_group(item)].concat()
}

/// The measures of a subject by period: of an item, or of a kind (unspecified: any). Those of an item may be of other
/// kinds too.
pub(crate) fn of_subject(subject: &Subject, kind: MeasureKind, item: &str) -> Span {
    match item {
        "" => Span::of(BY_SUBJECT, subject_group(subject, kind)),
        item => Span::of(BY_ITEM, item_group(subject, item)),
    }
}

/// The part of a span in which periods lie inside a window.
pub(crate) fn within(span: Span, window: PeriodWindow) -> Span {
    let from = window.start().map_or(0, ordinal);
    span.between(from, window.end().map(ordinal))
}

fn check(measure: Measure) -> Result<Measure, Violations> {
    let Measure {
        name: _,
        subject,
        kind,
        item,
        unit,
        period,
        value,
        flags,
        source,
        note,
        etag: _,
        create_time: _,
        update_time: _,
    } = measure;
    let mut violations = Violations::new();
    let known = &mut violations;
    let subject = check_subject(subject, known);
    let kind = known.check("kind", check_kind(kind));
    known.check("item", given(&item, check_item));
    if let Some(kind) = kind {
        known.check("unit", check_unit(&unit, kind));
    }
    let period = known.check("period", period.parse::<Period>());
    let flags = check_flags(&flags, known);
    let value = known.check("value", check_value(&value, is_not_available(&flags)));
    let source = source.ok_or_else(|| Violations::one("", "is required"));
    let source = known.check_nested("source", source.and_then(Source::try_from));
    let note = known.check("note", given(&note, |text| check_text(text, MAX_NOTE)));
    let measure = Measure {
        subject,
        kind: kind.unwrap_or_default().into(),
        item,
        unit,
        period: period.map(|period| period.to_string()).unwrap_or_default(),
        value: value.unwrap_or_default(),
        flags,
        source: source.map(Into::into),
        note: note.flatten().unwrap_or_default(),
        ..Measure::default()
    };
    records::check_size(&measure, &mut violations);
    violations.into_result(measure)
}

/// Checks the fields `programme` and `direction`, of which one is required.
pub(crate) fn check_subject(
    subject: Option<Subject>,
    violations: &mut Violations,
) -> Option<Subject> {
    match subject {
        Some(Subject::Programme(name)) => {
            violations.check::<Slug, _>("programme", parse_programme_name(&name))?;
            Some(Subject::Programme(name))
        }
        Some(Subject::Direction(direction)) => {
            let direction = violations.check_nested("direction", check_direction(direction))?;
            Some(Subject::Direction(direction))
        }
        None => {
            violations.push("", "a programme or a direction is required");
            None
        }
    }
}

fn check_direction(direction: Direction) -> Result<Direction, Violations> {
    let Direction { from, to } = direction;
    let mut violations = Violations::new();
    violations.check("from", one_country(&from));
    violations.check("to", one_country(&to));
    if !from.is_empty() && from == to {
        violations.push("to", "is where they come from");
    }
    violations.into_result(Direction { from, to })
}

fn check_kind(kind: i32) -> Result<MeasureKind, String> {
    one_of(kind, "kind of a measure")
}

/// Checks what exactly is counted.
pub(crate) fn check_item(item: &str) -> Result<Slug, String> {
    let slug = Slug::parse(item).map_err(|error| error.to_string())?;
    if item.len() > MAX_ITEM {
        return Err(format!("longer than {MAX_ITEM} characters"));
    }
    Ok(slug)
}

fn check_unit(unit: &str, kind: MeasureKind) -> Result<(), String> {
    if kind == MeasureKind::Funds {
        let currency = unit.parse::<Currency>();
        return currency.map(|_| ()).map_err(|error| error.to_string());
    }
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_unit = unit.starts_with(|c: char| c.is_ascii_lowercase())
        && unit.len() <= MAX_UNIT
        && unit.bytes().all(allowed);
    if is_unit {
        return Ok(());
    }
    let unit = Excerpt::of(unit);
    Err(format!(
        "{unit}: 1 to {MAX_UNIT} of `a-z`, `0-9` and `-`, starting with a letter"
    ))
}

/// The flags in the order of their numbers: another order is no other figure.
fn check_flags(flags: &[i32], violations: &mut Violations) -> Vec<i32> {
    let flag = |number| one_of::<MeasureFlag>(number, "flag of a measure");
    let mut flags = check_each("flags", flags, flag, violations);
    if is_not_available(&flags) && flags.len() > 1 {
        violations.push("flags", "no other flag stands beside `NOT_AVAILABLE`");
    }
    flags.sort_unstable();
    flags
}

/// Why a value is refused.
#[derive(Debug)]
enum ValueError {
    Decimal(DecimalError),
    Negative,
    NotAvailable,
}

impl std::fmt::Display for ValueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ValueError::Decimal(error) => error.fmt(f),
            ValueError::Negative => f.write_str("is negative"),
            ValueError::NotAvailable => f.write_str("must be empty: it is `NOT_AVAILABLE`"),
        }
    }
}

/// The value in its normal form.
fn check_value(value: &str, is_not_available: bool) -> Result<String, ValueError> {
    match (value, is_not_available) {
        ("", true) => return Ok(String::new()),
        (_, true) => return Err(ValueError::NotAvailable),
        (_, false) => {}
    }
    let value = Scaled::parse(value).map_err(ValueError::Decimal)?;
    if value.is_negative() {
        return Err(ValueError::Negative);
    }
    Ok(value.to_string())
}

/// Which measures; all that is given must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    programme: Option<Subject>,
    topic: Option<Topic>,
    kinds: Vec<i32>,
    item: String,
    window: PeriodWindow,
}

impl TryFrom<MeasureFilter> for Filter {
    type Error = Violations;

    fn try_from(filter: MeasureFilter) -> Result<Filter, Violations> {
        let MeasureFilter {
            programme,
            country,
            partner,
            kinds,
            item,
            window,
        } = filter;
        let mut violations = Violations::new();
        violations.check("programme", given(&programme, parse_programme_name));
        let topic = Topic::parse(&country, &partner, &mut violations);
        let kinds = check_each("kinds", &kinds, check_kind, &mut violations);
        violations.check("item", given(&item, check_item));
        let window = window.map(PeriodWindow::try_from).transpose();
        let window = violations.check_nested("window", window).flatten();
        violations.into_result(Filter {
            programme: (!programme.is_empty()).then_some(Subject::Programme(programme)),
            topic: topic.flatten(),
            kinds,
            item,
            window: window.unwrap_or_default(),
        })
    }
}

impl records::Filter<Model> for Filter {
    type Wire = MeasureFilter;
    type Record = Measure;
    const SIZES: (u32, u32) = (100, 1_000);

    fn span(&self) -> Span {
        let span = match (&self.programme, self.topic) {
            (Some(programme), _) => of_subject(programme, MeasureKind::Unspecified, &self.item),
            (None, Some(topic)) => Span::of(BY_TOPIC, topic.bytes()),
            (None, None) => Span::of(BY_DATE, []),
        };
        within(span, self.window)
    }

    fn lets_through(&self, measure: &Measure) -> bool {
        let is_of = |programme| measure.subject.as_ref() == Some(programme);
        has_wanted(&self.kinds, &[measure.kind])
            && (self.item.is_empty() || self.item == measure.item)
            && self.programme.as_ref().is_none_or(is_of)
            && self
                .topic
                .is_none_or(|topic| topic.is_among(countries(measure)))
            && period(measure).is_some_and(|period| self.window.contains(period))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proto::CivilDate;
    use proto::r#type::v1 as parts;

    pub(crate) fn direction(from: &str, to: &str) -> Subject {
        Subject::Direction(Direction {
            from: from.into(),
            to: to.into(),
        })
    }

    /// Students of Kazakhstan in China, by the publisher of the test data.
    pub(crate) fn students(period: &str, value: &str) -> Measure {
        Measure {
            subject: Some(direction("KAZ", "CHN")),
            kind: MeasureKind::Students.into(),
            unit: "persons".into(),
            period: period.into(),
            value: value.into(),
            source: Some(parts::Source {
                title: "Inbound students to China".into(),
                publisher: "AidData".into(),
                ..parts::Source::default()
            }),
            ..Measure::default()
        }
    }

    /// The same figure by another publisher.
    pub(crate) fn by(publisher: &str, measure: &Measure) -> Measure {
        let mut measure = measure.clone();
        if let Some(source) = &mut measure.source {
            source.publisher = publisher.into();
        }
        measure
    }

    /// The same figure with flags.
    pub(crate) fn flagged(flags: &[MeasureFlag], measure: Measure) -> Measure {
        Measure {
            flags: flags.iter().map(|flag| i32::from(*flag)).collect(),
            ..measure
        }
    }

    fn faults(measure: Measure) -> Vec<String> {
        let violations = measure.check().err().unwrap_or_default();
        violations.iter().map(|(field, _)| field.into()).collect()
    }

    #[test]
    fn a_figure_is_kept_in_its_normal_form() {
        let given = flagged(
            &[MeasureFlag::Rounded, MeasureFlag::Estimated],
            students("2017", "0014224.50"),
        );
        let kept = given.check().expect("it is right");
        assert_eq!(kept.value, "14224.5");
        let flags = [MeasureFlag::Estimated, MeasureFlag::Rounded];
        assert_eq!(kept.flags().collect::<Vec<_>>(), flags);
        // A letter and its accent are one character afterwards.
        let apart = by("Be\u{301}la", &students("2017", "1"));
        let source = apart.check().expect("it is right").source;
        assert_eq!(source.expect("it has one").publisher, "B\u{e9}la");
    }

    #[test]
    fn what_is_not_available_is_not_zero() {
        let missing = flagged(&[MeasureFlag::NotAvailable], students("2018", ""));
        assert!(faults(missing.clone()).is_empty());
        assert_eq!(faults(students("2018", "")), ["value"]);
        let zero = Measure {
            value: "0".into(),
            ..missing.clone()
        };
        assert_eq!(faults(zero), ["value"]);
        let both = [MeasureFlag::NotAvailable, MeasureFlag::Provisional];
        assert_eq!(faults(flagged(&both, missing)), ["flags"]);
    }

    #[test]
    fn money_is_in_a_currency_and_all_else_in_a_word() {
        let in_unit = |kind: MeasureKind, unit: &str| {
            faults(Measure {
                kind: kind.into(),
                unit: unit.into(),
                ..students("2017", "1")
            })
        };
        assert!(in_unit(MeasureKind::Funds, "USD").is_empty());
        assert_eq!(in_unit(MeasureKind::Funds, "persons"), ["unit"]);
        assert!(in_unit(MeasureKind::Visitors, "visits-2").is_empty());
        for wrong in ["", "USD", "2-visits", &"a".repeat(33)] {
            assert_eq!(in_unit(MeasureKind::Visitors, wrong), ["unit"], "{wrong}");
        }
    }

    #[test]
    fn each_fault_is_named_by_its_field() {
        let wrong = Measure {
            subject: Some(direction("KAZ", "KAZ")),
            kind: 0,
            item: "a".repeat(41),
            unit: String::new(),
            period: "2017-01..2017-12".into(),
            value: "-1".into(),
            flags: vec![1, 1],
            source: None,
            note: "n".repeat(1_001),
            ..Measure::default()
        };
        let fields = [
            "direction.to",
            "kind",
            "item",
            "period",
            "flags[1]",
            "value",
            "source",
            "note",
        ];
        assert_eq!(faults(wrong), fields);
        let world = Measure {
            subject: Some(direction("WLD", "CHN")),
            ..students("2017", "1")
        };
        assert_eq!(faults(world), ["direction.from"]);
        let none = Measure {
            subject: None,
            ..students("2017", "1")
        };
        assert_eq!(faults(none), [""]);
        let event = Measure {
            subject: Some(Subject::Programme("events/a".into())),
            ..students("2017", "1")
        };
        assert_eq!(faults(event), ["programme"]);
    }

    #[test]
    fn a_month_sorts_as_its_date_does() {
        let at = |text: &str| period(&students(text, "1")).map(|period| ordinal(period.start()));
        let date: CivilDate = "2017-05".parse().expect("a date");
        assert_eq!(at("2017-05"), Some(date.ordinal()));
        let last: Period = "9999-12".parse().expect("a period");
        assert!(ordinal(last.end()) > ordinal(last.start()));
    }

    #[test]
    fn a_programmes_figure_is_about_no_country() {
        let of_programme = Measure {
            subject: Some(Subject::Programme("programmes/lu-ban".into())),
            ..students("2017", "1")
        };
        assert!(of_programme.topics().is_empty());
        assert_eq!(students("2017", "1").topics().len(), 3);
    }
}
