//! Runs one after another what would be a recursion as deep as a tree of services.

#[cfg(not(startstop_loom))]
mod queue {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::thread::panicking;

    type Work = Box<dyn FnOnce()>;

    thread_local! {
        /// The work that waits for the work that this thread is doing; `None` while it does none.
        static WAITING: RefCell<Option<Vec<Work>>> = const { RefCell::new(None) };
    }

    /// Does what waits and ends the list, also where the work panics, or what waits does. The first panic goes on after that.
    struct Outermost;

    impl Drop for Outermost {
        fn drop(&mut self) {
            let mut first = None;
            while let Some(next) = WAITING.with_borrow_mut(|all| all.as_mut()?.pop()) {
                let done = catch_unwind(AssertUnwindSafe(next));
                first = first.or(done.err());
            }
            WAITING.set(None);
            if let Some(panic) = first.filter(|_| !panicking()) {
                resume_unwind(panic);
            }
        }
    }

    /// Does the work now, or, where this thread is inside of such a work, right after it.
    pub(crate) fn in_turn(work: impl FnOnce() + 'static) {
        let is_busy = WAITING.try_with(|waiting| waiting.borrow().is_some());
        match is_busy {
            Ok(true) => WAITING.with_borrow_mut(|waiting| {
                waiting.get_or_insert_default().push(Box::new(work));
            }),
            Ok(false) => {
                WAITING.set(Some(Vec::new()));
                let _outermost = Outermost;
                work();
            }
            // The thread ends, and its list is gone.
            Err(_) => work(),
        }
    }
}

#[cfg(not(startstop_loom))]
pub(crate) use queue::in_turn;

/// The threads of a model share what belongs to a thread of the system.
#[cfg(startstop_loom)]
pub(crate) fn in_turn(work: impl FnOnce()) {
    work();
}
