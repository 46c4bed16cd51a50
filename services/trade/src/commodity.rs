//! Names of commodities, by classification, code and language.
//!
//! A classification whose names were recorded is known by them: a code without a name is none. One without
//! any has the short names of the chapters that are built in.

use std::collections::{BTreeMap, HashSet};

use prost::Message;
use proto::trade::v1 as wire;
use proto::r#type::v1::LocalizedText;
use proto::{Classification, Code, CodePattern, PageToken, PageTokenError, Violations};
use proto::{check_language, check_text};
use store::{Decision, State};
use wire::{CommodityDescription, CommodityName, CommodityNamesRecorded};
use wire::{ListCommoditiesResponse, RecordCommodityNamesResponse};
use wire::{TradeChange, trade_change::Change};

use crate::error::Error;
use crate::list::PAGE_BYTES;
use crate::{chapters, keys};

const MAX_NAMES: usize = 10_000;
const MAX_TEXT: usize = 1_000;
const MAX_LANGUAGES: usize = 32;
const MAX_SEARCH: usize = 100;
/// Names that a page may look at.
const MAX_LOOKS: usize = 2_000;
const ENGLISH: &str = "en";

/// The languages in which a classification has names.
#[derive(Clone, PartialEq, Message)]
struct Languages {
    #[prost(string, repeated, tag = "1")]
    tags: Vec<String>,
}

fn languages(state: &State<'_>, of: Classification) -> Result<Languages, store::Error> {
    let found = state.get(&keys::name_languages(of))?;
    let parsed = found.map(|bytes| Languages::decode(&*bytes)).transpose();
    let parsed = parsed.map_err(|error| unreadable(&error))?;
    Ok(parsed.unwrap_or_default())
}

fn unreadable(what: &dyn std::fmt::Display) -> store::Error {
    store::Error::View(format!("names of commodities: {what}"))
}

fn find(
    state: &State<'_>,
    classification: Classification,
    code: Code,
    language: &str,
) -> Result<Option<String>, store::Error> {
    let found = state.get(&keys::commodity_name(classification, code, language))?;
    found.map(|bytes| parse_name(&bytes)).transpose()
}

fn parse_name(bytes: &[u8]) -> Result<String, store::Error> {
    String::from_utf8(bytes.to_vec()).map_err(|error| unreadable(&error))
}

/// The keys before the first and after the last name of a code.
fn all_of(classification: Classification, code: Code) -> (Vec<u8>, Vec<u8>) {
    let prefix = keys::names_of(classification, code);
    let end = [&prefix[..], &[u8::MAX]].concat();
    (prefix, end)
}

/// What to call a code: its English name, else its first one, else the one that is built in.
pub(crate) fn name(
    state: &State<'_>,
    classification: Classification,
    code: Code,
) -> Result<Option<String>, store::Error> {
    if let Some(english) = find(state, classification, code, ENGLISH)? {
        return Ok(Some(english));
    }
    let (start, end) = all_of(classification, code);
    if let Some(first) = state.range(&start, &end).next().transpose()? {
        return parse_name(&first.1).map(Some);
    }
    let built_in = chapters::name(code).filter(|_| classification.is_hs());
    Ok(built_in.map(str::to_owned))
}

/// Whether a code is one of its classification; `None` where no names were recorded by which to know. The
/// total is known everywhere.
pub(crate) fn known(
    state: &State<'_>,
    classification: Classification,
    code: Code,
) -> Result<Option<bool>, store::Error> {
    if code.is_total() {
        return Ok(Some(true));
    }
    if languages(state, classification)?.tags.is_empty() {
        return Ok(None);
    }
    let (start, end) = all_of(classification, code);
    let first = state.range(&start, &end).next().transpose()?;
    Ok(Some(first.is_some()))
}

/// Names to be recorded.
#[derive(Debug)]
pub(crate) struct NewNames {
    classification: Classification,
    language: String,
    names: Vec<(Code, String)>,
}

impl TryFrom<wire::RecordCommodityNamesRequest> for NewNames {
    type Error = Violations;

    fn try_from(request: wire::RecordCommodityNamesRequest) -> Result<NewNames, Violations> {
        let wire::RecordCommodityNamesRequest {
            classification,
            language_code,
            names,
            validate_only: _,
        } = request;
        let mut violations = Violations::new();
        let classification = violations.check("classification", classification.parse());
        let language = violations.check("language_code", check_language(&language_code));
        let names = violations.check_nested("", parse_names(&names));
        match (classification, language, names) {
            (Some(classification), Some(language), Some(names)) => Ok(NewNames {
                classification,
                language,
                names,
            }),
            _ => Err(violations),
        }
    }
}

fn parse_names(names: &[CommodityName]) -> Result<Vec<(Code, String)>, Violations> {
    if names.is_empty() || names.len() > MAX_NAMES {
        let description = format!("{} names: 1 to {MAX_NAMES} are required", names.len());
        return Err(Violations::one("names", description));
    }
    let mut violations = Violations::new();
    let mut parsed = Vec::with_capacity(names.len());
    let mut seen = HashSet::new();
    for (index, CommodityName { code, text }) in names.iter().enumerate() {
        let field = |part: &str| format!("names[{index}].{part}");
        let code = violations.check(&field("code"), code.parse::<Code>());
        let text = violations.check(&field("text"), check_text(text, MAX_TEXT));
        if let Some(code) = code
            && !seen.insert(code)
        {
            violations.push(field("code"), format!("{code} twice"));
        }
        parsed.extend(code.zip(text));
    }
    violations.into_result(parsed)
}

impl NewNames {
    /// Decides to record those that are new or differ.
    pub(crate) fn decide(
        self,
        state: &State<'_>,
    ) -> Result<Decision<TradeChange, RecordCommodityNamesResponse>, Error> {
        let (names, reply) = self.compared(state)?;
        if names.is_empty() {
            return Ok(Decision::nothing(reply));
        }
        let subject = format!("classifications/{}", self.classification);
        let change = Change::CommodityNamesRecorded(CommodityNamesRecorded {
            classification: self.classification.to_string(),
            language_code: self.language,
            names,
        });
        let change = TradeChange {
            change: Some(change),
        };
        Ok(Decision::change(change, subject, reply))
    }

    /// Those that are new or differ, and how many there are of each kind.
    pub(crate) fn compared(
        &self,
        state: &State<'_>,
    ) -> Result<(Vec<CommodityName>, RecordCommodityNamesResponse), Error> {
        self.check_language(state)?;
        let mut counts = RecordCommodityNamesResponse::default();
        let mut differing = Vec::new();
        for (code, text) in &self.names {
            let stored = find(state, self.classification, *code, &self.language)?;
            match stored {
                Some(stored) if stored == *text => {
                    counts.unchanged += 1;
                    continue;
                }
                Some(_) => counts.changed += 1,
                None => counts.new += 1,
            }
            differing.push(CommodityName {
                code: code.to_string(),
                text: text.clone(),
            });
        }
        Ok((differing, counts))
    }

    fn check_language(&self, state: &State<'_>) -> Result<(), Error> {
        let tags = languages(state, self.classification)?.tags;
        if tags.len() < MAX_LANGUAGES || tags.contains(&self.language) {
            return Ok(());
        }
        let description =
            format!("there are names in {MAX_LANGUAGES} languages, and no room for more");
        Err(Violations::one("language_code", description).into())
    }
}

/// Applies that names were recorded.
pub(crate) fn apply_recorded(
    state: &mut State<'_>,
    recorded: &CommodityNamesRecorded,
) -> Result<(), store::Error> {
    let CommodityNamesRecorded {
        classification,
        language_code,
        names,
    } = recorded;
    let classification = classification.parse().map_err(|e| unreadable(&e))?;
    for CommodityName { code, text } in names {
        let code = code.parse().map_err(|e| unreadable(&e))?;
        let key = keys::commodity_name(classification, code, language_code);
        state.put(key, text.clone().into_bytes())?;
    }
    let mut languages = languages(state, classification)?;
    if !languages.tags.contains(language_code) {
        languages.tags.push(language_code.clone());
        state.put(
            keys::name_languages(classification),
            languages.encode_to_vec(),
        )?;
    }
    Ok(())
}

/// A page of codes with their names.
#[derive(Debug)]
pub(crate) struct Query {
    classification: Classification,
    pattern: CodePattern,
    /// What a name must hold, in lower case; empty for anything.
    contains: String,
    page_size: usize,
    digest: u64,
    /// The code that the page before looked at last.
    after: Option<Code>,
}

impl TryFrom<wire::ListCommoditiesRequest> for Query {
    type Error = Error;

    fn try_from(mut request: wire::ListCommoditiesRequest) -> Result<Query, Error> {
        let page_size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let digest = proto::query_digest(&[b"ListCommodities", &request.encode_to_vec()]);
        let wire::ListCommoditiesRequest {
            classification,
            code,
            contains,
            page_size: _,
            page_token: _,
        } = request;
        let mut violations = Violations::new();
        let classification = violations.check("classification", classification.parse());
        let pattern = match code.as_str() {
            "" => Some(CodePattern::ANY),
            code => violations.check("code", code.parse()),
        };
        if contains.chars().nth(MAX_SEARCH).is_some() {
            violations.push("contains", format!("longer than {MAX_SEARCH} characters"));
        }
        let size = violations.check_nested("", proto::page_size(page_size, 100, 1_000));
        let (Some(classification), Some(pattern), Some(size)) = (classification, pattern, size)
        else {
            return Err(violations.into());
        };
        violations.into_result(())?;
        Ok(Query {
            classification,
            pattern,
            contains: contains.to_lowercase(),
            page_size: size as usize,
            digest,
            after: parse_token(&token, digest)?,
        })
    }
}

fn parse_token(token: &str, digest: u64) -> Result<Option<Code>, PageTokenError> {
    if token.is_empty() {
        return Ok(None);
    }
    let cursor = PageToken::decode(token, digest)?;
    let code = std::str::from_utf8(&cursor).ok().map(str::parse);
    match code {
        Some(Ok(code)) => Ok(Some(code)),
        Some(Err(_)) | None => Err(PageTokenError::Malformed),
    }
}

impl Query {
    /// Where the names are that can match, behind those of the pages before.
    fn range(&self) -> (Vec<u8>, Vec<u8>) {
        let prefix = self.pattern.chapter();
        let prefix = prefix.and_then(|chapter| std::str::from_utf8(&chapter).ok()?.parse().ok());
        let (start, end) = match (self.pattern.exact(), prefix) {
            (Some(code), _) => all_of(self.classification, code),
            (None, Some(chapter)) => {
                let start = keys::names_of(self.classification, chapter);
                // The first byte of a code's third digit, which is zero or a digit.
                let end = [&start[..4], &[u8::MAX]].concat();
                (start, end)
            }
            (None, None) => keys::commodity_names(self.classification),
        };
        match self.after {
            Some(after) => (start.max(all_of(self.classification, after).1), end),
            None => (start, end),
        }
    }

    fn is_met_by(&self, code: Code, names: &BTreeMap<String, String>) -> bool {
        let holds = |text: &String| text.to_lowercase().contains(&self.contains);
        self.pattern.matches(code) && (self.contains.is_empty() || names.values().any(holds))
    }
}

/// A page that is being filled, code by code.
struct Page<'a> {
    query: &'a Query,
    built_in: bool,
    commodities: Vec<CommodityDescription>,
    bytes: usize,
    looks: usize,
    /// The code that was looked at last.
    last: Option<Code>,
}

impl Page<'_> {
    fn new(query: &Query, built_in: bool) -> Page<'_> {
        Page {
            query,
            built_in,
            commodities: Vec::new(),
            bytes: 0,
            looks: 0,
            last: None,
        }
    }

    fn is_full(&self) -> bool {
        self.commodities.len() == self.query.page_size
            || self.bytes > PAGE_BYTES
            || self.looks >= MAX_LOOKS
    }

    fn take(&mut self, code: Code, texts: BTreeMap<String, String>) {
        self.looks += texts.len();
        self.last = Some(code);
        if !self.query.is_met_by(code, &texts) {
            return;
        }
        let classification = self.query.classification.to_string();
        let commodity = CommodityDescription {
            name: format!("classifications/{classification}/commodities/{code}"),
            classification,
            code: code.to_string(),
            names: Some(LocalizedText { texts }),
            built_in: self.built_in,
        };
        self.bytes += commodity.encoded_len();
        self.commodities.push(commodity);
    }

    fn response(self, goes_on: bool) -> ListCommoditiesResponse {
        let last = self.last.filter(|_| goes_on);
        let digest = self.query.digest;
        let token = last.map(|code| PageToken::encode(digest, code.as_str().as_bytes()));
        ListCommoditiesResponse {
            commodities: self.commodities,
            next_page_token: token.unwrap_or_default(),
        }
    }
}

/// A page of codes with their names.
pub(crate) fn list(state: &State<'_>, query: &Query) -> Result<ListCommoditiesResponse, Error> {
    if languages(state, query.classification)?.tags.is_empty() {
        return Ok(list_built_in(query));
    }
    let mut page = Page::new(query, false);
    let (start, end) = query.range();
    let mut pending: Option<(Code, BTreeMap<String, String>)> = None;
    for entry in state.range(&start, &end) {
        let (key, value) = entry?;
        let (code, language) =
            keys::parse_commodity_name(&key).ok_or_else(|| unreadable(&"a key"))?;
        let name = (language.to_owned(), parse_name(&value)?);
        match &mut pending {
            Some((same, names)) if *same == code => {
                names.insert(name.0, name.1);
            }
            other => {
                if let Some((before, names)) = other.replace((code, BTreeMap::from([name]))) {
                    page.take(before, names);
                }
                if page.is_full() {
                    return Ok(page.response(true));
                }
            }
        }
    }
    if let Some((last, names)) = pending {
        page.take(last, names);
    }
    Ok(page.response(false))
}

fn list_built_in(query: &Query) -> ListCommoditiesResponse {
    let mut page = Page::new(query, true);
    let chapters = chapters::all().filter(|_| query.classification.is_hs());
    for (code, name) in chapters.filter(|(code, _)| query.after.is_none_or(|after| *code > after)) {
        if page.is_full() {
            return page.response(true);
        }
        page.take(
            code,
            BTreeMap::from([(ENGLISH.to_owned(), name.to_owned())]),
        );
    }
    page.response(false)
}

#[cfg(test)]
mod tests {
    use proto::{Classification, Code};
    use store::{Origin, Store};

    use super::{NewNames, known, name, wire};
    use crate::Model;
    use crate::error::Error;

    fn named(language: &str, names: &[(&str, &str)]) -> NewNames {
        let names = names.iter().map(|(code, text)| wire::CommodityName {
            code: (*code).into(),
            text: (*text).into(),
        });
        let request = wire::RecordCommodityNamesRequest {
            classification: "H6".into(),
            language_code: language.into(),
            names: names.collect(),
            validate_only: false,
        };
        request.try_into().unwrap()
    }

    #[tokio::test]
    async fn a_code_is_called_by_its_nearest_name_and_known_by_any() {
        let folder = tempfile::tempdir().unwrap();
        let config = store::Config {
            ballast_bytes: 0,
            ..store::Config::default()
        };
        let store: Store<Model> = Store::open(folder.path(), &config).unwrap();
        let call = |classification, code: &str| {
            let code: Code = code.parse().unwrap();
            store.read(|state| {
                let name = name(state, classification, code).unwrap();
                (name, known(state, classification, code).unwrap())
            })
        };
        let called = |name: &str| Some(name.to_owned());
        let (h6, h5) = (Classification::H6, Classification::H5);
        assert_eq!(call(h6, "74"), (called("Copper"), None));
        assert_eq!(call(h6, "7403"), (None, None));
        assert_eq!(call(Classification::S4, "74"), (None, None));
        assert_eq!(call(h6, "TOTAL"), (None, Some(true)));

        let russian = named("ru", &[("74", "Медь"), ("7403", "Медь рафинированная")]);
        for names in [russian, named("en", &[("7403", "Refined copper")])] {
            let decide =
                move |state: &store::State<'_>, _| -> Result<_, Error> { names.decide(state) };
            store.write(Origin::default(), decide).await.unwrap();
        }
        assert_eq!(call(h6, "7403"), (called("Refined copper"), Some(true)));
        assert_eq!(call(h6, "74"), (called("Медь"), Some(true)));
        // Named by its chapter still, and yet no code of the list.
        assert_eq!(call(h6, "80"), (called("Tin"), Some(false)));
        assert_eq!(call(h6, "740"), (None, Some(false)));
        assert_eq!(call(h6, "TOTAL"), (None, Some(true)));
        assert_eq!(call(h5, "74"), (called("Copper"), None));
    }
}
