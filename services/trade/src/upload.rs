//! One call of `IngestObservations`: batches on their way to disk while the next is read.

use std::collections::VecDeque;

use proto::Violations;
use proto::trade::v1 as wire;
use records::Who;
use store::{Pending, State, Store};
use tonic::{Status, Streaming};
use wire::ingest_observations_request::Part;

use crate::Model;
use crate::batch::{Batch, Header};
use crate::dataset::Record;
use crate::error::Error;
use crate::ingest::{self, BatchOutcome};

/// Batches of one ingest that are on their way to disk while the next is read.
const IN_FLIGHT: usize = 4;

type Messages = Streaming<wire::IngestObservationsRequest>;

/// The header, which must come first.
pub(crate) async fn header(stream: &mut Messages) -> Result<Header, Status> {
    match stream.message().await?.and_then(|first| first.part) {
        Some(Part::Header(header)) => Ok(Header::try_from(header)?),
        Some(Part::Batch(_)) | None => Err(misplaced("header", "must come first")),
    }
}

/// The next batch of an ingest, parsed; `None` at the end of the stream.
pub(crate) async fn next_batch(stream: &mut Messages) -> Result<Option<Batch>, Status> {
    let Some(message) = stream.message().await? else {
        return Ok(None);
    };
    match message.part {
        Some(Part::Batch(batch)) => Ok(Some(Batch::try_from(batch)?)),
        Some(Part::Header(_)) => Err(misplaced("header", "may only come first")),
        None => Err(misplaced("part", "is required")),
    }
}

fn misplaced(field: &str, what: &str) -> Status {
    Violations::one(field, what).into()
}

/// Batches on their way, and what became of those before.
pub(crate) struct Upload {
    store: Store<Model>,
    who: Who,
    header: Header,
    in_flight: VecDeque<Pending<BatchOutcome, Error>>,
    response: wire::IngestObservationsResponse,
}

impl Upload {
    pub(crate) fn start(store: Store<Model>, who: Who, header: Header) -> Result<Upload, Error> {
        store.read(|state| Record::find(state, &header.dataset, None))?;
        Ok(Upload {
            store,
            who,
            header,
            in_flight: VecDeque::new(),
            response: wire::IngestObservationsResponse {
                counts: Some(wire::RowCounts::default()),
                ..Default::default()
            },
        })
    }

    /// Takes a batch; waits for an earlier one when enough are on their way.
    pub(crate) async fn take(&mut self, batch: Batch) -> Result<(), Error> {
        if self.header.validate_only {
            return self.validate(batch).await;
        }
        let header = self.header.clone();
        let decide = move |state: &State<'_>, stamp| ingest::decide(&header, batch, state, stamp);
        match self.store.submit(self.who.clone().origin(), decide) {
            Ok(pending) => self.in_flight.push_back(pending),
            Err(refused) => {
                // An earlier batch that was refused is the one to tell.
                self.settle().await?;
                return Err(refused.into());
            }
        }
        if self.in_flight.len() < IN_FLIGHT {
            return Ok(());
        }
        self.settle_one().await
    }

    async fn validate(&mut self, batch: Batch) -> Result<(), Error> {
        let (store, header) = (self.store.clone(), self.header.clone());
        let validate = move || store.read(|state| ingest::validate(&header, batch, state));
        let outcome = store::aside(validate).await?;
        self.add(outcome);
        Ok(())
    }

    async fn settle_one(&mut self) -> Result<(), Error> {
        let Some(pending) = self.in_flight.pop_front() else {
            return Ok(());
        };
        let written = pending.wait().await?;
        if !written.reply.skipped {
            self.response.position = written.stamp.position;
        }
        self.add(written.reply);
        Ok(())
    }

    fn add(&mut self, outcome: BatchOutcome) {
        let BatchOutcome {
            skipped,
            counts,
            rejections,
            ingest,
        } = outcome;
        self.response.skipped_batches += i64::from(skipped);
        let before = self.response.counts.unwrap_or_default();
        self.response.counts = Some(ingest::sum(before, counts));
        let room = self.header.max_rejections - self.response.rejections.len();
        self.response
            .rejections
            .extend(rejections.into_iter().take(room));
        self.response.ingest = ingest.or(self.response.ingest.take());
    }

    /// Waits until every batch that was taken is recorded, or refused.
    pub(crate) async fn settle(&mut self) -> Result<(), Error> {
        while !self.in_flight.is_empty() {
            self.settle_one().await?;
        }
        Ok(())
    }

    pub(crate) async fn finish(mut self) -> Result<wire::IngestObservationsResponse, Error> {
        self.settle().await?;
        let Header {
            dataset,
            ingest,
            validate_only,
            ..
        } = &self.header;
        if self.response.ingest.is_none() && !validate_only {
            let standing = self
                .store
                .read(|state| ingest::standing(state, dataset, ingest))?;
            self.response.ingest = Some(standing);
        }
        Ok(self.response)
    }
}
