//! Who publishes figures of the trade between two countries.

use proto::trade::v1 as wire;
use proto::{Country, Violations, parse_dataset_name};
use records::Paging;
use store::{Micros, State};
use wire::{Dataset, ListSidesRequest, ListSidesResponse, Side};

use crate::Model;
use crate::error::Error;
use crate::reading::Reading;

records::list_request!(Model, ListSidesRequest);

/// A page of sides that is asked for.
#[derive(Debug)]
pub(crate) struct Query {
    pair: [Country; 2],
    paging: Paging,
    as_of: Option<Micros>,
}

impl TryFrom<ListSidesRequest> for Query {
    type Error = Violations;

    fn try_from(mut request: ListSidesRequest) -> Result<Query, Violations> {
        let mut violations = Violations::new();
        let paging = Paging::take(&mut request, (200, 1_000), &mut violations);
        let ListSidesRequest {
            country,
            partner,
            page_size: _,
            page_token: _,
            as_of,
        } = request;
        let country = violations.check("country", country.parse::<Country>());
        let partner = violations.check("partner", partner.parse::<Country>());
        if country.is_some() && country == partner {
            violations.push("partner", "is `country` itself");
        }
        let as_of = as_of.as_ref().map(proto::parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        match (country, partner, paging, as_of) {
            (Some(country), Some(partner), Some(paging), Some(as_of)) => {
                violations.into_result(Query {
                    pair: [country, partner],
                    paging,
                    as_of,
                })
            }
            _ => Err(violations),
        }
    }
}

/// A page of sides.
pub(crate) fn list(state: &State<'_>, query: &Query) -> Result<ListSidesResponse, Error> {
    let (datasets, next_page_token) =
        records::page::<Model, Dataset>(state, &query.paging, |_| true)?;
    let [country, partner] = query.pair;
    let mut sides = Vec::new();
    for dataset in datasets {
        let id = parse_dataset_name(&dataset.name);
        let id = id.map_err(|error| store::Error::View(error.to_string()))?;
        let reading = Reading::open(state, &id, query.as_of)?;
        for (reporter, partner) in [(country, partner), (partner, country)] {
            if reading.covers(reporter, partner) {
                sides.push(Side {
                    dataset: Some(dataset.clone()),
                    reporter: reporter.to_string(),
                    partner: partner.to_string(),
                });
            }
        }
    }
    Ok(ListSidesResponse {
        sides,
        next_page_token,
    })
}
