//! Which programmes a list asks for, and where it finds them.

use proto::culture::v1 as wire;
use proto::{
    DateWindow, Day, Violations, check_each, check_name, check_themes, has_wanted, one_of,
};
use records::{Span, Topic, text_group};
use wire::{Programme, ProgrammeFilter, ProgrammeKind, ProgrammeStatus};

use crate::Model;
use crate::programme::{self, BY_DATE, BY_INSTITUTION, BY_TOPIC};

const MAX_INSTITUTION: usize = 200;

/// Which programmes; all that is given must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    topic: Option<Topic>,
    kinds: Vec<i32>,
    themes: Vec<i32>,
    observed: Vec<i32>,
    inferred: Vec<i32>,
    window: Option<DateWindow>,
    institution: Option<String>,
}

impl TryFrom<ProgrammeFilter> for Filter {
    type Error = Violations;

    fn try_from(filter: ProgrammeFilter) -> Result<Filter, Violations> {
        let ProgrammeFilter {
            country,
            partner,
            kinds,
            themes,
            observed_statuses,
            inferred_statuses,
            window,
            institution,
        } = filter;
        let mut violations = Violations::new();
        let known = &mut violations;
        let topic = Topic::parse(&country, &partner, known);
        let kind = |number| one_of::<ProgrammeKind>(number, "kind of a programme");
        let kinds = check_each("kinds", &kinds, kind, known);
        let themes = check_themes(&themes, known);
        let status = |number| one_of::<ProgrammeStatus>(number, "status of a programme");
        let observed = check_each("observed_statuses", &observed_statuses, status, known);
        let inferred = check_each("inferred_statuses", &inferred_statuses, status, known);
        let window = window.map(DateWindow::try_from).transpose();
        let window = known.check_nested("window", window);
        let institution = proto::given(&institution, |text| check_name(text, MAX_INSTITUTION));
        let institution = known.check("institution", institution);
        violations.into_result(Filter {
            topic: topic.flatten(),
            kinds,
            themes,
            observed,
            inferred,
            window: window.flatten(),
            institution: institution.flatten(),
        })
    }
}

impl records::Filter<Model> for Filter {
    type Wire = ProgrammeFilter;
    type Record = Programme;

    /// A programme may last for decades, so a window bounds its first day on one side only, and what has long ended is
    /// looked at as well.
    fn span(&self) -> Span {
        let span = match (&self.institution, self.topic) {
            (Some(text), _) => Span::of(BY_INSTITUTION, text_group(text)),
            (None, Some(topic)) => Span::of(BY_TOPIC, topic.bytes()),
            (None, None) => Span::of(BY_DATE, []),
        };
        let end = self.window.and_then(DateWindow::end);
        span.between(0, end.map(Day::ordinal))
    }

    fn lets_through(&self, programme: &Programme) -> bool {
        has_wanted(&self.kinds, &[programme.kind])
            && has_wanted(&self.themes, &programme.themes)
            && self.has_status(programme)
            && self
                .topic
                .is_none_or(|topic| topic.is_among(programme::countries(programme)))
            && self
                .institution
                .as_ref()
                .is_none_or(|text| programme::has_institution(programme, text))
            && self.window.is_none_or(|window| {
                let (first, last) = programme::days(programme);
                window.overlaps(first, last)
            })
    }
}

impl Filter {
    fn has_status(&self, programme: &Programme) -> bool {
        let inferred = programme.inferred_status.as_ref();
        let inferred: Vec<i32> = inferred.map(|one| one.status).into_iter().collect();
        has_wanted(&self.inferred, &inferred)
            && has_wanted(&self.observed, &programme::last_observed(programme))
    }
}
