//! The nine promises, a file for each.

mod breaks_nothing;
mod no_leaks;
mod one_at_a_time;
mod panics;
mod reads;
mod runtime_ends;
mod sees_why;
mod stop_not_lost;
mod time;
