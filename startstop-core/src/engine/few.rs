//! A list of what there is mostly one of: that one costs no allocation.

use super::seldom::{Rare, Seldom};

/// None, one, or some.
pub(super) struct Few<T>
where
    Vec<T>: Rare,
{
    first: Option<T>,
    /// Only while there is a first one.
    more: Seldom<Vec<T>>,
}

impl<T> Default for Few<T>
where
    Vec<T>: Rare,
{
    fn default() -> Self {
        Self {
            first: None,
            more: Seldom::default(),
        }
    }
}

impl<T> Few<T>
where
    Vec<T>: Rare,
{
    pub(super) fn push(&mut self, new: T) {
        match self.first {
            None => self.first = Some(new),
            Some(_) => self.more.make().push(new),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Returns the first one, and the others.
    #[inline]
    pub(super) fn split_first(&self) -> Option<(&T, &[T])> {
        let more = self.more.get().map_or(&[][..], Vec::as_slice);
        self.first.as_ref().map(|first| (first, more))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first
            .iter()
            .chain(self.more.get().into_iter().flatten())
    }

    pub(super) fn find(&mut self, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.first
            .iter_mut()
            .chain(self.more.get_mut().into_iter().flatten())
            .find(|one| is_it(one))
    }

    /// Takes out one of them; the others may come in another order then.
    pub(super) fn take(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        if self.first.as_ref().is_some_and(&is_it) {
            let next = self.more.get_mut().and_then(Vec::pop);
            return std::mem::replace(&mut self.first, next);
        }
        let more = self.more.get_mut()?;
        let at = more.iter().position(is_it)?;
        Some(more.swap_remove(at))
    }

    /// Takes out any of them.
    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.more.get_mut().and_then(Vec::pop);
        last.or_else(|| self.first.take())
    }

    /// Puts what becomes of each in its place.
    pub(super) fn change_each(&mut self, change: impl Fn(T) -> T) {
        self.first = self.first.take().map(&change);
        if let Some(more) = self.more.get_mut() {
            *more = std::mem::take(more).into_iter().map(change).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Few;
    use crate::engine::seldom::rare;

    rare!(Vec<i32>);

    #[test]
    fn each_value_comes_out_once() {
        let mut few = Few::default();
        assert_eq!(few.take(|_| true), None);
        for one in 1..=4 {
            few.push(one);
        }
        assert_eq!(few.take(|one| *one == 1), Some(1));
        assert_eq!(few.take(|one| *one == 2), Some(2));
        *few.find(|one| *one == 3).expect("it is left") = 5;
        assert_eq!(
            few.iter()
                .copied()
                .collect::<std::collections::BTreeSet<_>>(),
            [4, 5].into()
        );
        assert_eq!(
            (few.pop().is_some(), few.pop().is_some(), few.pop()),
            (true, true, None)
        );
    }
}
