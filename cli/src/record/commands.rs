//! Create, show, change, delete, versions: the same for every kind.

use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use proto::r#type::v1::ChangeKind;

use super::{Kind, Shown, Version, full_name, list};
use crate::args::answer::{AnswerArgs, Output};
use crate::args::records::{
    CreateRecordsArgs, DeleteRecordArgs, ShowRecordArgs, UpdateRecordArgs, VersionsRecordArgs,
};
use crate::{names, output, records, sources, words};

/// The most records of one call.
const BATCH: usize = 500;

/// Shows one record.
pub(crate) async fn show<K: Shown>(
    args: &ShowRecordArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut kind = K::connect(&args.answer.server).await?;
    let name = full_name::<K>(&args.id);
    let record = kind.get(name, args.as_of.to_wire()).await?;
    write_one::<K>(&record, args.answer.output, &args.language.language, out)
}

/// Writes one record.
fn write_one<K: Shown>(
    record: &K::Record,
    output: Output,
    language: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match output {
        Output::Table => lines::<K>(record, language, out),
        Output::Json => output::json(out, K::RECORD, record),
        Output::Csv => list::csv::<K>(std::slice::from_ref(record), language, out),
    }
}

fn lines<K: Shown>(record: &K::Record, language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = vec![("name".to_owned(), K::name(record).to_owned())];
    rows.extend(K::lines(record, language));
    let (recorded, changed) = K::times(record);
    rows.push(("recorded".to_owned(), words::second(recorded)));
    if changed != recorded {
        rows.push(("changed".to_owned(), words::second(changed)));
    }
    rows.push(("etag".to_owned(), K::etag(record).to_owned()));
    output::lines(out, &rows)?;
    sources::footnotes(K::sources(record), out)
}

/// Creates what a file holds: one by itself, several all or none.
pub(crate) async fn create<K: Shown>(
    args: &CreateRecordsArgs,
    allow_duplicate: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut asked = from_file::<K::Create>(&args.file, K::CREATE)?;
    ensure!(
        asked.len() <= BATCH,
        "{} {}s in one file, where {BATCH} can be created at once; cut it, or import a CSV file",
        asked.len(),
        K::NOUN
    );
    if allow_duplicate {
        asked.iter_mut().for_each(K::allow_duplicate);
    }
    let mut kind = K::connect(server).await?;
    let created = match asked.as_slice() {
        [one] => vec![kind.create(one.clone()).await?],
        _ => kind.create_batch(asked).await?,
    };
    match output {
        Output::Table => {
            for record in &created {
                writeln!(out, "Created {}.", K::name(record))?;
            }
            Ok(())
        }
        Output::Json => output::json_list(out, K::RECORD, &created),
        Output::Csv => list::csv::<K>(&created, "en", out),
    }
}

/// Reads one message, or a list of them, from a file or standard input.
pub(crate) fn from_file<M: prost::Message + Default>(
    path: &Path,
    message: &str,
) -> anyhow::Result<Vec<M>> {
    let named = path.display();
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| format!("reading {named}"))?;
    }
    let short = message.rsplit('.').next().unwrap_or(message);
    records::list(message, &text).with_context(|| format!("{named} is no list of {short}"))
}

/// Changes the record of a file.
pub(crate) async fn update<K: Shown>(
    args: &UpdateRecordArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut given = from_file::<K::Record>(&args.file, K::RECORD)?;
    let (Some(mut record), true) = (given.pop(), given.is_empty()) else {
        anyhow::bail!(
            "one {} is changed at a time, by its `name` in the file",
            K::NOUN
        );
    };
    if let Some(etag) = &args.etag {
        K::set_etag(&mut record, etag);
    }
    let paths = args.mask.clone();
    let mask = (!paths.is_empty()).then_some(prost_types::FieldMask { paths });
    let mut kind = K::connect(server).await?;
    let changed = kind.update(record, mask).await?;
    write_one::<K>(&changed, *output, &args.language.language, out)
}

/// Deletes one record.
pub(crate) async fn delete<K: Kind>(
    args: &DeleteRecordArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let name = full_name::<K>(&args.id);
    let etag = args.etag.clone().unwrap_or_default();
    let mut kind = K::connect(&args.server).await?;
    kind.delete(name.clone(), etag).await?;
    Ok(writeln!(out, "Deleted {name}.")?)
}

/// Shows the versions of a record, the latest first.
pub(crate) async fn versions<K: Shown>(
    args: &VersionsRecordArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut kind = K::connect(&args.answer.server).await?;
    let name = full_name::<K>(&args.id);
    let all = output::pages(usize::MAX, async |token, _| {
        kind.versions(name.clone(), token).await
    });
    let versions = all.await?.entries;
    let language = &args.language.language;
    match args.answer.output {
        Output::Table => versions_table::<K>(&name, versions, language, out),
        Output::Json => output::json_list(out, K::VERSION, &versions),
        Output::Csv => versions_csv::<K>(versions, language, out),
    }
}

fn versions_table<K: Shown>(
    name: &str,
    versions: Vec<K::Version>,
    language: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let titles = ["recorded (UTC)", "change", "fields", K::NOUN];
    let mut table = output::table(&titles, &[]);
    output::wrap(&mut table);
    for version in versions {
        let Version {
            record_time,
            change,
            changed_fields,
            record,
        } = K::version(version);
        let title = record.map(|record| K::title(&record, language));
        table.add_row([
            words::second(record_time.as_ref()),
            names::shown::<ChangeKind>(change),
            changed_fields.join(", "),
            title.unwrap_or_default(),
        ]);
    }
    Ok(writeln!(out, "{name}\n{table}")?)
}

fn versions_csv<K: Shown>(
    versions: Vec<K::Version>,
    language: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut titles = vec!["record_time", "change", "changed_fields"];
    titles.extend(K::CSV);
    let mut writer = output::csv(out, &titles)?;
    for version in versions {
        let version = K::version(version);
        let mut row = vec![
            words::instant(version.record_time.as_ref()),
            names::shown::<ChangeKind>(version.change),
            version.changed_fields.join(" "),
        ];
        let record = version.record.map(|record| K::cells(&record, language));
        row.extend(record.unwrap_or_else(|| vec![String::new(); K::CSV.len()]));
        writer.write_record(row)?;
    }
    Ok(writer.flush()?)
}
