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
/// The goods are the same for the total across revisions of a classification (`is_total`), and for a code
/// within one revision. A lower bound has no growth; nor has a figure that is itself implied by a stated
/// growth, which would only give that growth back.
///
/// # Errors
/// What differs.
pub(crate) fn ratio(is_total: bool, now: Side, base: Side) -> Result<String, GrowthGap> {
    let (newer, older) = (now.classification, base.classification);
    if newer != older && !(is_total && newer.is_kin_of(older)) {
        return Err(GrowthGap::ClassificationDiffers);
    }
    let flags = now.flags.and(base.flags);
    if flags.contains(ObservationFlag::LowerBound) {
        return Err(GrowthGap::LowerBound);
    }
    if flags.contains(ObservationFlag::Implied) {
        return Err(GrowthGap::Implied);
    }
    if base.value.is_negative() {
        return Err(GrowthGap::BaseIsNegative);
    }
    change(now.value, base.value).ok_or(GrowthGap::BaseIsZero)
}
