//! Who was erased (ingestion.md 3.12): known by images of surrogates, which tell of nobody without the key.
//!
//! Absent: who orders an erasure, and where the orders are kept (they are events; models reads them).

use std::collections::BTreeSet;

use crate::keys::{Key, Keys, image};

/// The persons who are to be nowhere, or are nowhere any more.
///
/// The same set whether an order has been carried out or not: what an order names is either the person, or, once maintenance
/// has been there, her image.
#[derive(Debug, Clone)]
pub struct Erased {
    key: Key,
    images: BTreeSet<[u8; 16]>,
}

impl Erased {
    /// Nobody yet.
    pub fn nobody(keys: &Keys) -> Self {
        Self { key: keys.erased.clone(), images: BTreeSet::new() }
    }

    /// An order names this person; gives her image.
    pub fn order(&mut self, person: [u8; 16]) -> [u8; 16] {
        let image = image(&self.key, &person);
        self.images.insert(image);
        image
    }

    /// An order that was carried out names this image.
    pub fn carried_out(&mut self, image: [u8; 16]) {
        self.images.insert(image);
    }

    /// Whether nobody was ever erased.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The images, in order: a function of the orders, whatever became of them.
    pub fn images(&self) -> impl Iterator<Item = &[u8; 16]> {
        self.images.iter()
    }

    /// What stands in place of this surrogate; none where it is nobody's who was erased, or an image already.
    pub fn in_place_of(&self, surrogate: &[u8; 16]) -> Option<[u8; 16]> {
        if self.is_empty() {
            return None;
        }
        Some(image(&self.key, surrogate)).filter(|image| self.images.contains(image))
    }

    /// Whether this is somebody who was erased, or her image.
    pub fn has(&self, surrogate: &[u8; 16]) -> bool {
        self.images.contains(surrogate) || self.in_place_of(surrogate).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Master;

    fn nobody() -> Erased {
        Erased::nobody(&Keys::derive(&Master::from_bytes([7; 32])))
    }

    #[test]
    fn who_was_erased_is_known_by_her_surrogate_and_by_her_image_and_nobody_else_is() {
        let mut erased = nobody();
        let image = erased.order([1; 16]);
        assert_eq!(erased.in_place_of(&[1; 16]), Some(image));
        assert!(erased.has(&[1; 16]) && erased.has(&image));
        assert!(!erased.has(&[2; 16]));
    }

    #[test]
    fn an_order_says_the_same_before_and_after_it_was_carried_out() {
        let mut before = nobody();
        let image = before.order([1; 16]);
        let mut after = nobody();
        after.carried_out(image);
        assert!(before.images().eq(after.images()));
        assert_eq!(after.in_place_of(&[1; 16]), Some(image));
        assert_eq!(after.in_place_of(&image), None, "an image stays what it is");
    }

    #[test]
    fn another_key_makes_another_image() {
        let mut other = Erased::nobody(&Keys::derive(&Master::from_bytes([8; 32])));
        assert_ne!(nobody().order([1; 16]), other.order([1; 16]));
    }
}
