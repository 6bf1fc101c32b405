//! Who lives in the country of linkage: families, with names, dates of birth, places.

use super::Country;
use crate::dice::Dice;

/// Given names of each sex, surnames, second names of mothers, districts: how many there are, and how flat the head of
/// their distribution is. The commonest given name has 4 of 100 of its sex, the commonest surname 7 of 100, the
/// commonest second name 20.
const GIVEN: (usize, u32) = (800, 4);
const SURNAMES: (usize, u32) = (3_000, 1);
const SECOND: (usize, u32) = (80, 0);
const DISTRICTS: (usize, u32) = (140, 4);
/// Names that sound alike lie together, so many of them.
const ALIKE: u16 = 2;
/// Provinces of districts.
const PROVINCES: u16 = 8;
/// First and last year of birth.
const BORN: (i32, i32) = (1960, 2016);

/// Numbers of which the first are by far the most frequent: the k-th as often as 1/(k + q), by Zipf and
/// Mandelbrot.
pub(super) struct Skewed {
    /// Sum of all weights up to each.
    up_to: Vec<f64>,
}

impl Skewed {
    fn new((many, flat): (usize, u32)) -> Self {
        let mut sum = 0.0;
        let up_to = (1..=many).map(|rank| {
            sum += 1.0 / (rank as f64 + f64::from(flat));
            sum
        });
        Self { up_to: up_to.collect() }
    }

    fn draw(&self, dice: &mut Dice) -> u16 {
        let at = dice.fraction() * self.up_to[self.up_to.len() - 1];
        self.up_to.partition_point(|up_to| *up_to <= at) as u16
    }
}

/// A person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub number: u32,
    pub woman: bool,
    pub given: u16,
    pub surname: u16,
    pub mother: (u16, u16),
    pub district: u16,
    pub foreign: bool,
    /// Year and day of birth.
    pub born: (i16, u16),
    /// Whether anybody knows the day.
    pub knows_day: bool,
    pub documented: bool,
}

impl Person {
    /// Her province at home.
    pub(super) fn province(self) -> u16 {
        self.district % PROVINCES
    }

    /// What her name sounds like.
    pub(super) fn sound(self) -> (u16, u16) {
        (self.given / ALIKE, self.surname / ALIKE)
    }
}

/// Any province.
pub(super) fn any_province(dice: &mut Dice) -> u16 {
    dice.below(u32::from(PROVINCES)) as u16
}

/// Names and places to draw from.
struct Lists {
    given: Skewed,
    surnames: Skewed,
    second: Skewed,
    districts: Skewed,
}

/// Everybody, family by family.
pub(super) fn people(country: Country, dice: &mut Dice) -> Vec<Person> {
    let lists = Lists {
        given: Skewed::new(GIVEN),
        surnames: Skewed::new(SURNAMES),
        second: Skewed::new(SECOND),
        districts: Skewed::new(DISTRICTS),
    };
    let mut people: Vec<Person> = Vec::with_capacity(country.persons as usize);
    while people.len() < country.persons as usize {
        family(country, &lists, dice, &mut people);
    }
    people.truncate(country.persons as usize);
    people
}

/// A family of one to four persons who were trafficked or accused together or alone: siblings, one in thirty of them a twin.
fn family(country: Country, lists: &Lists, dice: &mut Dice, people: &mut Vec<Person>) {
    let mut first = Person {
        number: 0,
        woman: false,
        given: 0,
        surname: lists.surnames.draw(dice),
        mother: (lists.given.draw(dice), lists.second.draw(dice)),
        district: lists.districts.draw(dice),
        foreign: dice.mille(60),
        born: (dice.between(BORN.0, BORN.1) as i16, 0),
        knows_day: false,
        documented: false,
    };
    let siblings = match dice.below(100) {
        0..65 => 1,
        65..87 => 2,
        87..96 => 3,
        _ => 4,
    };
    let at_home = people.len();
    for sibling in 0..siblings {
        let twin = sibling > 0 && dice.below(30) == 0;
        if !twin {
            first.born =
                (first.born.0 + if sibling == 0 { 0 } else { dice.between(1, 4) as i16 }, dice.below(365) as u16);
            first.documented = dice.mille(country.documented_per_mille);
            first.knows_day = first.documented || !dice.mille(country.year_alone_per_mille);
        }
        let (woman, mut given) = (dice.mille(500), lists.given.draw(dice));
        while people[at_home..].iter().any(|other| (other.woman, other.given) == (woman, given)) {
            given = lists.given.draw(dice);
        }
        people.push(Person { number: people.len() as u32, woman, given, ..first });
    }
}
