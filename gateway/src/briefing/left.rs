//! What a list of records shows, and how much of it is left out.

use std::collections::HashSet;

/// Records that a section leaves out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Left {
    /// More than are shown.
    pub(crate) too_many: usize,
    /// Known only after the day.
    pub(crate) after_day: usize,
    /// Whether there are more than were looked at.
    pub(crate) is_at_least: bool,
}

/// Of what was looked at, and whether there is more, that which can be told on the day.
pub(crate) fn known<T>(
    (mut all, is_at_least): (Vec<T>, bool),
    tell: impl FnMut(&mut T) -> bool,
) -> (Vec<T>, Left) {
    let found = all.len();
    all.retain_mut(tell);
    let left = Left {
        after_day: found - all.len(),
        is_at_least,
        ..Left::default()
    };
    (all, left)
}

/// Keeps the first; how many were left out.
pub(crate) fn first<T>(all: &mut Vec<T>, most: usize) -> usize {
    let more = all.len().saturating_sub(most);
    all.truncate(most);
    more
}

/// Keeps those that are nearest, in their order; how many were left out.
pub(crate) fn nearest<T>(
    all: &mut Vec<T>,
    most: usize,
    distance: impl Fn(&T) -> Option<i32>,
) -> usize {
    let more = all.len().saturating_sub(most);
    if more == 0 {
        return 0;
    }
    let mut ranked: Vec<(i32, usize)> = all
        .iter()
        .map(|entry| distance(entry).unwrap_or(i32::MAX))
        .zip(0..)
        .collect();
    ranked.sort_unstable();
    let kept: HashSet<usize> = ranked.into_iter().take(most).map(|(_, at)| at).collect();
    let mut at = 0..;
    all.retain(|_| at.next().is_some_and(|at| kept.contains(&at)));
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_nearest_are_kept_in_their_order() {
        let mut all = vec![9, 1, 5, 2, 8];
        let more = nearest(&mut all, 3, |at: &i32| Some(*at));
        assert_eq!((all, more), (vec![1, 5, 2], 2));
    }
}
