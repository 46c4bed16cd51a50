//! The calls that a scenario can mix.

use serde::Deserialize;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// The health of the process: the cost of a call that asks for nothing.
    Health,
    /// One figure by its name.
    PointRead,
    /// A series.
    Series,
    /// A series of the balance.
    Balance,
    /// Partners by value.
    Ranking,
    /// Goods by value.
    Goods,
    /// Both sides of the trade of a pair.
    Mirror,
    /// A page of a dataset's figures.
    ListFigures,
    /// Events of a pair.
    Events,
    /// The last and the next meeting of a pair.
    Meetings,
    /// The states of the agreements of a pair.
    Agreements,
    /// A briefing, by the gateway.
    Briefing,
    /// A page of the timeline of a pair, by the gateway.
    Timeline,
    /// A stream of batches into a dataset of the run's own.
    Ingest,
    /// An event of the pair that is watched.
    RecordEvent,
}

impl Kind {
    /// As files and results name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Health => "health",
            Kind::PointRead => "point-read",
            Kind::Series => "series",
            Kind::Balance => "balance",
            Kind::Ranking => "ranking",
            Kind::Goods => "goods",
            Kind::Mirror => "mirror",
            Kind::ListFigures => "list-figures",
            Kind::Events => "events",
            Kind::Meetings => "meetings",
            Kind::Agreements => "agreements",
            Kind::Briefing => "briefing",
            Kind::Timeline => "timeline",
            Kind::Ingest => "ingest",
            Kind::RecordEvent => "record-event",
        }
    }

    /// Its method, as a path.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Kind::Health => "/grpc.health.v1.Health/Check",
            Kind::PointRead => "/entente.trade.v1.TradeService/GetObservation",
            Kind::Series | Kind::Balance => "/entente.trade.v1.TradeService/GetSeries",
            Kind::Ranking => "/entente.trade.v1.TradeService/RankPartners",
            Kind::Goods => "/entente.trade.v1.TradeService/RankCommodities",
            Kind::Mirror => "/entente.trade.v1.TradeService/GetMirror",
            Kind::ListFigures => "/entente.trade.v1.TradeService/ListObservations",
            Kind::Events => "/entente.events.v1.EventsService/ListEvents",
            Kind::Meetings => "/entente.events.v1.EventsService/FindMeetings",
            Kind::Agreements => "/entente.events.v1.EventsService/ListAgreementStates",
            Kind::Briefing => "/entente.gateway.v1.GatewayService/GetBriefing",
            Kind::Timeline => "/entente.gateway.v1.GatewayService/ListTimeline",
            Kind::Ingest => "/entente.trade.v1.TradeService/IngestObservations",
            Kind::RecordEvent => "/entente.events.v1.EventsService/CreateEvent",
        }
    }

    /// Whether it writes.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Kind::Ingest | Kind::RecordEvent)
    }

    /// Whether it asks about figures.
    pub(crate) fn needs_figures(self) -> bool {
        match self {
            Kind::PointRead
            | Kind::Series
            | Kind::Balance
            | Kind::Ranking
            | Kind::Goods
            | Kind::Mirror
            | Kind::ListFigures => true,
            Kind::Health
            | Kind::Events
            | Kind::Meetings
            | Kind::Agreements
            | Kind::Briefing
            | Kind::Timeline
            | Kind::Ingest
            | Kind::RecordEvent => false,
        }
    }

    /// Whether it asks about pairs.
    pub(crate) fn needs_pairs(self) -> bool {
        matches!(
            self,
            Kind::Events | Kind::Meetings | Kind::Agreements | Kind::Briefing | Kind::Timeline
        )
    }
}
