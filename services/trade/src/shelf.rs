//! Where blocks stand: small ones of one year together under one key, a shelf; others each under its own.
//!
//! A question about months reads the total, or the chapters, of a year and more. One key for a year of them is a
//! tenth of the keys to walk, and the view's tree costs more by the key than by the byte. A block of a chapter's
//! longer codes may be large, and is seldom read without its neighbours of the same month: it stands alone.
//!
//! Callers know none of this: they name blocks by their keys, and ranges by keys of blocks.

use std::ops::{Deref, Range};

use store::{Error, State, Value};

use crate::keys::{BlockKey, SHELF, SLOT, Slot};

/// The stored bytes of a block; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    value: Value,
    range: Range<usize>,
}

impl Deref for Stored {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.value[self.range.clone()]
    }
}

impl Stored {
    fn whole(value: Value) -> Stored {
        let range = 0..value.len();
        Stored { value, range }
    }
}

/// A block.
pub(crate) fn get(state: &State<'_>, key: &BlockKey) -> Result<Option<Stored>, Error> {
    let Some(shelf) = key.shelf() else {
        return Ok(state.get(&key.block())?.map(Stored::whole));
    };
    let Some(value) = state.get(&shelf)? else {
        return Ok(None);
    };
    let mut slots = Slots::of(&value);
    while let Some((slot, range)) = slots.next()? {
        if slot == key.slot() {
            return Ok(Some(Stored { value, range }));
        }
    }
    Ok(None)
}

/// Puts a block in its place.
pub(crate) fn put(state: &mut State<'_>, key: &BlockKey, block: Vec<u8>) -> Result<(), Error> {
    let Some(shelf) = key.shelf() else {
        return state.put(key.block(), block);
    };
    let new = match state.get(&shelf)? {
        Some(value) => with(&value, key.slot(), &block)?,
        None => with(&[], key.slot(), &block)?,
    };
    state.put(shelf, new)
}

/// A shelf with one block put in, in the order of the slots.
fn with(shelf: &[u8], slot: Slot, block: &[u8]) -> Result<Vec<u8>, Error> {
    let mut new = Vec::with_capacity(shelf.len() + HEAD + block.len());
    let mut slots = Slots::of(shelf);
    let mut pending = Some(slot);
    while let Some((other, range)) = slots.next()? {
        if pending.is_some_and(|slot| slot <= other) {
            pending = None;
            push(&mut new, slot, block);
        }
        if other != slot {
            push(&mut new, other, &shelf[range]);
        }
    }
    if pending.is_some() {
        push(&mut new, slot, block);
    }
    Ok(new)
}

fn push(shelf: &mut Vec<u8>, slot: Slot, block: &[u8]) {
    let length = u32::try_from(block.len()).expect("a block is bounded");
    shelf.extend_from_slice(&slot);
    shelf.extend_from_slice(&length.to_be_bytes());
    shelf.extend_from_slice(block);
}

/// Bytes before a block on a shelf: its slot, and its length.
const HEAD: usize = SLOT + 4;

/// The blocks of a shelf, from some place on.
#[derive(Debug)]
struct Slots<'a> {
    shelf: &'a [u8],
    at: usize,
}

impl<'a> Slots<'a> {
    fn of(shelf: &'a [u8]) -> Slots<'a> {
        Slots { shelf, at: 0 }
    }

    fn next(&mut self) -> Result<Option<(Slot, Range<usize>)>, Error> {
        let rest = &self.shelf[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let (slot, rest) = rest.split_first_chunk::<SLOT>().ok_or_else(malformed)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > rest.len() {
            return Err(malformed());
        }
        let start = self.at + HEAD;
        self.at = start + length;
        Ok(Some((*slot, start..self.at)))
    }
}

fn malformed() -> Error {
    Error::View("a shelf of blocks does not parse".into())
}

/// The blocks whose keys are from `start` (included) to `end` (excluded), in their order. What is no block is
/// passed over.
pub(crate) fn range<'s>(
    state: &'s State<'s>,
    start: &[u8],
    end: &[u8],
) -> impl Iterator<Item = Result<(BlockKey, Stored), Error>> + use<'s> {
    let (from, to) = (BlockKey::stored_from(start), BlockKey::stored_to(end));
    let (start, end) = (start.to_vec(), end.to_vec());
    let mut stored = state.range(&from, &to);
    let mut shelf: Option<Shelf> = None;
    std::iter::from_fn(move || {
        loop {
            if let Some(open) = &mut shelf {
                match open.next(&start, &end) {
                    Ok(None) => shelf = None,
                    Ok(Some(block)) => return Some(Ok(block)),
                    Err(error) => {
                        shelf = None;
                        return Some(Err(error));
                    }
                }
                continue;
            }
            match stored.next()? {
                Ok((key, value)) if key.len() == SHELF => {
                    let key = key[..].try_into().expect("its length was looked at");
                    shelf = Some(Shelf { key, value, at: 0 });
                }
                Ok((key, value)) => {
                    if let Some(key) = BlockKey::parse(&key) {
                        return Some(Ok((key, Stored::whole(value))));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    })
}

/// A shelf whose blocks are handed out.
struct Shelf {
    key: [u8; SHELF],
    value: Value,
    at: usize,
}

impl Shelf {
    /// The next block between two keys.
    fn next(&mut self, start: &[u8], end: &[u8]) -> Result<Option<(BlockKey, Stored)>, Error> {
        loop {
            let mut slots = Slots {
                shelf: &self.value,
                at: self.at,
            };
            let Some((slot, range)) = slots.next()? else {
                return Ok(None);
            };
            self.at = slots.at;
            let key = BlockKey::on_shelf(&self.key, slot);
            if &key[..] >= end {
                return Ok(None);
            }
            if &key[..] >= start {
                let key = BlockKey::parse(&key).ok_or_else(malformed)?;
                let value = self.value.clone();
                return Ok(Some((key, Stored { value, range })));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slots(shelf: &[u8]) -> Vec<(Slot, Vec<u8>)> {
        let mut slots = Slots::of(shelf);
        let mut found = Vec::new();
        while let Some((slot, range)) = slots.next().expect("it parses") {
            found.push((slot, shelf[range].to_vec()));
        }
        found
    }

    proptest! {
        #[test]
        fn a_shelf_holds_each_block_once_and_in_order(
            puts in prop::collection::vec((0_u8..6, prop::collection::vec(any::<u8>(), 0..20)), 0..30),
        ) {
            let mut shelf = Vec::new();
            let mut model = std::collections::BTreeMap::new();
            for (month, block) in puts {
                let slot = [0, 0, 0, month, 1, 7];
                shelf = with(&shelf, slot, &block).expect("it parses");
                model.insert(slot, block);
            }
            prop_assert_eq!(slots(&shelf), model.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn what_is_put_on_any_bytes_is_refused_or_found(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let slot = [0, 0, 0, 1, 1, 7];
            if let Ok(shelf) = with(&bytes, slot, b"block") {
                prop_assert!(slots(&shelf).contains(&(slot, b"block".to_vec())));
            }
        }
    }
}
