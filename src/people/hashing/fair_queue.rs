//! A bounded queue that is fair to those whose work waits in it.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Of the places of a queue, one in so many may be taken by one requester.
const SHARE: usize = 4;

/// Identifies work that waits.
pub(super) type Ticket = u64;

/// A bounded queue. Requesters take turns, whatever each of them has waiting, and none may take more
/// than its share of the places. Once they are all taken, one more is made by removing the newest
/// work of whoever has most, unless the new work's requester would have as much.
pub(super) struct FairQueue<R, W> {
    places: usize,
    len: usize,
    /// What waits, oldest first; never empty.
    waiting: HashMap<R, VecDeque<(Ticket, W)>>,
    /// The requesters of what waits, each once; the next one first.
    turns: VecDeque<R>,
}

impl<R: Copy + Eq + Hash, W> FairQueue<R, W> {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places,
            len: 0,
            waiting: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// Adds work, and returns the work that was removed for it, or the new work itself where there
    /// is no place.
    pub(super) fn push(&mut self, requester: R, ticket: Ticket, work: W) -> Result<Option<W>, W> {
        let waiting = self.count(requester);
        if waiting >= self.places.div_ceil(SHARE) {
            return Err(work);
        }
        let removed = match self.len >= self.places {
            false => None,
            true => match self.remove_newest_of_most(waiting + 1) {
                None => return Err(work),
                removed => removed,
            },
        };
        if waiting == 0 {
            self.turns.push_back(requester);
        }
        let queue = self.waiting.entry(requester).or_default();
        queue.push_back((ticket, work));
        self.len += 1;
        Ok(removed)
    }

    /// Removes the oldest work of the requester that is next.
    pub(super) fn pop(&mut self) -> Option<W> {
        let requester = self.turns.pop_front()?;
        let queue = self.waiting.get_mut(&requester)?;
        let popped = queue.pop_front();
        match queue.is_empty() {
            true => drop(self.waiting.remove(&requester)),
            false => self.turns.push_back(requester),
        }
        self.len -= usize::from(popped.is_some());
        popped.map(|(_, work)| work)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Removes work that waits. Returns `None` when it doesn't any more.
    pub(super) fn remove(&mut self, requester: R, ticket: Ticket) -> Option<W> {
        let queue = self.waiting.get(&requester)?;
        let at = queue.iter().position(|(waiting, _)| *waiting == ticket)?;
        self.remove_at(requester, at)
    }

    fn count(&self, requester: R) -> usize {
        self.waiting.get(&requester).map_or(0, VecDeque::len)
    }

    /// Removes the newest work of whoever has most, if that is more than `more_than`.
    fn remove_newest_of_most(&mut self, more_than: usize) -> Option<W> {
        let counts = self.waiting.iter().map(|(of, queue)| (queue.len(), *of));
        let (count, requester) = counts.max_by_key(|(count, _)| *count)?;
        match count > more_than {
            true => self.remove_at(requester, count - 1),
            false => None,
        }
    }

    fn remove_at(&mut self, requester: R, at: usize) -> Option<W> {
        let queue = self.waiting.get_mut(&requester)?;
        let (_, work) = queue.remove(at)?;
        if queue.is_empty() {
            self.waiting.remove(&requester);
            self.turns.retain(|other| *other != requester);
        }
        self.len -= 1;
        Some(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(queue: &mut FairQueue<char, u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn requesters_take_turns() {
        let mut queue = FairQueue::new(40);
        for work in 0..5 {
            assert_eq!(queue.push('a', work.into(), work), Ok(None));
        }
        assert_eq!(queue.push('b', 10, 10), Ok(None));
        assert_eq!(queue.push('c', 20, 20), Ok(None));
        assert_eq!(queue.push('c', 21, 21), Ok(None));
        assert_eq!(drained(&mut queue), [0, 10, 20, 1, 21, 2, 3, 4]);
        assert!(queue.waiting.is_empty() && queue.turns.is_empty() && queue.len == 0);
    }

    #[test]
    fn one_requester_takes_no_more_than_a_quarter_of_the_places() {
        let mut queue = FairQueue::new(8);
        assert_eq!(queue.push('a', 1, 1), Ok(None));
        assert_eq!(queue.push('a', 2, 2), Ok(None));
        assert_eq!(queue.push('a', 3, 3), Err(3));
        assert_eq!(queue.push('b', 4, 4), Ok(None));
        // One place is enough for one.
        assert_eq!(FairQueue::new(1).push('a', 1, 1), Ok(None));
    }

    #[test]
    fn a_full_queue_has_a_place_for_a_newcomer() {
        let mut queue = FairQueue::new(8);
        for (work, requester) in "aabbccdd".chars().enumerate() {
            let work = u32::try_from(work).unwrap();
            assert_eq!(queue.push(requester, work.into(), work), Ok(None));
        }
        // In place of the newest of those who have two.
        for (requester, work) in [('e', 8), ('f', 9), ('g', 10), ('h', 11)] {
            let removed = queue.push(requester, work.into(), work).unwrap().unwrap();
            assert!([1, 3, 5, 7].contains(&removed), "{removed}");
        }
        // Everybody has one: the next is refused.
        assert_eq!(queue.push('i', 12, 12), Err(12));
        assert_eq!(queue.push('a', 13, 13), Err(13));
        assert_eq!(drained(&mut queue), [0, 2, 4, 6, 8, 9, 10, 11]);
    }

    #[test]
    fn removed_work_leaves_its_place() {
        let mut queue = FairQueue::new(4);
        assert_eq!(queue.push('a', 1, 1), Ok(None));
        assert_eq!(queue.push('a', 2, 2), Err(2));
        assert_eq!(queue.remove('a', 2), None);
        assert_eq!(queue.remove('a', 1), Some(1));
        assert_eq!(queue.push('a', 3, 3), Ok(None));
        assert_eq!(drained(&mut queue), [3]);
        assert_eq!(queue.remove('a', 3), None);
    }
}
