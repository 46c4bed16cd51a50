//! Trade on the page: each side as published, how far they are apart, what moved, what was said.

use std::collections::{BTreeMap, BTreeSet};

use proto::Period;
use proto::gateway::v1 as wire;
use proto::trade::v1::growth::Outcome;
use proto::trade::v1::{
    EmptyReason, Flow, GrowthGap, Measure, Mirror, MirrorFigure, MirrorLine, ObservationFlag,
    PeriodBasis, RankedEntry, Series, SeriesPoint, SideCheck, Statement, ValueCheck,
};
use wire::{Briefing, Mover, Movers, MoversGap, StatementPoint, TradeSection, TradeSide};

use super::page::{Page, Text};
use super::upshot::that_is_shown;
use crate::trade::verdict_in_words;
use crate::{figures, words};

/// The lines of the table, for the side of the first country and for that of the second: the same goods.
const LINES: [(&str, [Shown; 2]); 5] = [
    ("total, as stated", [Shown::Flow(Flow::TotalTrade); 2]),
    ("exports + imports", [Shown::Measure(Measure::Turnover); 2]),
    (
        "to the second",
        [Shown::Flow(Flow::Export), Shown::Flow(Flow::Import)],
    ),
    (
        "to the first",
        [Shown::Flow(Flow::Import), Shown::Flow(Flow::Export)],
    ),
    ("exports − imports", [Shown::Measure(Measure::Balance); 2]),
];

/// What a series shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Flow(Flow),
    Measure(Measure),
}

impl Shown {
    fn is_shown_by(self, series: &Series) -> bool {
        match self {
            Shown::Flow(flow) => series.flow() == flow && series.measure() == Measure::Unspecified,
            Shown::Measure(measure) => series.measure() == measure,
        }
    }
}

pub(super) fn write(briefing: &Briefing, language: &str, page: &mut Page) {
    let Some(trade) = &briefing.trade else {
        return;
    };
    page.section("Trade");
    if trade.sides.is_empty() {
        let shown = that_is_shown(briefing);
        page.paragraph(Text::of(format!(
            "No figures of the two are recorded{shown}."
        )));
    } else {
        figures_by_side(briefing, trade, language, page);
    }
    for mirror in &trade.mirrors {
        gaps(mirror, page);
    }
    for side in &trade.sides {
        movers(side, language, page);
    }
    if !trade.statements.is_empty() {
        page.part("Said about it, and held against the figures");
    }
    for statement in &trade.statements {
        said(statement, page);
    }
}

/// Each side's figures in columns beside each other.
fn figures_by_side(briefing: &Briefing, trade: &TradeSection, language: &str, page: &mut Page) {
    page.paragraph(Text::of(
        "Each side as published; growth is over the same months a year before, of the same side. A base that is \
         known from another source than the figure is cited behind the growth: another office may have compiled it.",
    ));
    let mut titles = vec![String::new(), "period".to_owned()];
    for (at, side) in trade.sides.iter().enumerate() {
        let column = format!("{} ({})", words::country(&side.reporter), at + 1);
        let dataset = words::text_in(side.display_name.as_ref(), language);
        let (id, currencies) = (words::id(&side.dataset), currencies(side));
        page.point(Text::of(format!(
            "{column}: {dataset}, {id}, in {currencies}"
        )));
        titles.extend([column, "growth".to_owned()]);
    }
    let mut rows = Vec::new();
    for (title, shown) in LINES {
        let mut by_period: BTreeMap<(bool, Period), Vec<[Text; 2]>> = BTreeMap::new();
        for (at, side) in trade.sides.iter().enumerate() {
            let of_first = side.reporter == briefing.country;
            let shown = if of_first { shown[0] } else { shown[1] };
            for (period, cells) in points(side, shown) {
                let key = (period.frequency() == proto::Frequency::Cumulated, period);
                let row = by_period.entry(key).or_default();
                row.resize_with(trade.sides.len(), Default::default);
                row[at] = cells;
            }
        }
        for ((_, period), cells) in by_period {
            let mut row = vec![
                Text::of(line_title(title, briefing)),
                Text::of(words::period(&period.to_string())),
            ];
            row.extend(cells.into_iter().flatten());
            rows.push(row);
        }
    }
    let numbers = (2..titles.len()).collect();
    page.table(titles, numbers, rows);
    let without = without(briefing, trade);
    if !without.is_empty() {
        page.point(Text::of(format!(
            "{}: no figure of {} is recorded{}",
            words::period(&briefing.period),
            without.join(" and of "),
            that_is_shown(briefing)
        )));
    }
}

/// The currencies of a side, of which a dataset has one.
fn currencies(side: &TradeSide) -> String {
    let all = side
        .series
        .iter()
        .map(|series| series.currency_code.as_str());
    let all: BTreeSet<&str> = all.collect();
    all.into_iter().collect::<Vec<_>>().join(", ")
}

fn line_title(title: &str, briefing: &Briefing) -> String {
    let [first, second] = [&briefing.country, &briefing.partner];
    match title {
        "to the second" => format!("{first} to {second}"),
        "to the first" => format!("{second} to {first}"),
        title => title.to_owned(),
    }
}

/// The points of a side, value and growth.
fn points(side: &TradeSide, shown: Shown) -> BTreeMap<Period, [Text; 2]> {
    let mut all = BTreeMap::new();
    for series in side
        .series
        .iter()
        .filter(|series| shown.is_shown_by(series))
    {
        for point in series.points.iter().filter(|point| !point.value.is_empty()) {
            let Ok(period) = point.period.parse::<Period>() else {
                continue;
            };
            // A figure that was published for the time stands before a sum of months.
            let is_sum = series.months.is_some();
            if !(is_sum && all.contains_key(&period)) {
                all.insert(period, cells(series, point));
            }
        }
    }
    all
}

/// Whose sides have no figure of the period that was asked for.
fn without(briefing: &Briefing, trade: &TradeSection) -> Vec<String> {
    let has = |side: &&TradeSide| {
        let points = side.series.iter().flat_map(|series| &series.points);
        let mut of_period = points.filter(|point| point.period == briefing.period);
        of_period.any(|point| !point.value.is_empty())
    };
    let without = trade.sides.iter().filter(|side| !has(side));
    without
        .map(|side| {
            format!(
                "{} ({})",
                words::country(&side.reporter),
                words::id(&side.dataset)
            )
        })
        .collect()
}

fn cells(series: &Series, point: &SeriesPoint) -> [Text; 2] {
    let sources: Vec<i32> = point
        .sources
        .iter()
        .copied()
        .chain([point.source])
        .collect();
    let sum = match series.months {
        Some(_) => " (sum of months)",
        None => "",
    };
    let value = format!(
        "{}{}{sum}",
        lead(&point.flags),
        figures::short(&point.value)
    );
    [Text::of(value).cite(&sources), growth(point)]
}

/// Growth with the sources of its base, where these are others than the figure's; nothing without a base.
fn growth(point: &SeriesPoint) -> Text {
    let Some(growth) = &point.growth else {
        return Text::default();
    };
    let has_base = growth.outcome != Some(Outcome::Gap(GrowthGap::BaseNotPublished.into()));
    if !has_base {
        return Text::default();
    }
    let text = Text::of(figures::growth(Some(growth)));
    match growth.base_sources.as_slice() {
        [] => text,
        others => text.and(" over").cite(others),
    }
}

/// What must be read with a figure.
fn lead(flags: &[i32]) -> &'static str {
    let has = |flag: ObservationFlag| flags.contains(&flag.into());
    match () {
        () if has(ObservationFlag::LowerBound) => "over ",
        () if has(ObservationFlag::Implied) => "implied ",
        () if has(ObservationFlag::Unverified) => "unverified ",
        () => "",
    }
}

/// How far two sides are apart, a point a line.
fn gaps(mirror: &Mirror, page: &mut Page) {
    let ways = [&mirror.first_to_second, &mirror.second_to_first];
    for way in ways.into_iter().flatten() {
        let title = format!(
            "{}, {} to {}",
            words::period(&mirror.period),
            words::country(&way.exporter),
            words::country(&way.importer)
        );
        if let Some(text) = way.total.as_ref().and_then(|line| gap(&title, line)) {
            page.point(text);
        }
    }
    let title = format!("{}, total", words::period(&mirror.period));
    if let Some(text) = mirror.turnover.as_ref().and_then(|line| gap(&title, line)) {
        page.point(text);
    }
}

fn gap(title: &str, line: &MirrorLine) -> Option<Text> {
    let ratios = line.asymmetry.as_ref()?;
    let (first, second) = (
        line.exporter_figure.as_ref()?,
        line.importer_figure.as_ref()?,
    );
    let names = [first, second].map(|figure| words::country(&figure.reporter));
    let of = |ratio: &str, name: &str| match ratio {
        "" => String::new(),
        ratio => format!(
            ", {} of {name}'s",
            figures::share(ratio).trim_start_matches('-')
        ),
    };
    let text = Text::of(format!("{title}: "))
        .join(figure(first))
        .and(", ")
        .join(figure(second))
        .and(format!(
            "; {} {} apart: {} of the mean{}{}",
            figures::short(line.gap.trim_start_matches('-')),
            first.currency_code,
            figures::share(&ratios.of_mean).trim_start_matches('-'),
            of(&ratios.of_exporter, &names[0]),
            of(&ratios.of_importer, &names[1]),
        ));
    Some(match line.gap_at_fob.as_str() {
        "" => text,
        at_fob => text.and(format!(
            "; with the import brought to FOB, {} apart",
            figures::short(at_fob.trim_start_matches('-'))
        )),
    })
}

fn figure(figure: &MirrorFigure) -> Text {
    let country = words::country(&figure.reporter);
    let valuation = match figures::valuation(figure.valuation) {
        "valuation not stated" => String::new(),
        valuation => format!(" {valuation}"),
    };
    let value = figures::short(&figure.value);
    Text::of(format!(
        "{country} {}{value}{valuation}",
        lead(&figure.flags)
    ))
    .cite(&figure.sources)
}

/// What moved most of a side, by flow.
fn movers(side: &TradeSide, language: &str, page: &mut Page) {
    let country = words::country(&side.reporter);
    let dataset = words::text_in(side.display_name.as_ref(), language);
    if !side.movers.is_empty() {
        page.part(format!("What moved most, by {country} ({dataset})"));
    }
    for movers in &side.movers {
        let all = movers
            .movers
            .iter()
            .filter_map(|mover| moved(mover, movers));
        let all: Vec<Text> = all.collect();
        let lead = format!("{}: ", movers_title(movers));
        if all.is_empty() {
            let largest = movers
                .largest
                .iter()
                .map(|entry| large(entry, movers))
                .collect();
            page.point(Text::of(format!("{lead}largest ")).join(Text::list(largest, "; ")));
        } else {
            page.point(Text::of(lead).join(Text::list(all, "; ")));
        }
    }
    // Chapters say what there is of goods; sectors are made of them.
    let chapters = side.gaps.iter().filter(|gap| gap.level > 0);
    let none: BTreeSet<&str> = chapters.map(none_moved).collect();
    if side.movers.is_empty() && !none.is_empty() {
        let none = none.into_iter().collect::<Vec<_>>().join("; ");
        page.point(Text::of(format!(
            "What moved by sector and by chapter, {country}: {none}"
        )));
    }
}

/// What there is instead of movers.
fn none_moved(gap: &MoversGap) -> &'static str {
    match gap.reason() {
        EmptyReason::CommodityNotCovered | EmptyReason::UnknownCode => {
            "only totals are recorded, no goods"
        }
        EmptyReason::FrequencyNotCovered | EmptyReason::PeriodNotCovered => {
            "nothing is recorded for these months, nor for the year before"
        }
        other @ (EmptyReason::Unspecified
        | EmptyReason::ReporterNotCovered
        | EmptyReason::PartnerNotCovered
        | EmptyReason::FlowNotCovered
        | EmptyReason::NotYetRecorded
        | EmptyReason::NotPublishedYet
        | EmptyReason::NotReported) => words::absence(other.into()),
    }
}

fn movers_title(movers: &Movers) -> String {
    let what = if movers.level == 0 {
        "sectors"
    } else {
        "chapters"
    };
    let sum = match movers.basis() {
        PeriodBasis::SumOfMonths => ", sum of months",
        PeriodBasis::Unspecified | PeriodBasis::Published => "",
    };
    let flow = flow_words(movers.flow);
    format!("{flow} by {what}, {}{sum}", words::period(&movers.period))
}

fn flow_words(flow: i32) -> &'static str {
    match Flow::try_from(flow) {
        Ok(Flow::Export) => "exports",
        Ok(Flow::Import) => "imports",
        _ => "trade",
    }
}

fn moved(mover: &Mover, movers: &Movers) -> Option<Text> {
    let entry = mover.entry.as_ref()?;
    let sign = if mover.change.starts_with('-') {
        ""
    } else {
        "+"
    };
    let text = Text::of(format!(
        "{} {} {} ({sign}{}, {})",
        named(entry),
        figures::short(&entry.value),
        movers.currency_code,
        figures::short(&mover.change),
        figures::growth(entry.growth.as_ref()),
    ));
    Some(text.cite(&entry.sources))
}

fn large(entry: &RankedEntry, movers: &Movers) -> Text {
    let (name, value) = (named(entry), figures::short(&entry.value));
    Text::of(format!("{name} {value} {}", movers.currency_code)).cite(&entry.sources)
}

fn named(entry: &RankedEntry) -> String {
    let id = words::id(&entry.key);
    match entry.display_name.as_str() {
        "" => id.to_owned(),
        name => format!("{name} ({id})"),
    }
}

/// What was said, and what the check came to.
fn said(point: &StatementPoint, page: &mut Page) {
    let statement = point.statement.clone().unwrap_or_default();
    let value = statement.value.clone().unwrap_or_default();
    let partners = statement.partners.iter().map(|code| words::country(code));
    let growth = match statement.growth.as_str() {
        "" => String::new(),
        growth => {
            let growth = figures::stated_percent(growth, &statement.growth_precision);
            format!(", growth {growth}")
        }
    };
    let speaker = match statement.speaker.as_str() {
        "" => String::new(),
        speaker => format!("; said by {speaker}"),
    };
    let side = match statement.side.as_str() {
        "" => String::new(),
        side => format!(", of the statistics of {}", words::country(side)),
    };
    let line = format!(
        "{}, {} of {} with {}: {}{} {}{growth}{side}{speaker}",
        words::period(&statement.period),
        words::stated_measure(statement.measure),
        words::country(&statement.country),
        partners.collect::<Vec<_>>().join(", "),
        lead(&statement.flags),
        figures::stated(&value.amount, &statement.value_precision),
        value.currency_code,
    );
    page.point(Text::of(line).cite(&[point.source]));
    let Some(check) = &point.check else {
        return;
    };
    page.detail(Text::of(verdict_in_words(check, &statement)));
    for side in &check.sides {
        let parts = reasons(side, &statement);
        if !parts.is_empty() {
            let lead = Text::of(format!("{}: ", words::country(&side.reporter)));
            page.detail(lead.join(Text::list(parts, "; ")));
        }
    }
    if !check.implied_base.is_empty() {
        page.detail(Text::of(format!(
            "It implies {} for {}.",
            figures::short(&check.implied_base),
            words::period(&check.implied_base_period)
        )));
    }
}

/// What holding a statement against a side rests on.
fn reasons(side: &SideCheck, statement: &Statement) -> Vec<Text> {
    let mut parts = Vec::new();
    for (what, check) in [("value", &side.value), ("implied base", &side.base)] {
        let observed = check.iter().filter(|check| !check.observed.is_empty());
        parts.extend(observed.map(|check| {
            let (outcome, remark) = (
                figures::outcome(check.outcome),
                figures::term_remark(&check.terms),
            );
            Text::of(format!("{what} against "))
                .join(sum(check))
                .and(format!(" {outcome}{remark}"))
        }));
    }
    let growth = side
        .growth
        .iter()
        .filter(|growth| !growth.observed.is_empty());
    parts.extend(growth.map(|growth| {
        let said = figures::stated_percent(&statement.growth, &statement.growth_precision);
        let observed = figures::percent(&growth.observed);
        Text::of(format!(
            "growth {said} against {observed} {}",
            figures::outcome(growth.outcome)
        ))
    }));
    let bounds = side.bounds.iter().filter(|bound| bound.contradicts);
    parts.extend(bounds.filter_map(|bound| {
        let figure = bound.figure.as_ref()?;
        let (value, period) = (figures::short(&figure.value), words::period(&bound.period));
        let text = Text::of(format!("{}{value} for {period}", lead(&figure.flags)));
        Some(text.cite(&[figure.source]).and(" contradicts"))
    }));
    parts
}

/// A figure as published, or what it is computed of with its result.
fn sum(check: &ValueCheck) -> Text {
    let mut text = Text::default();
    for (at, term) in check.terms.iter().enumerate() {
        let sign = match (at, term.sign) {
            (0, 0..) => "",
            (0, ..0) => "−",
            (_, 0..) => " + ",
            (_, ..0) => " − ",
        };
        let value = figures::short(&term.value);
        let figure = format!("{sign}{}{value}", lead(&term.flags));
        text = text.and(figure).cite(&[term.source]);
    }
    match check.terms.len() {
        ..2 => text,
        _ => text.and(format!(" = {}", figures::short(&check.observed))),
    }
}
