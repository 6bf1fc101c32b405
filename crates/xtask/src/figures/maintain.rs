//! The figures of the lake's own work: what a commit costs, and what maintenance leaves alone.

use super::Figure;
use super::amanat::Profile;
use super::measure::measure;

/// The registry's part for the lake.
pub fn figures() -> Vec<Figure> {
    vec![
        Figure {
            name: "ingest.commit",
            shows: "a commit on the local store with 100,000 versions behind it, beside an fsynced create; cold open",
            unit: "× an fsynced create in the same run, p99",
            goal: "≤ 5×; cold open ≤ 1 s",
            minutes: 2,
            short: false,
            correctness: false,
            run: |bench| measure(bench, Profile::Release, "commit", &[]),
        },
        Figure {
            name: "ingest.maintenance",
            shows: "compaction, checkpoints, vacuum and log clean-up while a writer appends and readers count rows",
            unit: "reads that failed or found other rows",
            goal: "0; files of a date bounded",
            minutes: 3,
            short: false,
            correctness: true,
            run: |bench| measure(bench, Profile::Dev, "maintenance", &[]),
        },
    ]
}
