//! The dataset that UN Comtrade's figures go into.

use proto::trade::v1 as wire;
use proto::{Slug, dataset_name};
use tonic::Code;

use crate::args::import::ComtradeArgs;
use crate::client::{TradeClient, request};

/// Creates the dataset when it does not exist.
pub(super) async fn ensure_dataset(
    client: &mut TradeClient,
    args: &ComtradeArgs,
) -> anyhow::Result<()> {
    let server = &args.import.server;
    let name = dataset_name(&args.dataset);
    let asked = wire::GetDatasetRequest {
        name: name.clone(),
        as_of: None,
    };
    match client.get_dataset(request(asked, server)).await {
        Err(status) if status.code() == Code::NotFound && args.import.dry_run => {
            anyhow::bail!("{name} does not exist, and a dry run does not create it")
        }
        Err(status) if status.code() == Code::NotFound => {
            let create = comtrade_dataset(&args.dataset);
            match client.create_dataset(request(create, server)).await {
                // Somebody else was faster.
                Err(status) if status.code() == Code::AlreadyExists => Ok(()),
                created => created.map(drop).map_err(Into::into),
            }
        }
        found => found.map(drop).map_err(Into::into),
    }
}

fn comtrade_dataset(id: &Slug) -> wire::CreateDatasetRequest {
    let text = |text: &str| proto::r#type::v1::LocalizedText {
        texts: [("en".to_owned(), text.to_owned())].into(),
    };
    let source = proto::r#type::v1::Source {
        title: "UN Comtrade, as reported".into(),
        publisher: "United Nations Statistics Division".into(),
        uri: "https://comtradeplus.un.org/".into(),
        licence: "UN Comtrade terms: no passing on without permission".into(),
        ..Default::default()
    };
    let dataset = wire::Dataset {
        display_name: Some(text("UN Comtrade")),
        description: Some(text(
            "Trade in goods as the reporters' customs gave it to the United Nations: each figure is the \
             reporter's. Imports are mostly CIF, exports FOB.",
        )),
        source: Some(source),
        currency_code: "USD".into(),
        import_valuation: wire::Valuation::Cif.into(),
        export_valuation: wire::Valuation::Fob.into(),
        ..Default::default()
    };
    wire::CreateDatasetRequest {
        dataset_id: id.to_string(),
        dataset: Some(dataset),
        request_id: String::new(),
    }
}
