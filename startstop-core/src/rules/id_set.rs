//! A set of ids: a bit for each, since ids are numbers from zero on.

use crate::rules::graph::Id;

/// A set of ids. To put one in and to take it out costs the same at any size.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdSet {
    words: Vec<u64>,
    count: usize,
    /// No word before this one has an id.
    first: usize,
}

impl IdSet {
    /// Puts one in; returns whether it was not there.
    #[inline]
    pub(crate) fn insert(&mut self, id: Id) -> bool {
        let (word, bit) = (id.0 / 64, 1 << (id.0 % 64));
        if self.words.len() <= word {
            self.grow(word + 1);
        }
        let place = &mut self.words[word];
        if *place & bit != 0 {
            return false;
        }
        *place |= bit;
        if self.count == 0 || word < self.first {
            self.first = word;
        }
        self.count += 1;
        true
    }

    #[cold]
    fn grow(&mut self, words: usize) {
        self.words.resize(words, 0);
    }

    pub(crate) fn remove(&mut self, id: Id) {
        let (word, bit) = (id.0 / 64, 1 << (id.0 % 64));
        let Some(word) = self.words.get_mut(word).filter(|word| **word & bit != 0) else {
            return;
        };
        *word &= !bit;
        self.count -= 1;
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Returns the first few of them, in order.
    pub(crate) fn first(&self, few: usize) -> Vec<Id> {
        let few = few.min(self.count);
        let words = self.words.iter().enumerate().skip(self.first);
        let ids = words.flat_map(|(at, word)| {
            let bits = (0..64).filter(move |bit| word & (1 << bit) != 0);
            bits.map(move |bit| Id(at * 64 + bit))
        });
        ids.take(few).collect()
    }
}

/// Two that have the same ids are the same, however many there have been.
#[cfg(test)]
impl PartialEq for IdSet {
    fn eq(&self, other: &Self) -> bool {
        self.first(self.count) == other.first(other.count)
    }
}

#[cfg(test)]
impl Eq for IdSet {}

#[cfg(test)]
impl std::hash::Hash for IdSet {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.first(self.count).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, IdSet};

    #[test]
    fn ids_come_out_in_order_and_once() {
        let mut set = IdSet::default();
        for at in [130, 3, 64, 3] {
            set.insert(Id(at));
        }
        assert_eq!((set.len(), set.first(2)), (3, vec![Id(3), Id(64)]));
        set.remove(Id(3));
        set.remove(Id(1_000));
        assert_eq!(set.first(9), [Id(64), Id(130)]);
        set.remove(Id(64));
        set.remove(Id(130));
        set.insert(Id(70));
        set.insert(Id(2));
        assert_eq!(set.first(9), [Id(2), Id(70)]);
    }
}
