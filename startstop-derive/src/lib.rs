//! The derive macro of `startstop-core`.
