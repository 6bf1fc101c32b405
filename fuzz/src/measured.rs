//! How much memory is asked for at once, and panics that are caught where they should be.
//!
//! pgwire panics at some messages, which the codec catches. Fuzzing ends at any panic, for it hears of it before anybody can catch
//! it; here a panic counts when nobody has caught it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

/// Notes the largest piece of memory that a thread asks for.
struct Noting;

#[global_allocator]
static NOTING: Noting = Noting;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

fn note(size: usize) {
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: everything is handed to the system's allocator as it comes.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

/// Runs a target that asks for at most so many bytes at once.
pub(crate) fn within(most: usize, hold: impl FnOnce()) {
    let before = take_hook();
    set_hook(Box::new(|panic| LAST.with(|last| *last.borrow_mut() = panic.to_string())));
    LARGEST.set(0);
    let done = catch_unwind(AssertUnwindSafe(hold));
    let largest = LARGEST.get();
    set_hook(before);
    assert!(done.is_ok(), "{}", LAST.take());
    assert!(largest <= most, "{largest} bytes at once");
}
