//! Ctrl-C or SIGTERM: the first one ends a run with what came out so far, the second one without.

use std::time::Duration;

use anyhow::bail;
use tokio::sync::watch;

use crate::interrupt::Interruptions;

/// What shells answer of a program that Ctrl-C ended.
pub(super) const ENDED: u8 = 130;
/// How long whoever is told a second time has to leave in good order: a write may be stuck.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often somebody wanted a run to end.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<u8>);

impl Stop {
    /// Listens from now on.
    pub(super) fn listen() -> Stop {
        let (sender, asked) = watch::channel(0);
        let mut interruptions = Interruptions::listen();
        tokio::spawn(async move {
            interruptions.next().await;
            sender.send_replace(1);
            interruptions.next().await;
            sender.send_replace(2);
            tokio::time::sleep(PATIENCE).await;
            std::process::exit(ENDED.into());
        });
        Stop(asked)
    }

    /// As if somebody had pressed Ctrl-C before.
    #[cfg(test)]
    pub(super) fn pressed() -> Stop {
        Stop(watch::channel(1).1)
    }

    /// Waits until it is to end.
    pub(super) async fn asked(&self) {
        self.times(1).await;
    }

    /// Does what comes before the first call, unless it is to end.
    pub(super) async fn before_calls<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            done = work => done,
            () = self.asked() => bail!("interrupted before the first call"),
        }
    }

    /// Waits until it is to end at once.
    pub(super) async fn insisted(&self) {
        self.times(2).await;
    }

    async fn times(&self, least: u8) {
        let mut asked = self.0.clone();
        if asked.wait_for(|asked| *asked >= least).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
