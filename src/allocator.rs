//! The component's memory allocator: small blocks by size class from one piece of memory, anything else from Rust's own.
//!
//! A call makes some 150 small blocks and gives most of them back soon. Here each takes some 30 instructions, and what was given back is used
//! again first, so that a call touches few pages: the host clears each of them for the next one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

/// Block sizes are 16 bytes, 32, and so on up to this.
const LARGEST: usize = 2048;
const SMALLEST: usize = 16;
const CLASSES: usize = (LARGEST / SMALLEST).ilog2() as usize + 1;

/// In bytes; more small blocks than fit come from Rust's own allocator.
const SPACE: usize = 60 * 1024;

#[repr(align(16))]
struct Space([u8; SPACE]);

struct State {
    /// The first free block of each class. A free block begins with the address of the next one.
    free: [*mut u8; CLASSES],
    /// How much of the space has ever been given out.
    used: usize,
    space: Space,
}

struct Allocator(UnsafeCell<State>);

// SAFETY: the component has one thread.
unsafe impl Sync for Allocator {}

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();

/// None for a block that is not small.
fn class(size: usize, align: usize) -> Option<usize> {
    (size <= LARGEST && align <= SMALLEST)
        .then(|| size.max(SMALLEST).next_power_of_two().ilog2() as usize - SMALLEST.ilog2() as usize)
}

impl Allocator {
    const fn new() -> Self {
        Self(UnsafeCell::new(State {
            free: [null_mut(); CLASSES],
            used: 0,
            space: Space([0; SPACE]),
        }))
    }

    /// # Safety
    /// Nobody else may be using the state.
    #[allow(clippy::mut_from_ref, reason = "one thread, and no call within a call")]
    unsafe fn state(&self) -> &mut State {
        // SAFETY: the caller's.
        unsafe { &mut *self.0.get() }
    }
}

impl State {
    fn owns(&self, block: *mut u8) -> bool {
        (block as usize).wrapping_sub(self.space.0.as_ptr() as usize) < SPACE
    }

    fn take(&mut self, class: usize) -> Option<*mut u8> {
        let free = self.free.get_mut(class)?;
        if !free.is_null() {
            let block = *free;
            // SAFETY: `give_back` has put the next one's address there.
            *free = unsafe { block.cast::<*mut u8>().read() };
            return Some(block);
        }
        let size = SMALLEST << class;
        let block = self.space.0.get_mut(self.used..self.used + size)?;
        self.used += size;
        Some(block.as_mut_ptr())
    }

    /// # Safety
    /// The block is one of this class, and nobody uses it any more.
    unsafe fn give_back(&mut self, block: *mut u8, class: usize) {
        if let Some(free) = self.free.get_mut(class) {
            // SAFETY: a block has at least 16 bytes, and begins at a multiple of 16.
            unsafe { block.cast::<*mut u8>().write(*free) };
            *free = block;
        }
    }
}

// SAFETY: a block that is given out is either of the space, where it overlaps no other that is in use, or Rust's own allocator's, and goes
// back to where it came from.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread, and nothing below allocates while it has the state.
        let state = unsafe { self.state() };
        let block = class(layout.size(), layout.align()).and_then(|class| state.take(class));
        // SAFETY: the layout is the caller's.
        block.unwrap_or_else(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        let state = unsafe { self.state() };
        match class(layout.size(), layout.align()) {
            // SAFETY: it came from `take` with the same class.
            Some(class) if state.owns(block) => unsafe { state.give_back(block, class) },
            // SAFETY: it came from Rust's own allocator.
            _ => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let was = class(layout.size(), layout.align());
        // SAFETY: as in `alloc`.
        let is_ours = was.is_some() && unsafe { self.state() }.owns(block);
        if is_ours && was == class(size, layout.align()) {
            return block;
        }
        if !is_ours && class(size, layout.align()).is_none() {
            // SAFETY: it came from Rust's own allocator, and the rest is the caller's.
            return unsafe { System.realloc(block, layout, size) };
        }
        // SAFETY: the caller vouches for the size.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as above; the copy is as long as the shorter of the two blocks.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Block {
        at: *mut u8,
        layout: Layout,
        mark: u8,
    }

    impl Block {
        fn fill(&self) {
            unsafe { self.at.write_bytes(self.mark, self.layout.size()) };
        }

        fn is_intact(&self, size: usize) -> bool {
            let bytes = unsafe { std::slice::from_raw_parts(self.at, size) };
            bytes.iter().all(|byte| *byte == self.mark)
        }
    }

    fn size() -> impl Strategy<Value = usize> {
        prop_oneof![6 => 1..100_usize, 3 => 1..3_000_usize, 1 => 1..100_000_usize]
    }

    proptest! {
        // Enough to use up the space in most cases.
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_block_overlaps_another(
            steps in prop::collection::vec((0..4_u8, size(), 0..6_u32, any::<prop::sample::Index>()), 1..800),
        ) {
            let allocator = Box::new(Allocator::new());
            let mut blocks: Vec<Block> = Vec::new();
            for (number, (kind, size, align, which)) in steps.into_iter().enumerate() {
                match kind {
                    0 if !blocks.is_empty() => {
                        let block = blocks.swap_remove(which.index(blocks.len()));
                        prop_assert!(block.is_intact(block.layout.size()));
                        unsafe { allocator.dealloc(block.at, block.layout) };
                    }
                    1 if !blocks.is_empty() => {
                        let at = which.index(blocks.len());
                        let block = &mut blocks[at];
                        let was = block.layout.size();
                        block.at = unsafe { allocator.realloc(block.at, block.layout, size) };
                        block.layout = Layout::from_size_align(size, block.layout.align()).unwrap();
                        prop_assert!(block.is_intact(size.min(was)));
                        block.fill();
                    }
                    _ => {
                        let layout = Layout::from_size_align(size, 1 << align).unwrap();
                        let at = unsafe { allocator.alloc(layout) };
                        prop_assert!(!at.is_null() && (at as usize).is_multiple_of(layout.align()));
                        blocks.push(Block { at, layout, mark: number as u8 });
                        blocks[blocks.len() - 1].fill();
                    }
                }
            }
            for block in blocks {
                prop_assert!(block.is_intact(block.layout.size()));
                unsafe { allocator.dealloc(block.at, block.layout) };
            }
        }
    }

    #[test]
    fn a_block_that_was_given_back_is_used_again() {
        let allocator = Box::new(Allocator::new());
        let layout = Layout::from_size_align(100, 8).unwrap();
        let first = unsafe { allocator.alloc(layout) };
        for _ in 0..10_000 {
            let block = unsafe { allocator.alloc(layout) };
            unsafe { allocator.dealloc(block, layout) };
        }
        let state = unsafe { allocator.state() };
        assert!(state.owns(first) && state.used == 2 * 128);
    }
}
