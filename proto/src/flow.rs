//! Direction of trade as the reporter sees it.

use std::fmt;
use std::str::FromStr;

use crate::excerpt::Excerpt;
use crate::trade::v1 as wire;

/// A flow of trade. Re-exports are inside exports and re-imports inside imports; total trade is what a
/// publisher states, never a sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// `M`: imports, re-imports included.
    Import,
    /// `X`: exports, re-exports included.
    Export,
    /// `RM`: re-imports, a part of imports.
    ReImport,
    /// `RX`: re-exports, a part of exports.
    ReExport,
    /// `DX`: exports of domestic goods, a part of exports.
    DomesticExport,
    /// `FM`: imports of foreign goods, a part of imports.
    ForeignImport,
    /// `MIP`: imports for inward processing, a part of imports.
    ImportForInwardProcessing,
    /// `MOP`: imports after outward processing, a part of imports.
    ImportAfterOutwardProcessing,
    /// `XIP`: exports after inward processing, a part of exports.
    ExportAfterInwardProcessing,
    /// `XOP`: exports for outward processing, a part of exports.
    ExportForOutwardProcessing,
    /// `T`: total trade (turnover) as stated.
    TotalTrade,
}

impl Flow {
    /// All of them, in order.
    pub const ALL: [Flow; 11] = [
        Flow::Import,
        Flow::Export,
        Flow::ReImport,
        Flow::ReExport,
        Flow::DomesticExport,
        Flow::ForeignImport,
        Flow::ImportForInwardProcessing,
        Flow::ImportAfterOutwardProcessing,
        Flow::ExportAfterInwardProcessing,
        Flow::ExportForOutwardProcessing,
        Flow::TotalTrade,
    ];

    /// UN Comtrade's code, or `T` for total trade.
    pub fn code(self) -> &'static str {
        match self {
            Flow::Import => "M",
            Flow::Export => "X",
            Flow::ReImport => "RM",
            Flow::ReExport => "RX",
            Flow::DomesticExport => "DX",
            Flow::ForeignImport => "FM",
            Flow::ImportForInwardProcessing => "MIP",
            Flow::ImportAfterOutwardProcessing => "MOP",
            Flow::ExportAfterInwardProcessing => "XIP",
            Flow::ExportForOutwardProcessing => "XOP",
            Flow::TotalTrade => "T",
        }
    }

    /// By [`Flow::code`].
    pub fn from_code(code: &str) -> Option<Flow> {
        Flow::ALL.into_iter().find(|flow| flow.code() == code)
    }

    /// By the number of UN Comtrade's old layout: 1 import, 2 export, 3 re-export, 4 re-import.
    pub fn from_legacy(number: u8) -> Option<Flow> {
        match number {
            1 => Some(Flow::Import),
            2 => Some(Flow::Export),
            3 => Some(Flow::ReExport),
            4 => Some(Flow::ReImport),
            _ => None,
        }
    }

    /// The number to store.
    pub fn id(self) -> u8 {
        match self {
            Flow::Import => 1,
            Flow::Export => 2,
            Flow::ReImport => 3,
            Flow::ReExport => 4,
            Flow::DomesticExport => 5,
            Flow::ForeignImport => 6,
            Flow::ImportForInwardProcessing => 7,
            Flow::ImportAfterOutwardProcessing => 8,
            Flow::ExportAfterInwardProcessing => 9,
            Flow::ExportForOutwardProcessing => 10,
            Flow::TotalTrade => 11,
        }
    }

    /// By [`Flow::id`].
    pub fn from_id(id: u8) -> Option<Flow> {
        let index = usize::from(id).checked_sub(1)?;
        Flow::ALL.get(index).copied()
    }

    /// From the wire's number.
    pub fn from_wire(number: i32) -> Result<Flow, FlowError> {
        use wire::Flow as Wire;
        match Wire::try_from(number) {
            Ok(Wire::Unspecified) => Err(FlowError::Unspecified),
            Ok(Wire::Import) => Ok(Flow::Import),
            Ok(Wire::Export) => Ok(Flow::Export),
            Ok(Wire::ReImport) => Ok(Flow::ReImport),
            Ok(Wire::ReExport) => Ok(Flow::ReExport),
            Ok(Wire::DomesticExport) => Ok(Flow::DomesticExport),
            Ok(Wire::ForeignImport) => Ok(Flow::ForeignImport),
            Ok(Wire::ImportForInwardProcessing) => Ok(Flow::ImportForInwardProcessing),
            Ok(Wire::ImportAfterOutwardProcessing) => Ok(Flow::ImportAfterOutwardProcessing),
            Ok(Wire::ExportAfterInwardProcessing) => Ok(Flow::ExportAfterInwardProcessing),
            Ok(Wire::ExportForOutwardProcessing) => Ok(Flow::ExportForOutwardProcessing),
            Ok(Wire::TotalTrade) => Ok(Flow::TotalTrade),
            Err(_) => Err(FlowError::UnknownNumber(number)),
        }
    }

    /// To the wire.
    pub fn to_wire(self) -> wire::Flow {
        match self {
            Flow::Import => wire::Flow::Import,
            Flow::Export => wire::Flow::Export,
            Flow::ReImport => wire::Flow::ReImport,
            Flow::ReExport => wire::Flow::ReExport,
            Flow::DomesticExport => wire::Flow::DomesticExport,
            Flow::ForeignImport => wire::Flow::ForeignImport,
            Flow::ImportForInwardProcessing => wire::Flow::ImportForInwardProcessing,
            Flow::ImportAfterOutwardProcessing => wire::Flow::ImportAfterOutwardProcessing,
            Flow::ExportAfterInwardProcessing => wire::Flow::ExportAfterInwardProcessing,
            Flow::ExportForOutwardProcessing => wire::Flow::ExportForOutwardProcessing,
            Flow::TotalTrade => wire::Flow::TotalTrade,
        }
    }

    /// Whether goods come in: imports or a part of them.
    pub fn is_import_side(self) -> bool {
        match self {
            Flow::Import
            | Flow::ReImport
            | Flow::ForeignImport
            | Flow::ImportForInwardProcessing
            | Flow::ImportAfterOutwardProcessing => true,
            Flow::Export
            | Flow::ReExport
            | Flow::DomesticExport
            | Flow::ExportAfterInwardProcessing
            | Flow::ExportForOutwardProcessing
            | Flow::TotalTrade => false,
        }
    }

    /// Whether goods go out: exports or a part of them.
    pub fn is_export_side(self) -> bool {
        self != Flow::TotalTrade && !self.is_import_side()
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// Why a text or a number is no flow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// Nothing, or the wire's zero.
    #[error("not given: a flow is required (`M`, `X`, `RM`, `RX`, ...)")]
    Unspecified,
    /// A number that this version does not know.
    #[error("unknown flow {0}")]
    UnknownNumber(i32),
    /// A text that is no code.
    #[error(
        "unknown {0}: flows are `M`, `X`, `RM`, `RX`, `DX`, `FM`, `MIP`, `MOP`, `XIP`, `XOP`, `T`"
    )]
    UnknownCode(Excerpt),
}

impl FromStr for Flow {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Flow, FlowError> {
        match Flow::from_code(text) {
            Some(flow) => Ok(flow),
            None if text.is_empty() => Err(FlowError::Unspecified),
            None => Err(FlowError::UnknownCode(Excerpt::of(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Flow, FlowError};
    use proptest::prelude::*;

    #[test]
    fn flows_keep_their_codes_and_numbers() {
        for (index, flow) in Flow::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(flow.id()), index + 1);
            assert_eq!(Flow::from_id(flow.id()), Some(flow));
            assert_eq!(Flow::from_wire(flow.to_wire().into()), Ok(flow));
            assert_eq!(flow.to_string().parse(), Ok(flow));
        }
        assert_eq!(Flow::from_id(0), None);
        assert_eq!(Flow::from_id(12), None);
    }

    #[test]
    fn the_old_layout_swaps_re_exports_and_re_imports() {
        let codes = [1, 2, 3, 4].map(|number| Flow::from_legacy(number).map(Flow::code));
        assert_eq!(codes, [Some("M"), Some("X"), Some("RX"), Some("RM")]);
        assert_eq!(Flow::from_legacy(0), None);
        assert_eq!(Flow::from_legacy(5), None);
    }

    #[test]
    fn every_flow_but_the_turnover_has_a_side() {
        for flow in Flow::ALL {
            let sides = u8::from(flow.is_import_side()) + u8::from(flow.is_export_side());
            assert_eq!(sides, u8::from(flow != Flow::TotalTrade), "{flow}");
        }
    }

    #[test]
    fn what_is_no_flow_says_why() {
        assert_eq!(Flow::from_wire(0), Err(FlowError::Unspecified));
        assert_eq!(Flow::from_wire(-7), Err(FlowError::UnknownNumber(-7)));
        assert_eq!("".parse::<Flow>(), Err(FlowError::Unspecified));
        assert!(
            "m".parse::<Flow>()
                .unwrap_err()
                .to_string()
                .contains("`M`, `X`")
        );
    }

    proptest! {
        #[test]
        fn nothing_breaks_the_parser(text in any::<String>(), near in "[A-Z]{0,4}") {
            for text in [text, near] {
                if let Ok(flow) = text.parse::<Flow>() {
                    prop_assert_eq!(flow.code(), text);
                }
            }
        }
    }
}
