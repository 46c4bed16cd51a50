//! Which events a list asks for, and where it finds them.

use proto::events::v1 as wire;
use proto::{DateWindow, Day, Violations, check_each, check_name, has_wanted, one_of};
use records::{Span, Topic, text_group};
use wire::{Event, EventFilter, EventKind, EventStatus};

use crate::Model;
use crate::event::{self, BY_DATE, BY_PAIR, BY_PARTICIPANT, MAX_DAYS};

const MAX_PARTICIPANT: usize = 200;

/// Which events; all that is given must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    topic: Option<Topic>,
    kinds: Vec<i32>,
    themes: Vec<i32>,
    statuses: Vec<i32>,
    window: Option<DateWindow>,
    participant: Option<String>,
}

impl TryFrom<EventFilter> for Filter {
    type Error = Violations;

    fn try_from(filter: EventFilter) -> Result<Filter, Violations> {
        let EventFilter {
            country,
            partner,
            kinds,
            themes,
            statuses,
            window,
            participant,
        } = filter;
        let mut violations = Violations::new();
        let topic = Topic::parse(&country, &partner, &mut violations);
        let kind = |number| one_of::<EventKind>(number, "kind of an event");
        let kinds = check_each("kinds", &kinds, kind, &mut violations);
        let themes = proto::check_themes(&themes, &mut violations);
        let status = |number| one_of::<EventStatus>(number, "status of an event");
        let statuses = check_each("statuses", &statuses, status, &mut violations);
        let window = window.map(DateWindow::try_from).transpose();
        let window = violations.check_nested("window", window);
        let participant = proto::given(&participant, |text| check_name(text, MAX_PARTICIPANT));
        let participant = violations.check("participant", participant);
        violations.into_result(Filter {
            topic: topic.flatten(),
            kinds,
            themes,
            statuses,
            window: window.flatten(),
            participant: participant.flatten(),
        })
    }
}

impl records::Filter<Model> for Filter {
    type Wire = EventFilter;
    type Record = Event;

    fn span(&self) -> Span {
        let by_text = |text: &str| Span::of(BY_PARTICIPANT, text_group(text));
        let span = match (&self.participant, self.topic) {
            (_, Some(topic)) if topic.is_pair() => Span::of(BY_PAIR, topic.bytes()),
            (Some(text), _) => by_text(text),
            (None, Some(topic)) => by_text(&topic.countries()[0].to_string()),
            (None, None) => Span::of(BY_DATE, []),
        };
        within(span, self.window)
    }

    fn lets_through(&self, event: &Event) -> bool {
        has_wanted(&self.kinds, &[event.kind])
            && has_wanted(&self.statuses, &[event.status])
            && has_wanted(&self.themes, &event.themes)
            && self
                .topic
                .is_none_or(|topic| topic.is_among(event::countries(event)))
            && self
                .participant
                .as_ref()
                .is_none_or(|text| event::takes_part(event, text))
            && self.window.is_none_or(|window| overlaps(window, event))
    }
}

/// The part of a span by date in which events may overlap a window.
pub(crate) fn within(span: Span, window: Option<DateWindow>) -> Span {
    let window = window.unwrap_or_default();
    let from = window
        .start()
        .map(|start| event::start_of_year(start.plus(-MAX_DAYS)));
    let until = window.end().map(Day::ordinal);
    let touching = window.start().map_or(0, Day::ordinal);
    span.between(from.unwrap_or(0), until).touching(touching)
}

pub(crate) fn overlaps(window: DateWindow, event: &Event) -> bool {
    event::days(event).is_some_and(|(first, last)| window.overlaps(Some(first), Some(last)))
}
