//! A value that most services never need: its place is as large as a pointer, and its box comes with the first use.

use std::mem::ManuallyDrop;

/// A value that is seldom there.
///
/// The code of a drop is compiled into each place that drops such a value, down to the crate of the user, whose service lies beside
/// its engine. Behind this call it is compiled once.
pub(super) trait Rare: Sized {
    fn drop_box(place: &mut Option<Box<Self>>);
}

macro_rules! rare {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::engine::seldom::Rare for $type {
            #[cold]
            #[inline(never)]
            fn drop_box(place: &mut Option<Box<Self>>) {
                *place = None;
            }
        }
    )+};
}

pub(super) use rare;

/// Nothing, or a value in a box.
#[derive(Debug)]
pub(super) struct Seldom<T: Rare>(ManuallyDrop<Option<Box<T>>>);

#[cold]
fn in_box<T: Default>() -> Box<T> {
    Box::default()
}

impl<T: Rare> Drop for Seldom<T> {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            T::drop_box(&mut self.0);
        }
    }
}

impl<T: Rare> Default for Seldom<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Rare> Seldom<T> {
    pub(super) const fn new() -> Self {
        Self(ManuallyDrop::new(None))
    }

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
        *self.0 = Some(Box::new(value));
    }

    pub(super) fn take(&mut self) -> Option<T> {
        self.0.take().map(|value| *value)
    }

    /// Drops the value, if it is there.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Sets it back, if it is there; its box stays for the next use.
    pub(super) fn reset(&mut self)
    where
        T: Default,
    {
        if let Some(value) = self.0.as_deref_mut() {
            *value = T::default();
        }
    }
}
