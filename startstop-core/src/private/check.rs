//! Traits that find out what the macros cannot see, in the order in which a person would check it: whether there is a method
//! ([`MethodOf`]), its arguments ([`Method`]), that it is async ([`Async`]), what it yields ([`Yields`]), its error
//! ([`IntoError`]). Each names the next thing through an associated type, so that a mistake is reported once, by the first that
//! finds it.
//!
//! These traits are nobody's business but ours, and the compiler is kept from naming them. It tells which trait is not
//! implemented for which type, unless that type is a parameter: so `Self` is a parameter `P` of the function that is written,
//! which stands for nothing. It would propose to demand the trait of the parameter, unless something in it is not known: so each
//! takes a `Shape`, which is inferred. And it names the functions that demand something, but not a trait whose function is
//! called by its path.
//!
//! Two shapes have a second use: where there is one impl only, the compiler takes it before it has looked whether it holds, and
//! goes on to further mistakes in what it has then. So where one shape would do, there is an impl of a second that never holds.

use std::future::{Future, Ready};
use std::marker::PhantomData;

use super::{Derived, Ends, Methods, Returned, stub};
use crate::group::composite::{self, Composed, Field};
use crate::report::outcome::Never;
use crate::report::panic::BoxError;
use crate::runner::Runner;
use crate::service::Service;
use crate::service::context::Context;

/// The shape of a method without a context, and of whatever has no other shape.
#[derive(Debug)]
pub struct Plain;

/// The shape of a method with a context.
#[derive(Debug)]
pub struct WithContext;

/// The shape that nothing has.
#[derive(Debug)]
pub struct NoShape;

/// A trait of no type.
pub trait Nothing {
    /// Anything follows from it.
    type Anything;

    /// Returns anything, for it is never called.
    fn anything<X>(&self) -> X;
}

/// A method that a service can call: two shapes of arguments, told apart by `Shape`.
#[diagnostic::on_unimplemented(
    message = "a service's method takes `&self`, or `&self` and a `Context`",
    label = "this one is `{M}`",
    note = "accepted are `async fn(&self)` and `async fn(&self, Context)`, with `()` or `Result<(), E>` as output"
)]
pub trait Method<'a, S: ?Sized, M, Shape> {
    /// The call of the method.
    type Call;
    /// The type that it returns.
    type Output;

    /// Puts off the call of the method.
    fn checked(method: M, service: &'a S, cx: Context) -> Checked<Self::Call, Self::Output>;
}

#[diagnostic::do_not_recommend]
impl<'a, P, S: ?Sized + 'a, M, O> Method<'a, S, M, Plain> for P
where
    M: FnOnce(&'a S) -> O,
{
    type Call = CallPlain<'a, S, M>;
    type Output = O;

    fn checked(method: M, service: &'a S, _: Context) -> Checked<Self::Call, O> {
        Checked(CallPlain(method, service), PhantomData)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, P, S: ?Sized + 'a, M, O> Method<'a, S, M, WithContext> for P
where
    M: FnOnce(&'a S, Context) -> O,
{
    type Call = CallWithContext<'a, S, M>;
    type Output = O;

    fn checked(method: M, service: &'a S, cx: Context) -> Checked<Self::Call, O> {
        Checked(CallWithContext(method, service, cx), PhantomData)
    }
}

/// A call that was put off.
pub trait PutOff {
    /// The type that the method returns.
    type Output;

    /// Calls the method.
    fn call(self) -> Self::Output;
}

/// The call of a method without a context.
#[allow(missing_debug_implementations)] // Not for users.
pub struct CallPlain<'a, S: ?Sized, M>(M, &'a S);

impl<'a, S: ?Sized, M, O> PutOff for CallPlain<'a, S, M>
where
    M: FnOnce(&'a S) -> O,
{
    type Output = O;

    fn call(self) -> O {
        (self.0)(self.1)
    }
}

/// The call of a method with a context.
#[allow(missing_debug_implementations)] // Not for users.
pub struct CallWithContext<'a, S: ?Sized, M>(M, &'a S, Context);

impl<'a, S: ?Sized, M, O> PutOff for CallWithContext<'a, S, M>
where
    M: FnOnce(&'a S, Context) -> O,
{
    type Output = O;

    fn call(self) -> O {
        (self.0)(self.1, self.2)
    }
}

/// A call that was put off, and the type that is looked at next. There is no future before the last has been found good: each
/// move of it takes its size of the stack.
#[derive(Debug)]
pub struct Checked<C, X>(C, PhantomData<fn() -> X>);

/// The future of an `async` method.
#[diagnostic::on_unimplemented(
    message = "a service's method is async; this one returns `{R}`",
    label = "not an async method",
    note = "accepted are `async fn(&self)` and `async fn(&self, Context)`, with `()` or `Result<(), E>` as output"
)]
pub trait Async<C, R, Shape> {
    /// The call.
    type Call;
    /// The output of its future.
    type Output;

    /// Passes the call on.
    fn checked(checked: Checked<C, R>) -> Checked<Self::Call, Self::Output>;
}

#[diagnostic::do_not_recommend]
impl<P, C, R: Future> Async<C, R, Plain> for P {
    type Call = C;
    type Output = R::Output;

    fn checked(Checked(call, _): Checked<C, R>) -> Checked<C, R::Output> {
        Checked(call, PhantomData)
    }
}

#[diagnostic::do_not_recommend]
impl<P, C: Nothing, R: Nothing> Async<C, R, NoShape> for P {
    type Call = C::Anything;
    type Output = R::Anything;

    fn checked(Checked(call, _): Checked<C, R>) -> Checked<C::Anything, R::Anything> {
        call.anything()
    }
}

/// The output of a method.
#[diagnostic::on_unimplemented(
    message = "a service's method yields `()` or `Result<(), E>`, not `{O}`",
    label = "yields `{O}`",
    note = "end the method with `;`, or with `Ok(())`"
)]
pub trait Yields<E, C, O, Shape> {
    /// The call.
    type Call;
    /// The error in what it comes to.
    type Error;

    /// Passes the call on.
    fn checked(checked: Checked<C, O>) -> Checked<Self::Call, Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<P, E, C> Yields<E, C, (), Plain> for P {
    type Call = C;
    type Error = E;

    fn checked(Checked(call, _): Checked<C, ()>) -> Checked<C, E> {
        Checked(call, PhantomData)
    }
}

#[diagnostic::do_not_recommend]
impl<P, E, C> Yields<E, C, Never, Plain> for P {
    type Call = C;
    type Error = E;

    fn checked(Checked(call, _): Checked<C, Never>) -> Checked<C, E> {
        Checked(call, PhantomData)
    }
}

#[diagnostic::do_not_recommend]
impl<P, E, C, X> Yields<E, C, Result<(), X>, Plain> for P {
    type Call = C;
    type Error = X;

    fn checked(Checked(call, _): Checked<C, Result<(), X>>) -> Checked<C, X> {
        Checked(call, PhantomData)
    }
}

/// An error that converts into that of the service.
#[diagnostic::on_unimplemented(
    message = "the method's error `{X}` does not convert into the service's error `{E}`",
    label = "fails with `{X}`",
    note = "without `#[service(error = ..)]` any `E: Into<Box<dyn Error + Send + Sync>>` is accepted, with it any `E` that converts into the given type"
)]
pub trait IntoError<E, C, X, Shape> {
    /// Calls the method, and returns its future as that of the service. Its type is hidden, for where it is not `Send` the compiler
    /// names what it is within.
    fn checked(checked: Checked<C, X>) -> impl Future<Output = Result<(), E>>;
}

#[diagnostic::do_not_recommend]
impl<P, E, C, X: Into<E>> IntoError<E, C, X, Plain> for P
where
    C: PutOff<Output: Future<Output: Returned<E>>>,
{
    fn checked(Checked(call, _): Checked<C, X>) -> impl Future<Output = Result<(), E>> {
        Ends {
            returned: call.call(),
            error: PhantomData,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<P, E, C: Nothing, X: Nothing> IntoError<E, C, X, NoShape> for P {
    fn checked(Checked(call, _): Checked<C, X>) -> impl Future<Output = Result<(), E>> {
        call.anything::<Ready<Result<(), E>>>()
    }
}

/// The method that a path means which is named as one of [`Service`], beside that one: a method of the type itself comes before
/// one of a trait, so that both are of the same type only where the type has none.
#[derive(Debug)]
pub struct Both<A, B>(pub A, pub B);

#[expect(clippy::mismatching_type_param_order, reason = "the two are one here")]
impl<A> Both<A, A> {
    /// Returns that they are the same.
    pub fn found(self) -> Missing<A> {
        Missing(PhantomData)
    }
}

/// Comes after what [`Both`] has itself.
pub trait Found {
    /// The first of two.
    type First;

    /// They are two.
    fn found(self) -> Present<Self::First>;

    /// Makes the trait of use in any case.
    fn is_used(&self) {}
}

impl<A, B> Found for Both<A, B> {
    type First = A;

    fn found(self) -> Present<A> {
        Present(self.0)
    }
}

/// The trait has the method, and the type has none.
#[derive(Debug)]
pub struct Missing<M>(PhantomData<M>);

/// A method of the type.
#[derive(Debug)]
pub struct Present<M>(M);

/// That a method is one of the type.
#[diagnostic::on_unimplemented(
    message = "`{S}` has no method of this name",
    label = "not found among the methods of `{S}` itself"
)]
pub trait MethodOf<S: ?Sized, F, Shape> {
    /// The method.
    type Method;

    /// Takes it out.
    fn method(found: F) -> Self::Method;
}

#[diagnostic::do_not_recommend]
impl<P, S: ?Sized, M> MethodOf<S, Present<M>, Plain> for P {
    type Method = M;

    fn method(found: Present<M>) -> M {
        found.0
    }
}

#[diagnostic::do_not_recommend]
impl<P, S: ?Sized, F: Nothing> MethodOf<S, F, NoShape> for P {
    type Method = F::Anything;

    fn method(found: F) -> F::Anything {
        found.anything()
    }
}

/// That a type with marked methods derives `Service`.
#[diagnostic::on_unimplemented(
    message = "`#[service_methods]` needs a `#[derive(Service)]` on `{S}` that names no `start`",
    label = "`{S}` does not derive `Service`, or names its methods there already",
    note = "add `#[derive(Service)]` to `{S}`, without `start` and `stop` in `#[service(..)]`, and without members"
)]
pub trait DerivedOf<S: ?Sized> {
    /// The error of the service.
    type Error;
}

#[diagnostic::do_not_recommend]
impl<P, S: Derived + ?Sized> DerivedOf<S> for P {
    type Error = S::Error;
}

/// Stands for a type that derives `Service`. The compiler does not propose to demand a trait of a parameter of which it is
/// demanded already, be it of another type.
#[derive(Debug)]
pub struct Anyone;

impl Derived for Anyone {
    type Error = Never;
}

/// That methods of a type are marked. Asking for them in one place lets their absence be reported once.
#[diagnostic::on_unimplemented(
    message = "`{S}` derives `Service` without a `start` method",
    label = "no method of `{S}` is its `start`",
    note = "name the method on the type: `#[service(start = serve)]`",
    note = "or mark it in an impl block: `#[service_methods] impl .. {{ #[start] async fn serve(&self) {{ .. }} }}`",
    note = "what such a block demands of parameters is to be said on the type too, as by `#[service(bound = \"T: Store\")]`"
)]
pub trait MethodsOf<S: ?Sized, Shape> {
    /// The type with the methods.
    type Methods;

    /// Names it.
    fn methods(_: PhantomData<S>) -> PhantomData<Self::Methods> {
        PhantomData
    }
}

#[diagnostic::do_not_recommend]
impl<P, S: Methods<S>> MethodsOf<S, Plain> for P {
    type Methods = S;
}

#[diagnostic::do_not_recommend]
impl<P, S: Nothing> MethodsOf<S, NoShape> for P {
    type Methods = S::Anything;
}

/// Names the type whose methods are marked: itself. A block that marks no start method, which is told of that block, has a
/// function of the type's own that names another one, and comes before this.
pub trait NamesItself {
    /// Names it.
    fn __marked() -> PhantomData<Self> {
        PhantomData
    }
}

impl<S> NamesItself for S {}

/// The methods of a type of which a block says too little.
#[derive(Debug)]
pub struct Incomplete;

impl<S> Methods<S> for Incomplete {
    fn start<P: DerivedOf<Anyone>>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send
    where
        S: Derived,
    {
        stub(service, cx)
    }
}

/// That a field can be a member.
#[diagnostic::on_unimplemented(
    message = "a member is a `Runner`, not a `{R}`",
    label = "not a `Runner`",
    note = "declare the field as `Runner<..>`, and make its value by `Runner::new(..)`"
)]
pub trait MemberOf<R, Shape> {
    /// Makes a field of this name, which starts at once.
    fn field<'a>(name: &'static str, runner: &'a R) -> Field<'a>;
}

#[diagnostic::do_not_recommend]
impl<P, S: Service> MemberOf<Runner<S>, Plain> for P {
    fn field<'a>(name: &'static str, runner: &'a Runner<S>) -> Field<'a> {
        Field::new(name, runner)
    }
}

#[diagnostic::do_not_recommend]
impl<P, R: Nothing> MemberOf<R, NoShape> for P {
    fn field<'a>(_: &'static str, runner: &'a R) -> Field<'a> {
        runner.anything()
    }
}

/// Takes a value of any type, so that the compiler tells of that type first.
pub fn stated<R>(_: &R) {}

/// Makes a member of a field which is a `Runner` by its name.
pub fn runner<'a, S: Service>(name: &'static str, runner: &&'a Runner<S>) -> Field<'a> {
    Field::new(name, runner)
}

/// The error of a composed service: that of a member which has failed.
#[diagnostic::on_unimplemented(
    message = "the error of a member does not convert into `{E}`, the error of the whole",
    label = "not made of a `BoxError`",
    note = "leave `error` out, which makes it `BoxError`, or implement `From<BoxError>` for it"
)]
pub trait FromMember<E, Shape> {
    /// Runs the members.
    fn compose<S: Composed>(service: &S, cx: Context)
    -> impl Future<Output = Result<(), E>> + Send;
}

#[diagnostic::do_not_recommend]
impl<P, E: From<BoxError>> FromMember<E, Plain> for P {
    fn compose<S: Composed>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), E>> + Send {
        composite::compose(service, cx)
    }
}

#[diagnostic::do_not_recommend]
impl<P, E: Nothing> FromMember<E, NoShape> for P {
    fn compose<S: Composed>(_: &S, _: Context) -> impl Future<Output = Result<(), E>> + Send {
        std::future::pending()
    }
}
