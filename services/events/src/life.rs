//! The state of an agreement on a day, derived from its steps. The rule stands at `AgreementOnDay` in the schema.

use std::collections::{BTreeMap, BTreeSet};

use proto::events::v1 as wire;
use proto::{Day, Violations, check_each, one_of};
use records::Filter as _;
use records::{Error, Page, Paging};
use store::State;
use wire::{Agreement, AgreementOnDay, AgreementState, ListAgreementStatesRequest, StepKind};

use crate::Model;
use crate::agreement::{Filter, countries};
use crate::event::date;

/// What an agreement has come to when its steps of a kind have been taken.
const LIFE: [(StepKind, AgreementState); 6] = [
    (StepKind::Announced, AgreementState::Announced),
    (StepKind::Signed, AgreementState::Signed),
    (StepKind::Ratified, AgreementState::Ratified),
    (StepKind::EnteredIntoForce, AgreementState::InForce),
    (StepKind::Expired, AgreementState::Expired),
    (StepKind::Denounced, AgreementState::Denounced),
];

records::list_request!(Model, ListAgreementStatesRequest);

/// What is known of a step by a day, from all its sources.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    No,
    Perhaps,
    Surely,
}

/// The steps of an agreement as of a day, by kind and country.
struct Steps<'a> {
    taken: BTreeMap<(StepKind, &'a str), Taken>,
    countries: BTreeSet<&'a str>,
}

impl<'a> Steps<'a> {
    fn of(agreement: &'a Agreement, day: Day) -> Steps<'a> {
        let mut claims: BTreeMap<(StepKind, &str), (Day, Day)> = BTreeMap::new();
        for step in &agreement.steps {
            let Some(date) = date(step.date) else {
                continue;
            };
            let (first, last) = (date.first(), date.last());
            let claim = claims
                .entry((step.kind(), &step.country))
                .or_insert((first, last));
            *claim = (claim.0.min(first), claim.1.max(last));
        }
        let taken = claims.into_iter().map(|(step, (earliest, latest))| {
            let taken = if latest <= day {
                Taken::Surely
            } else if earliest <= day {
                Taken::Perhaps
            } else {
                Taken::No
            };
            (step, taken)
        });
        Steps {
            taken: taken.collect(),
            countries: countries(agreement).collect(),
        }
    }

    fn by(&self, kind: StepKind, country: &str) -> Taken {
        self.taken
            .get(&(kind, country))
            .copied()
            .unwrap_or(Taken::No)
    }

    /// Whether the agreement has come to what a kind of steps leads to.
    fn reached(&self, kind: StepKind) -> Taken {
        let by_countries = self.countries.iter().map(|country| self.by(kind, country));
        let is_enough = match kind {
            StepKind::Announced => true,
            StepKind::Denounced => self.countries.len() == 2,
            StepKind::Unspecified
            | StepKind::Signed
            | StepKind::Ratified
            | StepKind::EnteredIntoForce
            | StepKind::Expired => false,
        };
        let together = if is_enough {
            by_countries.max()
        } else {
            by_countries.min()
        };
        self.by(kind, "").max(together.unwrap_or(Taken::No))
    }

    /// Countries that have surely taken a step.
    fn surely_by(&self, kind: StepKind) -> Vec<String> {
        let by = self
            .countries
            .iter()
            .filter(|one| self.by(kind, one) == Taken::Surely);
        by.map(ToString::to_string).collect()
    }
}

/// The state of an agreement on a day.
pub(crate) fn on_day(agreement: Agreement, day: Day) -> AgreementOnDay {
    let steps = Steps::of(&agreement, day);
    let reached = LIFE.map(|(kind, state)| (kind, state, steps.reached(kind)));
    let surely = reached
        .iter()
        .rposition(|(.., taken)| *taken == Taken::Surely);
    let behind = surely.map_or(0, |at| at + 1);
    let perhaps = reached[behind..]
        .iter()
        .filter(|(.., taken)| *taken == Taken::Perhaps);
    let possible: Vec<(StepKind, AgreementState)> =
        perhaps.map(|(kind, state, _)| (*kind, *state)).collect();
    let deciding: Vec<StepKind> = surely
        .map(|at| reached[at].0)
        .into_iter()
        .chain(possible.iter().map(|(kind, _)| *kind))
        .collect();
    let places = agreement.steps.iter().zip(1..).filter(|(step, _)| {
        let is_begun = date(step.date).is_some_and(|date| date.first() <= day);
        is_begun && deciding.contains(&step.kind())
    });
    let among = |kind: StepKind| {
        if steps.reached(kind) == Taken::Surely {
            return Vec::new();
        }
        steps.surely_by(kind)
    };
    AgreementOnDay {
        day: Some(day.into()),
        state: surely.map_or(0, |at| reached[at].1.into()),
        possible_states: possible.iter().map(|(_, state)| (*state).into()).collect(),
        deciding_steps: places.map(|(_, place)| place).collect(),
        ratified_by: among(StepKind::Ratified),
        denounced_by: among(StepKind::Denounced),
        agreement: Some(agreement),
    }
}

/// A page of agreements with their states.
#[derive(Debug)]
pub(crate) struct Query {
    paging: Paging,
    filter: Filter,
    day: Day,
    states: Vec<i32>,
}

impl Query {
    /// Parses a request; `day` is the one that it asks about.
    pub(crate) fn parse(
        mut request: ListAgreementStatesRequest,
        day: Result<Day, Violations>,
    ) -> Result<Query, Violations> {
        let mut violations = Violations::new();
        let paging = Paging::take::<Model, _>(&mut request, (50, 500), &mut violations);
        let ListAgreementStatesRequest {
            filter,
            day: _,
            states,
            page_size: _,
            page_token: _,
            as_of: _,
        } = request;
        let filter = Filter::try_from(filter.unwrap_or_default());
        let filter = violations.check_nested("filter", filter);
        let day = violations.check_nested("day", day);
        let state = |number| one_of::<AgreementState>(number, "state of an agreement");
        let states = check_each("states", &states, state, &mut violations);
        let (Some(paging), Some(filter), Some(day)) = (paging, filter, day) else {
            return Err(violations);
        };
        violations.into_result(Query {
            paging,
            filter,
            day,
            states,
        })
    }
}

/// A page of agreements with the state that each has on a day.
pub(crate) fn list(state: &State<'_>, query: &Query) -> Result<Page<AgreementOnDay>, Error> {
    let Query {
        paging,
        filter,
        day,
        states,
    } = query;
    let is_wanted = |on_day: &AgreementOnDay| {
        let mut all = on_day.possible_states.iter().chain([&on_day.state]);
        states.is_empty() || all.any(|state| states.contains(state))
    };
    let keep = |agreement: &Agreement| {
        filter.lets_through(agreement) && is_wanted(&on_day(agreement.clone(), *day))
    };
    let (page, token) = records::page_along::<Model, _>(state, paging, &filter.span(), keep)?;
    let page = page.into_iter().map(|agreement| on_day(agreement, *day));
    Ok((page.collect(), token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::CivilDate;
    use proto::r#type::v1::CivilDate as WireDate;
    use wire::{AgreementStep, Party};

    fn date_of(text: &str) -> WireDate {
        text.parse::<CivilDate>().expect("a date").into()
    }

    /// Parties, and steps as `kind country date`.
    fn agreement(parties: &str, steps: &[(StepKind, &str, &str)]) -> Agreement {
        let party = |country: &str| Party {
            country: country.into(),
            organisation: None,
        };
        let step = |(kind, country, date): &(StepKind, &str, &str)| AgreementStep {
            kind: (*kind).into(),
            date: Some(date_of(date)),
            country: (*country).into(),
            ..AgreementStep::default()
        };
        Agreement {
            parties: parties.split_whitespace().map(party).collect(),
            steps: steps.iter().map(step).collect(),
            ..Agreement::default()
        }
    }

    fn told(agreement: &Agreement, day: &str) -> String {
        let day = Day::try_from(date_of(day)).expect("a day");
        let on_day = on_day(agreement.clone(), day);
        let short = |state: AgreementState| state.as_str_name().replace("AGREEMENT_STATE_", "");
        let possible = on_day
            .possible_states()
            .map(short)
            .collect::<Vec<_>>()
            .join(" ");
        format!(
            "{} [{possible}] {:?} {:?}",
            short(on_day.state()),
            on_day.deciding_steps,
            on_day.ratified_by
        )
    }

    #[test]
    fn a_state_lasts_until_the_next_step() {
        let of = agreement(
            "CHN KAZ",
            &[
                (StepKind::Signed, "", "2023-05-17"),
                (StepKind::Ratified, "CHN", "2023-09"),
                (StepKind::Ratified, "KAZ", "2023-10-20"),
                (StepKind::EnteredIntoForce, "", "2023-11-10"),
            ],
        );
        assert_eq!(told(&of, "2023-05-16"), "UNSPECIFIED [] [] []");
        assert_eq!(told(&of, "2023-05-17"), "SIGNED [] [1] []");
        assert_eq!(told(&of, "2023-10-01"), "SIGNED [] [1] [\"CHN\"]");
        assert_eq!(told(&of, "2023-10-20"), "RATIFIED [] [2, 3] []");
        assert_eq!(told(&of, "2024-01-01"), "IN_FORCE [] [4] []");
    }

    #[test]
    fn dates_that_disagree_leave_it_open() {
        let of = agreement(
            "CHN KAZ",
            &[
                (StepKind::Signed, "", "2023-05-17"),
                (StepKind::EnteredIntoForce, "", "2023-11-10"),
                (StepKind::EnteredIntoForce, "", "2023-12"),
            ],
        );
        assert_eq!(told(&of, "2023-11-09"), "SIGNED [] [1] []");
        assert_eq!(told(&of, "2023-11-10"), "SIGNED [IN_FORCE] [1, 2] []");
        assert_eq!(told(&of, "2023-12-30"), "SIGNED [IN_FORCE] [1, 2, 3] []");
        assert_eq!(told(&of, "2023-12-31"), "IN_FORCE [] [2, 3] []");
    }

    #[test]
    fn one_of_two_ends_it_and_one_of_many_leaves_it() {
        let steps = [
            (StepKind::EnteredIntoForce, "", "2001"),
            (StepKind::Denounced, "UZB", "2012-06-28"),
        ];
        let of_two = agreement("KAZ UZB", &steps);
        assert_eq!(told(&of_two, "2013-01-01"), "DENOUNCED [] [2] []");
        let of_many = agreement("KAZ UZB KGZ", &steps);
        assert_eq!(told(&of_many, "2013-01-01"), "IN_FORCE [] [1] []");
        let day = Day::try_from(date_of("2013-01-01")).expect("a day");
        assert_eq!(on_day(of_many, day).denounced_by, ["UZB"]);
    }

    #[test]
    fn what_is_not_precise_may_have_been() {
        let of = agreement("CHN KAZ", &[(StepKind::Signed, "", "2024")]);
        assert_eq!(told(&of, "2023-12-31"), "UNSPECIFIED [] [] []");
        assert_eq!(told(&of, "2024-07-03"), "UNSPECIFIED [SIGNED] [1] []");
        assert_eq!(told(&of, "2024-12-31"), "SIGNED [] [1] []");
    }
}
