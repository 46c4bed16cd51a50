//! What an upload brings: its header, and batches of rows, parsed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use prost::Message;
use proto::trade::v1 as wire;
use proto::r#type::v1::Source as WireSource;
use proto::{Classification, Country, Flow, Period, Slug, Source, Violations, parse_dataset_name};
use store::Micros;
use wire::{ObservationGroup, ObservationRow, RowRejection};

use crate::figure::Row;
use crate::keys::{BlockKey, ChangeKey, Part};

const MAX_ROWS: usize = 20_000;
const MAX_SOURCES: usize = 1_000;
/// With 1 MiB of rows, an entry of the journal still fits the largest message to a watcher.
const MAX_SOURCE_BYTES: usize = 512 << 10;
const DEFAULT_REJECTIONS: usize = 100;
const MAX_REJECTIONS: i32 = 1_000;

/// What an ingest's header asks for.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) dataset: Slug,
    pub(crate) ingest: Slug,
    pub(crate) validate_only: bool,
    pub(crate) strict: bool,
    pub(crate) max_rejections: usize,
}

impl TryFrom<wire::IngestHeader> for Header {
    type Error = Violations;

    fn try_from(header: wire::IngestHeader) -> Result<Header, Violations> {
        let wire::IngestHeader {
            parent,
            ingest_id,
            validate_only,
            strict,
            max_rejections,
        } = header;
        let mut violations = Violations::new();
        let dataset = violations.check("header.parent", parse_dataset_name(&parent));
        let ingest = violations.check("header.ingest_id", Slug::parse_loose(&ingest_id));
        if max_rejections < 0 {
            violations.push("header.max_rejections", "must not be negative");
        }
        let (Some(dataset), Some(ingest)) = (dataset, ingest) else {
            return Err(violations);
        };
        let max_rejections = match usize::try_from(max_rejections.min(MAX_REJECTIONS)) {
            Ok(0) | Err(_) => DEFAULT_REJECTIONS,
            Ok(given) => given,
        };
        violations.into_result(Header {
            dataset,
            ingest,
            validate_only,
            strict,
            max_rejections,
        })
    }
}

/// A batch whose rows are parsed; those that did not parse are rejected already.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) sequence: i64,
    pub(crate) groups: Vec<Group>,
    pub(crate) sources: Vec<WireSource>,
    pub(crate) rejections: Vec<RowRejection>,
}

/// Rows of a batch with the same reporter, partner, flow, classification and period.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) key: GroupKey,
    pub(crate) rows: Vec<GivenRow>,
}

/// A row and what it parsed to: the row itself is journaled, so that nothing is written anew for it.
#[derive(Clone, Debug)]
pub(crate) struct GivenRow {
    pub(crate) given: ObservationRow,
    pub(crate) parsed: Row,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GroupKey {
    pub(crate) reporter: Country,
    pub(crate) partner: Country,
    pub(crate) flow: Flow,
    pub(crate) classification: Classification,
    pub(crate) period: Period,
}

impl TryFrom<wire::ObservationBatch> for Batch {
    type Error = Violations;

    fn try_from(batch: wire::ObservationBatch) -> Result<Batch, Violations> {
        let wire::ObservationBatch {
            sequence,
            groups,
            sources,
        } = batch;
        let mut violations = Violations::new();
        if sequence < 1 {
            violations.push("batch.sequence", "must be at least 1");
        }
        let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
        if rows > MAX_ROWS {
            violations.push("batch.groups", format!("{rows} rows; at most {MAX_ROWS}"));
        }
        if sources.len() > MAX_SOURCES {
            let count = sources.len();
            violations.push("batch.sources", format!("{count}; at most {MAX_SOURCES}"));
        }
        for (index, _) in groups.iter().enumerate().filter(|(_, g)| g.rows.is_empty()) {
            violations.push(format!("batch.groups[{index}].rows"), "at least one");
        }
        let sources = parse_sources(&mut violations, sources);
        let bytes: usize = sources.iter().map(Message::encoded_len).sum();
        if bytes > MAX_SOURCE_BYTES {
            violations.push(
                "batch.sources",
                format!("{bytes} bytes; at most {MAX_SOURCE_BYTES}"),
            );
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        let mut parsed = Batch {
            sequence,
            groups: Vec::with_capacity(groups.len()),
            sources,
            rejections: Vec::new(),
        };
        let mut places = HashMap::new();
        for group in groups {
            parsed.take_in(group, &mut places);
        }
        Ok(parsed)
    }
}

fn parse_sources(violations: &mut Violations, sources: Vec<WireSource>) -> Vec<WireSource> {
    let parse = |(index, source): (usize, WireSource)| {
        let field = format!("batch.sources[{index}]");
        violations.check_nested(&field, Source::try_from(source))
    };
    let parsed = sources.into_iter().enumerate().filter_map(parse);
    parsed.map(Into::into).collect()
}

impl Batch {
    fn take_in(&mut self, group: ObservationGroup, places: &mut HashMap<GroupKey, usize>) {
        let ObservationGroup {
            reporter,
            partner,
            flow,
            classification,
            period,
            rows,
        } = group;
        let mut violations = Violations::new();
        let key = (
            violations.check("reporter", reporter.parse()),
            violations.check("partner", partner.parse()),
            violations.check("flow", Flow::from_wire(flow)),
            violations.check("classification", classification.parse()),
            violations.check("period", period.parse()),
        );
        let (Some(reporter), Some(partner), Some(flow), Some(classification), Some(period)) = key
        else {
            for row in &rows {
                self.rejections.push(rejection(row.number, &violations));
            }
            return;
        };
        let key = GroupKey {
            reporter,
            partner,
            flow,
            classification,
            period,
        };
        let mut rows_parsed = Vec::with_capacity(rows.len());
        for row in rows {
            match Row::parse(&row, self.sources.len()) {
                Ok(parsed)
                    if classification == Classification::Na && !parsed.figure.code.is_total() =>
                {
                    let only =
                        Violations::one("code", "only TOTAL stands without a classification");
                    self.rejections.push(rejection(row.number, &only));
                }
                Ok(parsed) => rows_parsed.push(GivenRow { given: row, parsed }),
                Err(violations) => self.rejections.push(rejection(row.number, &violations)),
            }
        }
        // Rows of one key may come in many groups; a block is rewritten once for all of them.
        match places.entry(key) {
            Entry::Occupied(place) => self.groups[*place.get()].rows.append(&mut rows_parsed),
            Entry::Vacant(place) => {
                place.insert(self.groups.len());
                self.groups.push(Group {
                    key,
                    rows: rows_parsed,
                });
            }
        }
    }
}

fn rejection(row: i64, violations: &Violations) -> RowRejection {
    let (field, reason) = violations.iter().next().unwrap_or_default();
    RowRejection {
        row,
        field: field.to_owned(),
        reason: reason.to_owned(),
    }
}

impl GroupKey {
    pub(crate) fn block_key(&self, dataset: u32, part: Part) -> BlockKey {
        BlockKey {
            dataset,
            reporter: self.reporter,
            partner: self.partner,
            flow: self.flow,
            part,
            period: self.period,
            classification: self.classification,
        }
    }

    pub(crate) fn change_key(&self, dataset: u32, recorded: Micros) -> ChangeKey {
        ChangeKey {
            reporter: self.reporter,
            partner: self.partner,
            recorded,
            dataset,
            flow: self.flow,
            period: self.period,
            classification: self.classification,
        }
    }

    pub(crate) fn to_wire(self, rows: Vec<ObservationRow>) -> ObservationGroup {
        ObservationGroup {
            reporter: self.reporter.to_string(),
            partner: self.partner.to_string(),
            flow: self.flow.to_wire().into(),
            classification: self.classification.to_string(),
            period: self.period.to_string(),
            rows,
        }
    }
}
