//! Sectors: list, show, create, change, delete.

use std::io::{Read, Write};
use std::path::Path;

use anyhow::Context;
use proto::sector_name;
use proto::trade::v1 as wire;
use tonic::Code;
use wire::{CreateSectorRequest, Sector};

use crate::args::answer::{AnswerArgs, AsOfArgs, Output, ServerArgs};
use crate::args::sectors::{
    CreateSectorsArgs, DeleteSectorArgs, InstallSectorsArgs, ListSectorsArgs, SectorsArgs,
    SectorsCommand, ShowSectorArgs, UpdateSectorArgs,
};
use crate::args::texts::merged;
use crate::client::{self, TradeClient, request};
use crate::{output, records, words};

/// Columns of the codes.
const CODES: usize = 34;

/// Does what was asked for.
pub(super) async fn run(args: SectorsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    match args.command {
        None => list(&args.list, out).await,
        Some(SectorsCommand::List(args)) => list(&args, out).await,
        Some(SectorsCommand::Show(args)) => show(&args, out).await,
        Some(SectorsCommand::Create(args)) => create(args, out).await,
        Some(SectorsCommand::Update(args)) => update(&args, out).await,
        Some(SectorsCommand::Delete(args)) => delete(&args, out).await,
        Some(SectorsCommand::Install(args)) => install(&args, out).await,
    }
}

async fn list(args: &ListSectorsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let all = output::pages(usize::MAX, async |page_token, _| {
        let asked = wire::ListSectorsRequest {
            page_size: 0,
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_sectors(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.sectors, page.next_page_token))
    });
    let answer = wire::ListSectorsResponse {
        sectors: all.await?.entries,
        next_page_token: String::new(),
    };
    match output {
        Output::Table => table(&answer.sectors, out),
        Output::Json => output::json(out, "entente.trade.v1.ListSectorsResponse", &answer),
        Output::Csv => csv(&answer.sectors, out),
    }
}

fn table(sectors: &[Sector], out: &mut dyn Write) -> anyhow::Result<()> {
    if sectors.is_empty() {
        return Ok(writeln!(
            out,
            "There are no sectors; `entente trade sectors install` records those that Entente ships."
        )?);
    }
    let mut table = output::table(&["sector", "name", "in", "codes", ""], &[]);
    for sector in sectors {
        let codes = sector.codes.join(" ");
        table.add_row([
            words::id(&sector.name),
            &words::text(sector.display_name.as_ref()),
            &sector.classification,
            &crate::chart::text::clipped(&codes, CODES),
            &sector.codes.len().to_string(),
        ]);
    }
    Ok(writeln!(out, "{table}")?)
}

fn csv(sectors: &[Sector], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = ["sector", "name", "description", "classification", "codes"];
    let mut writer = output::csv(out, &titles)?;
    for sector in sectors {
        writer.write_record([
            &sector.name,
            &output::safe(&words::text(sector.display_name.as_ref())),
            &output::safe(&words::text(sector.description.as_ref())),
            &sector.classification,
            &sector.codes.join(" "),
        ])?;
    }
    Ok(writer.flush()?)
}

async fn show(args: &ShowSectorArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut client = client::trade(&args.answer.server.server).await?;
    let name = sector_name(&args.id);
    let sector = get(&mut client, name, &args.as_of, &args.answer.server).await?;
    write(&sector, args.answer.output, out)
}

async fn get(
    client: &mut TradeClient,
    name: String,
    as_of: &AsOfArgs,
    server: &ServerArgs,
) -> Result<Sector, tonic::Status> {
    let asked = wire::GetSectorRequest {
        name,
        as_of: as_of.to_wire(),
    };
    let sector = client.get_sector(request(asked, server)).await?;
    Ok(sector.into_inner())
}

fn write(sector: &Sector, output: Output, out: &mut dyn Write) -> anyhow::Result<()> {
    match output {
        Output::Table => lines(sector, out),
        Output::Json => output::json(out, "entente.trade.v1.Sector", sector),
        Output::Csv => csv(std::slice::from_ref(sector), out),
    }
}

fn lines(sector: &Sector, out: &mut dyn Write) -> anyhow::Result<()> {
    let codes = format!("{} {}", sector.classification, sector.codes.join(" "));
    let mut rows = vec![("name".to_owned(), sector.name.clone())];
    rows.extend(words::texts("", sector.display_name.as_ref()));
    rows.extend(words::texts("covers ", sector.description.as_ref()));
    rows.push(("codes".into(), codes));
    rows.push((
        "recorded".into(),
        words::second(sector.create_time.as_ref()),
    ));
    rows.push(("changed".into(), words::second(sector.update_time.as_ref())));
    output::lines(out, &rows)
}

async fn create(args: CreateSectorsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let output = args.answer.output;
    let server = args.answer.server.clone();
    let asked = match &args.from {
        Some(path) => from_file(path)?,
        None => vec![by_options(args)],
    };
    let mut client = client::trade(&server.server).await?;
    for one in asked {
        let id = one.sector_id.clone();
        let created = client.create_sector(request(one, &server)).await;
        let created = created.with_context(|| format!("creating the sector {id}"))?;
        write(&created.into_inner(), output, out)?;
    }
    Ok(())
}

fn from_file(path: &Path) -> anyhow::Result<Vec<CreateSectorRequest>> {
    let named = path.display();
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| format!("reading {named}"))?;
    }
    records::sectors(&text).with_context(|| format!("{named} is no list of CreateSectorRequest"))
}

fn by_options(args: CreateSectorsArgs) -> CreateSectorRequest {
    let sector = Sector {
        display_name: merged(None, &args.words.name),
        description: merged(None, &args.words.description),
        classification: args
            .classification
            .map(|c| c.to_string())
            .unwrap_or_default(),
        codes: args.codes.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    CreateSectorRequest {
        sector_id: args.id.map(|id| id.to_string()).unwrap_or_default(),
        sector: Some(sector),
        request_id: String::new(),
    }
}

/// Reads the sector, and writes it back with its etag: a change by somebody else in between is told.
async fn update(args: &UpdateSectorArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let now = AsOfArgs { as_of: None };
    let mut sector = get(&mut client, sector_name(&args.id), &now, server).await?;
    let paths = put_into(args, &mut sector);
    anyhow::ensure!(
        !paths.is_empty(),
        "nothing to change: give --name, --description, --classification or --codes"
    );
    let asked = wire::UpdateSectorRequest {
        sector: Some(sector),
        update_mask: Some(prost_types::FieldMask { paths }),
        request_id: String::new(),
    };
    let sector = client.update_sector(request(asked, server)).await?;
    write(&sector.into_inner(), *output, out)
}

/// Puts what is given into a sector; the fields that it is in.
fn put_into(args: &UpdateSectorArgs, sector: &mut Sector) -> Vec<String> {
    let mut paths = Vec::new();
    if !args.words.name.is_empty() {
        sector.display_name = merged(sector.display_name.take(), &args.words.name);
        paths.push("display_name".to_owned());
    }
    if !args.words.description.is_empty() {
        sector.description = merged(sector.description.take(), &args.words.description);
        paths.push("description".to_owned());
    }
    if let Some(classification) = args.classification {
        sector.classification = classification.to_string();
        paths.push("classification".to_owned());
    }
    if !args.codes.is_empty() {
        sector.codes = args.codes.iter().map(ToString::to_string).collect();
        paths.push("codes".to_owned());
    }
    paths
}

async fn delete(args: &DeleteSectorArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let name = sector_name(&args.id);
    let asked = wire::DeleteSectorRequest {
        name: name.clone(),
        etag: String::new(),
        request_id: String::new(),
    };
    let mut client = client::trade(&args.server.server).await?;
    client.delete_sector(request(asked, &args.server)).await?;
    Ok(writeln!(out, "Deleted {name}.")?)
}

async fn install(args: &InstallSectorsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut client = client::trade(&args.server.server).await?;
    for asked in records::starting_sectors()? {
        let name = format!("sectors/{}", asked.sector_id);
        match client.create_sector(request(asked, &args.server)).await {
            Ok(_) => writeln!(out, "created {name}")?,
            Err(status) if status.code() == Code::AlreadyExists => {
                writeln!(
                    out,
                    "{name} is there already, or was deleted: left as it is"
                )?;
            }
            Err(status) => return Err(status.into()),
        }
    }
    Ok(())
}
