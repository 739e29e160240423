//! A list of ids: most members have one neighbour at most, and for that one there is no allocation.

use std::ops::Deref;
use std::slice;

use crate::rules::graph::Id;

/// None, one, or some.
#[derive(Debug, Clone, Default)]
pub(super) enum IdList {
    #[default]
    Empty,
    One(Id),
    Some(Box<Ids>),
}

/// Those of a list that has had more than one.
#[derive(Debug, Clone)]
pub(super) struct Ids(Vec<Id>);

impl IdList {
    pub(super) fn push(&mut self, id: Id) {
        match self {
            Self::Empty => *self = Self::One(id),
            Self::One(first) => *self = Self::Some(Box::new(Ids(vec![*first, id]))),
            Self::Some(ids) => ids.0.push(id),
        }
    }

    /// Takes one off; the others may come in another order then.
    pub(super) fn swap_remove(&mut self, id: Id) {
        let Some(at) = self.iter().position(|other| *other == id) else {
            return;
        };
        match self {
            Self::Empty | Self::One(_) => *self = Self::Empty,
            Self::Some(ids) => drop(ids.0.swap_remove(at)),
        }
    }

    /// Takes one off; the others stay in order.
    pub(super) fn remove(&mut self, id: Id) {
        match self {
            Self::Some(ids) => ids.0.retain(|other| *other != id),
            _ => self.swap_remove(id),
        }
    }
}

impl From<Vec<Id>> for IdList {
    fn from(ids: Vec<Id>) -> Self {
        match ids[..] {
            [] => Self::Empty,
            [id] => Self::One(id),
            _ => Self::Some(Box::new(Ids(ids))),
        }
    }
}

impl Deref for IdList {
    type Target = [Id];

    fn deref(&self) -> &[Id] {
        match self {
            Self::Empty => &[],
            Self::One(id) => slice::from_ref(id),
            Self::Some(ids) => &ids.0,
        }
    }
}

impl<'a> IntoIterator for &'a IdList {
    type Item = &'a Id;
    type IntoIter = slice::Iter<'a, Id>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// However they are kept.
#[cfg(test)]
impl PartialEq for IdList {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(test)]
impl Eq for IdList {}

#[cfg(test)]
impl std::hash::Hash for IdList {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, IdList};

    #[test]
    fn what_was_put_in_and_not_taken_off_is_there() {
        let mut list = IdList::default();
        list.remove(Id(1));
        for at in 1..=4 {
            list.push(Id(at));
            assert_eq!(list.len(), at);
        }
        list.remove(Id(2));
        assert_eq!(*list, [Id(1), Id(3), Id(4)]);
        list.swap_remove(Id(1));
        assert_eq!(*list, [Id(4), Id(3)]);
        list.swap_remove(Id(7));
        list.remove(Id(3));
        assert_eq!(list, IdList::from(vec![Id(4)]));
        list.remove(Id(4));
        assert_eq!(list, IdList::default());
    }

    #[test]
    fn one_that_is_alone_is_taken_off() {
        let mut list = IdList::from(vec![Id(5)]);
        list.remove(Id(6));
        assert_eq!(*list, [Id(5)]);
        list.swap_remove(Id(5));
        assert!(list.is_empty());
    }
}
