//! The names of the wire's enums: as an option and a cell of a file write them (`state-visit`), and as a person reads
//! them (`state visit`).

use clap::ValueEnum;
use clap::builder::PossibleValue;
use proto::culture::v1 as culture;
use proto::events::v1 as events;
use proto::gateway::v1::{BriefingSection, TimelineKind};
use proto::r#type::v1::{ChangeKind, Theme};

/// An enum of the wire whose values have names.
pub(crate) trait Named: Copy + TryFrom<i32> + Into<i32> + Default + 'static {
    /// Every value that may be given.
    const ALL: &'static [Choice<Self>];

    /// The name of a value; empty for the one that is never given.
    fn name(self) -> &'static str;
}

/// A value of an enum as an option takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice<E>(pub(crate) E);

impl<E: Named> ValueEnum for Choice<E> {
    fn value_variants<'a>() -> &'a [Self] {
        E::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

/// A value's name for people: `state visit`. Empty for none, and for one that is newer than this binary.
pub(crate) fn shown<E: Named>(number: i32) -> String {
    let name = E::try_from(number).unwrap_or_default().name();
    match name.strip_prefix("e-") {
        Some(rest) => format!("e-{rest}"),
        None => name.replace('-', " "),
    }
}

/// The names of several values, with commas between.
pub(crate) fn all_shown<E: Named>(numbers: &[i32]) -> String {
    let names = numbers.iter().map(|number| shown::<E>(*number));
    names.collect::<Vec<_>>().join(", ")
}

/// The value of a name, without regard to case, and with spaces or `_` for `-`.
pub(crate) fn parse<E: Named>(text: &str) -> Result<E, String> {
    let wanted = text.trim().to_lowercase().replace([' ', '_'], "-");
    let found = E::ALL
        .iter()
        .find(|choice| choice.0.name() == wanted.as_str());
    found.map(|choice| choice.0).ok_or_else(|| {
        let names: Vec<&str> = E::ALL.iter().map(|choice| choice.0.name()).collect();
        format!("`{}` is none of {}", text.trim(), names.join(", "))
    })
}

/// The numbers of what an option was given.
pub(crate) fn numbers<E: Named>(given: &[Choice<E>]) -> Vec<i32> {
    given.iter().map(|choice| choice.0.into()).collect()
}

/// The number of what an option was given, 0 for nothing.
pub(crate) fn number<E: Named>(given: Option<Choice<E>>) -> i32 {
    given.map(|choice| choice.0.into()).unwrap_or_default()
}

macro_rules! named {
    ($($enum:ty { $($value:ident = $name:literal),+ $(,)? })+) => {$(
        impl Named for $enum {
            const ALL: &'static [Choice<Self>] = &[$(Choice(<$enum>::$value)),+];

            fn name(self) -> &'static str {
                match self {
                    <$enum>::Unspecified => "",
                    $(<$enum>::$value => $name,)+
                }
            }
        }
    )+};
}

named! {
    Theme {
        PoliticalTrust = "political-trust",
        TradeAndCooperation = "trade-and-cooperation",
        CultureAndPeople = "culture-and-people",
        InternationalCoordination = "international-coordination",
    }
    ChangeKind {
        Created = "created",
        Updated = "updated",
        Deleted = "deleted",
    }
    TimelineKind {
        Event = "event",
        AgreementStep = "agreement-step",
        Milestone = "milestone",
        VisaRule = "visa-rule",
        Figures = "figures",
        Statement = "statement",
    }
    BriefingSection {
        Trade = "trade",
        Meetings = "meetings",
        Events = "events",
        Agreements = "agreements",
        Exchange = "exchange",
        Visa = "visa",
        Changes = "changes",
    }
    events::EventKind {
        StateVisit = "state-visit",
        OfficialVisit = "official-visit",
        WorkingVisit = "working-visit",
        Visit = "visit",
        Summit = "summit",
        Ministerial = "ministerial",
        Consultation = "consultation",
        MultilateralMeeting = "multilateral-meeting",
        TelephoneCall = "telephone-call",
        Signing = "signing",
        Statement = "statement",
        Interview = "interview",
        Anniversary = "anniversary",
    }
    events::EventStatus {
        Planned = "planned",
        Confirmed = "confirmed",
        UnderWay = "under-way",
        Concluded = "concluded",
        Postponed = "postponed",
        Cancelled = "cancelled",
    }
    events::OfficeLevel {
        HeadOfState = "head-of-state",
        HeadOfGovernment = "head-of-government",
        Minister = "minister",
        Official = "official",
    }
    events::ParticipantRole {
        Host = "host",
        Guest = "guest",
        Party = "party",
        Mediator = "mediator",
        Observer = "observer",
    }
    events::LinkKind {
        SignedAgreement = "signed-agreement",
        DiscussedAgreement = "discussed-agreement",
        FollowsUp = "follows-up",
        Prepares = "prepares",
        SideEventOf = "side-event-of",
    }
    events::AgreementKind {
        Treaty = "treaty",
        Agreement = "agreement",
        Memorandum = "memorandum",
        JointStatement = "joint-statement",
        Protocol = "protocol",
        Plan = "plan",
    }
    events::StepKind {
        Announced = "announced",
        Signed = "signed",
        Ratified = "ratified",
        EnteredIntoForce = "entered-into-force",
        Expired = "expired",
        Denounced = "denounced",
    }
    events::AgreementState {
        Announced = "announced",
        Signed = "signed",
        Ratified = "ratified",
        InForce = "in-force",
        Expired = "expired",
        Denounced = "denounced",
    }
    culture::ProgrammeKind {
        VisaRegime = "visa-regime",
        TourismYear = "tourism-year",
        CultureYear = "culture-year",
        VocationalWorkshop = "vocational-workshop",
        LanguageInstitute = "language-institute",
        Scholarship = "scholarship",
        StudentExchange = "student-exchange",
        YouthExchange = "youth-exchange",
        Festival = "festival",
        Exhibition = "exhibition",
        SisterCities = "sister-cities",
        Media = "media",
        Sport = "sport",
        Science = "science",
        Health = "health",
        HumanitarianAid = "humanitarian-aid",
        CulturalCentre = "cultural-centre",
    }
    culture::ProgrammeRole {
        From = "from",
        To = "to",
        Mutual = "mutual",
    }
    culture::InstitutionRole {
        Host = "host",
        Organiser = "organiser",
        Funder = "funder",
    }
    culture::MilestoneKind {
        Announced = "announced",
        Memorandum = "memorandum",
        Approved = "approved",
        Trial = "trial",
        Opened = "opened",
        Enlarged = "enlarged",
        Suspended = "suspended",
        Closed = "closed",
    }
    culture::ProgrammeStatus {
        Planned = "planned",
        Trial = "trial",
        Active = "active",
        Suspended = "suspended",
        Closed = "closed",
    }
    culture::MeasureKind {
        People = "people",
        Students = "students",
        Visitors = "visitors",
        Funds = "funds",
        Items = "items",
    }
    culture::MeasureFlag {
        Estimated = "estimated",
        Provisional = "provisional",
        NotAvailable = "not-available",
        LowerBound = "lower-bound",
        Rounded = "rounded",
    }
    culture::MeasureGrowthGap {
        NoBase = "no-figure-for-the-year-before",
        NotAvailable = "not-available",
        ZeroBase = "the-year-before-is-zero",
        LowerBound = "a-lower-bound",
        OutOfRange = "too-large-to-say",
    }
    culture::VisaRequirement {
        VisaFree = "visa-free",
        TravelAuthorisation = "travel-authorisation",
        VisaOnArrival = "visa-on-arrival",
        EVisa = "e-visa",
        VisaRequired = "visa-required",
        NoAdmission = "no-admission",
    }
    culture::VisaPurpose {
        Tourism = "tourism",
        Business = "business",
        Private = "private",
        Transit = "transit",
        Medical = "medical",
        Study = "study",
        Work = "work",
        Official = "official",
        Transport = "transport",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_as_people_write_it() {
        for text in ["state-visit", "State visit", "STATE_VISIT"] {
            assert_eq!(
                parse::<events::EventKind>(text),
                Ok(events::EventKind::StateVisit)
            );
        }
        let error = parse::<events::EventKind>("tea").unwrap_err();
        assert!(error.contains("telephone-call"), "{error}");
        assert_eq!(shown::<events::EventKind>(1), "state visit");
        assert_eq!(shown::<culture::VisaRequirement>(4), "e-visa");
        assert_eq!(shown::<events::EventKind>(99), "");
    }

    #[test]
    fn no_two_values_share_a_name() {
        fn check<E: Named>() {
            for choice in E::ALL {
                let read: i32 = parse::<E>(choice.0.name()).ok().unwrap().into();
                assert_eq!(read, choice.0.into());
            }
        }
        check::<Theme>();
        check::<ChangeKind>();
        check::<BriefingSection>();
        check::<events::EventKind>();
        check::<events::EventStatus>();
        check::<events::OfficeLevel>();
        check::<events::ParticipantRole>();
        check::<events::LinkKind>();
        check::<events::AgreementKind>();
        check::<events::StepKind>();
        check::<events::AgreementState>();
        check::<culture::ProgrammeKind>();
        check::<culture::ProgrammeRole>();
        check::<culture::InstitutionRole>();
        check::<culture::MilestoneKind>();
        check::<TimelineKind>();
        check::<culture::ProgrammeStatus>();
        check::<culture::MeasureKind>();
        check::<culture::MeasureFlag>();
        check::<culture::MeasureGrowthGap>();
        check::<culture::VisaRequirement>();
        check::<culture::VisaPurpose>();
    }
}
