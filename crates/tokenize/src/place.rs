//! A place as its district: the list of `data/districts.txt`, and what the agency adds to it (`[places]`).
//!
//! A place that is no district of either gives no token: two agencies would write it in two ways, and a token that nobody
//! else can make is no evidence.

use std::collections::BTreeMap;

use crate::data;
use crate::fold;
use crate::reason::Reason;

/// Places that an agency knows by other names, to their districts.
#[derive(Debug, Clone, Default)]
pub struct Places {
    own: BTreeMap<String, &'static str>,
}

impl Places {
    /// From pairs of a place as written and its district. Refuses the first pair of which the district is not on the list,
    /// by its position.
    pub fn of<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Result<Self, usize> {
        let own = pairs.into_iter().enumerate().map(|(at, (place, district))| {
            data::district(&joined(district)).map(|district| (joined(place), district)).ok_or(at)
        });
        Ok(Self { own: own.collect::<Result<_, _>>()? })
    }

    /// The district of a place.
    pub fn read(&self, text: &str) -> Result<&'static str, Reason> {
        let words = joined(text);
        if words.is_empty() {
            return Err(Reason::NoPlace);
        }
        if data::is_placeholder("place", &words) {
            return Err(Reason::PlaceholderPlace);
        }
        let bare = without_district(&words);
        let known = |words: &str| self.own.get(words).copied().or_else(|| data::district(words));
        known(&words).or_else(|| known(bare)).ok_or(Reason::PlaceUnknown)
    }
}

fn joined(text: &str) -> String {
    fold::words_and_digits(text).join(" ")
}

/// `District Kasur`, `Kasur Distt`, `ضلع قصور`.
fn without_district(words: &str) -> &str {
    let words = ["district ", "distt ", "dist ", "zila ", "ضلع "]
        .iter()
        .find_map(|front| words.strip_prefix(front))
        .unwrap_or(words);
    [" district", " distt", " dist", " city"].iter().find_map(|back| words.strip_suffix(back)).unwrap_or(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_district_has_one_name() {
        let places = Places::of([("Chak 12 GB", "Faisalabad")]).unwrap();
        for text in
            ["Faisalabad", "FAISLABAD", "فیصل آباد", "District Faisalabad", "ضلع فیصل آباد", "Lyallpur", "chak 12-gb"]
        {
            assert_eq!(places.read(text), Ok("faisalabad"), "{text}");
        }
        assert_eq!(Places::of([("a", "Lahore"), ("b", "Atlantis")]).unwrap_err(), 1);
    }

    #[test]
    fn what_is_no_district_is_none() {
        let places = Places::default();
        assert_eq!(places.read(" "), Err(Reason::NoPlace));
        assert_eq!(places.read("Unknown"), Err(Reason::PlaceholderPlace));
        assert_eq!(places.read("نامعلوم"), Err(Reason::PlaceholderPlace));
        assert_eq!(places.read("Timbuktu"), Err(Reason::PlaceUnknown));
    }
}
