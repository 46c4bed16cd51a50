//! The benchmark that ships with the project.
//!
//! ```text
//! cargo run --profile dist -p tests --bin bench -- all
//! ```

/// The same as the binary `entente` has, whose place it takes as a server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    tests::bench::main()
}
