//! The sections of exchange and visas.

use proto::culture::v1::{FindVisaRulesResponse, Programme, VisaRule, VisaRulesOnDay};
use proto::gateway::v1 as wire;
use wire::{
    Briefing, BriefingSection as Section, ExchangeSection, MeasureFigure, OmissionReason,
    ProgrammePoint, VisaDirection, VisaRulePoint, VisaSection,
};

use super::Composing;
use crate::briefing::culture;
use crate::briefing::sources::cites_openly;

impl Composing<'_> {
    pub(super) fn culture(&mut self, gathered: culture::Gathered, briefing: &mut Briefing) {
        let culture::Gathered { exchange, visa } = gathered;
        briefing.exchange = exchange.map(|exchange| self.exchange(exchange));
        briefing.visa = visa.map(|rules| self.visa(rules));
    }

    fn exchange(&mut self, gathered: culture::GatheredExchange) -> ExchangeSection {
        let culture::GatheredExchange {
            programmes,
            measures,
            left,
        } = gathered;
        self.leave(Section::Exchange, left);
        let programmes = programmes.into_iter();
        let programmes = programmes.filter_map(|programme| self.programme(programme));
        let programmes = programmes.collect();
        let mut figures = Vec::new();
        for (subject, mut line, sources) in measures {
            let cited: Vec<i32> = line.points.iter().map(|point| point.source).collect();
            if self.query.is_public && !cites_openly(&sources, &cited) {
                self.omit(Section::Exchange, OmissionReason::Licence, 1, false);
                continue;
            }
            for point in &mut line.points {
                point.source = self.sources.renumbered(point.source, &sources);
            }
            figures.push(MeasureFigure {
                subject: Some(subject),
                line: Some(line),
            });
        }
        ExchangeSection {
            programmes,
            measures: figures,
        }
    }

    fn programme(&mut self, mut programme: Programme) -> Option<ProgrammePoint> {
        if !self.shows(Section::Exchange, &programme.sources) {
            return None;
        }
        let sources = self.sources.numbers(programme.sources.clone());
        self.sources.cite(&mut programme);
        Some(ProgrammePoint {
            programme: Some(programme),
            sources,
        })
    }

    fn visa(&mut self, found: FindVisaRulesResponse) -> VisaSection {
        let directions = found.directions.into_iter().map(|direction| {
            let VisaRulesOnDay {
                citizens_of,
                destination,
                in_force,
                uncertain,
            } = direction;
            let mut points = |rules: Vec<VisaRule>| {
                let points = rules.into_iter().filter_map(|rule| self.visa_rule(rule));
                points.collect::<Vec<VisaRulePoint>>()
            };
            VisaDirection {
                citizens_of,
                destination,
                in_force: points(in_force),
                uncertain: points(uncertain),
            }
        });
        VisaSection {
            directions: directions.collect(),
        }
    }

    fn visa_rule(&mut self, mut rule: VisaRule) -> Option<VisaRulePoint> {
        if !self.shows(Section::Visa, &rule.sources) {
            return None;
        }
        let sources = self.sources.numbers(std::mem::take(&mut rule.sources));
        Some(VisaRulePoint {
            visa_rule: Some(rule),
            sources,
        })
    }
}
