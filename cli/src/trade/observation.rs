//! The parts of a figure, as its cells show them.

use proto::trade::v1 as wire;
use wire::Observation;

/// What was traded, and its value.
pub(super) fn parts(observation: &Observation) -> (wire::Commodity, proto::r#type::v1::Money) {
    let commodity = observation.commodity.clone().unwrap_or_default();
    (commodity, observation.value.clone().unwrap_or_default())
}

/// The unit of its quantity; UN Comtrade's number where it has no short name.
pub(super) fn unit(observation: &Observation) -> String {
    match observation.quantity_unit {
        0 => String::new(),
        5 => "items".into(),
        8 => "kg".into(),
        12 => "m³".into(),
        other => format!("unit {other}"),
    }
}
