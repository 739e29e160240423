//! A value that most services never need: its place is as large as a pointer, and its box comes with the first use.

/// Nothing, or a value in a box.
pub(super) struct Seldom<T>(Option<Box<T>>);

#[cold]
fn in_box<T: Default>() -> Box<T> {
    Box::default()
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Seldom<T> {
    pub(super) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Returns the value, which is made if it is not there.
    pub(super) fn make(&mut self) -> &mut T
    where
        T: Default,
    {
        self.0.get_or_insert_with(in_box)
    }

    pub(super) fn set(&mut self, value: T) {
        self.0 = Some(Box::new(value));
    }

    pub(super) fn take(&mut self) -> Option<T> {
        self.0.take().map(|value| *value)
    }

    /// Sets it back, if it is there; its box stays for the next use.
    pub(super) fn reset(&mut self)
    where
        T: Default,
    {
        if let Some(value) = &mut self.0 {
            **value = T::default();
        }
    }
}
