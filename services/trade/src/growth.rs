//! Growth like for like: V(t) / V(same months a year before) − 1, or what keeps the two from being compared.

use proto::Classification;
use proto::trade::v1 as wire;
use wire::{GrowthGap, ObservationFlag};

use crate::amount::{Total, change};
use crate::figure::Flags;

/// One of the two values that a growth is between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(crate) value: Total,
    pub(crate) flags: Flags,
    pub(crate) classification: Classification,
}

/// The growth from `base` to `now` as a ratio with up to 6 decimals, both in one dataset and flow, so that
/// side, currency and valuation are the same.
///
/// # Errors
/// The first of the [`gaps`].
pub(crate) fn ratio(is_total: bool, now: Side, base: Side) -> Result<String, GrowthGap> {
    match gaps(is_total, now, base).first() {
        Some(gap) => Err(*gap),
        None => change(now.value, base.value).ok_or(GrowthGap::BaseIsZero),
    }
}

/// All that keeps two values from being like for like, as far as they themselves say.
///
/// The goods are the same for the total across revisions of a classification (`is_total`), and for a code
/// within one revision. A lower bound has no growth; nor has a figure that is itself implied by a stated
/// growth, which would only give that growth back.
pub(crate) fn gaps(is_total: bool, now: Side, base: Side) -> Vec<GrowthGap> {
    let (newer, older) = (now.classification, base.classification);
    let same_goods = newer == older || (is_total && newer.is_kin_of(older));
    let flags = now.flags.and(base.flags);
    let gaps = [
        (!same_goods, GrowthGap::ClassificationDiffers),
        (
            flags.contains(ObservationFlag::LowerBound),
            GrowthGap::LowerBound,
        ),
        (flags.contains(ObservationFlag::Implied), GrowthGap::Implied),
        (base.value.is_negative(), GrowthGap::BaseIsNegative),
        (base.value.is_zero(), GrowthGap::BaseIsZero),
    ];
    let holding = gaps.into_iter().filter(|(holds, _)| *holds);
    holding.map(|(_, gap)| gap).collect()
}
