//! The log: to stdout, by a thread of its own, so that a slow reader holds up no request.

use startstop_core::on_exit;
use tracing_appender::non_blocking;

/// Begins the log. Once a process, before the runtime. What the thread still holds is written at every exit, also where a part
/// does not yield and no destructor runs.
pub fn begin() {
    let (writer, guard) = non_blocking(std::io::stdout());
    on_exit(move || drop(guard));
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(writer)
        .init();
}
