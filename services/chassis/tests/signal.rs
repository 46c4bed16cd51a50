//! The signals of a container runtime and of a terminal.
#![cfg(unix)]

use std::process::Command;
use std::time::Duration;

use chassis::Shutdown;

#[tokio::test]
async fn either_signal_triggers_the_shutdown() {
    for signal in ["TERM", "INT"] {
        let shutdown = Shutdown::on_signal().unwrap();
        assert!(!shutdown.is_triggered());
        let process = std::process::id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &process]).status();
        assert!(sent.unwrap().success());
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, shutdown.wait()).await.unwrap();
        assert!(shutdown.is_triggered());
    }
}
