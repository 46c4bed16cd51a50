//! Lists of the records that a filter lets through.

use proto::Violations;
use store::{Model, State};

use crate::error::Error;
use crate::list::{Page, Paging, page_along};
use crate::place::Span;
use crate::record::Record;
use crate::request::ListRequest;

/// Which records of a kind are asked for.
pub trait Filter<S: Model>: TryFrom<Self::Wire, Error = Violations> + Send + 'static {
    /// As a request has it.
    type Wire: Default;
    /// The records.
    type Record: Record<S>;
    /// Records of a page that names no number, and at most.
    const SIZES: (u32, u32) = (50, 500);

    /// The shortest way to all that it lets through.
    fn span(&self) -> Span;
    /// Whether a record along that way is asked for.
    fn lets_through(&self, record: &Self::Record) -> bool;
}

/// A page of records by filter.
#[derive(Debug)]
pub(crate) struct Filtered<F> {
    paging: Paging,
    filter: F,
}

impl<F> Filtered<F> {
    /// Parses a request, out of which `filter` is taken.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn parse<S: Model, Q: ListRequest<S>>(
        mut request: Q,
        filter: impl FnOnce(Q) -> Option<<F as Filter<S>>::Wire>,
    ) -> Result<Filtered<F>, Violations>
    where
        F: Filter<S>,
    {
        let mut violations = Violations::new();
        let paging = Paging::take(&mut request, F::SIZES, &mut violations);
        let filter = F::try_from(filter(request).unwrap_or_default());
        let filter = violations.check_nested("filter", filter);
        let (paging, filter) = paging.zip(filter).ok_or(violations)?;
        Ok(Filtered { paging, filter })
    }

    /// The page, in the order of the index that is walked.
    ///
    /// # Errors
    /// [`Error::PageToken`].
    pub(crate) fn page<S: Model>(
        &self,
        state: &State<'_>,
    ) -> Result<Page<<F as Filter<S>>::Record>, Error>
    where
        F: Filter<S>,
    {
        let Filtered { paging, filter } = self;
        let keep = |record: &F::Record| filter.lets_through(record);
        page_along::<S, _>(state, paging, &filter.span(), keep)
    }
}
