//! Labour: inspections, most of which find nothing; some lead to persons found.

use crate::codes::{self, Codes};

use super::account::{Inspection, Story};
use super::teller::{Known, Teller, body};

impl Teller {
    /// A workplace is inspected by the labour department of its province.
    pub(super) fn inspection(&mut self, day: i32) -> Story {
        let mut story = self.begin();
        let province = self.province();
        let inspector = body("LAB", province);
        let province = inspector.province.unwrap_or(province);
        let kind = self.dice.pick(codes::INSPECTION_KIND);
        let outcomes = self.outcomes(kind);
        let released = outcomes.contains(&"bonded_labour_found").then(|| i64::from(self.dice.between(1, 18)));
        let children = outcomes.contains(&"child_labour_found").then(|| i64::from(self.dice.between(1, 9)));
        story.inspections.push(Inspection {
            record: self.record(inspector),
            filed: self.file(day, Known::Perhaps, 0),
            place: self.place(province),
            sector: self.dice.pick(codes::INSPECTED),
            kind,
            outcomes,
            workers: self.dice.mille(850).then(|| i64::from(self.dice.between(3, 140))),
            children: children.or_else(|| self.dice.mille(300).then_some(0)),
            released,
        });
        story
    }

    fn outcomes(&mut self, kind: &str) -> Codes {
        let found = match kind {
            "child" => (150, 20),
            "bonded" => (40, 130),
            _ => (30, 20),
        };
        let mut outcomes = Codes::new();
        if self.dice.mille(found.0) {
            outcomes.push("child_labour_found");
        }
        if self.dice.mille(found.1) {
            outcomes.push("bonded_labour_found");
        }
        if self.dice.mille(180) || (!outcomes.is_empty() && self.dice.mille(600)) {
            outcomes.push("violation_noted");
        }
        if !outcomes.is_empty() && self.dice.mille(300) {
            outcomes.push("prosecution_recommended");
        }
        if outcomes.is_empty() {
            outcomes.push(if self.dice.mille(15) { "_X" } else { "no_violation" });
        }
        outcomes
    }
}
