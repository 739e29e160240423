//! The promises of supervisors and service managers elsewhere, composed of the parts of this crate.
//!
//! `docs/coming-from.md` tells which of their words is which of ours. What one part does alone is tested where that part is;
//! these are the ones that take several of them.

mod go;
mod guava;
mod kubernetes;
mod otp;
mod subsystems;
mod systemd;
