//! The figures of what is known of persons and cases, before anything of it is protected.

use super::Figure;
use super::amanat::Profile;
use super::measure::measure;

/// The registry's part for the state of the world.
pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "state.linkage",
        shows: "persons of several agencies who are one, found by tokens alone: 20,000 persons at overlaps of 5, 10 and 20 %, 60 % without documents, 3 % of tokens wrong, five seeds each; a million persons of whom many know no day of birth; series over wrong tokens and over the limit of blocks (development build)",
        unit: "precision and recall, pair by pair, the worst mean of the three overlaps",
        goal: "≥ 0.99 and ≥ 0.95",
        minutes: 2,
        short: false,
        correctness: true,
        run: |bench| measure(bench, Profile::Dev, "linkage", &[]),
    }]
}
