//! Names that reading and writing share.

/// What follows the id in a UID.
pub(super) const UID_DOMAIN: &str = "@entente";

/// Before the names of properties that only Entente writes.
pub(super) const OWN: &str = "X-ENTENTE-";

/// The kind: `STATE_VISIT`.
pub(super) const KIND: &str = "X-ENTENTE-KIND";
/// The status: `UNDER_WAY`.
pub(super) const STATUS: &str = "X-ENTENTE-STATUS";
/// The themes, with commas between them.
pub(super) const THEMES: &str = "X-ENTENTE-THEMES";
/// `YEAR` or `MONTH`, when no more is known of the first day.
pub(super) const DATE_PRECISION: &str = "X-ENTENTE-DATE-PRECISION";
/// `YEAR`, `MONTH` or `DAY`: what is known of the last day, where it is recorded.
pub(super) const END_PRECISION: &str = "X-ENTENTE-END-PRECISION";
/// The title in another language than that of SUMMARY.
pub(super) const TITLE: &str = "X-ENTENTE-TITLE";
/// The summary, a line a language.
pub(super) const SUMMARY: &str = "X-ENTENTE-SUMMARY";
/// The country of the place.
pub(super) const PLACE_COUNTRY: &str = "X-ENTENTE-PLACE-COUNTRY";
/// The name of the place, a line a language.
pub(super) const PLACE: &str = "X-ENTENTE-PLACE";
/// A participant, readable; its parameters say the rest.
pub(super) const PARTICIPANT: &str = "X-ENTENTE-PARTICIPANT";
/// The person of a participant, a line a language; `X-PARTICIPANT` is the participant's place, from 1.
pub(super) const PERSON: &str = "X-ENTENTE-PERSON";
/// The person's office, as [`PERSON`].
pub(super) const OFFICE: &str = "X-ENTENTE-OFFICE";
/// The name of a participant's organisation, as [`PERSON`].
pub(super) const ORGANISATION: &str = "X-ENTENTE-ORGANISATION";
/// The title of a source; its parameters say the rest.
pub(super) const SOURCE: &str = "X-ENTENTE-SOURCE";
/// The name of a linked record; `X-KIND` is what it is to the event.
pub(super) const LINK: &str = "X-ENTENTE-LINK";
/// The CAMEO event code.
pub(super) const CAMEO: &str = "X-ENTENTE-CAMEO";

/// The language of a text.
pub(super) const LANGUAGE: &str = "LANGUAGE";
/// Which participant a text is of.
pub(super) const OF_PARTICIPANT: &str = "X-PARTICIPANT";
/// Parameters of a participant.
pub(super) const ROLE: &str = "X-ROLE";
pub(super) const LEVEL: &str = "X-LEVEL";
pub(super) const COUNTRY: &str = "X-COUNTRY";
pub(super) const CODE: &str = "X-ORGANISATION";
/// Parameters of a source.
pub(super) const PUBLISHER: &str = "X-PUBLISHER";
pub(super) const ADDRESS: &str = "X-ADDRESS";
pub(super) const PUBLISHED: &str = "X-PUBLISHED";
pub(super) const READ: &str = "X-READ";
pub(super) const LICENCE: &str = "X-LICENCE";
pub(super) const NOTE: &str = "X-NOTE";
/// `TRUE` when the source may be shown outside.
pub(super) const SHOWN: &str = "X-SHOWN-OUTSIDE";
/// Parameter of a link.
pub(super) const LINK_KIND: &str = "X-KIND";

/// What stands before each value of an enum.
pub(super) const KINDS: &str = "EVENT_KIND_";
pub(super) const STATUSES: &str = "EVENT_STATUS_";
pub(super) const THEME_NAMES: &str = "THEME_";
pub(super) const ROLES: &str = "PARTICIPANT_ROLE_";
pub(super) const LEVELS: &str = "OFFICE_LEVEL_";
pub(super) const LINK_KINDS: &str = "LINK_KIND_";

/// `STATE_VISIT` for `EVENT_KIND_STATE_VISIT`.
pub(super) fn word(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}

/// `State visit` for `STATE_VISIT`.
pub(super) fn readable(word: &str) -> String {
    let text = word.to_ascii_lowercase().replace('_', " ");
    let (first, rest) = text.split_at_checked(1).unwrap_or_default();
    first.to_ascii_uppercase() + rest
}
