//! An allocator that looks into what is given back.
#![allow(unsafe_code, reason = "an allocator is")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::sync::OnceLock;

pub struct Watching;

static NEEDLES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static FOUND: RefCell<Vec<Backtrace>> = const { RefCell::new(Vec::new()) };
}

/// What is looked for from now on.
pub fn look_for(needles: Vec<Vec<u8>>) {
    let _the_same_already = NEEDLES.set(needles);
}

/// Runs `work`, and gives the stack of each block that this thread gave back meanwhile with a needle in it.
pub fn during<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    WATCHING.set(true);
    let result = work();
    WATCHING.set(false);
    let found = FOUND.take().iter().map(Backtrace::to_string).collect();
    (result, found)
}

/// Whose block it was: a crate's name.
pub fn owner(stack: &str) -> &str {
    let mut lines = stack.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        // `12: core::ptr::drop_in_place<hyper::body::Incoming>`, and perhaps `at FILE:LINE:COLUMN` below it.
        let Some((_, function)) = line.split_once(": ") else {
            continue;
        };
        let file = lines.next_if(|next| next.starts_with("at ")).unwrap_or_default();
        let dropped = function
            .split("drop_in_place<")
            .nth(1)
            .map(|dropped| dropped.trim_start_matches(['&', '(', '[', '<']));
        if let Some(dropped) = dropped
            && let Some(krate) = dropped.split("::").next()
            && !["core", "alloc", "std", "u8"].contains(&krate)
            && dropped.contains("::")
        {
            return known(krate);
        }
        if let Some((_, path)) = file.split_once("/registry/src/") {
            let package = path.split('/').nth(1).unwrap_or_default();
            return known(package.rsplit_once('-').map_or(package, |(name, _)| name));
        }
        if file.contains("host/src/") || function.contains("flow_starter_host::") {
            return "flow-starter-host";
        }
    }
    "the test"
}

fn known(krate: &str) -> &str {
    match krate {
        "flow_starter_host" => "flow-starter-host",
        other => other,
    }
}

fn look(block: *const u8, size: usize) {
    if !WATCHING.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    let Some(needles) = NEEDLES.get() else { return };
    // SAFETY: the block is still its owner's, of this size, and was zeroed when it was given out: there is no byte that was never written.
    let bytes = unsafe { std::slice::from_raw_parts(block, size) };
    if needles
        .iter()
        .any(|needle| bytes.windows(needle.len()).any(|window| window == needle))
    {
        // What is allocated to tell of it is not looked into.
        WATCHING.set(false);
        FOUND.with_borrow_mut(|found| found.push(Backtrace::force_capture()));
        WATCHING.set(true);
    }
}

// SAFETY: the system's allocator does all of it.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises. Zeroed, so that what an earlier owner left is not found once more.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        look(block, layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }

    // Not overridden: `realloc` is by default a new block, a copy, and the old one given back, which is looked into.
}
