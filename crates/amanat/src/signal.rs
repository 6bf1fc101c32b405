//! Ctrl-C and SIGTERM, by which an operator or a service manager asks the program to end.

use tokio::signal::unix::{SignalKind, signal};

/// Waits until the program is asked to end.
///
/// # Errors
/// The system refuses to pass signals on; then they end the process as they do any other.
pub async fn stop_asked() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
