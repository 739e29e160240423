//! Lists of ids: most members have one neighbour at most, and a barrier in a chain two of each kind: for those there is no
//! allocation. Few are bound to any.

use std::ops::Deref;
use std::slice;

use crate::rules::graph::Id;

/// None, one, two, or some.
#[derive(Debug, Clone, Default)]
pub(super) enum IdList {
    #[default]
    Empty,
    One(Id),
    Two([Id; 2]),
    Some(Box<Ids>),
}

/// Mostly none.
#[derive(Debug, Clone, Default)]
#[cfg_attr(test, derive(PartialEq, Eq, Hash))]
pub(super) struct SeldomIds(Option<Box<Ids>>);

/// Those of a list that is not in its place.
#[derive(Debug, Clone)]
#[cfg_attr(test, derive(PartialEq, Eq, Hash))]
pub(super) struct Ids(Vec<Id>);

impl IdList {
    pub(super) fn push(&mut self, id: Id) {
        match self {
            Self::Empty => *self = Self::One(id),
            Self::One(first) => *self = Self::Two([*first, id]),
            Self::Two([first, second]) => {
                *self = Self::Some(Box::new(Ids(vec![*first, *second, id])));
            }
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
            Self::Two(ids) => *self = Self::One(ids[1 - at]),
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

impl SeldomIds {
    pub(super) fn push(&mut self, id: Id) {
        match &mut self.0 {
            None => self.0 = Some(Box::new(Ids(vec![id]))),
            Some(ids) => ids.0.push(id),
        }
    }

    /// Takes one off; the others stay in order.
    pub(super) fn remove(&mut self, id: Id) {
        let Some(ids) = &mut self.0 else { return };
        ids.0.retain(|other| *other != id);
        if ids.0.is_empty() {
            self.0 = None;
        }
    }
}

impl From<Vec<Id>> for SeldomIds {
    fn from(ids: Vec<Id>) -> Self {
        Self((!ids.is_empty()).then(|| Box::new(Ids(ids))))
    }
}

impl Deref for SeldomIds {
    type Target = [Id];

    fn deref(&self) -> &[Id] {
        self.0.as_ref().map_or(&[], |ids| &ids.0)
    }
}

impl From<Vec<Id>> for IdList {
    fn from(ids: Vec<Id>) -> Self {
        match ids[..] {
            [] => Self::Empty,
            [id] => Self::One(id),
            [first, second] => Self::Two([first, second]),
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
            Self::Two(ids) => ids,
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
    use super::{Id, IdList, SeldomIds};

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
    fn a_list_that_is_mostly_empty_is_a_list() {
        let mut list = SeldomIds::default();
        list.remove(Id(1));
        for at in 1..=3 {
            list.push(Id(at));
        }
        list.remove(Id(2));
        assert_eq!(*list, [Id(1), Id(3)]);
        list.remove(Id(1));
        list.remove(Id(3));
        assert_eq!(list, SeldomIds::from(Vec::new()));
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
