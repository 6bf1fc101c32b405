//! From canonical inputs to a person's tokens, a batch at a time.

use crate::evaluate::{Evaluate, EvaluateError};
use crate::identity::{Canonical, Input};
use crate::reason::Reason;
use crate::token::{Kind, token};

/// The tokens of a person, or why there is none of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    tokens: [Result<String, Reason>; 4],
}

impl Person {
    /// Her token of a kind.
    pub fn token(&self, kind: Kind) -> Option<&str> {
        self.tokens[kind as usize].as_deref().ok()
    }

    /// Every token with its kind, in the order of [`Kind::ALL`].
    pub fn tokens(&self) -> impl Iterator<Item = (Kind, &str)> {
        Kind::ALL.into_iter().filter_map(|kind| Some((kind, self.token(kind)?)))
    }

    /// Why there is no token, kind by kind.
    pub fn reasons(&self) -> impl Iterator<Item = (Kind, Reason)> {
        Kind::ALL.into_iter().filter_map(|kind| Some((kind, *self.tokens[kind as usize].as_ref().err()?)))
    }
}

/// Seals people: one evaluation for all their inputs.
pub fn seal(people: &[Canonical], evaluate: &mut dyn Evaluate) -> Result<Vec<Person>, EvaluateError> {
    let inputs: Vec<Input> = people.iter().flat_map(|person| person.inputs.iter().flatten().cloned()).collect();
    let mut outputs = evaluate.evaluate(&inputs)?.into_iter();
    let people = people.iter().map(|person| {
        let tokens = Kind::ALL.map(|kind| match &person.inputs[kind as usize] {
            Ok(_) => Ok(token(kind, &outputs.next().expect("an evaluation has an output for each input"))),
            Err(why) => Err(*why),
        });
        Person { tokens }
    });
    Ok(people.collect())
}
