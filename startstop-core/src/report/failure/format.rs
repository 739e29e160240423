//! A failure as text, for people and for programs.

use std::error::Error;
use std::fmt;

use super::{Failure, Record};
use crate::report::causes::{causes, text_of};
use crate::report::exit_code;
use crate::report::permanent;
use crate::report::state::Cause;
use crate::report::text::Escaped;

/// The shortest text of a failure: `failed in run`.
pub(crate) struct Summary<'a>(pub(crate) &'a Failure);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record {
            phase, cause, task, ..
        } = &*self.0.record;
        let did = match cause {
            Cause::Error => "failed",
            Cause::Panic => "panicked",
            Cause::TimedOut => "timed out",
            Cause::Unresponsive => "did not respond",
            Cause::Aborted => "was aborted",
            Cause::NotReady => "was not ready",
            Cause::Completed => "completed early",
            Cause::Reported => "reported an error",
        };
        write!(f, "{did} in {phase}")?;
        match task {
            Some(name) => write!(f, " \"{}\"", Escaped(name)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record {
            cause,
            path,
            cycle,
            attempt,
            limit,
            checkpoint,
            ..
        } = &*self.record;
        let (path, summary) = (Escaped(path.as_str()), Summary(self));
        write!(
            f,
            "service \"{path}\" {summary} (cycle {cycle}, attempt {attempt})"
        )?;
        if let (Cause::TimedOut | Cause::Unresponsive, Some((name, age))) = (cause, checkpoint) {
            write!(f, ", {age:?} after checkpoint \"{}\"", Escaped(name))?;
        }
        match limit {
            Some((max, window)) => {
                write!(
                    f,
                    "; no restart: the limit of {max} in {window:?} was reached"
                )
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

/// All that is known of it, with the texts of the error and of what caused it, outermost first.
#[cfg(feature = "serde")]
impl serde::Serialize for Failure {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let errors: Vec<String> = chain(self.error()).map(text_of).collect();
        let mut fields = serializer.serialize_struct("Failure", 12)?;
        fields.serialize_field("service", self.service())?;
        fields.serialize_field("path", self.path())?;
        fields.serialize_field("phase", &self.phase())?;
        fields.serialize_field("cause", &self.cause())?;
        fields.serialize_field("task", &self.task())?;
        fields.serialize_field("checkpoint", &self.checkpoint())?;
        fields.serialize_field("cycle", &self.cycle())?;
        fields.serialize_field("attempt", &self.attempt())?;
        fields.serialize_field("at", &self.at())?;
        fields.serialize_field("uptime", &self.uptime())?;
        fields.serialize_field("message", &self.to_string())?;
        fields.serialize_field("errors", &errors)?;
        fields.end()
    }
}

/// Writes an error and what caused it, a line each: the `Debug` of our errors, so that `?` in
/// `main` reads well.
pub(crate) fn write_chain(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")?;
    error
        .source()
        .into_iter()
        .flat_map(chain)
        .try_for_each(|cause| write!(f, "\n  caused by: {}", Escaped(&text_of(cause))))
}

/// Returns an error and what caused it, outermost first, without what says nothing of it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    causes(error).filter(|error| !permanent::is_mark(*error) && !exit_code::is_mark(*error))
}
