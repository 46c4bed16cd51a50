//! x
use proto::events::v1 as wire;
use proto::{Violations, google::api::HttpBody};
use records::{Error, Piece};
use store::{Decision, Micros, Origin, Request, State};

pub(crate) struct Export;
pub(crate) struct Import;
impl TryFrom<wire::ExportCalendarRequest> for Export {
    type Error = Violations;
    fn try_from(_: wire::ExportCalendarRequest) -> Result<Export, Violations> {
        unimplemented!()
    }
}
impl Export {
    pub(crate) fn next(&mut self, _: &State<'_>) -> Result<Piece<HttpBody>, Error> {
        unimplemented!()
    }
}
impl Import {
    pub(crate) fn parse(_: wire::ImportCalendarRequest) -> Result<(Import, Origin), Violations> {
        unimplemented!()
    }
    pub(crate) fn validate_only(&self) -> bool {
        unimplemented!()
    }
    pub(crate) fn decide(
        self,
        _: &State<'_>,
        _: Micros,
        _: Option<Request>,
    ) -> Result<Decision<wire::EventsChange, wire::ImportCalendarResponse>, Error> {
        unimplemented!()
    }
}
