//! A figure with all that a row of a file says, out of the groups of a stream.

use anyhow::Context;
use proto::trade::v1 as wire;
use proto::r#type::v1::Source;
use proto::{CivilDate, Code, Flow, Scaled, parse_timestamp};

use super::subject::Subject;
use crate::rows::{Flags, GroupKey};
use crate::sources;

/// A figure, parsed: what a sink writes is what was understood.
pub(super) struct Figure<'a> {
    pub(super) subject: &'a Subject,
    pub(super) key: GroupKey,
    pub(super) code: Code,
    pub(super) value: Scaled,
    pub(super) net_weight: Option<Scaled>,
    pub(super) quantity: Option<Scaled>,
    /// UN Comtrade's code; 0: none.
    pub(super) quantity_unit: i32,
    pub(super) flags: Flags,
    /// Its own source, or the dataset's.
    pub(super) source: &'a Source,
    /// In microseconds since 1970.
    pub(super) vintage: Option<i64>,
}

impl Figure<'_> {
    pub(super) fn valuation(&self) -> wire::Valuation {
        self.subject.valuation(self.key.flow)
    }
}

/// An instant in microseconds since 1970, as RFC 3339 in UTC.
pub(super) fn instant(micros: i64) -> String {
    let instant = jiff::Timestamp::from_microsecond(micros);
    instant.map(|at| at.to_string()).unwrap_or_default()
}

/// An exact decimal, or nothing.
pub(super) fn decimal(amount: Option<Scaled>) -> String {
    amount.map(|amount| amount.to_string()).unwrap_or_default()
}

/// A civil date, or nothing.
pub(super) fn date(date: Option<proto::r#type::v1::CivilDate>) -> String {
    let date = date.and_then(|date| CivilDate::try_from(date).ok());
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// Figures out of the messages of a stream, with the sources that these sent so far.
pub(super) struct Figures<'a> {
    subject: &'a Subject,
    sources: Vec<Source>,
    count: u64,
}

impl<'a> Figures<'a> {
    pub(super) fn new(subject: &'a Subject) -> Self {
        Self {
            subject,
            sources: Vec::new(),
            count: 0,
        }
    }

    /// How many figures there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Hands out the figures of a message. What is not understood ends the export: a file must not lack it.
    pub(super) fn take(
        &mut self,
        message: wire::ExportObservationsResponse,
        each: &mut dyn FnMut(&Figure<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.sources.extend(message.sources);
        for group in &message.groups {
            let key = parse_key(group).context("the service sent a group that is none")?;
            for row in &group.rows {
                let figure = self.figure(key, row);
                let named = || {
                    format!(
                        "the service sent a figure that is none: {key:?} {}",
                        row.code
                    )
                };
                each(&figure.with_context(named)?)?;
                self.count += 1;
            }
        }
        Ok(())
    }

    fn figure(&self, key: GroupKey, row: &wire::ObservationRow) -> anyhow::Result<Figure<'_>> {
        let wire::ObservationRow {
            number: _,
            code,
            value,
            net_weight,
            quantity,
            quantity_unit,
            flags,
            source,
            vintage,
        } = row;
        Ok(Figure {
            subject: self.subject,
            key,
            code: code.parse()?,
            value: value.parse()?,
            net_weight: given(net_weight)?,
            quantity: given(quantity)?,
            quantity_unit: *quantity_unit,
            flags: parse_flags(flags)?,
            source: self.source(*source)?,
            vintage: vintage.as_ref().map(parse_timestamp).transpose()?,
        })
    }

    /// By its number in the stream, from 1.
    fn source(&self, number: i32) -> anyhow::Result<&Source> {
        if number == 0 {
            return Ok(self.subject.source());
        }
        sources::cited(&self.sources, number)
            .with_context(|| format!("source {number} was not sent"))
    }
}

fn parse_key(group: &wire::ObservationGroup) -> anyhow::Result<GroupKey> {
    let wire::ObservationGroup {
        reporter,
        partner,
        flow,
        classification,
        period,
        rows: _,
    } = group;
    Ok(GroupKey {
        reporter: reporter.parse()?,
        partner: partner.parse()?,
        flow: Flow::from_wire(*flow)?,
        classification: classification.parse()?,
        period: period.parse()?,
    })
}

fn given(text: &str) -> anyhow::Result<Option<Scaled>> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(text.parse()?))
}

fn parse_flags(numbers: &[i32]) -> anyhow::Result<Flags> {
    let mut flags = Flags::default();
    for number in numbers {
        let flag = wire::ObservationFlag::try_from(*number);
        flags.insert(flag.with_context(|| format!("flag {number} is not known here"))?);
    }
    Ok(flags)
}
