//! From a canonical input to a pseudorandom output: the one step that needs the secret of a domain.
//!
//! Today it is HMAC-SHA-256 under a key that every agency of the domain holds ([`Keyed`]; privacy.md 8.2, RFC 2104). Whoever
//! holds that key can try all names with all days of birth. The oblivious function of two holders that takes its place
//! (privacy.md 8.2) stands behind the same trait: inputs go out blinded in a batch, outputs come back, and nothing else of
//! this crate changes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::identity::Input;
use crate::key::DomainKey;

/// What comes out: 32 bytes that say nothing of the input to whoever has not the secret.
pub type Output = [u8; 32];

/// Evaluates inputs under the secret of one domain and generation.
///
/// Guarantees: `Ok` has one output for each input, in order; the same input gives the same output for ever under the same
/// domain and generation, in whatever batch; an input never leaves the machine in a form from which it can be guessed
/// without the secret.
///
/// Not guaranteed: that it answers (it may be a service of others that is away, or that has a limit), how long it takes,
/// that outputs of two generations have anything in common.
///
/// Failure: all or nothing for a batch; the same batch may be given again.
pub trait Evaluate {
    /// Evaluates a batch.
    fn evaluate(&mut self, inputs: &[Input]) -> Result<Vec<Output>, EvaluateError>;
}

/// Why a batch was not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// Whoever evaluates cannot be reached.
    #[error("whoever evaluates tokens cannot be reached; the same again later goes on")]
    Away,
    /// The agency has asked as often as it may for now.
    #[error("the limit of evaluations is reached; the same again later goes on")]
    Limit,
}

/// HMAC-SHA-256 under the key of a domain.
///
/// The states that follow from the key are kept, so that an evaluation costs two compressions and not four.
pub struct Keyed {
    mac: Hmac<Sha256>,
}

impl Keyed {
    /// Under this key.
    pub fn new(key: &DomainKey) -> Self {
        Self { mac: <Hmac<Sha256> as KeyInit>::new_from_slice(key.secret()).expect("HMAC takes a key of any length") }
    }

    fn output(&self, input: &Input) -> Output {
        let mut mac = self.mac.clone();
        mac.update(input.bytes());
        mac.finalize().into_bytes().into()
    }
}

impl Evaluate for Keyed {
    fn evaluate(&mut self, inputs: &[Input]) -> Result<Vec<Output>, EvaluateError> {
        Ok(inputs.iter().map(|input| self.output(input)).collect())
    }
}
