//! Groups: what starts, stops, fails and changes as one.

mod support;

mod building;
mod starting;
mod depending;
mod refused;
mod stopping;
mod draining;
mod draining_together;
mod deadlines;
mod grace;
mod stuck;
mod policies;
mod merging;
mod affected;
mod backoff;
mod bound;
mod bound_again;
mod transient;
mod itself;
mod completing;
mod handles;
mod missed;
mod adopted;
mod changes;
mod inserting;
mod removing;
mod removing_at_rest;
mod causes;
mod nesting;
mod depth;
mod dropping;
mod tree;
mod shared;
mod size;
mod random;
