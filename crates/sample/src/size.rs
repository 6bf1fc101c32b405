//! How much happens: yearly rates by size of the sample, their trend over fifteen years, their season.
//!
//! `Medium` has the orders of magnitude that domain.md 6 recalls for Pakistan. `Small` is not a fraction of it:
//! identifications and inspections shrink most, justice and returns least, so that each of the first thirteen indicators
//! still has national cells above its floor.

/// First year of the world.
pub const FIRST_YEAR: i32 = 2011;
/// Last year in which anything begins.
pub const LAST_YEAR: i32 = 2025;

/// Size of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// About 30 thousand events.
    Small,
    /// About 1 million events.
    Medium,
    /// About 30 million events: `Medium` thirty times over, for measurements.
    Large,
    /// About so many million events: `Medium` so many times over.
    Millions(u32),
    /// `Small` times a percentage, for tests.
    PercentOfSmall(u32),
}

/// What begins, each a story of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// A case is registered; its victims, accused persons, charges and judgments follow.
    Case,
    /// Persons are found without a case.
    Rescue,
    /// A workplace is inspected.
    Inspection,
    /// A person returns from abroad.
    Return,
    /// A helpline is contacted.
    Contact,
    /// A training or awareness activity is held.
    Activity,
}

/// All beginnings, in the order of drawing.
pub const BEGINNINGS: [Beginning; 4] = [Beginning::Case, Beginning::Rescue, Beginning::Inspection, Beginning::Return];

/// What happens beside them, drawn apart.
pub const OUTREACHES: [Beginning; 2] = [Beginning::Contact, Beginning::Activity];

impl Size {
    /// About how many lines the feed has, for progress.
    pub fn about(self) -> u64 {
        match self {
            Self::Small => 32_800,
            Self::Medium => 1_049_000,
            Self::Large => 31_400_000,
            Self::Millions(millions) => 1_049_000 * u64::from(millions),
            Self::PercentOfSmall(percent) => 1_100 + 317 * u64::from(percent),
        }
    }

    /// How often something begins in a year of mean level.
    fn yearly(self, what: Beginning) -> f64 {
        let (small, medium) = match what {
            Beginning::Case => (98.0, 1_000.0),
            Beginning::Rescue => (108.0, 4_750.0),
            Beginning::Inspection => (245.0, 18_500.0),
            Beginning::Return => (86.0, 1_900.0),
            // A tenth of what helplines receive, so that the medium sample stays a million events.
            Beginning::Contact => (42.0, 1_200.0),
            Beginning::Activity => (24.0, 260.0),
        };
        match self {
            Self::Small => small,
            Self::Medium => medium,
            Self::Large => medium * 30.0,
            Self::Millions(millions) => medium * f64::from(millions),
            Self::PercentOfSmall(percent) => small * f64::from(percent) / 100.0,
        }
    }

    /// Mean number of beginnings in a month of the world.
    pub fn monthly(self, what: Beginning, year: i32, month: u32) -> f64 {
        let trend =
            TREND[(year - FIRST_YEAR) as usize] * if what == Beginning::Case && year >= 2018 { 1.15 } else { 1.0 };
        self.yearly(what) * trend * SEASON[(month - 1) as usize] / 12.0
    }
}

/// Level of each year against the mean: slow growth, the dip of 2020.
const TREND: [f64; 15] = [0.72, 0.75, 0.80, 0.84, 0.89, 0.94, 0.99, 1.06, 1.11, 0.88, 1.04, 1.14, 1.22, 1.28, 1.34];
/// Level of each month: kilns and fields in spring and autumn.
const SEASON: [f64; 12] = [0.86, 0.90, 1.06, 1.10, 1.12, 1.02, 0.94, 0.92, 1.02, 1.10, 1.06, 0.90];

/// Per mille of identified persons who are children: a share that doubles in fifteen years.
pub fn child_per_mille(year: i32) -> u32 {
    130 + (year - FIRST_YEAR).max(0) as u32 * 9
}
