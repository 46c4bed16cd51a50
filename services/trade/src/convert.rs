//! What codes of one revision are in another.
//!
//! Each table says which codes of two neighbouring revisions share goods. A conversion walks the shortest
//! way over the tables that were recorded, in either direction, and takes whole sets of codes along: from a
//! set, all codes of the next revision that share goods with one of it. It is *exact* when at each step the
//! way back gives exactly the set that was left: then no other code's goods are in the result, all goods of
//! the given codes are, and the figures of the one set add up to those of the other.
//!
//! Published tables are backward: each row says of a newer code which older ones its goods came from.
//! Walking such a table forward is only as good as that: an older code leads to all newer ones that name
//! it, the figure of one that was split is not split, and an older code that no newer one names leads
//! nowhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proto::trade::v1 as wire;
use proto::{Classification, Code, Violations};
use store::State;
use wire::Relation;

use crate::concordance::{self, Code6, chapter, relation};
use crate::error::Error;
use crate::keys::Revisions;
use crate::sector::parse_group;

const MAX_CODES: usize = 1_000;

/// What a conversion came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Converted {
    pub(crate) from: Classification,
    /// The given codes; where a table was used, of 6 digits, but for one that the table has nothing below.
    pub(crate) from_codes: Vec<Code>,
    pub(crate) to: Classification,
    /// Codes of 6 digits; empty when nothing is known.
    pub(crate) to_codes: Vec<Code>,
    /// How the two sets stand to each other by their sizes, with the codes that share goods with the result
    /// counted in; unspecified when a code leads nowhere.
    pub(crate) relation: Relation,
    /// Whether the two sets are the same goods as a whole.
    pub(crate) exact: bool,
    /// The revisions on the way, both ends included; empty when no way leads there.
    pub(crate) path: Vec<Classification>,
}

impl Converted {
    /// As the wire tells it.
    pub(crate) fn to_wire(&self) -> wire::Conversion {
        let texts = |codes: &[Code]| codes.iter().map(Code::to_string).collect();
        wire::Conversion {
            from: self.from.to_string(),
            from_codes: texts(&self.from_codes),
            to: self.to.to_string(),
            to_codes: texts(&self.to_codes),
            relation: self.relation.into(),
            exact: self.exact,
            path: self.path.iter().map(Classification::to_string).collect(),
        }
    }

    /// As the wire tells it of a figure: from the codes that were published, which are the result of looking
    /// for the goods asked for, to those.
    pub(crate) fn of_figures(&self) -> wire::Conversion {
        let turned = Converted {
            from: self.to,
            from_codes: self.to_codes.clone(),
            to: self.from,
            to_codes: self.from_codes.clone(),
            relation: match self.relation {
                Relation::OneToMany => Relation::ManyToOne,
                Relation::ManyToOne => Relation::OneToMany,
                same @ (Relation::Unspecified | Relation::OneToOne | Relation::ManyToMany) => same,
            },
            exact: self.exact,
            path: self.path.iter().rev().copied().collect(),
        };
        turned.to_wire()
    }

    /// Within one revision every code is itself.
    fn same(of: Classification, codes: &[Code]) -> Converted {
        Converted {
            from: of,
            from_codes: codes.to_vec(),
            to: of,
            to_codes: codes.to_vec(),
            relation: Relation::OneToOne,
            exact: true,
            path: vec![of],
        }
    }

    fn unknown(from: Classification, codes: &[Code], to: Classification) -> Converted {
        Converted {
            from,
            from_codes: codes.to_vec(),
            to,
            to_codes: Vec::new(),
            relation: Relation::Unspecified,
            exact: false,
            path: Vec::new(),
        }
    }
}

/// Converts a set of codes. Codes of fewer than 6 digits stand for those below them in the first table.
///
/// # Errors
/// [`store::Error`] when a table cannot be read.
pub(crate) fn convert(
    state: &State<'_>,
    from: Classification,
    codes: &[Code],
    to: Classification,
) -> Result<Converted, store::Error> {
    if from == to {
        return Ok(Converted::same(from, codes));
    }
    let Some(steps) = shortest(&concordance::all_revisions(state)?, from, to) else {
        return Ok(Converted::unknown(from, codes, to));
    };
    let (given, unknown) = expand(state, &steps, codes)?;
    let walk = walk(state, &steps, &given)?;
    let is_known = unknown.is_empty() && walk.all_lead_on;
    let sizes = relation(walk.back.union(&given).count() > 1, walk.result.len() > 1);
    let path = [from].into_iter().chain(steps.iter().map(|step| step.to));
    Ok(Converted {
        from,
        from_codes: to_codes(&given).into_iter().chain(unknown).collect(),
        to,
        to_codes: to_codes(&walk.result),
        relation: if is_known {
            sizes
        } else {
            Relation::Unspecified
        },
        exact: is_known && walk.is_closed,
        path: path.collect(),
    })
}

fn to_codes(codes: &BTreeSet<Code6>) -> Vec<Code> {
    let parsed = codes.iter().map(|code| concordance::text(*code).parse());
    parsed.filter_map(Result::ok).collect()
}

/// One table on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    from: Classification,
    to: Classification,
    table: Revisions,
}

impl Step {
    /// From one revision to another, by the table that leads there, else by the one that leads back.
    fn find(tables: &[Revisions], from: Classification, to: Classification) -> Option<Step> {
        let table = [(from, to), (to, from)];
        let table = table.into_iter().find(|table| tables.contains(table))?;
        Some(Step { from, to, table })
    }

    /// The codes that share goods with one of `codes` across the step, or, `backward`, back across it; and
    /// whether each of `codes` shares some.
    fn image(
        self,
        state: &State<'_>,
        backward: bool,
        codes: &BTreeSet<Code6>,
    ) -> Result<(BTreeSet<Code6>, bool), store::Error> {
        let backward = backward != (self.table.0 != self.from);
        let (mut image, mut leading) = (BTreeSet::new(), BTreeSet::new());
        let chapters: BTreeSet<u8> = codes.iter().copied().map(chapter).collect();
        for chapter in chapters {
            for (one, other) in concordance::rows(state, self.table, backward, chapter)? {
                if codes.contains(&one) {
                    image.insert(other);
                    leading.insert(one);
                }
            }
        }
        Ok((image, leading.len() == codes.len()))
    }
}

/// The shortest way over the tables; of several, the one over the earlier revisions.
fn shortest(tables: &[Revisions], from: Classification, to: Classification) -> Option<Vec<Step>> {
    let mut ways: BTreeMap<Classification, Vec<Step>> = BTreeMap::from([(from, Vec::new())]);
    let mut ahead = VecDeque::from([from]);
    while let Some(here) = ahead.pop_front() {
        for next in Classification::ALL {
            let Some(step) = Step::find(tables, here, next) else {
                continue;
            };
            if ways.contains_key(&next) {
                continue;
            }
            let way = ways.get(&here).into_iter().flatten().copied();
            ways.insert(next, way.chain([step]).collect());
            ahead.push_back(next);
        }
    }
    ways.remove(&to)
}

/// The codes of 6 digits that are meant, and those given that stand for none.
fn expand(
    state: &State<'_>,
    steps: &[Step],
    codes: &[Code],
) -> Result<(BTreeSet<Code6>, Vec<Code>), store::Error> {
    let short = codes.iter().filter(|code| code.level() < 6);
    let chapters = short.filter_map(|code| Some(chapter(below(*code)?.0)));
    let known = known_codes(state, steps, chapters.collect())?;
    let mut unknown = Vec::new();
    let mut expanded = BTreeSet::new();
    for code in codes {
        match below(*code) {
            Some((first, last)) if first == last => {
                expanded.insert(first);
            }
            Some((first, last)) if known.range(first..=last).next().is_some() => {
                expanded.extend(known.range(first..=last));
            }
            Some(_) | None => unknown.push(*code),
        }
    }
    Ok((expanded, unknown))
}

/// The first and the last code of 6 digits that can be below a code; `None` for the total.
fn below(code: Code) -> Option<(Code6, Code6)> {
    let number: Code6 = code.as_str().parse().ok()?;
    let room = 10_u32.pow(6_u32.checked_sub(code.level().into())?);
    Some((number * room, number * room + room - 1))
}

/// The codes of chapters in the first table on the way.
fn known_codes(
    state: &State<'_>,
    steps: &[Step],
    chapters: BTreeSet<u8>,
) -> Result<BTreeSet<Code6>, store::Error> {
    let mut known = BTreeSet::new();
    let Some(step) = steps.first() else {
        return Ok(known);
    };
    let backward = step.table.0 != step.from;
    for chapter in chapters {
        let rows = concordance::rows(state, step.table, backward, chapter)?;
        known.extend(rows.into_iter().map(|(code, _)| code));
    }
    Ok(known)
}

struct Walk {
    result: BTreeSet<Code6>,
    /// All that share goods with the result, back at the start.
    back: BTreeSet<Code6>,
    /// Whether each way back gave exactly the set that was left.
    is_closed: bool,
    /// Whether no code was left behind on the way.
    all_lead_on: bool,
}

fn walk(state: &State<'_>, steps: &[Step], given: &BTreeSet<Code6>) -> Result<Walk, store::Error> {
    let mut here = given.clone();
    let (mut is_closed, mut all_lead_on) = (true, true);
    for step in steps {
        let (there, lead_on) = step.image(state, false, &here)?;
        let (back, _) = step.image(state, true, &there)?;
        is_closed &= back == here;
        all_lead_on &= lead_on;
        here = there;
    }
    let mut back = here.clone();
    for step in steps.iter().rev() {
        back = step.image(state, true, &back)?.0;
    }
    Ok(Walk {
        result: here,
        back,
        is_closed,
        all_lead_on,
    })
}

/// A conversion that is asked for.
#[derive(Debug)]
pub(crate) struct Query {
    from: Classification,
    codes: Vec<Code>,
    to: Classification,
}

impl TryFrom<wire::ConvertCommodityRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::ConvertCommodityRequest) -> Result<Query, Violations> {
        let wire::ConvertCommodityRequest { from, codes, to } = request;
        let mut violations = Violations::new();
        let from = violations.check("from", from.parse());
        let codes = violations.check_nested("", parse_codes(&codes));
        let to = violations.check("to", to.parse());
        match (from, codes, to) {
            (Some(from), Some(codes), Some(to)) => Ok(Query { from, codes, to }),
            _ => Err(violations),
        }
    }
}

fn parse_codes(codes: &[String]) -> Result<Vec<Code>, Violations> {
    if codes.is_empty() || codes.len() > MAX_CODES {
        let description = format!("{} codes: 1 to {MAX_CODES} are required", codes.len());
        return Err(Violations::one("codes", description));
    }
    let mut violations = Violations::new();
    let mut parsed = BTreeSet::new();
    for (index, code) in codes.iter().enumerate() {
        parsed.extend(violations.check(&format!("codes[{index}]"), parse_group(code)));
    }
    violations.into_result(parsed.into_iter().collect())
}

/// Answers a request.
pub(crate) fn get(state: &State<'_>, query: &Query) -> Result<wire::Conversion, Error> {
    let Query { from, codes, to } = query;
    Ok(convert(state, *from, codes, *to)?.to_wire())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use proto::r#type::v1::Source;
    use proto::{Classification, Code};
    use store::{Origin, Store};
    use tempfile::TempDir;

    use super::{Converted, convert, wire};
    use crate::Model;
    use crate::concordance::NewTable;
    use crate::error::Error;

    /// A store, of which each case replaces the tables.
    struct Tables {
        store: Store<Model>,
        runtime: tokio::runtime::Runtime,
        _folder: TempDir,
    }

    impl Tables {
        fn new() -> Tables {
            let folder = tempfile::tempdir().unwrap();
            let config = store::Config {
                ballast_bytes: 0,
                ..store::Config::default()
            };
            Tables {
                store: Store::open(folder.path(), &config).unwrap(),
                runtime: tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap(),
                _folder: folder,
            }
        }

        fn record(&self, from: &str, to: &str, pairs: &BTreeSet<(u8, u8)>) {
            let rows = pairs.iter().map(|(from, to)| wire::ConcordanceRow {
                from_code: code(*from).to_string(),
                to_code: code(*to).to_string(),
                relation: 0,
            });
            let table = NewTable::try_from(wire::RecordConcordanceRequest {
                from: from.into(),
                to: to.into(),
                rows: rows.collect(),
                source: Some(Source {
                    title: "A table".into(),
                    publisher: "An office".into(),
                    ..Source::default()
                }),
                validate_only: false,
            });
            let table = table.unwrap();
            let write = self
                .store
                .write(Origin::default(), move |state, _| -> Result<_, Error> {
                    table.decide(state)
                });
            self.runtime.block_on(write).unwrap();
        }

        fn convert(&self, from: Classification, codes: &[Code], to: Classification) -> Converted {
            self.store
                .read(|state| convert(state, from, codes, to))
                .unwrap()
        }
    }

    /// One of a few codes in three chapters.
    fn code(number: u8) -> Code {
        format!("8{}00{:02}", number % 3 + 4, number)
            .parse()
            .unwrap()
    }

    fn pairs() -> impl Strategy<Value = BTreeSet<(u8, u8)>> {
        proptest::collection::btree_set((0_u8..20, 0_u8..20), 1..30)
    }

    fn given() -> impl Strategy<Value = BTreeSet<u8>> {
        proptest::collection::btree_set(0_u8..20, 1..6)
    }

    fn across(pairs: &BTreeSet<(u8, u8)>, set: &BTreeSet<u8>) -> BTreeSet<u8> {
        let led = pairs.iter().filter(|(from, _)| set.contains(from));
        led.map(|(_, to)| *to).collect()
    }

    fn back(pairs: &BTreeSet<(u8, u8)>, set: &BTreeSet<u8>) -> BTreeSet<u8> {
        let led = pairs.iter().filter(|(_, to)| set.contains(to));
        led.map(|(from, _)| *from).collect()
    }

    fn codes(set: &BTreeSet<u8>) -> BTreeSet<Code> {
        set.iter().copied().map(code).collect()
    }

    #[test]
    fn a_set_is_exact_if_and_only_if_the_way_back_gives_it() {
        let tables = Tables::new();
        proptest!(ProptestConfig::with_cases(64), |(pairs in pairs(), given in given())| {
            tables.record("H6", "H5", &pairs);
            let asked: Vec<Code> = given.iter().copied().map(code).collect();
            let led = tables.convert(Classification::H6, &asked, Classification::H5);
            let there = across(&pairs, &given);
            prop_assert_eq!(led.to_codes.iter().copied().collect::<BTreeSet<_>>(), codes(&there));
            prop_assert_eq!(led.exact, back(&pairs, &there) == given);
            if led.exact {
                let home = tables.convert(Classification::H5, &led.to_codes, Classification::H6);
                prop_assert!(home.exact);
                prop_assert_eq!(home.to_codes.into_iter().collect::<BTreeSet<_>>(), codes(&given));
            }
        });
    }

    #[test]
    fn over_two_tables_each_step_must_be_exact() {
        let tables = Tables::new();
        let both = (pairs(), pairs(), given());
        proptest!(ProptestConfig::with_cases(64), |((first, second, given) in both)| {
            tables.record("H6", "H5", &first);
            // Read against the way it leads.
            let turned = second.iter().map(|(from, to)| (*to, *from)).collect();
            tables.record("H4", "H5", &turned);
            let asked: Vec<Code> = given.iter().copied().map(code).collect();
            let led = tables.convert(Classification::H6, &asked, Classification::H4);
            let middle = across(&first, &given);
            let there = across(&second, &middle);
            prop_assert_eq!(led.to_codes.iter().copied().collect::<BTreeSet<_>>(), codes(&there));
            let exact = back(&first, &middle) == given && back(&second, &there) == middle;
            prop_assert_eq!(led.exact, exact);
        });
    }
}
