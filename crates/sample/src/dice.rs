//! Chance, from a seed alone: one ChaCha stream per month of the world and one for the feed.
//!
//! Only additions, multiplications and comparisons of floats, so that every machine draws the same.

use rand::RngCore;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::codes::{Code, Weighted};

/// A source of chance.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream `stream` of the seed; streams do not overlap.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number in `0..below` (0 if `below` is 0).
    pub fn below(&mut self, below: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(below)) >> 32) as u32
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as u32) as i32
    }

    /// True `per_mille` times in a thousand.
    pub fn mille(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// A fraction in `[0, 1)`.
    pub fn fraction(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    /// A whole number whose mean is `mean`: its floor, or one more.
    pub fn round(&mut self, mean: f64) -> u32 {
        let floor = mean.floor();
        floor as u32 + u32::from(self.fraction() < mean - floor)
    }

    /// One code of a weighted list.
    pub fn pick(&mut self, list: Weighted) -> Code {
        let total: u32 = list.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(total);
        for (code, weight) in list {
            if at < *weight {
                return code;
            }
            at -= weight;
        }
        list[0].0
    }

    /// One element of a list that is not empty.
    pub fn one<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }

    /// A lag in `low..high`, short ones far likelier than long ones.
    pub fn lag(&mut self, low: i64, high: i64) -> i64 {
        let fraction = self.fraction();
        low + ((high - low) as f64 * fraction * fraction * fraction) as i64
    }
}
