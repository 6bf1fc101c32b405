//! How a published number was revised: from what earlier editions said, and nothing else.
//!
//! Both numbers are public, so that their difference is exact: it has no noise of its own and discloses nothing that the two
//! editions do not.
//!
//! Absent: true numbers; which editions are compared (`models` knows their dates).

use crate::released::{Amount, Figure, ObsStatus};

/// What an edition said of a cell, read back from its rows. Not a way to make a number: a [`Figure`] comes of it only as the
/// change between two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The published value in millionths; none where none was shown.
    pub micros: Option<i128>,
}

/// By how many percent the later value differs from the first, in hundredths of a percent.
///
/// Suppressed where one of them was not shown; not collected where no edition said anything `later`; of nothing there is no
/// change.
pub fn change(first: Told, later: Option<Told>) -> Figure {
    let Some(later) = later else { return Figure::not_collected() };
    let (Some(first), Some(later)) = (first.micros, later.micros) else { return Figure::suppressed() };
    if first == 0 {
        return Figure::impossible();
    }
    let hundredths = (later - first) * 10_000;
    let rounded = (2 * hundredths + first.abs()).div_euclid(2 * first.abs()) * first.signum();
    let percent = Amount::from_micros(rounded * Amount::ONE / 100);
    Figure::derived(percent, percent, percent, ObsStatus::A)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: i128) -> Told {
        Told { micros: Some(value * Amount::ONE) }
    }

    fn percent(first: i128, later: i128) -> String {
        change(told(first), Some(told(later))).value().unwrap().to_string()
    }

    #[test]
    fn a_change_is_exact_arithmetic_of_two_published_numbers() {
        assert_eq!(percent(200, 210), "5");
        assert_eq!(percent(300, 299), "-0.33");
        assert_eq!(percent(3, 3), "0");
        let figure = change(told(200), Some(told(210)));
        assert_eq!((figure.lo95(), figure.hi95()), (figure.value(), figure.value()));
    }

    #[test]
    fn where_an_edition_does_not_exist_or_does_not_show_the_cell_there_is_no_change() {
        assert_eq!(change(told(200), None).obs_status(), ObsStatus::L);
        assert_eq!(change(told(200), Some(Told { micros: None })).obs_status(), ObsStatus::Q);
        assert_eq!(change(told(0), Some(told(3))).obs_status(), ObsStatus::M);
    }
}
