//! Events, agreements and programmes between countries that trade with each other.

use proto::Country;
use proto::culture::v1::{
    CreateProgrammeRequest, Milestone, MilestoneKind, Programme, ProgrammeCountry, ProgrammeKind,
    ProgrammeRole,
};
use proto::events::v1::{
    Agreement, AgreementKind, AgreementStep, CreateAgreementRequest, CreateEventRequest, Event,
    EventKind, EventStatus, OfficeLevel, Participant, ParticipantRole, Party, StepKind,
};
use proto::r#type::v1::{CivilDate, LocalizedText, Place, Source, Theme};

use super::chance::Chance;
use super::figures::{Pairs, Plan};

/// Years from the first on in which anything happens.
const FIRST_YEAR: i32 = 2015;
const YEARS: u64 = 11;

/// Kinds of chance, apart from those of the figures.
const EVENT: u64 = 101;
const AGREEMENT: u64 = 102;
const PROGRAMME: u64 = 103;

/// What an event is: its kind, in words, how high those are who take part, and who they are.
const EVENTS: [(EventKind, &str, OfficeLevel, &str); 8] = [
    (
        EventKind::StateVisit,
        "State visit",
        OfficeLevel::HeadOfState,
        "President",
    ),
    (
        EventKind::OfficialVisit,
        "Official visit",
        OfficeLevel::HeadOfGovernment,
        "Head of government",
    ),
    (
        EventKind::WorkingVisit,
        "Working visit",
        OfficeLevel::Minister,
        "Minister of foreign affairs",
    ),
    (
        EventKind::Ministerial,
        "Meeting of ministers of trade",
        OfficeLevel::Minister,
        "Minister of trade",
    ),
    (
        EventKind::Consultation,
        "Consultations of the ministries",
        OfficeLevel::Official,
        "Deputy minister",
    ),
    (
        EventKind::TelephoneCall,
        "Telephone call",
        OfficeLevel::Minister,
        "Minister of foreign affairs",
    ),
    (
        EventKind::Consultation,
        "Session of the joint commission",
        OfficeLevel::Official,
        "Co-chair",
    ),
    (
        EventKind::Summit,
        "Summit",
        OfficeLevel::HeadOfState,
        "President",
    ),
];

const AGREEMENTS: [(AgreementKind, &str); 6] = [
    (
        AgreementKind::Memorandum,
        "Memorandum of understanding on transit",
    ),
    (
        AgreementKind::Agreement,
        "Agreement on the mutual recognition of certificates",
    ),
    (AgreementKind::JointStatement, "Joint statement"),
    (
        AgreementKind::Protocol,
        "Protocol on the quarantine of farm goods",
    ),
    (AgreementKind::Plan, "Plan of cooperation"),
    (AgreementKind::Treaty, "Treaty on legal assistance"),
];

const PROGRAMMES: [(ProgrammeKind, &str); 6] = [
    (ProgrammeKind::CultureYear, "Year of culture"),
    (ProgrammeKind::Scholarship, "Government scholarships"),
    (ProgrammeKind::VocationalWorkshop, "Vocational workshop"),
    (ProgrammeKind::StudentExchange, "Exchange of students"),
    (ProgrammeKind::LanguageInstitute, "Language institute"),
    (ProgrammeKind::SisterCities, "Sister cities"),
];

/// Makes records by their numbers.
#[derive(Debug)]
pub(super) struct Records {
    seed: u64,
    /// How many there are to be, and of how many pairs. Both are in their ids, so that one that is in already is the same,
    /// and a batch of them is in as a whole or not at all.
    wanted: u64,
    of_pairs: usize,
    pairs: Pairs,
}

/// A record's number, what is by chance of it, and whose it is.
struct Drawn {
    number: u64,
    chance: Chance,
    pair: [Country; 2],
    date: CivilDate,
}

impl Records {
    /// So many, of the pairs whose figures a plan has.
    pub(super) fn new(plan: Plan, wanted: u64) -> Records {
        Records {
            seed: plan.seed,
            wanted,
            of_pairs: plan.pairs(),
            pairs: Pairs::first(plan.pairs()),
        }
    }

    fn draw(&self, kind: u64, number: u64) -> Drawn {
        let mut chance = Chance::of(self.seed, &[kind, number]);
        let pair = self.pairs.pick(&mut chance);
        let mut part = |end: u64| i32::try_from(chance.below(end)).unwrap_or_default();
        let date = CivilDate {
            year: FIRST_YEAR + part(YEARS),
            month: 1 + part(12),
            day: 1 + part(28),
        };
        Drawn {
            number,
            chance,
            pair,
            date,
        }
    }

    /// An event.
    pub(super) fn event(&self, number: u64) -> CreateEventRequest {
        let mut drawn = self.draw(EVENT, number);
        // Talks of officials are more usual than visits of presidents.
        let place = drawn.chance.below(8).max(drawn.chance.below(8));
        let (kind, words, level, office) = chosen(&EVENTS, place);
        let [guest, host] = drawn.pair;
        let participant = |country: Country, role: ParticipantRole| Participant {
            country: country.to_string(),
            office: Some(english(office)),
            level: level.into(),
            role: role.into(),
            ..Participant::default()
        };
        let event = Event {
            kind: kind.into(),
            status: EventStatus::Concluded.into(),
            themes: vec![Theme::PoliticalTrust.into()],
            participants: vec![
                participant(guest, ParticipantRole::Guest),
                participant(host, ParticipantRole::Host),
            ],
            place: (kind != EventKind::TelephoneCall).then(|| Place {
                country: host.to_string(),
                name: None,
            }),
            start_date: Some(drawn.date),
            title: Some(drawn.title(words)),
            sources: vec![drawn.source(drawn.date)],
            ..Event::default()
        };
        CreateEventRequest {
            event_id: self.id("event", number),
            event: Some(event),
            allow_duplicate: true,
            ..CreateEventRequest::default()
        }
    }

    /// An agreement with the steps of its life so far.
    pub(super) fn agreement(&self, number: u64) -> CreateAgreementRequest {
        let mut drawn = self.draw(AGREEMENT, number);
        let (kind, words) = chosen(&AGREEMENTS, drawn.chance.below(6));
        let later = |years: i32| CivilDate {
            year: drawn.date.year + years,
            ..drawn.date
        };
        let steps = [
            (StepKind::Signed, drawn.date),
            (StepKind::Ratified, later(1)),
            (StepKind::EnteredIntoForce, later(2)),
        ];
        let step = |(kind, date): (StepKind, CivilDate)| AgreementStep {
            kind: kind.into(),
            date: Some(date),
            source: 1,
            ..AgreementStep::default()
        };
        let reached = 1 + usize::try_from(drawn.chance.clone().below(3)).unwrap_or_default();
        let party = |country: Country| Party {
            country: country.to_string(),
            organisation: None,
        };
        let agreement = Agreement {
            kind: kind.into(),
            parties: drawn.pair.map(party).into(),
            title: Some(drawn.title(words)),
            themes: vec![Theme::TradeAndCooperation.into()],
            steps: steps.into_iter().take(reached).map(step).collect(),
            sources: vec![drawn.source(drawn.date)],
            ..Agreement::default()
        };
        CreateAgreementRequest {
            agreement_id: self.id("agreement", number),
            agreement: Some(agreement),
            allow_duplicate: true,
            ..CreateAgreementRequest::default()
        }
    }

    /// A programme of exchange.
    pub(super) fn programme(&self, number: u64) -> CreateProgrammeRequest {
        let mut drawn = self.draw(PROGRAMME, number);
        let (kind, words) = chosen(&PROGRAMMES, drawn.chance.below(6));
        let country = |country: Country| ProgrammeCountry {
            country: country.to_string(),
            role: ProgrammeRole::Mutual.into(),
        };
        let opened = Milestone {
            kind: MilestoneKind::Opened.into(),
            date: Some(drawn.date),
            source: 1,
            ..Milestone::default()
        };
        let programme = Programme {
            kind: kind.into(),
            countries: drawn.pair.map(country).into(),
            start_date: Some(drawn.date),
            milestones: vec![opened],
            title: Some(drawn.title(words)),
            themes: vec![Theme::CultureAndPeople.into()],
            sources: vec![drawn.source(drawn.date)],
            ..Programme::default()
        };
        CreateProgrammeRequest {
            programme_id: self.id("programme", number),
            programme: Some(programme),
            allow_duplicate: true,
            ..CreateProgrammeRequest::default()
        }
    }

    fn id(&self, kind: &str, number: u64) -> String {
        let Records {
            seed,
            wanted,
            of_pairs,
            ..
        } = self;
        format!("generated-{seed}-{wanted}-{of_pairs}-{kind}-{number}")
    }
}

impl Drawn {
    fn title(&self, words: &str) -> LocalizedText {
        let [a, b] = self.pair.map(Country::name);
        english(&format!("{words}: {a} and {b}, no. {}", self.number + 1))
    }

    fn source(&self, published_on: CivilDate) -> Source {
        Source {
            title: format!("Generated announcement {}", self.number + 1),
            publisher: "entente generate".into(),
            published_on: Some(published_on),
            may_be_shown_outside: true,
            note: "Made up for load tests: nothing of it happened.".into(),
            ..Source::default()
        }
    }
}

fn chosen<T: Copy>(all: &[T], place: u64) -> T {
    let place = usize::try_from(place).unwrap_or_default();
    all[place % all.len()]
}

/// A text in English.
pub(crate) fn english(text: &str) -> LocalizedText {
    LocalizedText {
        texts: [("en".to_owned(), text.to_owned())].into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::figures::MOST_ROWS;
    use super::*;
    use crate::args::generate::MOST_RECORDS;

    fn records(seed: u64, rows: u64, wanted: u64) -> Records {
        Records::new(Plan { seed, rows }, wanted)
    }

    #[test]
    fn a_record_is_the_same_by_its_number_and_others_differ() {
        let some = records(1, 250_000, 500);
        assert_eq!(some.event(5), records(1, 250_000, 500).event(5));
        assert_ne!(some.event(5), some.event(6));
        assert_ne!(some.agreement(5), records(2, 250_000, 500).agreement(5));
    }

    #[test]
    fn more_records_have_ids_of_their_own() {
        let (few, more) = (records(1, 1_000, 40), records(1, 1_000, 200));
        assert_ne!(few.event(5).event_id, more.event(5).event_id);
        let of_more_pairs = records(1, 1_000_000, 40);
        assert_ne!(few.event(5).event_id, of_more_pairs.event(5).event_id);
        let longest = records(u64::MAX, MOST_ROWS, MOST_RECORDS);
        let last = longest.agreement(MOST_RECORDS - 1).agreement_id;
        assert!(proto::Slug::parse(&last).is_ok(), "{last}");
    }

    #[test]
    fn records_are_of_many_kinds_and_dates_and_of_the_pairs_that_have_figures() {
        let pairs = |rows| {
            let records = records(1, rows, 500);
            let events = (0..500).filter_map(move |number| records.event(number).event);
            let pair = |event: Event| event.participants.into_iter().map(|one| one.country);
            let pairs: HashSet<Vec<String>> = events.map(|one| pair(one).collect()).collect();
            pairs.len()
        };
        assert_eq!(pairs(100), 1);
        assert!(pairs(250_000) >= 30, "{}", pairs(250_000));
        let records = records(1, 250_000, 500);
        let events = (0..500).filter_map(|number| records.event(number).event);
        let kinds: HashSet<i32> = events.map(|event| event.kind).collect();
        assert!(kinds.len() >= 5, "{kinds:?}");
    }
}
