//! Whether a process serves, for whoever starts and stops it: a container's health check, or a script that waits.
//!
//! It asks as any client does, at the address that clients take. A plain listener aside would be simpler to ask, and
//! would go on saying that all is well when a certificate has ended or no connection is taken any more.

use std::io::{self, Write};

use anyhow::{Context, ensure};

use crate::args::healthcheck::HealthcheckArgs;
use crate::args::serve::Role;
use crate::client;

/// Asks once, and fails unless the answer is that it serves.
pub(crate) async fn run(args: &HealthcheckArgs) -> anyhow::Result<()> {
    let address = args.address();
    let asked = tokio::time::timeout(args.limit(), client::serves(&address, args.service));
    let answered = asked
        .await
        .with_context(|| format!("{} did not answer within {:?}", address.url, args.limit()))?;
    let who = match args.service {
        None => address.url.to_string(),
        Some(service) => format!("{} at {}", Role::name(service), address.url),
    };
    ensure!(answered?, "{who} does not serve");
    Ok(writeln!(io::stdout(), "{who} serves")?)
}
