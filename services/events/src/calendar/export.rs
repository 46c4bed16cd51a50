//! The stream of a calendar.

use proto::events::v1::{Event, ExportCalendarRequest};
use proto::google::api::HttpBody;
use proto::{Slug, Violations, check_language, check_name, given, parse_timestamp};
use records::Filter as _;
use records::{Error, Piece, Span, Standing, get_version, standing};
use store::{Micros, State};

use super::lines::Lines;
use super::write;
use crate::Model;
use crate::filter::Filter;

const CONTENT_TYPE: &str = "text/calendar; charset=utf-8";
const PRODUCT: &str = "-//Entente//Entente events//EN";
const MAX_NAME: usize = 200;
/// Events of a part.
const MAX_EVENTS: usize = 200;
/// Records that a part may look at.
const MAX_LOOKS: usize = 2_000;
/// A part that has reached this size ends. An event is at most 64 KiB and comes to less than ten times that, so
/// that a part stays below what a client takes.
const PART_BYTES: usize = 1 << 20;

/// A calendar that is being sent.
#[derive(Debug)]
pub(crate) struct Export {
    filter: Filter,
    span: Span,
    name: String,
    language: String,
    as_of: Option<Micros>,
    place: Place,
}

/// How far it has come.
#[derive(Debug)]
enum Place {
    Start,
    /// After an event by date and id; `None` before the first.
    Events(Option<(u32, String)>, Micros),
    Over,
}

impl TryFrom<ExportCalendarRequest> for Export {
    type Error = Violations;

    fn try_from(request: ExportCalendarRequest) -> Result<Export, Violations> {
        let ExportCalendarRequest {
            filter,
            calendar_name,
            language_code,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let filter = Filter::try_from(filter.unwrap_or_default());
        let filter = violations.check_nested("filter", filter);
        let name = given(&calendar_name, |name| check_name(name, MAX_NAME));
        let name = violations.check("calendar_name", name);
        let language = violations.check("language_code", given(&language_code, check_language));
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        let filter = filter.ok_or_else(|| violations.clone())?;
        violations.into_result(Export {
            span: filter.span(),
            filter,
            name: name.flatten().unwrap_or_else(|| "Entente".into()),
            language: language.flatten().unwrap_or_else(|| "en".into()),
            as_of: as_of.flatten(),
            place: Place::Start,
        })
    }
}

impl Export {
    /// The next part. All of them are as of one instant.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn next(&mut self, state: &State<'_>) -> Result<Piece<HttpBody>, Error> {
        let mut lines = Lines::default();
        self.place = match std::mem::replace(&mut self.place, Place::Over) {
            Place::Start => {
                let now = state.stamp().time;
                self.head(&mut lines);
                Place::Events(None, self.as_of.map_or(now, |asked| asked.min(now)))
            }
            Place::Events(after, as_of) => {
                let reached = self.events(&mut lines, state, after.as_ref(), as_of)?;
                if reached.is_none() {
                    lines.raw("END", "VCALENDAR");
                }
                reached.map_or(Place::Over, |reached| Place::Events(Some(reached), as_of))
            }
            Place::Over => return Ok(Piece::End),
        };
        Ok(part(lines))
    }

    fn head(&self, lines: &mut Lines) {
        lines.raw("BEGIN", "VCALENDAR");
        lines.raw("VERSION", "2.0");
        lines.raw("PRODID", PRODUCT);
        lines.raw("CALSCALE", "GREGORIAN");
        lines.raw("METHOD", "PUBLISH");
        lines.text("NAME", &[], &self.name);
        lines.text("X-WR-CALNAME", &[], &self.name);
    }

    /// Writes events after one, and answers the last that was looked at; `None` at the end.
    fn events(
        &self,
        lines: &mut Lines,
        state: &State<'_>,
        after: Option<&(u32, String)>,
        as_of: Micros,
    ) -> Result<Option<(u32, String)>, Error> {
        let start = after.map(|(at, id)| (*at, id.as_str()));
        let (mut looks, mut events) = (0, 0);
        for standing in standing::<Model, Event>(state, &self.span, as_of, false, start) {
            let Standing { at, id, record } = standing?;
            looks += 1;
            if let Some(event) = record.filter(|event| self.filter.lets_through(event)) {
                events += 1;
                self.event(lines, state, &event, &id, as_of)?;
            }
            if looks == MAX_LOOKS || events == MAX_EVENTS || lines.len() >= PART_BYTES {
                return Ok(Some((at, id)));
            }
        }
        Ok(None)
    }

    fn event(
        &self,
        lines: &mut Lines,
        state: &State<'_>,
        event: &Event,
        id: &str,
        as_of: Micros,
    ) -> Result<(), Error> {
        let id = Slug::parse(id);
        let id = id.map_err(|error| store::Error::View(format!("the id of an event: {error}")))?;
        let version = get_version::<Model, Event>(state, &id, as_of)?;
        let changes = version.revision().saturating_sub(1);
        write::event(lines, event, changes, &self.language);
        Ok(())
    }
}

fn part(lines: Lines) -> Piece<HttpBody> {
    if lines.len() == 0 {
        return Piece::Nothing;
    }
    Piece::Message(HttpBody {
        content_type: CONTENT_TYPE.into(),
        data: lines.into_bytes(),
        extensions: Vec::new(),
    })
}
