//! Exchange on the page: programmes, figures, visas.

use proto::culture::v1::{
    MeasureFlag, MeasureKind, MeasurePoint, MilestoneKind, ProgrammeKind, ProgrammeStatus,
};
use proto::gateway::v1 as wire;
use wire::measure_figure::Subject;
use wire::{Briefing, MeasureFigure, ProgrammePoint, VisaDirection, VisaRulePoint};

use super::page::{Page, Text};
use super::relations::noted;
use super::upshot::that_is_shown;
use crate::culture::{visa_begins, visa_ends, visa_requirement};
use crate::{dates, figures, names, words};

pub(super) fn write(briefing: &Briefing, language: &str, page: &mut Page) {
    if let Some(section) = &briefing.exchange {
        page.section("Exchange of people");
        if section.programmes.is_empty() && section.measures.is_empty() {
            page.paragraph(Text::of("Nothing is recorded."));
        }
        for point in &section.programmes {
            programme(point, language, page);
        }
        if !section.measures.is_empty() {
            page.part("In figures, the latest of each publisher");
        }
        for figure in &section.measures {
            if let Some(text) = measure(figure) {
                page.point(text);
            }
        }
    }
    if let Some(section) = &briefing.visa {
        page.section("Visas");
        section
            .directions
            .iter()
            .for_each(|direction| visa(direction, that_is_shown(briefing), page));
    }
}

fn programme(point: &ProgrammePoint, language: &str, page: &mut Page) {
    let programme = point.programme.clone().unwrap_or_default();
    let kind = names::shown::<ProgrammeKind>(programme.kind);
    let title = words::text_in(programme.title.as_ref(), language);
    let dates = dates::span(programme.start_date.as_ref(), programme.end_date.as_ref());
    let dates = if dates.is_empty() {
        dates
    } else {
        format!(", {dates}")
    };
    page.point(Text::of(format!("{title} ({kind}{dates})")).cite(&point.sources));
    let mut milestones = programme.milestones.clone();
    milestones.sort_by_key(|milestone| dates::date(milestone.date.as_ref()));
    let milestones = milestones.iter().map(|milestone| {
        let kind = names::shown::<MilestoneKind>(milestone.kind);
        let date = dates::date(milestone.date.as_ref());
        let text = Text::of(format!("{kind} {date}")).cite(&[milestone.source]);
        text.and(noted(&milestone.note))
    });
    let milestones: Vec<Text> = milestones.collect();
    if !milestones.is_empty() {
        page.detail(Text::list(milestones, ", "));
    }
    let observed = programme.observed_statuses.iter().map(|observed| {
        let status = names::shown::<ProgrammeStatus>(observed.status);
        let date = dates::date(observed.date.as_ref());
        Text::of(format!("said to be {status}, {date}")).cite(&[observed.source])
    });
    let inferred = programme.inferred_status.iter().map(|inferred| {
        let status = names::shown::<ProgrammeStatus>(inferred.status);
        let date = dates::date(inferred.date.as_ref());
        let basis = noted(&inferred.basis);
        Text::of(format!("inferred {date}: {status}{basis}")).cite(&[inferred.source])
    });
    let statuses: Vec<Text> = observed.chain(inferred).collect();
    if !statuses.is_empty() {
        page.detail(Text::list(statuses, "; "));
    }
}

fn measure(figure: &MeasureFigure) -> Option<Text> {
    let line = figure.line.as_ref()?;
    let point = line.points.last()?;
    let of = match figure.subject.as_ref()? {
        Subject::Programme(name) => name.clone(),
        Subject::Direction(way) => format!("{} to {}", way.from, way.to),
    };
    let kind = names::shown::<MeasureKind>(line.kind);
    let item = match line.item.as_str() {
        "" => String::new(),
        item => format!(", {}", item.replace('-', " ")),
    };
    let period = words::period(&point.period);
    let (value, growth) = (amount(point, &line.unit), growth(point));
    let text = format!(
        "{of}, {kind}{item}, {period}: {value}{growth} ({})",
        line.publisher
    );
    Some(Text::of(text).cite(&[point.source]))
}

fn amount(point: &MeasurePoint, unit: &str) -> String {
    if point.value.is_empty() {
        return "not available".to_owned();
    }
    let is_least = point.flags.contains(&MeasureFlag::LowerBound.into());
    let more = if is_least { "over " } else { "" };
    format!("{more}{} {unit}", figures::grouped(&point.value))
}

fn growth(point: &MeasurePoint) -> String {
    match point.growth.as_str() {
        "" => String::new(),
        growth => format!(", {} over a year before", figures::percent(growth)),
    }
}

fn visa(direction: &VisaDirection, shown: &str, page: &mut Page) {
    let way = format!(
        "citizens of {} to {}",
        words::country(&direction.citizens_of),
        words::country(&direction.destination)
    );
    if direction.in_force.is_empty() && direction.uncertain.is_empty() {
        page.point(Text::of(format!("{way}: no rule is known{shown}")));
    }
    for point in &direction.in_force {
        page.point(rule(&way, "", point));
    }
    for point in &direction.uncertain {
        page.point(rule(&way, "perhaps ", point));
    }
}

fn rule(way: &str, surely: &str, point: &VisaRulePoint) -> Text {
    let rule = point.visa_rule.clone().unwrap_or_default();
    let ends = match visa_ends(&rule).as_str() {
        "" => String::new(),
        ends => format!(", until {ends}"),
    };
    let (needs, begins) = (visa_requirement(&rule), visa_begins(&rule));
    let text = Text::of(format!(
        "{way}: {surely}{needs}; in force since {begins}{ends}"
    ));
    text.cite(&point.sources).and(noted(&rule.note))
}
