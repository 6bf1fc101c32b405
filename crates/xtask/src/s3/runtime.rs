//! Where the S3 server comes from: `VERSITYGW`, or Go once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The version of the Versity S3 Gateway that tests run against.
pub const VERSION: &str = "v1.8.0";

const MODULE: &str = "github.com/versity/versitygw/cmd/versitygw";

/// The folder outside the tree for everything of this version: the program, and the servers' files.
pub fn cache() -> Result<PathBuf> {
    let folder = crate::cache()?.join(format!("versitygw-{VERSION}"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The server's program.
pub fn program() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("VERSITYGW") {
        let program = PathBuf::from(program);
        if !program.is_file() {
            bail!("VERSITYGW is set, but there is no {}", program.display());
        }
        return Ok(program);
    }
    let cache = cache()?;
    let program = cache.join("bin/versitygw");
    // One builds, the others wait. The folder appears under its name only when it is complete.
    let lock = File::create(cache.join("fetch.lock"))?;
    lock.lock()?;
    if !program.is_file() {
        build(&cache)?;
    }
    Ok(program)
}

fn build(cache: &Path) -> Result<()> {
    eprintln!("building the Versity S3 Gateway {VERSION} with Go (two minutes of CPU, once)");
    let partial = cache.join("bin.partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    let status = Command::new("go")
        .args(["install", &format!("{MODULE}@{VERSION}")])
        .env("GOBIN", &partial)
        .env("CGO_ENABLED", "0")
        .env_remove("GOFLAGS")
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .stdin(Stdio::null())
        .status()
        .context("cannot run go: install Go 1.25 or newer, or name a versitygw in VERSITYGW")?;
    if !status.success() {
        bail!("go could not build the Versity S3 Gateway {VERSION} ({status}); or name a versitygw in VERSITYGW");
    }
    fs::rename(&partial, cache.join("bin"))?;
    Ok(())
}
