//! Lists of several services in one order, a page at a time.
//!
//! Each list is asked for a page from where it stands; what comes next of all is taken until the page is full. What was
//! read ahead and not taken is read again for the next page, whose token says of each list on which of its pages it
//! stands and how many entries of that are taken ([`Mark`]). Nothing is kept between two calls.
//!
//! A list that cannot be read keeps its mark, and the others go on without it.

use std::collections::VecDeque;

use futures_util::future::{BoxFuture, join_all};
use prost::Message;
use proto::error::v1::ErrorReason;
use tonic::{Code, Status};

/// The most entries of a page of a list.
const MAX_PAGE: usize = 500;
/// The longest token that is followed; those of the services have 120 characters at most.
const MAX_TOKEN: usize = 254;
/// Pages that are read of a list for one page of all.
const MAX_READS: usize = 4;
/// A page that has reached this size ends: a client takes 4 MiB if nobody told it otherwise.
const PAGE_BYTES: usize = 2 << 20;

/// Where a list stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// On the page of a token, so many of whose entries are taken.
    At {
        /// The list's own token; empty for its first page.
        token: String,
        /// How many are taken.
        taken: u16,
    },
    /// At its end.
    Ended,
}

impl Mark {
    /// Before the first entry.
    pub(crate) const START: Mark = Mark::At {
        token: String::new(),
        taken: 0,
    };

    /// Adds it to bytes.
    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Mark::Ended => bytes.push(u8::MAX),
            Mark::At { token, taken } => {
                let length = u8::try_from(token.len()).expect("a longer one is not followed");
                bytes.push(length);
                bytes.extend(taken.to_be_bytes());
                bytes.extend(token.as_bytes());
            }
        }
    }

    /// Takes one from the beginning of bytes.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Mark> {
        let (length, rest) = bytes.split_first()?;
        if *length == u8::MAX {
            *bytes = rest;
            return Some(Mark::Ended);
        }
        let (count, rest) = rest.split_first_chunk()?;
        let (token, rest) = rest.split_at_checked(usize::from(*length))?;
        *bytes = rest;
        Some(Mark::At {
            token: std::str::from_utf8(token).ok()?.to_owned(),
            taken: u16::from_be_bytes(*count),
        })
    }
}

/// A page of a list: entries with what orders them, and the token of the next page.
pub(crate) type Listed<E> = (Vec<(i64, E)>, String);

/// Reads a page of a list: by its token, and how many entries are wanted.
pub(crate) type Read<'a, E> =
    Box<dyn Fn(String, i32) -> BoxFuture<'a, Result<Listed<E>, Status>> + Send + Sync + 'a>;

/// A list that is merged.
pub(crate) struct List<'a, E> {
    /// Where it stands.
    pub(crate) mark: Mark,
    /// How it is read.
    pub(crate) read: Read<'a, E>,
}

/// A page of all lists.
#[derive(Debug)]
pub(crate) struct Merged<E> {
    /// What comes next.
    pub(crate) entries: Vec<E>,
    /// Where each list stands now.
    pub(crate) marks: Vec<Mark>,
    /// Why a list could not be read.
    pub(crate) lost: Vec<Option<Status>>,
}

/// The next page of all lists, in the order of what orders their entries, then of the lists; or all of that reversed.
///
/// # Errors
/// That of a list which says that the question is wrong.
pub(crate) async fn page<E: Message>(
    lists: Vec<List<'_, E>>,
    size: usize,
    back: bool,
) -> Result<Merged<E>, Status> {
    let walks = lists.into_iter().map(|list| Walk::start(list, size));
    let mut walks = join_all(walks).await;
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while entries.len() < size && bytes < PAGE_BYTES {
        let dry = walks.iter_mut().filter(|walk| walk.ahead.is_empty());
        let ready = join_all(dry.map(|walk| walk.ready(size))).await;
        if ready.contains(&false) {
            break;
        }
        let Some(entry) = take_next(&mut walks, back) else {
            break;
        };
        bytes += entry.encoded_len();
        entries.push(entry);
    }
    let mut merged = Merged {
        entries,
        marks: Vec::new(),
        lost: Vec::new(),
    };
    for walk in walks {
        let (mark, lost) = walk.end();
        if let Some(status) = lost.as_ref().filter(|status| is_refusal(status.code())) {
            return Err(status.clone());
        }
        merged.marks.push(mark);
        merged.lost.push(lost);
    }
    Ok(merged)
}

/// Whether a code says that the question is wrong, and not that there is no answer.
fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument | Code::PermissionDenied | Code::Unauthenticated | Code::NotFound
    )
}

fn too_long() -> Status {
    let what = "the page token of a service is too long to be followed";
    proto::status(Code::Internal, ErrorReason::Internal, what, [])
}

fn take_next<E>(walks: &mut [Walk<'_, E>], back: bool) -> Option<E> {
    let ahead = walks.iter().enumerate();
    let ahead = ahead.filter_map(|(list, walk)| Some((walk.ahead.front()?.0, list)));
    let (_, next) = if back { ahead.max() } else { ahead.min() }?;
    walks[next].take()
}

/// A list on its way.
struct Walk<'a, E> {
    list: List<'a, E>,
    /// What was read of the page on which it stands, and is not taken.
    ahead: VecDeque<(i64, E)>,
    /// The token of the page behind that; `None` before it is read.
    next: Option<String>,
    reads: usize,
    lost: Option<Status>,
}

impl<'a, E> Walk<'a, E> {
    async fn start(list: List<'a, E>, size: usize) -> Walk<'a, E> {
        let mut walk = Walk {
            list,
            ahead: VecDeque::new(),
            next: None,
            reads: 0,
            lost: None,
        };
        walk.ready(size).await;
        walk
    }

    /// Whether what comes next of it is known, be it that nothing does; reads on until it is, as far as a page may.
    async fn ready(&mut self, size: usize) -> bool {
        while self.ahead.is_empty() && self.lost.is_none() {
            self.move_on();
            let Mark::At { token, taken } = self.list.mark.clone() else {
                return true;
            };
            if self.reads == MAX_READS {
                return false;
            }
            self.reads += 1;
            let wanted = (size + usize::from(taken)).min(MAX_PAGE);
            let wanted = i32::try_from(wanted).unwrap_or(i32::MAX);
            match (self.list.read)(token, wanted).await {
                Ok((_, next)) if next.len() > MAX_TOKEN => self.lost = Some(too_long()),
                Ok((entries, next)) => self.arrive(entries, next),
                Err(status) => self.lost = Some(status),
            }
        }
        true
    }

    /// Takes in the page on which it stands. What a service gives on a page may be less than it was before, never
    /// anything else: then more is taken than the page has, and the rest of that is on the next one.
    fn arrive(&mut self, entries: Vec<(i64, E)>, next: String) {
        let Mark::At { taken, .. } = &mut self.list.mark else {
            return;
        };
        let here = entries.len().min(usize::from(*taken));
        let left = *taken - u16::try_from(here).unwrap_or(*taken);
        self.ahead = entries.into_iter().skip(here).collect();
        if left > 0 && !next.is_empty() {
            self.list.mark = Mark::At {
                token: next,
                taken: left,
            };
            self.next = None;
            return;
        }
        self.next = Some(next);
    }

    /// Moves on to the next page when all of one is taken.
    fn move_on(&mut self) {
        match self.next.take() {
            None => {}
            Some(token) if token.is_empty() => self.list.mark = Mark::Ended,
            Some(token) => self.list.mark = Mark::At { token, taken: 0 },
        }
    }

    fn take(&mut self) -> Option<E> {
        let (_, entry) = self.ahead.pop_front()?;
        if let Mark::At { taken, .. } = &mut self.list.mark {
            *taken += 1;
        }
        Some(entry)
    }

    fn end(mut self) -> (Mark, Option<Status>) {
        if self.ahead.is_empty() {
            self.move_on();
        }
        (self.list.mark, self.lost)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A list of numbers in pages of at most three, the token of each of which is how many come before it.
    fn list<'a>(numbers: &'static [i64], mark: Mark, is_there: &'a AtomicBool) -> List<'a, i64> {
        let read: Read<'a, i64> = Box::new(move |token, wanted| {
            let start: usize = token.parse().unwrap_or(0);
            let wanted = usize::try_from(wanted).unwrap().min(3);
            let end = (start + wanted).min(numbers.len());
            let page = numbers[start..end].iter().map(|one| (*one, *one));
            let next = if end < numbers.len() {
                end.to_string()
            } else {
                String::new()
            };
            let answer = if is_there.load(Ordering::Relaxed) {
                Ok((page.collect(), next))
            } else {
                Err(Status::unavailable("gone"))
            };
            Box::pin(async move { answer })
        });
        List { mark, read }
    }

    const ODD: [i64; 5] = [1, 3, 5, 7, 9];
    const EVEN: [i64; 8] = [2, 4, 6, 8, 10, 12, 14, 16];

    async fn all(size: usize) -> Vec<i64> {
        let there = AtomicBool::new(true);
        let mut marks = vec![Mark::START, Mark::START];
        let mut all = Vec::new();
        while marks.iter().any(|mark| *mark != Mark::Ended) {
            let lists = vec![
                list(&ODD, marks[0].clone(), &there),
                list(&EVEN, marks[1].clone(), &there),
            ];
            let merged = page(lists, size, false).await.unwrap();
            assert!(merged.entries.len() <= size);
            all.extend(merged.entries);
            marks = through_bytes(&merged.marks);
        }
        all
    }

    fn through_bytes(marks: &[Mark]) -> Vec<Mark> {
        let mut bytes = Vec::new();
        for mark in marks {
            mark.encode(&mut bytes);
        }
        let mut bytes = &bytes[..];
        let marks: Option<Vec<Mark>> = marks.iter().map(|_| Mark::decode(&mut bytes)).collect();
        assert!(bytes.is_empty());
        marks.unwrap()
    }

    #[tokio::test]
    async fn pages_of_any_size_are_the_whole_list() {
        let mut whole = [&ODD[..], &EVEN[..]].concat();
        whole.sort_unstable();
        for size in 1..=15 {
            assert_eq!(all(size).await, whole, "{size}");
        }
    }

    #[tokio::test]
    async fn a_list_that_is_lost_keeps_its_place() {
        let (there, lost) = (AtomicBool::new(true), AtomicBool::new(true));
        let lists = |marks: &[Mark]| {
            vec![
                list(&ODD, marks[0].clone(), &there),
                list(&EVEN, marks[1].clone(), &lost),
            ]
        };
        let first = page(lists(&[Mark::START, Mark::START]), 3, false)
            .await
            .unwrap();
        assert_eq!(first.entries, [1, 2, 3]);
        lost.store(false, Ordering::Relaxed);
        let second = page(lists(&first.marks), 2, false).await.unwrap();
        assert_eq!(second.entries, [5, 7]);
        assert!(second.lost[0].is_none() && second.lost[1].is_some());
        assert_eq!(second.marks[1], first.marks[1]);
        lost.store(true, Ordering::Relaxed);
        let third = page(lists(&second.marks), 20, false).await.unwrap();
        assert_eq!(third.entries, [4, 6, 8, 9, 10, 12, 14, 16]);
        assert_eq!(third.marks, [Mark::Ended, Mark::Ended]);
    }

    #[tokio::test]
    async fn more_may_be_taken_of_a_page_than_it_has() {
        let there = AtomicBool::new(true);
        let mark = Mark::At {
            token: String::new(),
            taken: 7,
        };
        let merged = page(vec![list(&EVEN, mark, &there)], 5, false)
            .await
            .unwrap();
        assert_eq!(merged.entries, [16]);
    }

    #[tokio::test]
    async fn a_page_token_that_cannot_be_kept_is_not_followed() {
        let read: Read<'_, i64> =
            Box::new(|_, _| Box::pin(async { Ok((vec![(1, 1)], "a".repeat(MAX_TOKEN + 1))) }));
        let lists = vec![List {
            mark: Mark::START,
            read,
        }];
        let merged = page(lists, 5, false).await.unwrap();
        assert_eq!(merged.marks, [Mark::START]);
        assert_eq!(merged.lost[0].as_ref().unwrap().code(), Code::Internal);
    }

    #[test]
    fn bytes_that_are_no_mark_are_refused() {
        for bytes in [&[][..], &[3, 0], &[3, 0, 0, b'a'], &[1, 0, 0, 0xff]] {
            assert_eq!(Mark::decode(&mut &bytes[..]), None);
        }
    }
}
