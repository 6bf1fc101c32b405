//! Where Kafka's classes come from: `KAFKA_HOME`, or Maven once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The version of Apache Kafka that tests run against.
pub const VERSION: &str = "4.3.1";

/// The logging back end of that version. Its artifacts name none; without one its errors would be lost.
const LOG4J_VERSION: &str = "2.25.3";

const MAVEN_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// The folder outside the tree for everything of this version: classes, and the brokers' files.
pub fn cache() -> Result<PathBuf> {
    let folder = crate::cache()?.join(format!("kafka-{VERSION}"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// A class path with the broker and its dependencies.
pub fn class_path() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("KAFKA_HOME") {
        let libs = Path::new(&home).join("libs");
        if !libs.is_dir() {
            bail!("KAFKA_HOME is set, but there is no {}", libs.display());
        }
        return Ok(libs.join("*"));
    }
    let cache = cache()?;
    let libs = cache.join("libs");
    // One fetches, the others wait. The folder appears under its name only when it is complete.
    let lock = File::create(cache.join("fetch.lock"))?;
    lock.lock()?;
    if !libs.is_dir() {
        fetch(&cache, &libs)?;
    }
    Ok(libs.join("*"))
}

fn fetch(cache: &Path, libs: &Path) -> Result<()> {
    eprintln!("fetching Apache Kafka {VERSION} with Maven (about 45 MB, once)");
    let pom = cache.join("pom.xml");
    fs::write(&pom, POM.replace("KAFKA", VERSION).replace("LOG4J", LOG4J_VERSION))?;
    let partial = cache.join("libs.partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    let status = Command::new("mvn")
        .args(["-q", "-B", "-Dstyle.color=never", "-f"])
        .arg(&pom)
        .args([MAVEN_PLUGIN, "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", partial.display()))
        .stdin(Stdio::null())
        .status()
        .context("cannot run mvn: install Maven, or unpack Apache Kafka and set KAFKA_HOME")?;
    if !status.success() {
        bail!("mvn could not fetch Apache Kafka {VERSION} ({status}); or unpack it and set KAFKA_HOME");
    }
    fs::rename(&partial, libs)?;
    Ok(())
}

const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>amanat</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>KAFKA</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>LOG4J</version></dependency>
  </dependencies>
</project>
"#;
