//! Runs one after another what would be a recursion as deep as a tree of services.

#[cfg(not(startstop_loom))]
mod queue {
    use std::cell::{Cell, RefCell};
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::thread::panicking;

    /// Does a piece of the work; says whether another is left.
    type Work = Box<dyn FnMut() -> bool>;

    /// The stage of a thread.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Stage {
        /// It does no such work.
        Idle,
        /// It does one.
        Busy,
        /// It does one, and others wait for that.
        Awaited,
    }

    thread_local! {
        static STAGE: Cell<Stage> = const { Cell::new(Stage::Idle) };
        /// The work that waits for the work that this thread is doing.
        static WAITING: RefCell<Vec<Work>> = const { RefCell::new(Vec::new()) };
    }

    /// Does what waits, also where the work panics, or what waits does. The first panic goes on after that.
    struct Outermost;

    impl Outermost {
        fn begin() -> Self {
            STAGE.set(Stage::Busy);
            Self
        }
    }

    impl Drop for Outermost {
        fn drop(&mut self) {
            if STAGE.replace(Stage::Idle) == Stage::Awaited {
                do_what_waits();
            }
        }
    }

    fn do_what_waits() {
        STAGE.set(Stage::Busy);
        let mut first = None;
        while let Some(mut next) = WAITING.with_borrow_mut(Vec::pop) {
            let place = WAITING.with_borrow(Vec::len);
            let done = catch_unwind(AssertUnwindSafe(&mut next));
            if *done.as_ref().unwrap_or(&true) {
                // Below what has come of this piece.
                WAITING.with_borrow_mut(|waiting| waiting.insert(place, next));
            }
            first = first.or(done.err());
        }
        drop(WAITING.take());
        STAGE.set(Stage::Idle);
        if let Some(panic) = first.filter(|_| !panicking()) {
            resume_unwind(panic);
        }
    }

    /// Lets a work wait; returns whether it could not, since the thread ends and its list is gone.
    fn wait(work: impl FnOnce() -> Work) -> bool {
        let added = WAITING.try_with(|waiting| waiting.borrow_mut().push(work()));
        if added.is_ok() {
            STAGE.set(Stage::Awaited);
        }
        added.is_err()
    }

    /// Does the work now, or, where this thread is inside of such a work, right after it.
    pub(crate) fn in_turn(work: impl FnOnce() + 'static) {
        if STAGE.get() == Stage::Idle {
            let _outermost = Outermost::begin();
            work();
            return;
        }
        let mut work = Some(work);
        let later = || {
            let mut work = work.take();
            Box::new(move || {
                if let Some(work) = work.take() {
                    work();
                }
                false
            }) as Work
        };
        if wait(later) {
            if let Some(work) = work.take() {
                work();
            }
        }
    }

    /// Drops all of them that are there in that way, each with what comes of it, from the last.
    pub(crate) fn drop_in_turn<T: 'static>(all: Vec<Option<T>>) {
        let _outermost = (STAGE.get() == Stage::Idle).then(Outermost::begin);
        let mut all = Some(all);
        let later = || {
            let mut left = all.take().unwrap_or_default();
            Box::new(move || {
                while left.pop().is_some_and(|last| last.is_none()) {}
                !left.is_empty()
            }) as Work
        };
        if wait(later) {
            let left = all.into_iter().flatten();
            left.rev().for_each(drop);
        }
    }
}

#[cfg(not(startstop_loom))]
pub(crate) use queue::{drop_in_turn, in_turn};

/// The threads of a model share what belongs to a thread of the system.
#[cfg(startstop_loom)]
pub(crate) fn in_turn(work: impl FnOnce()) {
    work();
}

/// The same of drops.
#[cfg(startstop_loom)]
pub(crate) fn drop_in_turn<T>(all: Vec<Option<T>>) {
    all.into_iter().rev().for_each(drop);
}
