//! Certificates for development: an authority, and what it certifies for gateway and services.

mod authority;
mod files;

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use self::authority::{Authority, Purpose};
use self::files::{Pair, Target};
pub(crate) use self::files::{lock, unnamed};
use crate::args::certs::CertsArgs;

/// What the authority holds for.
const AUTHORITY_DAYS: u16 = 3_650;

/// Where servers are reached on the machine that they run on.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate to be made.
struct Certificate {
    /// The name of its files.
    file: &'static str,
    /// The name that it proves.
    name: &'static str,
    purpose: Purpose,
}

const CERTIFICATES: [Certificate; 6] = [
    server("gateway"),
    server("trade"),
    server("events"),
    server("culture"),
    Certificate {
        file: "gateway-client",
        name: "gateway",
        purpose: Purpose::Client,
    },
    Certificate {
        file: "probe",
        name: "probe",
        purpose: Purpose::Client,
    },
];

const fn server(name: &'static str) -> Certificate {
    Certificate {
        file: name,
        name,
        purpose: Purpose::Server,
    }
}

/// Makes what is not there yet, or all anew.
pub(crate) fn run(args: &CertsArgs) -> anyhow::Result<()> {
    let made = make(args).with_context(|| format!("in {}", args.dir.display()))?;
    tell(&args.dir, &made)
}

/// Makes the files; a line for people on each pair of them.
pub(crate) fn make(args: &CertsArgs) -> anyhow::Result<Vec<String>> {
    let mut target = Target::open(&args.dir)?;
    let (authority, mut lines) = authority(args, &mut target)?;
    let days = days(args.days)?;
    for certificate in &CERTIFICATES {
        let pair = Pair::of(certificate.file);
        if !args.anew() && target.has(&pair)? {
            continue;
        }
        let names = certificate.names(&args.names);
        let signed = authority.certify(certificate.name, &names, certificate.purpose, days)?;
        target.make(&pair, &signed.pem, &signed.key)?;
        let (file, names) = (certificate.file, names.join(", "));
        lines.push(format!("{file}: {names}; until {}", days.1));
    }
    target.commit(args.anew())?;
    Ok(lines)
}

/// The authority that is there, or a new one, with a line on it.
fn authority(args: &CertsArgs, target: &mut Target) -> anyhow::Result<(Authority, Vec<String>)> {
    let (pair, days) = (Pair::of("ca"), days(AUTHORITY_DAYS)?);
    if !args.force && target.has(&pair)? {
        let (certificate, key) = target.read(&pair)?;
        return Ok((Authority::again(&certificate, &key, days)?, Vec::new()));
    }
    if !args.force && target.has_any(CERTIFICATES.iter().map(|one| Pair::of(one.file))) {
        bail!("there are certificates, but not their authority; --force makes all anew");
    }
    let authority = Authority::new(days)?;
    target.make(&pair, &authority.pem(), &authority.key())?;
    let line = format!("ca: the authority; until {}", days.1);
    Ok((authority, vec![line]))
}

/// Today, and the day so many days after it.
fn days(count: u16) -> anyhow::Result<(Date, Date)> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    Ok((today, today.checked_add(i32::from(count).days())?))
}

impl Certificate {
    /// All names that it proves. A client is believed by its name alone, wherever it runs.
    fn names(&self, further: &[String]) -> Vec<String> {
        let mut names = vec![self.name.to_owned()];
        if self.purpose == Purpose::Server {
            names.extend(LOCAL.map(str::to_owned));
            for name in further {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        names
    }
}

fn tell(folder: &Path, lines: &[String]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let shown = folder.display();
    if lines.is_empty() {
        return Ok(writeln!(
            out,
            "All certificates are in {shown} already. --renew makes them anew, of the same authority; --force makes \
             a new authority too."
        )?);
    }
    writeln!(out, "Made in {shown}, each as .pem with its .key:")?;
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    Ok(out.write_all(usage(folder).as_bytes())?)
}

fn usage(folder: &Path) -> String {
    let at = |file: &str| folder.join(file).display().to_string();
    format!(
        "\nServe, and ask:\n  \
         entente serve --tls-cert {gateway} --tls-key {gateway_key}\n  \
         entente trade datasets --server https://localhost:50051 --ca {ca}\n\
         Let a service in only whom the authority has certified (gateway-client is for the gateway, probe for health \
         checks):\n  \
         entente serve trade --tls-cert {trade} --tls-key {trade_key} --tls-client-ca {ca}\n\
         The keys are secret. ca.key is needed here alone: whoever has it can pass for any of these.\n",
        gateway = at("gateway.pem"),
        gateway_key = at("gateway.key"),
        trade = at("trade.pem"),
        trade_key = at("trade.key"),
        ca = at("ca.pem"),
    )
}
