//! What others got wrong and had reported, kept right here: a test each, from the outside.
//!
//! The links are to where it was reported, or to where it is documented; what they tell of may have been
//! mended there since.

mod failing;
mod starting;
mod stopping;
