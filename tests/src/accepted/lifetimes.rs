//! Lifetimes of the type, which can only be `'static`, beside those of functions, which stand for any.

#![deny(warnings, missing_docs)]

use std::borrow::Cow;

use startstop_core::{Context, Runner, Service, service_methods};

/// A function in a where clause.
#[derive(Service)]
#[service(start = serve)]
pub struct Clause<F>(pub F)
where
    F: Fn(&str) -> Cow<'_, str> + Send + Sync + 'static;

impl<F> Clause<F>
where
    F: Fn(&str) -> Cow<'_, str> + Send + Sync + 'static,
{
    async fn serve(&self) {
        drop((self.0)("text"));
    }
}

/// A function as the bound of a parameter, with marked methods.
#[derive(Service)]
pub struct Param<'a, F: Fn(Cow<'_, str>, &'a str)>(pub F, pub &'a str);

#[service_methods]
impl<'a, F: Fn(Cow<'_, str>, &'a str) + Send + Sync> Param<'a, F> {
    #[start]
    async fn serve(&self, cx: Context) {
        (self.0)(cx.name().into(), self.1);
    }
}

/// Functions that take and yield others, in the bound that is given.
#[derive(Service)]
#[service(start = serve, bound = "F: Fn(Box<dyn Fn(&u8) -> Cow<'_, u8>>) -> fn(&u8) -> Cow<'_, u8> + Send + Sync + 'static")]
pub struct Nested<F>(pub F);

impl<F> Nested<F>
where
    F: Fn(Box<dyn Fn(&u8) -> Cow<'_, u8>>) -> fn(&u8) -> Cow<'_, u8> + Send + Sync + 'static,
{
    async fn serve(&self) {
        let _ = (self.0)(Box::new(|it| Cow::Borrowed(it)))(&1);
    }
}

/// A function among the arguments of the type.
#[derive(Service)]
#[service(bound = "T: Send + Sync + 'static")]
pub struct Holds<T>(pub T);

#[service_methods(bound = "T: Send + Sync + 'static")]
impl<T> Holds<T> {
    #[start]
    async fn serve(&self) {}
}

/// Members beside a function.
#[derive(Service)]
pub struct Composed<F>
where
    F: for<'x> Fn(&'x str) -> Cow<'x, str>,
{
    /// The member.
    #[service(member)]
    pub inner: Runner<Holds<fn(&str) -> Cow<'_, str>>>,
    /// The function.
    pub function: Option<F>,
}

fn service<S: Service>(service: S) {
    let _ = service.boxed();
}

/// Runs it.
pub fn main() {
    fn same(text: &str) -> Cow<'_, str> {
        text.into()
    }
    fn other(it: &u8) -> Cow<'_, u8> {
        Cow::Borrowed(it)
    }
    service(Clause(same));
    service(Param(|_: Cow<'_, str>, _: &str| {}, "text"));
    service(Nested(|_: Box<dyn Fn(&u8) -> Cow<'_, u8>>| {
        other as fn(&u8) -> Cow<'_, u8>
    }));
    let inner = Runner::new(Holds(same as fn(&str) -> Cow<'_, str>));
    let function = Some(same);
    service(Composed { inner, function });
}
