//! Names that people get nearly right, and names that must not be guessed at.

/// Tables of case records. They exist elsewhere in the house; the reader has no road to them, and asking for one by
/// name deserves a better answer than "no such table".
const MICRODATA: [&str; 23] = [
    "accused",
    "activities",
    "activity",
    "cases",
    "charges",
    "compensations",
    "contacts",
    "corrections",
    "events",
    "inspections",
    "judgments",
    "marts",
    "overlaps",
    "persons",
    "raw",
    "releases",
    "retractions",
    "returns",
    "services",
    "set_aside",
    "staged",
    "stays",
    "victims",
];

/// True for the name of a table of case records.
pub(crate) fn is_microdata(name: &str) -> bool {
    MICRODATA.iter().any(|m| m.eq_ignore_ascii_case(name))
}

/// The candidate nearest to `wanted`, if it is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let within = match wanted.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let close = |candidate: &'a str| {
        let distance = distance(&wanted, &candidate.to_lowercase());
        (distance <= within).then_some((distance, candidate))
    };
    candidates.into_iter().filter_map(close).min().map(|(_, candidate)| candidate)
}

/// Changes, insertions, losses and swaps of neighbours between two names. Long names are never compared: they are no slips.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        rows[i][0] = i;
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_name_is_not() {
        assert_eq!(nearest("valeu", ["edition", "value", "lo95"]), Some("value"), "neighbours swapped");
        assert_eq!(nearest("vlaeu", ["edition", "value", "lo95"]), None, "five letters allow one slip");
        assert_eq!(nearest("valu", ["edition", "value", "lo95"]), Some("value"));
        assert_eq!(nearest("Provinse", ["province", "sex"]), Some("province"));
        assert_eq!(nearest("indicator_value", ["indicator_values", "v01"]), Some("indicator_values"));
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn tables_of_case_records_are_known_by_name() {
        assert!(is_microdata("Victims") && is_microdata("events") && !is_microdata("v01"));
    }
}
