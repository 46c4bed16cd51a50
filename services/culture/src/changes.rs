//! What became of records: the requests for the versions of one, and for the changes of all between two instants.

use proto::culture::v1 as wire;
use wire::record_change::Record as Changed;
use wire::{ListChangesRequest, ListChangesResponse};
use wire::{ListMeasureVersionsRequest, ListMeasureVersionsResponse};
use wire::{ListProgrammeVersionsRequest, ListProgrammeVersionsResponse};
use wire::{ListVisaRuleVersionsRequest, ListVisaRuleVersionsResponse};
use wire::{Measure, MeasureVersion, Programme, ProgrammeVersion};
use wire::{RecordChange, VisaRule, VisaRuleVersion};

use crate::Model;

records::changes_request!(
    Model,
    ListChangesRequest,
    ListChangesResponse { RecordChange { Changed: Programme, Measure, VisaRule } }
);
records::versions_request!(
    Model,
    ListProgrammeVersionsRequest of Programme,
    ListProgrammeVersionsResponse { ProgrammeVersion { programme } }
);
records::versions_request!(
    Model,
    ListMeasureVersionsRequest of Measure,
    ListMeasureVersionsResponse { MeasureVersion { measure } }
);
records::versions_request!(
    Model,
    ListVisaRuleVersionsRequest of VisaRule,
    ListVisaRuleVersionsResponse { VisaRuleVersion { visa_rule } }
);
