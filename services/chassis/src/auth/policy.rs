//! Who may call what: one table, and what does not stand in it is refused.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::Role;

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// No login: probes have none.
    Nothing,
    /// A caller of this role, or of one that may do more.
    Role(Role),
}

const NOTHING: Needs = Needs::Nothing;
const READER: Needs = Needs::Role(Role::Reader);
const EDITOR: Needs = Needs::Role(Role::Editor);
const ADMIN: Needs = Needs::Role(Role::Admin);

type Service = (&'static str, &'static [(&'static str, Needs)]);

const TABLE: &[Service] = &[
    (
        "entente.trade.v1.TradeService",
        &[
            ("CreateDataset", EDITOR),
            ("GetDataset", READER),
            ("ListDatasets", READER),
            ("UpdateDataset", EDITOR),
            ("ListCoverage", READER),
            ("ListSides", READER),
            ("IngestObservations", EDITOR),
            ("GetIngest", READER),
            ("GetObservation", READER),
            ("ListObservations", READER),
            ("CompareObservations", READER),
            ("ExportObservations", READER),
            ("ListVintages", READER),
            ("ListObservationChanges", READER),
            ("ListTimeline", READER),
            ("GetSeries", READER),
            ("RankPartners", READER),
            ("RankCommodities", READER),
            ("GetMirror", READER),
            ("GetIndicators", READER),
            ("CreateSector", EDITOR),
            ("GetSector", READER),
            ("ListSectors", READER),
            ("UpdateSector", EDITOR),
            ("DeleteSector", EDITOR),
            ("RecordConcordance", EDITOR),
            ("ListConcordances", READER),
            ("ConvertCommodity", READER),
            ("RecordCommodityNames", EDITOR),
            ("ListCommodities", READER),
            ("CreateStatement", EDITOR),
            ("BatchCreateStatements", EDITOR),
            ("GetStatement", READER),
            ("ListStatements", READER),
            ("UpdateStatement", EDITOR),
            ("DeleteStatement", EDITOR),
            ("CheckStatement", READER),
            ("ListChanges", READER),
            ("WatchChanges", READER),
        ],
    ),
    (
        "entente.events.v1.EventsService",
        &[
            ("CreateEvent", EDITOR),
            ("BatchCreateEvents", EDITOR),
            ("GetEvent", READER),
            ("ListEvents", READER),
            ("UpdateEvent", EDITOR),
            ("DeleteEvent", EDITOR),
            ("ListEventVersions", READER),
            ("CreateAgreement", EDITOR),
            ("BatchCreateAgreements", EDITOR),
            ("GetAgreement", READER),
            ("ListAgreements", READER),
            ("UpdateAgreement", EDITOR),
            ("DeleteAgreement", EDITOR),
            ("ListAgreementVersions", READER),
            ("ListAgreementStates", READER),
            ("ListTimeline", READER),
            ("FindMeetings", READER),
            ("CountMeetings", READER),
            ("ExportCalendar", READER),
            ("ImportCalendar", EDITOR),
            ("ListChanges", READER),
            ("WatchChanges", READER),
        ],
    ),
    (
        "entente.culture.v1.CultureService",
        &[
            ("CreateProgramme", EDITOR),
            ("BatchCreateProgrammes", EDITOR),
            ("GetProgramme", READER),
            ("ListProgrammes", READER),
            ("UpdateProgramme", EDITOR),
            ("DeleteProgramme", EDITOR),
            ("ListProgrammeVersions", READER),
            ("RecordMeasures", EDITOR),
            ("GetMeasure", READER),
            ("ListMeasures", READER),
            ("DeleteMeasure", EDITOR),
            ("ListMeasureVersions", READER),
            ("GetMeasureSeries", READER),
            ("CreateVisaRule", EDITOR),
            ("BatchCreateVisaRules", EDITOR),
            ("GetVisaRule", READER),
            ("ListVisaRules", READER),
            ("UpdateVisaRule", EDITOR),
            ("DeleteVisaRule", EDITOR),
            ("ListVisaRuleVersions", READER),
            ("FindVisaRules", READER),
            ("ListVisaChanges", READER),
            ("ListTimeline", READER),
            ("ListChanges", READER),
            ("WatchChanges", READER),
        ],
    ),
    (
        "entente.journal.v1.JournalService",
        &[
            ("GetJournal", READER),
            ("GetJournalStatus", READER),
            ("VerifyJournal", ADMIN),
            ("BackupJournal", ADMIN),
            ("ListAuditEntries", ADMIN),
        ],
    ),
    (
        "entente.gateway.v1.GatewayService",
        &[
            ("GetBriefing", READER),
            ("ListTimeline", READER),
            ("ListChanges", READER),
            ("WatchRelationship", READER),
            ("GetStatus", READER),
        ],
    ),
    (
        "grpc.health.v1.Health",
        &[("Check", NOTHING), ("Watch", NOTHING)],
    ),
    (
        "grpc.reflection.v1.ServerReflection",
        &[("ServerReflectionInfo", READER)],
    ),
    (
        "grpc.reflection.v1alpha.ServerReflection",
        &[("ServerReflectionInfo", READER)],
    ),
];

static BY_PATH: LazyLock<HashMap<String, Needs>> = LazyLock::new(|| {
    let path = |(service, method, needs)| (format!("/{service}/{method}"), needs);
    table().map(path).collect()
});

/// The table: service, method, and what a call of it needs.
pub fn table() -> impl Iterator<Item = (&'static str, &'static str, Needs)> {
    let of = |(service, methods): &'static Service| {
        let methods = methods.iter();
        methods.map(move |(method, needs)| (*service, *method, *needs))
    };
    TABLE.iter().flat_map(of)
}

/// What a call of the method at a path needs, with the path as the table has it; `None` where it does not stand there.
pub(crate) fn find(path: &str) -> Option<(&'static str, Needs)> {
    let (path, needs) = BY_PATH.get_key_value(path)?;
    Some((path, *needs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_stands_in_the_table_once() {
        assert_eq!(BY_PATH.len(), table().count());
    }

    #[test]
    fn what_does_not_stand_there_is_not_found() {
        let known = "/entente.journal.v1.JournalService/BackupJournal";
        assert_eq!(find(known), Some((known, ADMIN)));
        for unknown in [
            "",
            "/",
            "/entente.journal.v1.JournalService/Backup",
            &known[1..],
        ] {
            assert_eq!(find(unknown), None, "{unknown:?}");
        }
    }
}
