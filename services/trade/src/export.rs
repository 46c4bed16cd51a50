//! Exports: a dataset's figures by filter as a stream of messages, all as of its start.
//!
//! Each message is made when the reader takes it, from a short read of its own; between messages an export
//! holds its place in the walk and the numbers of the sources that it has sent, and no figures. What is
//! written meanwhile is told apart by its vintage.

use std::collections::HashMap;
use std::ops::ControlFlow;

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Slug, Violations, parse_dataset_name, parse_timestamp, to_timestamp};
use store::{Micros, State};
use wire::ObservationGroup;

use crate::batch::GroupKey;
use crate::dataset::Record;
use records::Piece;

use crate::error::Error;
use crate::figure::Figure;
use crate::filter::{Filter, Resume, Walk};
use crate::keys::BlockKey;
use crate::query::source;

/// A message that has reached this size ends: writes wait while it is made, some milliseconds.
const MESSAGE_BYTES: usize = 256 << 10;

/// Which figures.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    filter: Filter,
    as_of: Option<Micros>,
}

impl TryFrom<wire::ExportObservationsRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::ExportObservationsRequest) -> Result<Query, Violations> {
        let wire::ExportObservationsRequest {
            parent,
            filter,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let dataset = violations.check("parent", parse_dataset_name(&parent));
        let filter = Filter::try_from(filter.unwrap_or_default());
        let filter = violations.check_nested("filter", filter);
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        let (Some(dataset), Some(filter), Some(as_of)) = (dataset, filter, as_of) else {
            return Err(violations);
        };
        Ok(Query {
            dataset,
            filter,
            as_of,
        })
    }
}

/// An export under way.
#[derive(Debug)]
pub(crate) struct Export {
    filter: Filter,
    record: Record,
    as_of: Micros,
    place: Place,
    /// Whether a message was sent.
    told: bool,
    /// Numbers of the sources that were sent, and their place among those, from 1.
    sources: HashMap<u32, i32>,
}

#[derive(Debug)]
enum Place {
    Start,
    /// The walk goes on there.
    At(Resume),
    End,
}

impl Export {
    /// Starts an export as of now, or earlier.
    pub(crate) fn start(state: &State<'_>, query: Query) -> Result<Export, Error> {
        let Query {
            dataset,
            filter,
            as_of,
        } = query;
        let record = Record::find(state, &dataset, as_of)?;
        let now = state.stamp().time;
        Ok(Export {
            filter,
            record,
            as_of: as_of.map_or(now, |asked| asked.min(now)),
            place: Place::Start,
            told: false,
            sources: HashMap::new(),
        })
    }

    /// Walks on, as far as a message goes or so many blocks may be looked at. An export without figures has
    /// a message too, which says as of when there are none.
    pub(crate) fn next(
        &mut self,
        state: &State<'_>,
    ) -> Result<Piece<wire::ExportObservationsResponse>, records::Error> {
        let from = match std::mem::replace(&mut self.place, Place::End) {
            Place::Start => None,
            Place::At(resume) => Some(resume),
            Place::End => return Ok(Piece::End),
        };
        let walk = Walk {
            filter: &self.filter,
            dataset: self.record.number,
            as_of: self.as_of,
        };
        let mut message = Part {
            state,
            record: &self.record,
            sent: &mut self.sources,
            bytes: 0,
            last: None,
            response: wire::ExportObservationsResponse {
                as_of: Some(to_timestamp(self.as_of)),
                ..Default::default()
            },
        };
        let next = walk.go(state, from, |key, figure| message.take(key, figure))?;
        let Part { response, .. } = message;
        let ended = next.is_none();
        self.place = next.map_or(Place::End, Place::At);
        if response.groups.is_empty() && (self.told || !ended) {
            return Ok(if ended { Piece::End } else { Piece::Nothing });
        }
        self.told = true;
        Ok(Piece::Message(response))
    }
}

/// A message that is being filled.
struct Part<'a> {
    state: &'a State<'a>,
    record: &'a Record,
    sent: &'a mut HashMap<u32, i32>,
    bytes: usize,
    /// The block of the last row.
    last: Option<BlockKey>,
    response: wire::ExportObservationsResponse,
}

impl Part<'_> {
    fn take(&mut self, key: &BlockKey, figure: &Figure) -> Result<ControlFlow<()>, store::Error> {
        if self.bytes > MESSAGE_BYTES {
            return Ok(ControlFlow::Break(()));
        }
        let row = figure.to_row(self.source(figure.source)?);
        self.bytes += row.encoded_len() + OVERHEAD;
        self.group(key).rows.push(row);
        Ok(ControlFlow::Continue(()))
    }

    /// The group that the rows of a block are in.
    fn group(&mut self, key: &BlockKey) -> &mut ObservationGroup {
        let groups = &mut self.response.groups;
        if self.last != Some(*key) {
            self.last = Some(*key);
            let group = group_key(key).to_wire(Vec::new());
            self.bytes += group.encoded_len() + OVERHEAD;
            groups.push(group);
        }
        groups.last_mut().expect("one was pushed")
    }

    /// The place of a source among those that the stream has sent; one that is new to it is sent.
    fn source(&mut self, number: u32) -> Result<i32, store::Error> {
        if number == 0 {
            return Ok(0);
        }
        let next = i32::try_from(self.sent.len() + 1).unwrap_or(i32::MAX);
        let place = *self.sent.entry(number).or_insert(next);
        if place == next {
            let source = source(self.state, self.record, number)?.unwrap_or_default();
            self.bytes += source.encoded_len() + OVERHEAD;
            self.response.sources.push(source);
        }
        Ok(place)
    }
}

fn group_key(key: &BlockKey) -> GroupKey {
    let BlockKey {
        dataset: _,
        reporter,
        partner,
        flow,
        part: _,
        period,
        classification,
    } = *key;
    GroupKey {
        reporter,
        partner,
        flow,
        classification,
        period,
    }
}

/// Bytes around a nested message.
const OVERHEAD: usize = 4;
