//! Options of visa rules.

use clap::{Args, Subcommand};
use proto::Day;
use proto::culture::v1::VisaPurpose;

use super::answer::{AnswerArgs, AsOfArgs};
use super::events::PairArgs;
use super::records::{
    CountriesArgs, CreateRecordsArgs, DatesArgs, DeleteRecordArgs, ImportRecordsArgs, LanguageArgs,
    LimitArgs, ShowRecordArgs, UpdateRecordArgs, VersionsRecordArgs,
};
use crate::dates::parse_day;
use crate::names::Choice;

/// Which question.
#[derive(Debug, Subcommand)]
pub(crate) enum VisaCommand {
    /// List visa rules by date, with their sources
    ///
    /// Example: `entente visa list --pair CHN KAZ --from 2023`
    List(ListVisaArgs),
    /// Show one
    Show(ShowRecordArgs),
    /// Create one, or several at once, all or none
    ///
    /// The file holds a `CreateVisaRuleRequest` as JSON, or a list of at most 500. Example:
    /// `{"visaRuleId": "kaz-chn-2023", "visaRule": {"citizensOf": "KAZ", "destination": "CHN", "requirement":
    /// "VISA_REQUIREMENT_VISA_FREE", "daysAllowed": 30, "startDate": {"year": 2023, "month": 11, "day": 10},
    /// "sources": [{"title": "Notice", "publisher": "Embassy"}]}}`
    Create(CreateRecordsArgs),
    /// Change one: what the file gives, or the fields that --mask names
    Update(UpdateRecordArgs),
    /// Delete one; reads as of an earlier time still find it
    Delete(DeleteRecordArgs),
    /// Show the versions of one, the latest first
    Versions(VersionsRecordArgs),
    /// Show the rules in force between two countries on a day, both ways
    ///
    /// Example: `entente visa rules CHN KAZ --on 2023-11-10 --purpose tourism`
    Rules(VisaRulesArgs),
    /// Show what changed in the rules between two countries from one day to another, both ways
    ///
    /// Example: `entente visa changes CHN KAZ --since 2023-01-01 --until 2024-01-01`
    Changes(VisaChangesArgs),
    /// Create visa rules from dated snapshots of the Passport Index dataset
    ///
    /// Columns: `snapshot_date`, `passport_iso3`, `destination_iso3`, `requirement`. Snapshots of one direction that follow
    /// each other and say the same make one rule; it begins and ends between the snapshots that saw it and those
    /// that saw another. What a value means follows from the vocabulary of its own snapshot, which changed over
    /// the years; a value that means nothing known rejects its row. docs/imports.md says more.
    ///
    /// Rows are rejected, recorded and compared as by `entente events import`.
    ///
    /// Example: `entente visa import snapshots.csv --dry-run`
    Import(ImportRecordsArgs),
}

/// Options of `entente visa list`.
#[derive(Debug, Args)]
pub(crate) struct ListVisaArgs {
    #[command(flatten)]
    pub(crate) countries: CountriesArgs,
    #[command(flatten)]
    pub(crate) dates: DatesArgs,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente visa rules`.
#[derive(Debug, Args)]
pub(crate) struct VisaRulesArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    /// On which day; today (UTC) when not given
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub(crate) on: Option<Day>,
    /// Only rules for this purpose; those that name none are for it too
    #[arg(long)]
    pub(crate) purpose: Option<Choice<VisaPurpose>>,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente visa changes`.
#[derive(Debug, Args)]
pub(crate) struct VisaChangesArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    /// The first day
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub(crate) since: Day,
    /// The last day; today (UTC) when not given
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub(crate) until: Option<Day>,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}
