//! Ctrl-C or SIGTERM: the first one ends a run with what came out so far, the second one ends the process at once.

use tokio::sync::watch;

use crate::interrupt::interrupted;

/// What shells answer of a program that Ctrl-C ended.
const ENDED: i32 = 130;

/// Whether somebody wants a run to end.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens from now on.
    pub(super) fn listen() -> Stop {
        let (sender, asked) = watch::channel(false);
        tokio::spawn(async move {
            interrupted().await;
            sender.send_replace(true);
            interrupted().await;
            std::process::exit(ENDED);
        });
        Stop(asked)
    }

    pub(super) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for it.
    pub(super) async fn asked(&self) {
        let mut asked = self.0.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
