//! Conversion tables between revisions of the Harmonized System.
//!
//! A table is recorded as a whole. What a row states of its relation must be what the rows make, by the way
//! in which the published tables state it: the left side is `n` when the row's second code stands in several
//! rows, the right side is `n` when its first code does.
//!
//! Rows are stored twice, sorted by the one code and by the other, in parts by chapter, so that a question
//! about a few codes reads their chapters alone. Tables are reference data: a conversion uses the one that
//! is there, also for a read as of an earlier instant.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use proto::trade::v1 as wire;
use proto::r#type::v1::Source as WireSource;
use proto::{Code, PageToken, PageTokenError, Source, Violations};
use store::{Decision, State};
use wire::{ConcordanceRecorded, ConcordanceRow, Relation, TradeChange, trade_change::Change};

use crate::error::Error;
use crate::keys::{self, Revisions};
use crate::sector::parse_revision;

const MAX_ROWS: usize = 40_000;
/// Rows in a stored part: 8 bytes each, 64 KB.
const PART_ROWS: usize = 8_000;
const PAIR: usize = 8;

/// A code of 6 digits as a number.
pub(crate) type Code6 = u32;
/// A code of one revision and one of another that share goods.
pub(crate) type Pair = (Code6, Code6);

/// What is kept of a table beside its rows.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Table {
    #[prost(int32, tag = "1")]
    row_count: i32,
    #[prost(message, required, tag = "2")]
    source: WireSource,
    /// XXH3-128 of rows and source, by which a table that is recorded again is known.
    #[prost(bytes = "vec", tag = "3")]
    digest: Vec<u8>,
}

impl Table {
    fn find(state: &State<'_>, revisions: Revisions) -> Result<Option<Table>, store::Error> {
        let found = state.get(&keys::concordance(revisions))?;
        found.map(|bytes| Table::parse(&bytes)).transpose()
    }

    fn parse(bytes: &[u8]) -> Result<Table, store::Error> {
        Table::decode(bytes).map_err(|error| unreadable(&error))
    }

    fn to_wire(&self, (from, to): Revisions) -> wire::Concordance {
        wire::Concordance {
            name: format!("concordances/{from}-{to}"),
            from: from.to_string(),
            to: to.to_string(),
            row_count: self.row_count,
            source: Some(self.source.clone()),
        }
    }
}

fn unreadable(what: &dyn std::fmt::Display) -> store::Error {
    store::Error::View(format!("a conversion table: {what}"))
}

/// A table to be recorded.
#[derive(Debug)]
pub(crate) struct NewTable {
    revisions: Revisions,
    /// Sorted, each once.
    pairs: Vec<Pair>,
    source: WireSource,
}

impl TryFrom<wire::RecordConcordanceRequest> for NewTable {
    type Error = Violations;

    fn try_from(request: wire::RecordConcordanceRequest) -> Result<NewTable, Violations> {
        let wire::RecordConcordanceRequest {
            from,
            to,
            rows,
            source,
            validate_only: _,
        } = request;
        let mut violations = Violations::new();
        let from = violations.check("from", parse_revision(&from));
        let to = violations.check("to", parse_revision(&to));
        if from.is_some() && from == to {
            violations.push("to", "must be another revision than `from`");
        }
        let pairs = violations.check_nested("", parse_rows(&rows));
        let source = source.ok_or_else(|| Violations::one("", "is required"));
        let source = violations.check_nested("source", source.and_then(Source::try_from));
        let (Some(from), Some(to), Some(pairs), Some(source)) = (from, to, pairs, source) else {
            return Err(violations);
        };
        violations.into_result(NewTable {
            revisions: (from, to),
            pairs,
            source: source.into(),
        })
    }
}

impl NewTable {
    /// Decides to record it; a table that is there as it is changes nothing.
    pub(crate) fn decide(
        self,
        state: &State<'_>,
    ) -> Result<Decision<TradeChange, wire::Concordance>, Error> {
        let table = table_of(&self.pairs, &self.source);
        let reply = table.to_wire(self.revisions);
        if Table::find(state, self.revisions)?.as_ref() == Some(&table) {
            return Ok(Decision::nothing(reply));
        }
        let subject = reply.name.clone();
        let change = Change::ConcordanceRecorded(self.recorded());
        let change = TradeChange {
            change: Some(change),
        };
        Ok(Decision::change(change, subject, reply))
    }

    /// What would be recorded.
    pub(crate) fn validated(&self) -> wire::Concordance {
        table_of(&self.pairs, &self.source).to_wire(self.revisions)
    }

    fn recorded(self) -> ConcordanceRecorded {
        let (from, to) = self.revisions;
        let degrees = Degrees::of(&self.pairs);
        let rows = self.pairs.iter().map(|pair| ConcordanceRow {
            from_code: text(pair.0),
            to_code: text(pair.1),
            relation: degrees.relation(*pair).into(),
        });
        ConcordanceRecorded {
            from: from.to_string(),
            to: to.to_string(),
            rows: rows.collect(),
            source: Some(self.source),
        }
    }
}

fn table_of(pairs: &[Pair], source: &WireSource) -> Table {
    let digest = xxhash_rust::xxh3::xxh3_128(&[pack(pairs), source.encode_to_vec()].concat());
    Table {
        row_count: i32::try_from(pairs.len()).unwrap_or(i32::MAX),
        source: source.clone(),
        digest: digest.to_be_bytes().to_vec(),
    }
}

/// In how many rows each code stands.
struct Degrees {
    from: HashMap<Code6, u32>,
    to: HashMap<Code6, u32>,
}

impl Degrees {
    fn of(pairs: &[Pair]) -> Degrees {
        let mut degrees = Degrees {
            from: HashMap::new(),
            to: HashMap::new(),
        };
        for (from, to) in pairs {
            *degrees.from.entry(*from).or_default() += 1;
            *degrees.to.entry(*to).or_default() += 1;
        }
        degrees
    }

    fn relation(&self, (from, to): Pair) -> Relation {
        let many = |of: &HashMap<Code6, u32>, code| of.get(&code).is_some_and(|rows| *rows > 1);
        relation(many(&self.to, to), many(&self.from, from))
    }
}

/// The relation of several or one code to several or one.
pub(crate) fn relation(from_many: bool, to_many: bool) -> Relation {
    match (from_many, to_many) {
        (false, false) => Relation::OneToOne,
        (true, false) => Relation::ManyToOne,
        (false, true) => Relation::OneToMany,
        (true, true) => Relation::ManyToMany,
    }
}

/// A code of 6 digits.
pub(crate) fn parse_code6(text: &str) -> Result<Code6, String> {
    let code: Code = text.parse().map_err(|error| format!("{error}"))?;
    if code.level() != 6 {
        return Err(format!("{code} has not 6 digits"));
    }
    text.parse().map_err(|error| format!("{error}"))
}

/// A code of 6 digits as it is written.
pub(crate) fn text(code: Code6) -> String {
    format!("{code:06}")
}

/// The chapter of a code.
pub(crate) fn chapter(code: Code6) -> u8 {
    u8::try_from(code / 10_000).unwrap_or(u8::MAX)
}

fn parse_rows(rows: &[ConcordanceRow]) -> Result<Vec<Pair>, Violations> {
    if rows.is_empty() || rows.len() > MAX_ROWS {
        let description = format!("{} rows: 1 to {MAX_ROWS} are required", rows.len());
        return Err(Violations::one("rows", description));
    }
    let mut violations = Violations::new();
    let mut pairs = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let row = parse_row(row);
        pairs.extend(violations.check_nested(&format!("rows[{index}]"), row));
    }
    if violations.is_empty() {
        check_relations(rows, &pairs, &mut violations);
        check_once(&pairs, &mut violations);
    }
    pairs.sort_unstable();
    violations.into_result(pairs)
}

fn parse_row(row: &ConcordanceRow) -> Result<Pair, Violations> {
    let ConcordanceRow {
        from_code,
        to_code,
        relation,
    } = row;
    let mut violations = Violations::new();
    let from = violations.check("from_code", parse_code6(from_code));
    let to = violations.check("to_code", parse_code6(to_code));
    if Relation::try_from(*relation).is_err() {
        violations.push("relation", format!("{relation} is no relation"));
    }
    let pair = from.unwrap_or_default();
    violations.into_result((pair, to.unwrap_or_default()))
}

fn check_relations(rows: &[ConcordanceRow], pairs: &[Pair], violations: &mut Violations) {
    let degrees = Degrees::of(pairs);
    for (index, (row, pair)) in rows.iter().zip(pairs).enumerate() {
        let (stated, made) = (row.relation(), degrees.relation(*pair));
        if stated != Relation::Unspecified && stated != made {
            let description = format!("{}, but the rows make it {}", sign(stated), sign(made));
            violations.push(format!("rows[{index}].relation"), description);
        }
    }
}

fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Unspecified => "not stated",
        Relation::OneToOne => "1:1",
        Relation::ManyToOne => "n:1",
        Relation::OneToMany => "1:n",
        Relation::ManyToMany => "n:n",
    }
}

fn check_once(pairs: &[Pair], violations: &mut Violations) {
    let mut first = HashMap::new();
    for (index, pair) in pairs.iter().enumerate() {
        if let Some(first) = first.insert(*pair, index) {
            violations.push(
                format!("rows[{index}]"),
                format!("the same as rows[{first}]"),
            );
        }
    }
}

fn pack(pairs: &[Pair]) -> Vec<u8> {
    let bytes = |(a, b): &Pair| [a.to_be_bytes(), b.to_be_bytes()].concat();
    pairs.iter().flat_map(bytes).collect()
}

fn unpack(bytes: &[u8]) -> Result<Vec<Pair>, store::Error> {
    let pairs = bytes.chunks_exact(PAIR).map(|pair| {
        let (from, to) = pair.split_first_chunk()?;
        let to = to.try_into().ok()?;
        Some((u32::from_be_bytes(*from), u32::from_be_bytes(to)))
    });
    let pairs: Option<Vec<Pair>> = pairs.collect();
    pairs.ok_or_else(|| unreadable(&"a pair of codes"))
}

/// Applies that a table was recorded, in place of the one before.
pub(crate) fn apply_recorded(
    state: &mut State<'_>,
    recorded: &ConcordanceRecorded,
) -> Result<(), store::Error> {
    let request = wire::RecordConcordanceRequest {
        from: recorded.from.clone(),
        to: recorded.to.clone(),
        rows: recorded.rows.clone(),
        source: recorded.source.clone(),
        validate_only: false,
    };
    let table = NewTable::try_from(request).map_err(|error| unreadable(&error))?;
    remove_rows(state, table.revisions)?;
    put_rows(state, table.revisions, false, &table.pairs)?;
    let mut backward: Vec<Pair> = table.pairs.iter().map(|(from, to)| (*to, *from)).collect();
    backward.sort_unstable();
    put_rows(state, table.revisions, true, &backward)?;
    let record = table_of(&table.pairs, &table.source);
    state.put(keys::concordance(table.revisions), record.encode_to_vec())
}

fn remove_rows(state: &mut State<'_>, revisions: Revisions) -> Result<(), store::Error> {
    let (start, end) = keys::concordance_rows(revisions);
    let stored = state.range(&start, &end);
    let stored: Vec<Vec<u8>> = stored
        .map(|entry| entry.map(|(key, _)| key.to_vec()))
        .collect::<Result<_, _>>()?;
    for key in stored {
        state.remove(key);
    }
    Ok(())
}

fn put_rows(
    state: &mut State<'_>,
    revisions: Revisions,
    backward: bool,
    pairs: &[Pair],
) -> Result<(), store::Error> {
    for of_chapter in pairs.chunk_by(|a, b| chapter(a.0) == chapter(b.0)) {
        for (pairs, part) in of_chapter.chunks(PART_ROWS).zip(0..) {
            let chapter = chapter(pairs[0].0);
            let key = keys::concordance_part(revisions, backward, chapter, part);
            state.put(key, pack(pairs))?;
        }
    }
    Ok(())
}

/// The rows of a table whose first code is in a chapter: the code that the table leads from, or, `backward`,
/// the one that it leads to.
pub(crate) fn rows(
    state: &State<'_>,
    revisions: Revisions,
    backward: bool,
    chapter: u8,
) -> Result<Vec<Pair>, store::Error> {
    let start = keys::concordance_part(revisions, backward, chapter, 0);
    let end = keys::concordance_part(revisions, backward, chapter, u8::MAX);
    let mut rows = Vec::new();
    for part in state.range(&start, &end) {
        rows.extend(unpack(&part?.1)?);
    }
    Ok(rows)
}

/// The revisions of all tables with what is kept of them.
fn tables(state: &State<'_>) -> Result<BTreeMap<Revisions, Table>, store::Error> {
    let (start, end) = keys::concordances();
    let mut tables = BTreeMap::new();
    for entry in state.range(&start, &end) {
        let (key, value) = entry?;
        let revisions = keys::parse_concordance(&key).ok_or_else(|| unreadable(&"its key"))?;
        tables.insert(revisions, Table::parse(&value)?);
    }
    Ok(tables)
}

/// Between which revisions there are tables.
pub(crate) fn all_revisions(state: &State<'_>) -> Result<Vec<Revisions>, store::Error> {
    Ok(tables(state)?.into_keys().collect())
}

/// What a page token of `ListConcordances` is bound to: the list has no filter.
const LIST: u64 = 0x60;

/// A page of tables, in the order of their revisions; there are few.
pub(crate) fn list(
    state: &State<'_>,
    page_size: usize,
    token: &str,
) -> Result<wire::ListConcordancesResponse, Error> {
    let tables = tables(state)?;
    let skip = parse_token(token)?.map_or(0, |last| tables.range(..=last).count());
    let page = tables.iter().skip(skip).take(page_size);
    let concordances: Vec<_> = page
        .map(|(revisions, table)| table.to_wire(*revisions))
        .collect();
    let end = skip + concordances.len();
    let last = tables.keys().nth(end.saturating_sub(1));
    let next = last.filter(|_| end < tables.len()).copied();
    let token = next.map(|next| PageToken::encode(LIST, &keys::concordance(next)));
    Ok(wire::ListConcordancesResponse {
        concordances,
        next_page_token: token.unwrap_or_default(),
    })
}

fn parse_token(token: &str) -> Result<Option<Revisions>, PageTokenError> {
    if token.is_empty() {
        return Ok(None);
    }
    let cursor = PageToken::decode(token, LIST)?;
    let last = keys::parse_concordance(&cursor);
    last.map(Some).ok_or(PageTokenError::Malformed)
}
