//! The flush of an exporter, when the program ends.

use startstop_core::{Outcome, on_exit};
use tokio::runtime::Handle;

use crate::error_text::text_of;
use crate::host::tell;

/// Registers a function that sends the rest of an exporter when the program ends: a blocking flush
/// and shutdown. Its error is printed to stderr.
///
/// It is an `on_exit` of the core: those are called in reverse, so call this before any other is registered, and it comes
/// last. It is called while the runtime still lives, on a thread that may block and that belongs to the runtime in which this
/// was called, if there was one; and it has a second.
///
/// `shutdown()` of OpenTelemetry 0.33 says `Ok` for traces and logs although the export has failed: call `force_flush()` first.
///
/// # Examples
///
/// ```
/// # {
/// use std::process::ExitCode;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use startstop_core::once;
/// use startstop_host::{Host, flush_last};
///
/// static SENT: AtomicBool = AtomicBool::new(false);
///
/// fn main() -> ExitCode {
///     flush_last(|| SENT.store(true, Ordering::Relaxed)); // provider.force_flush()
///     Host::new(once(async |_cx| ())).main()
/// }
/// # assert_eq!(main(), ExitCode::SUCCESS);
/// # assert!(SENT.load(Ordering::Relaxed));
/// # }
/// ```
pub fn flush_last<T: Outcome>(f: impl FnOnce() -> T + Send + 'static) {
    let runtime = Handle::try_current().ok();
    on_exit(move || {
        let _inside = runtime.as_ref().map(Handle::enter);
        if let Err(error) = f().into_result() {
            tell(&format!("the last flush failed: {}", text_of(&*error)));
        }
    });
}
