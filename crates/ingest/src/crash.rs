//! A decoder that panics sets one message aside, and its panic says where in our code, never what it held.
//!
//! The text of a panic often quotes a value ("byte index 5 is not a char boundary; it is inside …"), and the value may
//! be a person's. While a message is decoded, the process's panic hook is replaced by one that tells the place alone;
//! every other panic reaches the hook that was there before. Absent: aborts and exhausted stacks, which end the process
//! (`crash_loop`).

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder; `Err` when it panicked.
pub(crate) fn catch<T>(decode: impl FnOnce() -> T) -> Result<T, ()> {
    DECODING.set(true);
    // The decoder borrows its input and writes nothing else, so nothing can be seen half done.
    let result = catch_unwind(AssertUnwindSafe(decode));
    DECODING.set(false);
    result.map_err(drop)
}

/// Makes panics of the decoder silent about values. Once per process.
pub(crate) fn guard_panic_texts() {
    static GUARD: Once = Once::new();
    GUARD.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if DECODING.get() {
                let place = panic.location().map_or(String::new(), ToString::to_string);
                tracing::error!(place, "the decoder crashed on a message; it is set aside");
            } else {
                before(panic);
            }
        }));
    });
}
