//! Chance that is the same on every machine: splitmix64, and distributions made of additions, multiplications and
//! divisions alone, because what `exp` and `ln` answer in the last digit differs between machines.

/// A source of chance. The same seed and place give the same numbers.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// What is by chance at a place.
    pub(crate) fn of(seed: u64, place: &[u64]) -> Chance {
        let mixed = place
            .iter()
            .fold(mix(seed), |state, part| mix(state ^ part));
        Chance(mixed)
    }

    /// Any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        scramble(self.0)
    }

    /// A number from 0 to below `end`; 0 when that is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// Whether one of so many chances came true.
    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    /// Puts a list in an order by chance.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap_or_default();
            list.swap(last, other);
        }
    }

    /// From 0 to below 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits are as many as there are"
    )]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal, of mean 0 and deviation 1: the sum of twelve even chances.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).fold(-6.0, |sum, _| sum + self.unit())
    }

    /// About log-normal around 1, with a deviation in doublings.
    pub(crate) fn spread(&mut self, doublings: f64) -> f64 {
        exp2(doublings * self.normal())
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(state: u64) -> u64 {
    scramble(state.wrapping_add(STEP))
}

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Coefficients of 2^x for x from 0 to 1, exact to seven digits.
const SERIES: [f64; 8] = [
    1.525_273e-5,
    1.540_353e-4,
    1.333_356e-3,
    9.618_129e-3,
    5.550_411e-2,
    0.240_226_507,
    std::f64::consts::LN_2,
    1.0,
];

/// 2^x, for x between -300 and 300.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a small number of doublings"
)]
fn exp2(x: f64) -> f64 {
    let whole = x.clamp(-300.0, 300.0).floor();
    let part = SERIES
        .iter()
        .fold(0.0, |sum, factor| sum * (x - whole) + factor);
    let doublings = whole as i32;
    let factor = if doublings < 0 { 0.5 } else { 2.0 };
    (0..doublings.abs()).fold(part, |value, _| value * factor)
}

/// Places of which the first is chosen most often, the second half as often, the third a third as often (Zipf).
#[derive(Clone, Debug)]
pub(crate) struct Zipf(Vec<f64>);

impl Zipf {
    /// Of so many places.
    pub(crate) fn of(places: usize) -> Zipf {
        let weights = (0..places).scan(0.0, |sum, place| {
            *sum += share(place);
            Some(*sum)
        });
        Zipf(weights.collect())
    }

    /// A place; 0 when there is none.
    pub(crate) fn pick(&self, chance: &mut Chance) -> usize {
        let whole = self.0.last().copied().unwrap_or_default();
        let sought = chance.unit() * whole;
        self.0.partition_point(|sum| *sum <= sought)
    }
}

/// What a place has beside the first one.
#[expect(
    clippy::cast_precision_loss,
    reason = "there are not as many places as would matter"
)]
pub(crate) fn share(place: usize) -> f64 {
    1.0 / (place as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_the_same_everywhere() {
        let mut chance = Chance::of(7, &[1, 2]);
        assert_eq!(chance.next(), 5_105_604_414_344_456_748);
        assert_eq!(chance.below(1_000), 864);
    }

    #[test]
    fn powers_of_two_are_met() {
        for (x, power) in [(0.0, 1.0), (1.0, 2.0), (-2.0, 0.25), (0.5, 2.0_f64.sqrt())] {
            assert!((exp2(x) / power - 1.0).abs() < 1e-6, "{x}: {}", exp2(x));
        }
    }

    #[test]
    fn the_first_place_is_chosen_twice_as_often_as_the_second() {
        let (zipf, mut chance) = (Zipf::of(50), Chance::of(1, &[]));
        let mut chosen = [0_u32; 50];
        (0..10_000).for_each(|_| chosen[zipf.pick(&mut chance)] += 1);
        assert!(
            (15..25).contains(&(chosen[0] * 10 / chosen[1])),
            "{chosen:?}"
        );
        assert!(chosen[49] > 0, "{chosen:?}");
    }

    #[test]
    fn a_spread_has_its_middle_at_one() {
        let mut chance = Chance::of(3, &[]);
        let above = (0..10_000).filter(|_| chance.spread(2.0) > 1.0).count();
        assert!((4_700..5_300).contains(&above), "{above}");
    }
}
