//! What a client of either kind hears from librdkafka: its log lines and its errors, kept quiet and kept at hand.

use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

/// Receives what librdkafka says. The last reason is kept, so that an error can say "Connection refused" and not only
/// "timed out".
#[derive(Default)]
pub struct Ear {
    last_reason: Mutex<Option<String>>,
}

impl Ear {
    /// What was last said to be wrong.
    pub fn reason(&self) -> Option<String> {
        self.last_reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Debug throughout: librdkafka warns at every attempt to reach a broker that is away.
        tracing::debug!(target: "librdkafka", ?level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
        *self.last_reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_string());
    }
}

impl ConsumerContext for Ear {}
