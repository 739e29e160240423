//! Services that start, stop, restart and are watched.
