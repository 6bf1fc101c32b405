//! How the C library's allocator keeps memory for a program that makes and frees batches all day.
//!
//! glibc gives threads heaps of their own ("arenas"), up to eight for each processor, and keeps in each what was freed there. Ingest
//! makes batches on one thread and frees them on another, so on two cores sixteen arenas held a hundred MiB that nobody used; with as
//! many arenas as processors it is as fast. And it gives large blocks back to the system at once, only to ask for cleared ones
//! again (docs/decisions/2026-11-26-the-systems-allocator.md).

/// Blocks up to so many bytes come from an arena: the largest size that glibc allows.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const FROM_ARENAS: libc::c_int = 32 << 20;

/// So many free bytes may lie at an arena's end before it is given back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_FREE: libc::c_int = 128 << 20;

/// Limits the arenas to the number of processors (two at least) and lets them keep what a batch takes, unless `MALLOC_ARENA_MAX` or
/// `GLIBC_TUNABLES` says something else. To be called before there is a second thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn tune() {
    let told = ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"].into_iter().any(|name| std::env::var_os(name).is_some());
    if told {
        return;
    }
    let processors = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
    let arenas = libc::c_int::try_from(processors).unwrap_or(libc::c_int::MAX);
    // SAFETY: mallopt(3) takes two integers, changes the allocator's settings alone, and no other thread runs yet.
    #[expect(unsafe_code, reason = "the C library offers no other way from within the process")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, arenas);
        libc::mallopt(libc::M_MMAP_THRESHOLD, FROM_ARENAS);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_FREE);
    }
}

/// Other C libraries have no arenas.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn tune() {}
