//! Mistakes reported of other libraries, each with a test, from the outside, that they are not made here.
//!
//! The links are to where it was reported, or to where it is documented; what they tell of may have been
//! mended there since.

mod failing;
mod starting;
mod stopping;
