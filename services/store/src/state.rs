//! Keys and values as a decision or a reader sees them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, Deref};

use crate::{Error, Seen, Stamp, requests};

/// Largest key in bytes.
pub(crate) const MAX_KEY: usize = 512;
/// Largest value in bytes: above about 128 KiB sled puts a value into a file of its own.
pub(crate) const MAX_VALUE: usize = 120 << 10;
/// First byte of the keys that the store keeps for itself.
pub(crate) const OWN: u8 = 0;

/// Effects that are not in the view yet: a value, or `None` for a removed key.
pub(crate) type Effects = BTreeMap<Vec<u8>, Option<sled::IVec>>;

/// How much memory effects take, about.
pub(crate) fn bytes_of(effects: &Effects) -> usize {
    let value = |value: &Option<sled::IVec>| value.as_ref().map_or(0, |value| value.len());
    effects
        .iter()
        .map(|(key, effect)| key.len() + value(effect))
        .sum()
}

/// A value, or a key, of the state; borrowed bytes that are cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value(sled::IVec);

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.0.len())
    }
}

/// The state at one instant: a durable one for a reader; for a decision also the effects of the
/// decisions before it in its group. Keys are a service's own, except those that start with the byte 0,
/// which are the store's.
#[derive(Debug)]
pub struct State<'a> {
    tree: &'a sled::Tree,
    stamp: Stamp,
    group: Option<&'a Effects>,
    own: Effects,
}

impl<'a> State<'a> {
    pub(crate) fn durable(tree: &'a sled::Tree, stamp: Stamp) -> State<'a> {
        State {
            tree,
            stamp,
            group: None,
            own: Effects::new(),
        }
    }

    pub(crate) fn within(tree: &'a sled::Tree, stamp: Stamp, group: &'a Effects) -> State<'a> {
        State {
            tree,
            stamp,
            group: Some(group),
            own: Effects::new(),
        }
    }

    pub(crate) fn into_effects(self) -> Effects {
        self.own
    }

    /// The last entry that this state includes; inside a decision, the last durable one.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`Error::Files`] when the view cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        let pending = self.own.get(key);
        let pending = pending.or_else(|| self.group.and_then(|group| group.get(key)));
        if let Some(effect) = pending {
            return Ok(effect.clone().map(Value));
        }
        Ok(self.tree.get(key)?.map(Value))
    }

    /// The keys from `start` (included) to `end` (excluded) with their values, in order.
    pub fn range(
        &self,
        start: &[u8],
        end: &[u8],
    ) -> impl Iterator<Item = Result<(Value, Value), Error>> + use<'_> {
        let pending = self.pending(start, end);
        let stored = (start < end).then(|| self.tree.range(start..end));
        Merged {
            stored: stored.into_iter().flatten().peekable(),
            pending: pending.into_iter().peekable(),
            ahead: Ordering::Less,
        }
    }

    /// The same from the last key to the first.
    pub fn range_back(
        &self,
        start: &[u8],
        end: &[u8],
    ) -> impl Iterator<Item = Result<(Value, Value), Error>> + use<'_> {
        let pending = self.pending(start, end);
        let stored = (start < end).then(|| self.tree.range(start..end).rev());
        Merged {
            stored: stored.into_iter().flatten().peekable(),
            pending: pending.into_iter().rev().peekable(),
            ahead: Ordering::Greater,
        }
    }

    fn pending(&self, start: &[u8], end: &[u8]) -> Effects {
        let mut merged = Effects::new();
        if start >= end {
            return merged;
        }
        let bounds = (Bound::Included(start), Bound::Excluded(end));
        for effects in self.group.into_iter().chain([&self.own]) {
            let inside = effects.range::<[u8], _>(bounds);
            merged.extend(inside.map(|(key, value)| (key.clone(), value.clone())));
        }
        merged
    }

    /// Sets a key.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when key (512 bytes) or value (120 KiB) is too large.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Error> {
        check("a key", key.len(), MAX_KEY)?;
        check("a value", value.len(), MAX_VALUE)?;
        self.own.insert(key, Some(value.into()));
        Ok(())
    }

    /// Removes a key.
    pub fn remove(&mut self, key: Vec<u8>) {
        self.own.insert(key, None);
    }

    /// What a request id was used for, if it was seen lately.
    ///
    /// # Errors
    /// [`Error::Files`] when the view cannot be read.
    pub fn seen(&self, request_id: &[u8; 16]) -> Result<Option<Seen>, Error> {
        requests::find(self, request_id)
    }
}

fn check(what: &'static str, bytes: usize, limit: usize) -> Result<(), Error> {
    if bytes <= limit {
        return Ok(());
    }
    Err(Error::TooLarge { what, bytes, limit })
}

/// What is stored, with pending effects laid over it.
struct Merged<S, P>
where
    S: Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
    P: Iterator<Item = (Vec<u8>, Option<sled::IVec>)>,
{
    stored: std::iter::Peekable<S>,
    pending: std::iter::Peekable<P>,
    /// How a key compares with those behind it.
    ahead: Ordering,
}

impl<S, P> Iterator for Merged<S, P>
where
    S: Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
    P: Iterator<Item = (Vec<u8>, Option<sled::IVec>)>,
{
    type Item = Result<(Value, Value), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((key, _)) = self.pending.peek() else {
                return self.stored.next().map(lift);
            };
            match self.stored.peek() {
                Some(Ok((stored, _))) => match stored[..].cmp(&key[..]) {
                    Ordering::Equal => drop(self.stored.next()),
                    order if order == self.ahead => return self.stored.next().map(lift),
                    Ordering::Less | Ordering::Greater => {}
                },
                Some(Err(_)) => return self.stored.next().map(lift),
                None => {}
            }
            if let Some((key, Some(value))) = self.pending.next() {
                return Some(Ok((Value(key.into()), Value(value))));
            }
        }
    }
}

/// A stored record as others see it.
pub(crate) fn lift(item: sled::Result<(sled::IVec, sled::IVec)>) -> Result<(Value, Value), Error> {
    let (key, value) = item?;
    Ok((Value(key), Value(value)))
}
