//! What is traded: a code in a classification.

use std::fmt;
use std::str::FromStr;

use crate::excerpt::Excerpt;
use crate::fields::Violations;
use crate::trade::v1 as wire;

/// A classification of goods or services. Within the Harmonized System the newest revision is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Classification {
    /// Harmonized System 1992.
    H0,
    /// Harmonized System 1996.
    H1,
    /// Harmonized System 2002.
    H2,
    /// Harmonized System 2007.
    H3,
    /// Harmonized System 2012.
    H4,
    /// Harmonized System 2017.
    H5,
    /// Harmonized System 2022.
    H6,
    /// SITC, revision 1.
    S1,
    /// SITC, revision 2.
    S2,
    /// SITC, revision 3.
    S3,
    /// SITC, revision 4.
    S4,
    /// BEC, revision 4.
    B4,
    /// BEC, revision 5.
    B5,
    /// Services: EBOPS.
    Eb,
    /// None was stated: a total of the press. Only the total stands under it.
    Na,
}

impl Classification {
    /// All of them, in order.
    pub const ALL: [Classification; 15] = [
        Classification::H0,
        Classification::H1,
        Classification::H2,
        Classification::H3,
        Classification::H4,
        Classification::H5,
        Classification::H6,
        Classification::S1,
        Classification::S2,
        Classification::S3,
        Classification::S4,
        Classification::B4,
        Classification::B5,
        Classification::Eb,
        Classification::Na,
    ];

    /// The number to store.
    pub fn id(self) -> u8 {
        match self {
            Classification::H0 => 1,
            Classification::H1 => 2,
            Classification::H2 => 3,
            Classification::H3 => 4,
            Classification::H4 => 5,
            Classification::H5 => 6,
            Classification::H6 => 7,
            Classification::S1 => 8,
            Classification::S2 => 9,
            Classification::S3 => 10,
            Classification::S4 => 11,
            Classification::B4 => 12,
            Classification::B5 => 13,
            Classification::Eb => 14,
            Classification::Na => 15,
        }
    }

    /// By [`Classification::id`].
    pub fn from_id(id: u8) -> Option<Classification> {
        let index = usize::from(id).checked_sub(1)?;
        Classification::ALL.get(index).copied()
    }

    /// As UN Comtrade names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Classification::H0 => "H0",
            Classification::H1 => "H1",
            Classification::H2 => "H2",
            Classification::H3 => "H3",
            Classification::H4 => "H4",
            Classification::H5 => "H5",
            Classification::H6 => "H6",
            Classification::S1 => "S1",
            Classification::S2 => "S2",
            Classification::S3 => "S3",
            Classification::S4 => "S4",
            Classification::B4 => "B4",
            Classification::B5 => "B5",
            Classification::Eb => "EB",
            Classification::Na => "NA",
        }
    }

    /// Whether it is a revision of the Harmonized System.
    pub fn is_hs(self) -> bool {
        self <= Classification::H6
    }

    /// Whether both are revisions of one classification, so that their totals count the same things.
    pub fn is_kin_of(self, other: Classification) -> bool {
        let family = |of: Classification| of.as_str().as_bytes()[0];
        family(self) == family(other)
    }
}

impl fmt::Display for Classification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a text is no classification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClassificationError {
    /// There is no text.
    #[error("empty: a classification is required, for example `H6`")]
    Empty,
    /// `HS`, which UN Comtrade takes in queries for whichever revision was reported.
    #[error("`HS` names no revision: write `H0` (1992) to `H6` (2022)")]
    AnyHs,
    /// Anything else.
    #[error("unknown {0}: `H0` to `H6`, `S1` to `S4`, `B4`, `B5`, `EB` or `NA`")]
    Unknown(Excerpt),
}

impl FromStr for Classification {
    type Err = ClassificationError;

    fn from_str(text: &str) -> Result<Classification, ClassificationError> {
        let named = |one: &Classification| one.as_str() == text;
        match Classification::ALL.into_iter().find(named) {
            Some(found) => Ok(found),
            None if text.is_empty() => Err(ClassificationError::Empty),
            None if text == "HS" => Err(ClassificationError::AnyHs),
            None => Err(ClassificationError::Unknown(Excerpt::of(text))),
        }
    }
}

const TOTAL: &str = "TOTAL";
const MIN_DIGITS: usize = 2;
const MAX_DIGITS: usize = 6;

/// A commodity code: `TOTAL`, or 2 to 6 digits with their leading zeros. It sorts as its text does,
/// after `TOTAL`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// ASCII digits, then zero bytes; nothing but zero bytes for the total.
    digits: [u8; MAX_DIGITS],
}

impl Code {
    /// All commodities, as published.
    pub const TOTAL: Code = Code {
        digits: [0; MAX_DIGITS],
    };

    /// The code as it is written.
    pub fn as_str(&self) -> &str {
        match self.digits() {
            [] => TOTAL,
            digits => std::str::from_utf8(digits).unwrap_or_default(),
        }
    }

    /// How many digits it has; 0 for the total.
    pub fn level(self) -> u8 {
        self.digits.iter().map(|b| u8::from(*b != 0)).sum()
    }

    /// Its first two digits; `None` for the total.
    pub fn chapter(self) -> Option<[u8; 2]> {
        let [first, second, ..] = self.digits;
        (first != 0).then_some([first, second])
    }

    /// Whether it is the total.
    pub fn is_total(self) -> bool {
        self == Code::TOTAL
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.level())]
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
    }
}

/// Why a text is no commodity code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// There is no text.
    #[error("empty: `TOTAL` or 2 to 6 digits")]
    Empty,
    /// Digits or letters that are not ASCII, such as full-width ones.
    #[error("{0} is not plain ASCII: codes are written with the digits 0 to 9")]
    NotAscii(Excerpt),
    /// A space, before, within or after.
    #[error("{0} holds a space: `TOTAL` or 2 to 6 digits and nothing else")]
    Space(Excerpt),
    /// A letter or a sign.
    #[error("{0} is no code: `TOTAL` or 2 to 6 digits")]
    NotDigits(Excerpt),
    /// One digit, or more than six. A leading zero may have been lost.
    #[error("{given} has {len} digits: a code has 2 to 6, leading zeros included")]
    Length {
        /// What was given.
        given: Excerpt,
        /// How many digits it has.
        len: usize,
    },
    /// A pattern whose prefix has six digits.
    #[error("{0} has nothing left to match: `*` follows 2 to 5 digits")]
    Pattern(Excerpt),
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Code, CodeError> {
        let bytes = text.as_bytes();
        let right_length = (MIN_DIGITS..=MAX_DIGITS).contains(&bytes.len());
        if right_length && bytes.iter().all(u8::is_ascii_digit) {
            let mut digits = [0; MAX_DIGITS];
            digits[..bytes.len()].copy_from_slice(bytes);
            return Ok(Code { digits });
        }
        if text == TOTAL {
            return Ok(Code::TOTAL);
        }
        Err(explain(text))
    }
}

#[cold]
fn explain(text: &str) -> CodeError {
    let given = Excerpt::of(text);
    if text.is_empty() {
        CodeError::Empty
    } else if text.contains(char::is_whitespace) {
        CodeError::Space(given)
    } else if !text.is_ascii() {
        CodeError::NotAscii(given)
    } else if text.bytes().all(|b| b.is_ascii_digit()) {
        let len = text.len();
        CodeError::Length { given, len }
    } else {
        CodeError::NotDigits(given)
    }
}

/// A code in its classification; neither says anything without the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commodity {
    /// The classification.
    pub classification: Classification,
    /// The code.
    pub code: Code,
}

impl TryFrom<wire::Commodity> for Commodity {
    type Error = Violations;

    fn try_from(commodity: wire::Commodity) -> Result<Commodity, Violations> {
        let wire::Commodity {
            classification,
            code,
        } = commodity;
        let mut violations = Violations::new();
        let classification = violations.check("classification", classification.parse());
        let code = violations.check("code", code.parse());
        match (classification, code) {
            (Some(classification), Some(code)) => Ok(Commodity {
                classification,
                code,
            }),
            _ => Err(violations),
        }
    }
}

impl From<Commodity> for wire::Commodity {
    fn from(commodity: Commodity) -> wire::Commodity {
        wire::Commodity {
            classification: commodity.classification.to_string(),
            code: commodity.code.to_string(),
        }
    }
}

/// Which codes a filter lets through: any, one, or all that begin with 2 to 5 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CodePattern(Pattern);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Pattern {
    #[default]
    Any,
    Exact(Code),
    Prefix(Code),
}

impl CodePattern {
    /// Every code.
    pub const ANY: CodePattern = CodePattern(Pattern::Any);

    /// Whether `code` passes. A prefix matches the code that it is as well.
    pub fn matches(self, code: Code) -> bool {
        match self.0 {
            Pattern::Any => true,
            Pattern::Exact(one) => one == code,
            Pattern::Prefix(prefix) => code.digits().starts_with(prefix.digits()),
        }
    }

    /// The chapter that all matching codes share, where they do.
    pub fn chapter(self) -> Option<[u8; 2]> {
        match self.0 {
            Pattern::Any => None,
            Pattern::Exact(code) | Pattern::Prefix(code) => code.chapter(),
        }
    }

    /// The one code that passes, where there is one.
    pub fn exact(self) -> Option<Code> {
        match self.0 {
            Pattern::Exact(code) => Some(code),
            Pattern::Any | Pattern::Prefix(_) => None,
        }
    }

    /// Whether only the total passes.
    pub fn is_total(self) -> bool {
        self.exact().is_some_and(Code::is_total)
    }
}

impl From<Code> for CodePattern {
    fn from(code: Code) -> CodePattern {
        CodePattern(Pattern::Exact(code))
    }
}

impl fmt::Display for CodePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Pattern::Any => Ok(()),
            Pattern::Exact(code) => code.fmt(f),
            Pattern::Prefix(code) => write!(f, "{code}*"),
        }
    }
}

impl FromStr for CodePattern {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<CodePattern, CodeError> {
        if text.is_empty() {
            return Ok(CodePattern::ANY);
        }
        let Some(prefix) = text.strip_suffix('*') else {
            return text.parse().map(Pattern::Exact).map(CodePattern);
        };
        let code: Code = prefix
            .parse()
            .map_err(|_| CodeError::Pattern(Excerpt::of(text)))?;
        match usize::from(code.level()) {
            0 | MAX_DIGITS => Err(CodeError::Pattern(Excerpt::of(text))),
            _ => Ok(CodePattern(Pattern::Prefix(code))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Classification, ClassificationError, Code, CodeError, CodePattern, Commodity};
    use crate::trade::v1 as wire;
    use proptest::prelude::*;

    fn code(text: &str) -> Code {
        text.parse().unwrap()
    }

    fn pattern(text: &str) -> CodePattern {
        text.parse().unwrap()
    }

    #[test]
    fn leading_zeros_stay() {
        assert_eq!(code("010121").to_string(), "010121");
        assert_ne!(code("01"), code("0100"));
        assert_eq!(code("010121").level(), 6);
        assert_eq!(code("010121").chapter(), Some(*b"01"));
        assert_eq!(code("00").level(), 2);
    }

    #[test]
    fn the_total_has_no_chapter_and_comes_first() {
        assert_eq!(code("TOTAL"), Code::TOTAL);
        assert_eq!(Code::TOTAL.level(), 0);
        assert_eq!(Code::TOTAL.chapter(), None);
        assert!(Code::TOTAL < code("00"));
        assert!(code("87") < code("8703"));
        assert!(code("8703") < code("88"));
    }

    #[test]
    fn what_is_no_code_says_why() {
        let refused = |text: &str| text.parse::<Code>().unwrap_err();
        assert_eq!(refused(""), CodeError::Empty);
        assert!(matches!(refused("87 "), CodeError::Space(_)));
        assert!(matches!(refused("8７03"), CodeError::NotAscii(_)));
        assert!(matches!(refused("total"), CodeError::NotDigits(_)));
        assert!(matches!(refused("87O3"), CodeError::NotDigits(_)));
        assert!(matches!(refused("8"), CodeError::Length { len: 1, .. }));
        assert!(matches!(
            refused("8703801"),
            CodeError::Length { len: 7, .. }
        ));
        assert!(matches!(refused("87*"), CodeError::NotDigits(_)));
    }

    #[test]
    fn patterns_let_through_what_they_say() {
        assert!(pattern("").matches(Code::TOTAL));
        assert!(pattern("").matches(code("8703")));
        assert!(pattern("TOTAL").is_total());
        assert!(!pattern("TOTAL").matches(code("87")));
        assert!(pattern("8703").matches(code("8703")));
        assert!(!pattern("8703").matches(code("870380")));
        assert!(pattern("87*").matches(code("87")));
        assert!(pattern("87*").matches(code("870380")));
        assert!(!pattern("87*").matches(code("88")));
        assert!(!pattern("8703*").matches(code("87")));
        assert!(!pattern("87*").matches(Code::TOTAL));
        assert_eq!(pattern("8703*").chapter(), Some(*b"87"));
        assert_eq!(pattern("").chapter(), None);
        assert_eq!(pattern("8703").exact(), Some(code("8703")));
        assert_eq!(pattern("87*").exact(), None);
    }

    #[test]
    fn a_pattern_has_something_left_to_match() {
        for text in ["*", "8*", "870380*", "TOTAL*", "87**", "8７*", "%"] {
            assert!(text.parse::<CodePattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_newest_revision_is_last() {
        assert!(Classification::H0 < Classification::H6);
        assert!(Classification::H6.is_hs());
        assert!(!Classification::S1.is_hs());
        assert_eq!(
            "HS".parse::<Classification>(),
            Err(ClassificationError::AnyHs)
        );
        assert_eq!(
            "".parse::<Classification>(),
            Err(ClassificationError::Empty)
        );
        assert!("h4".parse::<Classification>().is_err());
    }

    #[test]
    fn classifications_keep_their_numbers() {
        for (index, one) in Classification::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(one.id()), index + 1);
            assert_eq!(Classification::from_id(one.id()), Some(one));
            assert_eq!(one.to_string().parse(), Ok(one));
        }
        assert_eq!(Classification::from_id(0), None);
        assert_eq!(Classification::from_id(16), None);
    }

    #[test]
    fn a_commodity_names_both_faults() {
        let error = Commodity::try_from(wire::Commodity::default()).unwrap_err();
        let fields: Vec<_> = error.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["classification", "code"]);
    }

    proptest! {
        #[test]
        fn a_code_is_printed_and_read_back(text in "[0-9]{2,6}") {
            let code: Code = text.parse().unwrap();
            prop_assert_eq!(code.as_str(), &text);
            prop_assert_eq!(usize::from(code.level()), text.len());
            let commodity = Commodity { classification: Classification::H4, code };
            prop_assert_eq!(Commodity::try_from(wire::Commodity::from(commodity)), Ok(commodity));
        }

        #[test]
        fn codes_sort_as_text(a in "[0-9]{2,6}", b in "[0-9]{2,6}") {
            prop_assert_eq!(code(&a).cmp(&code(&b)), a.cmp(&b));
        }

        #[test]
        fn nothing_breaks_the_parsers(text in any::<String>(), near in "[0-9*]{0,8}") {
            for text in [text, near] {
                if let Ok(code) = text.parse::<Code>() {
                    prop_assert_eq!(code.to_string(), text.clone());
                }
                if let Ok(pattern) = text.parse::<CodePattern>() {
                    prop_assert_eq!(pattern.to_string(), text.clone());
                }
            }
        }
    }
}
