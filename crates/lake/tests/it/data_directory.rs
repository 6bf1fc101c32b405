//! What a data directory is, and whose: new, reopened, of another key or kind, newer, half written, read only, in use.

use std::fs;

use lake::{FORMAT, LakeError, StoreIdentity, StoreKind, StoreLock};

const KEY: &str = "0123456789abcdef";

fn open(dir: &std::path::Path) -> Result<StoreIdentity, LakeError> {
    StoreIdentity::open_or_create(dir, KEY, StoreKind::Sample, None)
}

#[test]
fn an_empty_directory_becomes_a_store_and_stays_the_same_one() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(StoreIdentity::read(dir.path()).unwrap(), None);
    let made = open(&dir.path().join("new/deep")).unwrap();
    assert_eq!(
        made,
        StoreIdentity { format: FORMAT, key_fingerprint: KEY.into(), kind: StoreKind::Sample, lake: None }
    );
    let text = || fs::read_to_string(dir.path().join("new/deep/store.toml")).unwrap();
    let before = text();
    assert_eq!(open(&dir.path().join("new/deep")).unwrap(), made);
    assert_eq!(text(), before, "written once");
    assert_eq!(fs::read_dir(dir.path().join("new/deep")).unwrap().count(), 1, "nothing is left beside it");
}

/// Microdata must not take the umask; what is published may.
#[tokio::test]
async fn a_data_directory_and_what_is_written_into_its_lake_are_the_owners_alone() {
    use object_store::ObjectStoreExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    let above = tempfile::tempdir().unwrap();
    let dir = above.path().join("new/deep");
    open(&dir).unwrap();
    let store = lake::Store::local(&dir).unwrap();
    for path in ["lake/events/rows", "lake/published/rows"] {
        store.objects().put(&path.into(), "x".into()).await.unwrap();
    }
    let mode = |path: &str| fs::metadata(dir.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("."), mode("lake"), mode("lake/events")], [0o700; 3]);
    assert_eq!([mode("store.toml"), mode("lake/events/rows")], [0o600; 2]);
    assert_eq!(mode("lake/published/rows") & 0o600, 0o600);
}

#[test]
fn a_store_refuses_another_key_and_the_other_kind_of_data() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).unwrap();
    let other_key = StoreIdentity::open_or_create(dir.path(), "ffff", StoreKind::Sample, None);
    assert!(matches!(other_key, Err(LakeError::WrongKey { store, given }) if store == KEY && given == "ffff"));
    let real = StoreIdentity::open_or_create(dir.path(), KEY, StoreKind::Real, None);
    assert!(matches!(real, Err(LakeError::WrongKind { store: StoreKind::Sample, given: StoreKind::Real })));
    let message = StoreIdentity::open_or_create(dir.path(), KEY, StoreKind::Real, None).unwrap_err().to_string();
    assert!(message.contains("sample") && message.contains("another directory"), "{message}");
}

#[test]
fn a_store_of_a_newer_format_is_left_alone_whatever_else_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("format = {}\ncolour = \"blue\"\n", FORMAT + 1);
    fs::write(dir.path().join("store.toml"), &text).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(error, LakeError::NewerFormat { found, known } if (found, known) == (FORMAT + 1, FORMAT)));
    assert!(error.to_string().contains("use a newer program"));
    assert_eq!(fs::read_to_string(dir.path().join("store.toml")).unwrap(), text);
}

#[test]
fn a_half_written_directory_is_named_as_such() {
    for trace in ["lake", "log.db"] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(trace), "").unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(matches!(&error, LakeError::HalfWritten { what } if what.contains(trace)), "{error}");
        assert!(!dir.path().join("store.toml").exists(), "and is not made to look whole");
    }
    for torn in ["", "form", "format = 1\n", "format = \"one\"\n", "format = 1\nkey_fingerprint = \"x\"\nsample = tr"] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("store.toml"), torn).unwrap();
        assert!(matches!(open(dir.path()), Err(LakeError::HalfWritten { .. })), "{torn:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("store.toml"), [0xff, 0xfe, 0x00]).unwrap();
    assert!(matches!(open(dir.path()), Err(LakeError::HalfWritten { .. })), "not even text");
}

/// Permissions bind everybody but root, who is refused by the kernel's own files as well.
#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_written_is_named_as_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let binds = fs::write(dir.path().join("try"), "").is_err();
    let place = if binds { dir.path() } else { std::path::Path::new("/proc/self/fdinfo") };
    let refused = open(place).unwrap_err();
    let says = refused.to_string();
    assert!(
        matches!(refused, LakeError::ReadOnly { .. }) || (!binds && matches!(refused, LakeError::Io { .. })),
        "{says}"
    );
    assert!(says.contains(place.to_str().unwrap()), "{says}");
    let locked = StoreLock::acquire(place, StoreLock::WRITER).unwrap_err();
    assert!(
        matches!(locked, LakeError::ReadOnly { .. }) || (!binds && matches!(locked, LakeError::Io { .. })),
        "{locked}"
    );
}

#[test]
fn a_directory_has_one_writer_and_says_who_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let held = StoreLock::acquire(dir.path(), StoreLock::WRITER).unwrap();
    let refused = StoreLock::acquire(dir.path(), StoreLock::WRITER).unwrap_err();
    assert!(matches!(&refused, LakeError::Locked { pid, .. } if *pid == std::process::id()), "{refused}");
    assert!(refused.to_string().contains(&std::process::id().to_string()));
    StoreLock::acquire(dir.path(), StoreLock::REFRESH).expect("another role has another lock");
    drop(held);
    StoreLock::acquire(dir.path(), StoreLock::WRITER).expect("it ends with its holder");
}
