//! The macros of `startstop-core`.
//!
//! A pipeline: `parse` understands the item and reports all mistakes, `model` is what was understood,
//! `expand` writes the code.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod diagnostics;
mod expand;
mod model;
mod parse;
#[cfg(test)]
mod members;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod random;
#[cfg(test)]
mod values;

use proc_macro2::TokenStream;

use diagnostics::Diagnostics;

/// Derives `Service` for a type whose methods do the work.
///
/// Use it for a service that has a type of its own; write the impl by hand if the error type, the
/// settings or the status need code that an attribute cannot hold, and use `service_fn` for a
/// closure.
///
/// # Methods
///
/// `start` and `stop` name methods of the type. Each is `async fn(&self)` or
/// `async fn(&self, Context)`, and yields `()` or `Result<(), E>`: the macro finds out which. `start`
/// becomes `run`: it does the work until it is told to stop. `stop` becomes `shutdown`, which makes
/// `start` end, while that goes on; it is optional. They may be called `run` and `shutdown` as well: a method of the type
/// comes before one of a trait.
///
/// ```
/// use std::io;
/// use startstop_core::{Context, Runner, Service};
///
/// #[derive(Service)]
/// #[service(start = serve, stop = close, name = "http", stop_timeout = "10s", restart = on_failure)]
/// struct Http {
///     port: u16,
/// }
///
/// impl Http {
///     async fn serve(&self, cx: Context) -> Result<(), io::Error> {
///         println!("listening on port {}", self.port);
///         cx.cancelled().await;
///         Ok(())
///     }
///
///     async fn close(&self) {
///         println!("no more requests");
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let http = Runner::new(Http { port: 80 });
/// http.start().await.unwrap();
/// assert_eq!(http.name(), "http");
/// http.stop().await.unwrap();
/// # }
/// ```
///
/// Instead of naming the methods on the type, mark them in an impl block, by
/// [`macro@service_methods`]. A type has one of the two, or members.
///
/// # Members
///
/// A struct whose fields are runners composes them: it starts and stops them as a group does, in order
/// of their dependencies and in reverse. The fields stay usable as handles.
///
/// ```
/// use startstop_core::{Context, Runner, Service};
///
/// #[derive(Service)]
/// #[service(start = idle)]
/// struct Part;
///
/// impl Part {
///     async fn idle(&self, cx: Context) {
///         cx.cancelled().await;
///     }
/// }
///
/// #[derive(Service)]
/// #[service(limit(3, "60s"))]
/// struct App {
///     #[service(member(on_failure = restart_dependents))]
///     db: Runner<Part>,
///     #[service(member, after())]
///     cache: Runner<Part>,
///     #[service(member, after(db, cache))]
///     http: Runner<Part>,
///     port: u16,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let part = || Runner::new(Part);
/// let app = Runner::new(App { db: part(), cache: part(), http: part(), port: 80 });
/// app.start().await.unwrap(); // db beside cache, then http
/// assert!(app.service().http.is_running());
/// assert_eq!(app.status().children()[2].name(), "http");
/// app.stop().await.unwrap(); // http, then the others
/// # let _ = app.service().port;
/// # }
/// ```
///
/// These keys stand in `#[service(..)]` on a field:
///
/// | key | meaning | default |
/// |---|---|---|
/// | `member` | the field, a `Runner`, is a member under its name; in a tuple struct, under its number | no member |
/// | `member(on_failure = ..)` | `stop_group`, `ignore`, `restart_member`, `restart_dependents`, `restart_all` or an `OnFailure` | `stop_group` |
/// | `member(on_completion = ..)` | `ignore`, `stop_group`, `fail` or an `OnCompletion` | `ignore` |
/// | `member(bound_to(..))` | the members that it starts after and goes down with | none |
/// | `member(transient)` | nothing: the member leaves when it has ended, and nothing starts after it | it stays |
/// | `after(a, b)` | it starts when these members are ready; `after()` starts it at once | after the member declared before it |
///
/// Names that do not exist and cycles are errors at compile time. The keys on the type are those below,
/// without `start` and `stop`; as for a group, the default of `readiness` is `explicit`, and of
/// `start_timeout` and `stop_timeout` it is `Duration::MAX`, since each member has its own. An `error`
/// has to implement `From<BoxError>`.
///
/// # Keys
///
/// All keys stand in `#[service(..)]` on the type, which may be given more than once.
///
/// | key | value | default |
/// |---|---|---|
/// | `start` | the name of the method that does the work | the method marked `#[start]` |
/// | `stop` | the name of the method that ends it | none, or the method marked `#[stop]` |
/// | `error` | a type: the service's `Error`, into which the methods' errors convert | `BoxError`, into which any error converts, and in which `downcast_ref` finds it |
/// | `name` | a string | the type's name without path |
/// | `readiness` | `immediate`, `explicit`, `completion` | `immediate` |
/// | `start_timeout` | a duration | `"30s"` |
/// | `stop_timeout` | a duration | `"5s"` |
/// | `abort_timeout` | a duration | `"2s"` |
/// | `drain` | a duration | `"0s"` |
/// | `shutdown_always` | `true`, `false` | `false` |
/// | `history_capacity` | a whole number | `64` |
/// | `restart` | `never`, `on_failure`, `always` | `never` |
/// | `watchdog` | a duration | none |
/// | `limit` | of a struct with members, `limit(max, window)`: how many restarts of members there may be in which time | `limit(10, "10m")` |
/// | `backoff` | of a struct with members, a `Backoff`: the delay before members that the whole restarts come up again | that of a policy |
/// | `bound` | where predicates in a string, such as `"T: Store"` | `T: Send + Sync + 'static` for each type parameter |
/// | `crate` | the path of the crate, if it is renamed or re-exported | `::startstop_core` |
///
/// A duration is a string of a whole number and a unit (`"250ms"`, `"10s"`, `"2m"`, `"1h"`), which is
/// checked at compile time, or an expression of type `Duration`. In the place of any setting's value
/// (from `name` to `watchdog`) an expression of the setting's type is accepted too, also one with
/// `self`; it is evaluated when the runner is built.
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Backoff, RestartPolicy, Service};
///
/// #[derive(Service)]
/// #[service(
///     start = poll,
///     stop_timeout = self.interval * 2,
///     restart = RestartPolicy::always().backoff(Backoff::none()).limit(3, Duration::from_secs(1)),
/// )]
/// struct Poller {
///     interval: Duration,
/// }
///
/// impl Poller {
///     async fn poll(&self) {
///         tokio::time::sleep(self.interval).await;
///     }
/// }
///
/// let settings = Poller { interval: Duration::from_secs(4) }.settings();
/// assert_eq!(settings.get_stop_timeout(), Some(Duration::from_secs(8)));
/// ```
///
/// Every key of a setting, with a value of its own kind:
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Context, Readiness, Service};
///
/// #[derive(Service)]
/// #[service(start = serve, name = "api", readiness = explicit, restart = on_failure)]
/// #[service(start_timeout = "1m", stop_timeout = "10s", abort_timeout = "500ms", drain = "3s")]
/// #[service(shutdown_always = true, history_capacity = 16, watchdog = "30s")]
/// struct Api;
///
/// impl Api {
///     async fn serve(&self, cx: Context) {
///         cx.ready();
///         cx.cancelled().await;
///     }
/// }
///
/// let settings = Api.settings();
/// assert_eq!(settings.get_name(), Some("api"));
/// assert_eq!(settings.get_readiness(), Some(Readiness::Explicit));
/// assert!(settings.get_restart().is_some());
/// assert_eq!(settings.get_start_timeout(), Some(Duration::from_secs(60)));
/// assert_eq!(settings.get_stop_timeout(), Some(Duration::from_secs(10)));
/// assert_eq!(settings.get_abort_timeout(), Some(Duration::from_millis(500)));
/// assert_eq!(settings.get_drain(), Some(Duration::from_secs(3)));
/// assert_eq!(settings.get_shutdown_always(), Some(true));
/// assert_eq!(settings.get_history_capacity(), Some(16));
/// assert_eq!(settings.get_watchdog(), Some(Duration::from_secs(30)));
/// ```
///
/// An error type of one's own, which the errors of the methods convert into, and the crate by another path:
///
/// ```
/// use startstop_core as services;
///
/// #[derive(Debug, PartialEq)]
/// struct Failed;
///
/// impl std::fmt::Display for Failed {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("failed")
///     }
/// }
///
/// impl std::error::Error for Failed {}
///
/// #[derive(services::Service)]
/// #[service(start = work, error = Failed, crate = services)]
/// struct Worker;
///
/// impl Worker {
///     async fn work(&self) -> Result<(), Failed> {
///         Err(Failed)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use services::Runner;
/// let worker = Runner::new(Worker);
/// let _ = worker.start().await;
/// worker.wait().await;
/// let failure = worker.errors_last().expect("it has failed");
/// assert_eq!(failure.error().downcast_ref(), Some(&Failed));
/// # }
/// ```
///
/// # Mistakes
///
/// All mistakes of a declaration are compile errors at once: what is wrong with an attribute hides nothing of what is
/// wrong with a method. A method that does not exist, takes or yields something else, or whose future is not
/// `Send`, is told of at its name.
///
/// # Types
///
/// Structs of all kinds and enums derive it; a union does not. Lifetimes of a generic type have to be
/// `'static`, and its type parameters `Send + Sync + 'static`, unless `bound` says what they are. An
/// impl block that demands more of a parameter needs it in `bound` too:
///
/// ```
/// use startstop_core::Service;
///
/// trait Store: Clone + Send + Sync + 'static {}
///
/// #[derive(Service)]
/// #[service(start = fill, bound = "T: Store")]
/// struct Cache<T> {
///     store: T,
/// }
///
/// impl<T: Store> Cache<T> {
///     async fn fill(&self) {
///         let _ = self.store.clone();
///     }
/// }
/// ```
#[proc_macro_derive(Service, attributes(service))]
pub fn derive_service(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    service(item.into()).into()
}

/// Marks the methods of a type that derives `Service`: `#[start]`, and perhaps `#[stop]`.
///
/// Use it where the methods should say themselves what they are; name them in `#[service(..)]` on the
/// type where the type should. The impl block may be in another module than the type, and the methods
/// may be private to it. What the methods take and yield is as described at the [derive](macro@Service),
/// where the settings stand too. A marked method may have a `#[cfg(..)]`, and several may bear the same
/// mark if each has one.
///
/// ```
/// use startstop_core::{Context, Runner, Service, service_methods};
/// use tokio::sync::Notify;
///
/// #[derive(Default, Service)]
/// #[service(stop_timeout = "1s")]
/// struct Queue {
///     closed: Notify,
/// }
///
/// #[service_methods]
/// impl Queue {
///     #[start]
///     async fn work(&self) {
///         self.closed.notified().await;
///     }
///
///     #[stop]
///     async fn close(&self) {
///         self.closed.notify_one();
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let queue = Runner::new(Queue::default());
/// queue.start().await.unwrap();
/// queue.stop().await.unwrap();
/// # }
/// ```
///
/// # Keys
///
/// | key | value | default |
/// |---|---|---|
/// | `bound` | where predicates in a string, as on the type | `T: Send + Sync + 'static` for each type parameter |
/// | `crate` | the path of the crate, if it is renamed or re-exported | `::startstop_core` |
#[proc_macro_attribute]
pub fn service_methods(
    args: proc_macro::TokenStream,
    block: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    methods(args.into(), block.into()).into()
}

fn service(item: TokenStream) -> TokenStream {
    let mut out = Diagnostics::default();
    let mut code = parse::service(item, &mut out)
        .as_ref()
        .map(expand::service)
        .unwrap_or_default();
    code.extend(out.into_tokens());
    code
}

fn methods(args: TokenStream, block: TokenStream) -> TokenStream {
    let mut out = Diagnostics::default();
    let model = parse::methods(args, block.clone(), &mut out);
    let mut code = match &model {
        Some(model) => expand::methods(model),
        None => parse::without_marks(block),
    };
    code.extend(out.into_tokens());
    code
}
