//! The binary `entente`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
