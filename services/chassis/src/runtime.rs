//! The threads of a process.

use std::num::NonZero;

use tokio::runtime::Builder;

/// Threads that may block at once, for each core.
const BLOCKED_A_CORE: usize = 16;
/// The least of them.
const BLOCKED: usize = 32;

/// A runtime to be built, with a worker a core.
///
/// Reads of a view block, and so do some others; they run on threads of their own. Each of these keeps memory of the
/// allocator for good, some 3 MiB, and more of them than can run or wait for the disk make nothing faster.
pub fn runtime() -> Builder {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut builder = Builder::new_multi_thread();
    builder
        .enable_all()
        .max_blocking_threads(BLOCKED.max(cores * BLOCKED_A_CORE));
    builder
}
