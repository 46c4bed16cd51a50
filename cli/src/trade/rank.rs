//! Partners, goods or sectors in the order of their values, with all that makes up the total.

use std::io::Write;

use proto::dataset_name;
use proto::trade::v1 as wire;
use wire::growth::Outcome;
use wire::{EmptyReason, RankedEntry, Ranking, Remainder, ShareOf};

use super::draw;
use crate::args::answer::{AnswerArgs, Output};
use crate::args::rank::{CommoditiesArgs, PartnersArgs, RankCommand, RankedArgs, SectorsArgs};
use crate::chart::text::{clipped, plain};
use crate::client::{self, request};
use crate::plot::Bar;
use crate::reasons::Reasons;
use crate::sources::Footnotes;
use crate::svg::{RankedBar, RankingChart};
use crate::{figures, output, plot, sources, svg, words};

/// Columns of a name: more would wrap in a terminal of a hundred columns.
const NAME: usize = 26;
/// Columns of the name before a bar.
const LABEL: usize = 26;

/// Shows a ranking.
pub(super) async fn run(command: RankCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    let (ranking, args) = match command {
        RankCommand::Partners(args) => (partners(&args).await?, args.ranked),
        RankCommand::Commodities(args) => {
            let asked = of_commodities(&args);
            (commodities(asked, &args.ranked).await?, args.ranked)
        }
        RankCommand::Sectors(args) => {
            let asked = of_sectors(&args);
            (commodities(asked, &args.ranked).await?, args.ranked)
        }
    };
    if draw(out, &args.chart, || svg::ranking(&chart(&ranking)))? {
        return Ok(());
    }
    match args.answer.output {
        Output::Table => table(&ranking, out),
        Output::Json => output::json(out, "entente.trade.v1.Ranking", &ranking),
        Output::Csv => csv(&ranking, out),
    }
}

async fn partners(args: &PartnersArgs) -> anyhow::Result<Ranking> {
    let PartnersArgs {
        reporter,
        code,
        sector,
        ranked,
    } = args;
    let sector = sector.as_ref().map(proto::sector_name);
    let asked = wire::RankPartnersRequest {
        parent: dataset_name(&ranked.dataset),
        reporter: reporter.to_string(),
        flow: ranked.flow.to_wire().into(),
        code: sector.as_ref().map_or(code.to_string(), |_| String::new()),
        sector: sector.unwrap_or_default(),
        classification: ranked.classification_text(),
        period: ranked.period.to_string(),
        basis: ranked.basis.to_wire().into(),
        top: ranked.top,
        as_of: ranked.as_of.to_wire(),
    };
    let AnswerArgs { output: _, server } = &ranked.answer;
    let mut client = client::trade(&server.server).await?;
    let ranking = client.rank_partners(request(asked, server)).await?;
    Ok(ranking.into_inner())
}

async fn commodities(
    asked: wire::RankCommoditiesRequest,
    args: &RankedArgs,
) -> anyhow::Result<Ranking> {
    let AnswerArgs { output: _, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let ranking = client.rank_commodities(request(asked, server)).await?;
    Ok(ranking.into_inner())
}

fn of_commodities(args: &CommoditiesArgs) -> wire::RankCommoditiesRequest {
    wire::RankCommoditiesRequest {
        reporter: args.reporter.to_string(),
        partner: args.partner.to_string(),
        level: args.level,
        within: args.within.clone(),
        ..of_all(&args.ranked)
    }
}

fn of_sectors(args: &SectorsArgs) -> wire::RankCommoditiesRequest {
    wire::RankCommoditiesRequest {
        reporter: args.reporter.to_string(),
        partner: args.partner.to_string(),
        sectors: true,
        ..of_all(&args.ranked)
    }
}

fn of_all(args: &RankedArgs) -> wire::RankCommoditiesRequest {
    wire::RankCommoditiesRequest {
        parent: dataset_name(&args.dataset),
        flow: args.flow.to_wire().into(),
        classification: args.classification_text(),
        period: args.period.to_string(),
        basis: args.basis.to_wire().into(),
        top: args.top,
        as_of: args.as_of.to_wire(),
        ..Default::default()
    }
}

/// What is ranked: partners, codes of so many digits, or sectors.
fn subject(ranking: &Ranking) -> &'static str {
    match (ranking.partner.as_str(), ranking.level) {
        ("", _) => "partners",
        (_, 0) => "sectors",
        (_, _) => "goods",
    }
}

/// What is shown, with countries as a function calls them.
fn title(ranking: &Ranking, country: fn(&str) -> String) -> String {
    let whose = match ranking.partner.as_str() {
        "" => country(&ranking.reporter),
        partner => format!("{} with {}", country(&ranking.reporter), country(partner)),
    };
    let of = match (ranking.sector.as_str(), ranking.code.as_str()) {
        ("", "") => String::new(),
        ("", code) => format!(", {code}"),
        (sector, _) => format!(", {sector}"),
    };
    let level = match ranking.level {
        0 => String::new(),
        level => format!(" of {level} digits"),
    };
    format!(
        "{whose}, flow {}{of}, {}: {}{level}",
        words::flow(ranking.flow),
        ranking.period,
        subject(ranking),
    )
}

fn subtitle(ranking: &Ranking) -> String {
    let basis = match wire::PeriodBasis::try_from(ranking.basis).unwrap_or_default() {
        wire::PeriodBasis::SumOfMonths => "sum of the published months",
        wire::PeriodBasis::Published | wire::PeriodBasis::Unspecified => "as published",
    };
    let parts = [
        &ranking.dataset,
        &ranking.classification,
        figures::valuation(ranking.valuation),
        basis,
    ];
    let given = parts.into_iter().filter(|part| !part.is_empty());
    given.collect::<Vec<_>>().join(", ")
}

fn table(ranking: &Ranking, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "{}\n{}",
        title(ranking, str::to_owned),
        subtitle(ranking)
    )?;
    if ranking.entries.is_empty() {
        let why = EmptyReason::try_from(ranking.empty_reason).unwrap_or_default();
        writeln!(out, "\nNothing to rank: {}.", words::absence(why.into()))?;
        return missing(ranking, out);
    }
    let mut reasons = Reasons::default();
    let mut footnotes = Footnotes::default();
    let table = entries_table(ranking, &mut reasons, &mut footnotes);
    writeln!(out, "{table}")?;
    reasons.write(out)?;
    totals(ranking, out)?;
    writeln!(out)?;
    plot::draw(out, &bars(ranking), 44)?;
    writeln!(out)?;
    missing(ranking, out)?;
    if let Some(conversion) = &ranking.conversion {
        output::paragraph(out, &words::conversion(conversion), "  ")?;
    }
    footnotes.write(out)
}

fn entries_table(
    ranking: &Ranking,
    reasons: &mut Reasons,
    footnotes: &mut Footnotes,
) -> comfy_table::Table {
    let titles = [
        "",
        subject(ranking),
        "",
        &ranking.currency_code,
        "share",
        "growth",
        "before",
        "source",
    ];
    let mut table = output::table(&titles, &[0, 3, 4, 5]);
    for entry in &ranking.entries {
        let mut notes = footnotes.marks(&ranking.sources, &entry.sources);
        let flags = figures::flags(&entry.flags);
        if !flags.is_empty() {
            notes = format!("{notes} {}", reasons.mark(&flags));
        }
        if let Some(conversion) = &entry.conversion {
            notes = format!("{notes} {}", reasons.mark(&words::conversion(conversion)));
        }
        table.add_row([
            place(entry.rank),
            words::id(&entry.key).to_owned(),
            name(entry),
            figures::grouped(&entry.value),
            share(&entry.share),
            reasons.growth(entry.growth.as_ref()),
            moved(entry),
            notes.trim_start().to_owned(),
        ]);
    }
    for (name, remainder) in remainders(ranking) {
        table.add_row([
            String::new(),
            String::new(),
            name,
            figures::grouped(&remainder.value),
            figures::share(&remainder.share),
        ]);
    }
    output::hide_empty(&mut table);
    table
}

/// A place; a sector that is no goods as a whole here has none.
fn place(rank: i32) -> String {
    match rank {
        0 => String::new(),
        rank => rank.to_string(),
    }
}

fn share(share: &str) -> String {
    match share {
        "" => String::new(),
        share => figures::share(share),
    }
}

/// A name that fits; a sector's id says enough, and its name stands beside its bar.
fn name(entry: &RankedEntry) -> String {
    if entry.key.contains('/') {
        return String::new();
    }
    clipped(&plain(&entry.display_name), NAME)
}

/// The place a year before, and whether the entry rose or fell since.
fn moved(entry: &RankedEntry) -> String {
    let RankedEntry {
        rank, rank_before, ..
    } = entry;
    match rank_before {
        0 if *rank == 0 => String::new(),
        0 => "none".into(),
        before if before > rank => format!("▲ {before}"),
        before if before < rank => format!("▼ {before}"),
        before => format!("= {before}"),
    }
}

/// What is no entry, with its name.
fn remainders(ranking: &Ranking) -> Vec<(String, &Remainder)> {
    let rest = ranking.rest.as_ref();
    let rest = rest.map(|rest| (format!("the other {}", rest.parts), rest));
    let unallocated = ranking.unallocated.as_ref();
    let unallocated = unallocated.map(|left| ("not broken down".to_owned(), left));
    rest.into_iter().chain(unallocated).collect()
}

/// What the shares are of, and how concentrated it is.
fn totals(ranking: &Ranking, out: &mut dyn Write) -> anyhow::Result<()> {
    let currency = &ranking.currency_code;
    let published = figures::grouped(&ranking.published_total);
    let sum = figures::grouped(&ranking.sum_of_parts);
    match ShareOf::try_from(ranking.share_of).unwrap_or_default() {
        ShareOf::PublishedTotal if sum.is_empty() => writeln!(
            out,
            "Total as published: {published} {currency}; shares are of it; sectors may overlap."
        )?,
        ShareOf::PublishedTotal => writeln!(
            out,
            "Total as published: {published} {currency}; shares are of it. Sum of parts: {sum}."
        )?,
        ShareOf::SumOfParts => writeln!(
            out,
            "Sum of parts: {sum} {currency}; shares are of it, since no total was published."
        )?,
        ShareOf::Unspecified if subject(ranking) == "sectors" => {
            writeln!(out, "Sectors may overlap: there is no total of them.")?;
        }
        ShareOf::Unspecified => writeln!(out, "The total is not above zero: there are no shares.")?,
    }
    let Some(concentration) = &ranking.concentration else {
        return Ok(());
    };
    let normalised = match concentration.hhi_normalised.as_str() {
        "" => String::new(),
        normalised => format!(", normalised {normalised}"),
    };
    Ok(writeln!(
        out,
        "Concentration (HHI) {}{normalised}, over {} {}.",
        concentration.hhi,
        concentration.parts,
        subject(ranking),
    )?)
}

fn missing(ranking: &Ranking, out: &mut dyn Write) -> anyhow::Result<()> {
    for missing in &ranking.missing {
        writeln!(out, "missing {}", words::missing(missing))?;
    }
    Ok(())
}

fn label(entry: &RankedEntry) -> String {
    let key = words::id(&entry.key);
    let name = plain(&entry.display_name);
    let is_sector = entry.key.contains('/');
    match name.as_str() {
        "" => key.to_owned(),
        name if is_sector => name.to_owned(),
        name => format!("{key} {name}"),
    }
}

fn bars(ranking: &Ranking) -> Vec<Bar> {
    let bar = |label: String, value: &str, share: &str| Bar {
        label: clipped(&label, LABEL),
        value: value.parse().unwrap_or_default(),
        note: format!("{}  {}", figures::short(value), self::share(share)),
    };
    let entries = ranking.entries.iter().filter(|entry| entry.rank > 0);
    let entries = entries.map(|entry| bar(label(entry), &entry.value, &entry.share));
    let left = remainders(ranking).into_iter();
    let left = left.map(|(name, left)| bar(name, &left.value, &left.share));
    entries.chain(left).collect()
}

/// What stands beside a bar: the share, and the growth where there is one. The table has the reasons.
fn noted(entry: &RankedEntry) -> String {
    let outcome = entry
        .growth
        .as_ref()
        .and_then(|growth| growth.outcome.as_ref());
    match outcome {
        Some(Outcome::Ratio(ratio)) => [share(&entry.share), figures::percent(ratio)].join(", "),
        Some(Outcome::Gap(_)) | None => share(&entry.share),
    }
}

fn chart(ranking: &Ranking) -> RankingChart {
    let bar = |entry: &RankedEntry| RankedBar {
        label: label(entry),
        value: entry.value.parse().unwrap_or_default(),
        note: noted(entry),
        remainder: false,
    };
    let left = |(name, left): (String, &Remainder)| RankedBar {
        label: name,
        value: left.value.parse().unwrap_or_default(),
        note: figures::share(&left.share),
        remainder: true,
    };
    let ranked = ranking.entries.iter().filter(|entry| entry.rank > 0);
    let entries = ranked.map(bar);
    let left = remainders(ranking).into_iter().map(left);
    let cited = ranking.sources.iter().enumerate();
    let cited = cited.map(|(at, source)| format!("[{}] {}", at + 1, sources::line(source)));
    RankingChart {
        title: title(ranking, words::country),
        subtitle: subtitle(ranking),
        unit: ranking.currency_code.clone(),
        bars: entries.chain(left).collect(),
        footnotes: cited.collect(),
    }
}

fn csv(ranking: &Ranking, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "dataset",
        "reporter",
        "partner",
        "flow",
        "period",
        "classification",
        "rank",
        "key",
        "name",
        "value",
        "currency",
        "share",
        "growth",
        "growth_gap",
        "rank_before",
        "flags",
        "figures",
    ];
    let mut writer = output::csv(out, &titles)?;
    let head = [
        ranking.dataset.clone(),
        ranking.reporter.clone(),
        ranking.partner.clone(),
        words::flow(ranking.flow),
        ranking.period.clone(),
        ranking.classification.clone(),
    ];
    for entry in &ranking.entries {
        let (growth, gap) = figures::growth_cells(entry.growth.as_ref());
        let cells = [
            place(entry.rank),
            entry.key.clone(),
            output::safe(&entry.display_name),
            entry.value.clone(),
            ranking.currency_code.clone(),
            entry.share.clone(),
            growth,
            gap,
            entry.rank_before.to_string(),
            figures::flags(&entry.flags),
            entry.figures.to_string(),
        ];
        writer.write_record(head.iter().chain(&cells))?;
    }
    for (name, left) in remainders(ranking) {
        let mut cells = vec![String::new(); titles.len() - head.len()];
        cells[2] = name;
        cells[3].clone_from(&left.value);
        cells[4].clone_from(&ranking.currency_code);
        cells[5].clone_from(&left.share);
        writer.write_record(head.iter().chain(&cells))?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(rank: i32, key: &str, value: &str, rank_before: i32) -> RankedEntry {
        RankedEntry {
            rank,
            key: key.into(),
            display_name: words::country(key),
            value: value.into(),
            share: "0.25".into(),
            rank_before,
            ..Default::default()
        }
    }

    fn ranking() -> Ranking {
        Ranking {
            dataset: "datasets/comtrade".into(),
            reporter: "KAZ".into(),
            flow: wire::Flow::Export.into(),
            period: "2022".into(),
            currency_code: "USD".into(),
            entries: vec![
                entry(1, "ITA", "400", 2),
                entry(2, "CHN", "300", 1),
                entry(3, "RUS", "200", 0),
            ],
            rest: Some(Remainder {
                value: "90".into(),
                share: "0.09".into(),
                parts: 7,
            }),
            unallocated: Some(Remainder {
                value: "10".into(),
                share: "0.01".into(),
                parts: 0,
            }),
            published_total: "1000".into(),
            sum_of_parts: "990".into(),
            share_of: ShareOf::PublishedTotal.into(),
            concentration: Some(wire::Concentration {
                hhi: "0.301".into(),
                hhi_normalised: "0.223".into(),
                parts: 10,
            }),
            ..Default::default()
        }
    }

    fn written(write: impl Fn(&Ranking, &mut dyn Write) -> anyhow::Result<()>) -> String {
        let mut out = Vec::new();
        write(&ranking(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_ranking_accounts_for_the_whole_total() {
        let text = written(table);
        for part in [
            "KAZ, flow X, 2022: partners",
            "▲ 2",
            "▼ 1",
            "none",
            "the other 7",
            "not broken down",
            "Total as published: 1,000 USD; shares are of it. Sum of parts: 990.",
            "HHI) 0.301, normalised 0.223, over 10 partners",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_ranking_as_rows_has_the_remainder_without_a_place() {
        let text = written(csv);
        assert!(text.contains("X,2022,,1,ITA,Italy,400,USD,0.25,"), "{text}");
        assert!(
            text.contains("X,2022,,,,the other 7,90,USD,0.09,"),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_entry_has_another_shade() {
        let chart = chart(&ranking());
        let remainders = chart.bars.iter().filter(|bar| bar.remainder);
        assert_eq!((chart.bars.len(), remainders.count()), (5, 2));
    }
}
