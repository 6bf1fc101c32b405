//! Files that others may change while the program runs are looked at again and again: a look costs microseconds, and works on every
//! file system, where notices of the kernel do not (network disks, containers).

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How often.
const LOOK: Duration = Duration::from_millis(500);

/// Looks until told to stop; when what is seen is not what was seen before, does something: at the next look again where that
/// says that it could not.
pub async fn changes<S: PartialEq>(stop: CancellationToken, seen: impl Fn() -> S, then: impl Fn() -> bool) {
    let mut last = seen();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = seen();
        if now != last && then() {
            last = now;
        }
    }
}
