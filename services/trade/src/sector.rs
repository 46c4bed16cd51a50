//! Sectors: named groups of goods.

use proto::trade::v1 as wire;
use proto::{
    Classification, Code, LocalizedText, Slug, Violations, parse_sector_name, sector_name,
};
use records::Record;
use store::{Micros, State};
use wire::{CreateSectorRequest, DeleteSectorRequest, ListSectorsRequest, UpdateSectorRequest};
use wire::{TradeChange, trade_change::Change};

use crate::Model;
use crate::error::Error;

const MAX_CODES: usize = 500;

records::fields!(
    Model,
    wire::Sector,
    "sector",
    [display_name, description, classification, codes],
    sector_name,
    parse_sector_name
);
records::create_request!(Model, CreateSectorRequest, sector_id, sector: wire::Sector);
records::update_request!(Model, UpdateSectorRequest, sector: wire::Sector);
records::delete_request!(Model, DeleteSectorRequest of wire::Sector);
records::list_request!(Model, ListSectorsRequest);

impl Record<Model> for wire::Sector {
    const KIND: u8 = 2;

    fn check(self) -> Result<wire::Sector, Violations> {
        check(self)
    }

    fn recorded(self, _before: Option<&wire::Sector>) -> TradeChange {
        let sector = Some(self);
        let recorded = Change::SectorRecorded(wire::SectorRecorded { sector });
        TradeChange {
            change: Some(recorded),
        }
    }

    fn deleted(self) -> TradeChange {
        let deleted = Change::SectorDeleted(wire::SectorDeleted { name: self.name });
        TradeChange {
            change: Some(deleted),
        }
    }
}

/// A named group of goods: the figure of a sector is the sum over its codes, which do not overlap.
#[derive(Clone, Debug)]
pub(crate) struct Sector {
    pub(crate) id: Slug,
    pub(crate) display_name: LocalizedText,
    /// The revision of the Harmonized System in which the codes are meant.
    pub(crate) classification: Classification,
    /// Codes of 2, 4 or 6 digits, none below another.
    pub(crate) codes: Vec<Code>,
}

/// The sector of an id, as of an instant or now.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or was none then.
pub(crate) fn find(state: &State<'_>, id: &Slug, as_of: Option<Micros>) -> Result<Sector, Error> {
    let sector: wire::Sector = records::get::<Model, _>(state, id, as_of)?;
    Ok(stored(sector)?)
}

/// The first sectors that there were at an instant, or are now, in the order of their ids.
pub(crate) fn all(
    state: &State<'_>,
    as_of: Option<Micros>,
    most: usize,
) -> Result<Vec<Sector>, store::Error> {
    let sectors = records::all::<Model, wire::Sector>(state, as_of, most)?;
    sectors.into_iter().map(stored).collect()
}

fn stored(sector: wire::Sector) -> Result<Sector, store::Error> {
    let unreadable = |what: String| store::Error::View(format!("a sector: {what}"));
    let id = parse_sector_name(&sector.name).map_err(|e| unreadable(e.to_string()))?;
    let parsed = parse(sector).map_err(|e| unreadable(e.to_string()))?;
    Ok(Sector {
        id,
        display_name: parsed.display_name,
        classification: parsed.classification,
        codes: parsed.codes,
    })
}

impl Sector {
    /// Its name in English, or else in the first language that it has one in.
    pub(crate) fn title(&self) -> String {
        let texts = wire_text(&self.display_name);
        let english = texts.get("en").or_else(|| texts.values().next());
        english.cloned().unwrap_or_default()
    }
}

fn wire_text(text: &LocalizedText) -> std::collections::BTreeMap<String, String> {
    proto::r#type::v1::LocalizedText::from(text.clone()).texts
}

struct Parsed {
    display_name: LocalizedText,
    description: Option<LocalizedText>,
    classification: Classification,
    codes: Vec<Code>,
}

fn parse(sector: wire::Sector) -> Result<Parsed, Violations> {
    let wire::Sector {
        name: _,
        display_name,
        description,
        classification,
        codes,
        etag: _,
        create_time: _,
        update_time: _,
    } = sector;
    let mut violations = Violations::new();
    let missing = || Violations::one("", "is required");
    let display_name = display_name.ok_or_else(missing);
    let display_name = display_name.and_then(LocalizedText::try_from);
    let display_name = violations.check_nested("display_name", display_name);
    let description = description.map(LocalizedText::try_from).transpose();
    let description = violations.check_nested("description", description);
    let classification = violations.check("classification", parse_revision(&classification));
    let codes = violations.check_nested("", parse_codes(&codes));
    let (Some(display_name), Some(classification), Some(codes)) =
        (display_name, classification, codes)
    else {
        return Err(violations);
    };
    violations.into_result(Parsed {
        display_name,
        description: description.flatten(),
        classification,
        codes,
    })
}

fn check(sector: wire::Sector) -> Result<wire::Sector, Violations> {
    let Parsed {
        display_name,
        description,
        classification,
        codes,
    } = parse(sector)?;
    let sector = wire::Sector {
        display_name: Some(display_name.into()),
        description: description.map(Into::into),
        classification: classification.to_string(),
        codes: codes.iter().map(Code::to_string).collect(),
        ..wire::Sector::default()
    };
    let mut violations = Violations::new();
    records::check_size(&sector, &mut violations);
    violations.into_result(sector)
}

/// A revision of the Harmonized System.
pub(crate) fn parse_revision(text: &str) -> Result<Classification, String> {
    let parsed: Classification = text.parse().map_err(|e| format!("{e}"))?;
    if !parsed.is_hs() {
        return Err(format!(
            "{parsed} is no revision of the Harmonized System: `H0` to `H6`"
        ));
    }
    Ok(parsed)
}

fn parse_codes(codes: &[String]) -> Result<Vec<Code>, Violations> {
    if codes.is_empty() || codes.len() > MAX_CODES {
        let description = format!("{} codes: 1 to {MAX_CODES} are required", codes.len());
        return Err(Violations::one("codes", description));
    }
    let mut violations = Violations::new();
    let mut parsed = Vec::with_capacity(codes.len());
    for (index, code) in codes.iter().enumerate() {
        parsed.extend(violations.check(&format!("codes[{index}]"), parse_group(code)));
    }
    if violations.is_empty() {
        check_apart(&parsed, &mut violations);
    }
    violations.into_result(parsed)
}

/// A code of 2, 4 or 6 digits.
pub(crate) fn parse_group(code: &str) -> Result<Code, String> {
    let parsed: Code = code.parse().map_err(|e| format!("{e}"))?;
    match parsed.level() {
        2 | 4 | 6 => Ok(parsed),
        _ => Err(format!("{parsed} has not 2, 4 or 6 digits")),
    }
}

/// No code twice, and none below another: its figure would be counted twice.
fn check_apart(codes: &[Code], violations: &mut Violations) {
    let mut sorted: Vec<(Code, usize)> = codes.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    let mut above: Option<Code> = None;
    for (code, index) in sorted {
        let field = format!("codes[{index}]");
        match above {
            Some(above) if above == code => violations.push(field, format!("{code} twice")),
            Some(above) if code.as_str().starts_with(above.as_str()) => {
                violations.push(field, format!("{code} is below {above}, which is here too"));
            }
            Some(_) | None => above = Some(code),
        }
    }
}
