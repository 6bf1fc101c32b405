//! Where the lakes of tests are: in a directory, or in the bucket that `AMANAT_TEST_S3` names (`cargo xtask s3 up --with`), each
//! directory with a prefix of its own. The suites of several rooms take this file in, so that the same tests run on both.

use std::path::Path;

use lake::{S3, Store};

/// The store that belongs to this directory: of a test, and of every process that it starts.
pub fn at(dir: &Path) -> Store {
    let Ok(bucket) = std::env::var("AMANAT_TEST_S3") else { return Store::local(dir).unwrap() };
    let (endpoint, bucket) = bucket.rsplit_once('/').expect("AMANAT_TEST_S3 is http://HOST:PORT/BUCKET");
    // The server makes folders of names; a dot in front would be a hidden one.
    let prefix = dir.canonicalize().unwrap().to_str().unwrap().replace('.', "");
    let place = S3 {
        url: format!("s3://{bucket}{prefix}").parse().unwrap(),
        endpoint: Some(endpoint.parse().unwrap()),
        region: None,
        path_style: true,
        allow_http: true,
        credentials: None,
    };
    place.store(dir).unwrap()
}
