//! The examples are the numbered files in `examples/`.
