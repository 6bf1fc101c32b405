//! A synthetic country: its people, cases, inspections and outreach, the feeds that report them, and the truth about it.
//!
//! Everything here is made up. People are numbers, tokens are hashes of numbers, shares are orders of magnitude
//! (domain.md 6); every event says `synthetic`.
//!
//! Reading order: [`World`] (what happens, month by month, and each agency's final account of it), [`Feed`] (the events
//! that report it, with all that goes wrong in real feeds), [`Truth`] (the thirteen indicators, counted from the world).
//! Apart from these, [`linkage`]: people with names, met by several agencies, to measure who is found to be one.
//!
//! From a seed and a [`Size`] alone: no clock, no file, no other randomness. One month of stories is held at a time.
//!
//! ```
//! use sample::{Feed, Size, Truth, World};
//!
//! let world = World::new(1, Size::PercentOfSmall(2));
//! let lines = Feed::new(world).count();
//! let cells = Truth::of(world).cells();
//! assert!(lines > 500 && !cells.is_empty());
//! ```
//!
//! Absent on purpose: any store, any log, any policy. Who may emit what stands in domain.md 4; the world keeps to it.

pub mod agency;
pub mod avro;
pub mod codes;
mod dice;
pub mod feed;
pub mod linkage;
pub mod names;
pub mod size;
pub mod tangle;
pub mod truth;
pub mod when;
pub mod world;

pub use feed::{Expected, Feed, Feedline, Reason};
pub use size::Size;
pub use truth::Truth;
pub use world::World;
