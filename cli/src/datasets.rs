//! New datasets.

use std::io::Write;

use proto::trade::v1 as wire;
use proto::r#type::v1::{LocalizedText, Source};

use crate::args::bulk::{CreateDatasetArgs, ValuationArg};
use crate::client::{self, request};

/// Creates a dataset and tells its name.
pub(crate) async fn create(args: &CreateDatasetArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut client = client::trade(&args.server.server).await?;
    let asked = wire::CreateDatasetRequest {
        dataset_id: args.id.to_string(),
        dataset: Some(dataset(args)),
        request_id: uuid::Uuid::new_v4().to_string(),
    };
    let created = client.create_dataset(request(asked, &args.server)).await?;
    Ok(writeln!(out, "{} created", created.into_inner().name)?)
}

fn dataset(args: &CreateDatasetArgs) -> wire::Dataset {
    let source = Source {
        title: args.title.clone(),
        publisher: args.publisher.clone(),
        uri: args.uri.clone(),
        licence: args.licence.clone(),
        may_be_shown_outside: args.may_be_shown_outside,
        ..Default::default()
    };
    wire::Dataset {
        display_name: Some(LocalizedText {
            texts: [("en".to_owned(), args.name.clone())].into(),
        }),
        source: Some(source),
        currency_code: args.currency.to_string(),
        import_valuation: valuation(args.import_valuation).into(),
        export_valuation: valuation(args.export_valuation).into(),
        ..Default::default()
    }
}

fn valuation(given: Option<ValuationArg>) -> wire::Valuation {
    match given {
        Some(ValuationArg::Cif) => wire::Valuation::Cif,
        Some(ValuationArg::Fob) => wire::Valuation::Fob,
        None => wire::Valuation::Unspecified,
    }
}
