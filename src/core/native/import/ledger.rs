//! Blocks of a file in the store, the position up to which the file is hashed, and the minimum of both. Pure.

use std::collections::{BTreeSet, VecDeque};

/// Blocks that this run has to hash, in order.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Number of leading blocks that are stored and hashed.
    done: u64,
    /// Stored blocks after them.
    stored: BTreeSet<u64>,
    /// Number of leading blocks that are hashed, and the state of the hash there.
    summed: VecDeque<(u64, Vec<u8>)>,
}

impl Ledger {
    /// Starts with this number of completed blocks.
    pub(super) fn new(done: u64) -> Self {
        Self { done, stored: BTreeSet::new(), summed: VecDeque::new() }
    }

    /// Records that this block is stored.
    pub(super) fn stored(&mut self, block: u64) {
        self.stored.insert(block);
    }

    /// Records the state of the checksum after this number of blocks.
    pub(super) fn summed(&mut self, blocks: u64, state: Vec<u8>) {
        self.summed.push_back((blocks, state));
    }

    /// Advances to the blocks that are both stored and hashed; if there are new ones, returns the number of completed
    /// blocks, the increase, and the state of the hash.
    pub(super) fn advance(&mut self) -> Option<(u64, u64, Vec<u8>)> {
        let mut stored = self.done;
        while self.stored.contains(&stored) {
            stored += 1;
        }
        let mut last = None;
        while let Some((blocks, _)) = self.summed.front()
            && *blocks <= stored
        {
            last = self.summed.pop_front();
        }
        let (blocks, state) = last?;
        let more = blocks - self.done;
        self.done = blocks;
        self.stored = self.stored.split_off(&blocks);
        Some((blocks, more, state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_valid_once_every_block_before_it_is_stored() {
        let mut ledger = Ledger::new(2);
        ledger.summed(3, vec![3]);
        assert_eq!(ledger.advance(), None);
        ledger.stored(3);
        ledger.summed(4, vec![4]);
        assert_eq!(ledger.advance(), None);
        ledger.stored(2);
        assert_eq!(ledger.advance(), Some((4, 2, vec![4])));
        ledger.stored(4);
        assert_eq!(ledger.advance(), None);
        ledger.summed(5, vec![5]);
        assert_eq!((ledger.advance(), ledger.advance()), (Some((5, 1, vec![5])), None));
    }
}
