//! What an answer says, as a line of text.

use proto::Flow;

use crate::wire::growth::Outcome;
use crate::wire::{EmptyReason, Growth, GrowthGap, MissingFigure, RankedEntry, Ranking};

/// A growth as its ratio, or the name of what keeps it from being said.
pub fn growth(growth: Option<&Growth>) -> String {
    let outcome = growth.and_then(|growth| growth.outcome.clone());
    match outcome.expect("a growth or a gap") {
        Outcome::Ratio(ratio) => ratio,
        Outcome::Gap(gap) => {
            let gap = GrowthGap::try_from(gap).expect("a known gap");
            gap.as_str_name().trim_start_matches("GROWTH_GAP_").into()
        }
    }
}

/// A reason without its prefix.
pub fn why(reason: EmptyReason) -> &'static str {
    reason.as_str_name().trim_start_matches("EMPTY_REASON_")
}

/// Missing figures, each as `reporter partner flow code period REASON`.
pub fn missing(figures: &[MissingFigure]) -> Vec<String> {
    let line = |figure: &MissingFigure| {
        let flow = Flow::from_wire(figure.flow).expect("a flow").code();
        let MissingFigure {
            dataset: _,
            reporter,
            partner,
            flow: _,
            code,
            period,
            reason: _,
        } = figure;
        let reason = why(figure.reason());
        format!("{reporter} {partner} {flow} {code} {period} {reason}")
    };
    figures.iter().map(line).collect()
}

/// The entries of a ranking, each as `rank key value share growth rank-before`.
pub fn entries(ranking: &Ranking) -> Vec<String> {
    let line = |entry: &RankedEntry| {
        let RankedEntry {
            rank,
            key,
            value,
            share,
            rank_before,
            ..
        } = entry;
        let growth = growth(entry.growth.as_ref());
        format!("{rank} {key} {value} {share} {growth} {rank_before}")
    };
    ranking.entries.iter().map(line).collect()
}
