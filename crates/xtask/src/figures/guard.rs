//! The figures of guarded SQL over protected tables (privacy.md 6.16).

use super::Figure;
use super::amanat::Profile;
use super::measure::measure;

/// The registry's part for guarded SQL.
pub fn figures() -> Vec<Figure> {
    vec![
        Figure {
            name: "guard.questions",
            shows: "sixty questions of an analyst over 30,000 victims, one after the other on one ledger, one role, default policy",
            unit: "answered, at least 80 % of the persons asked about in visible cells",
            goal: "≥ 55; the rest refused with a hint that leads to an answer",
            minutes: 5,
            short: false,
            correctness: false,
            run: |bench| measure(bench, Profile::Dev, "questions", &["--size", "medium"]),
        },
        Figure {
            name: "guard.utility",
            shows: "what protection costs on both samples, over all published tables; writes docs/utility.md",
            unit: "% of persons in hidden cells (medium)",
            goal: "< 5 %; median error < 5 % for n ≥ 50; noise intervals hold in 95 to 98.5 %",
            minutes: 4,
            short: false,
            correctness: false,
            run: |bench| {
                let page = bench.root.join("docs/utility.md");
                measure(bench, Profile::Dev, "utility", &["--write", &page.to_string_lossy()])
            },
        },
    ]
}
