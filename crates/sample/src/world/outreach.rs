//! Outreach: contacts of helplines, and training and awareness activities. Nobody in them is named.

use crate::agency::{Agency, agency};
use crate::codes::{self, Code};

use super::account::{Activity, Contact, Story};
use super::teller::{Known, Teller, body};

impl Teller {
    /// Somebody contacts a helpline, which keeps the month mostly.
    pub(super) fn contact(&mut self, day: i32) -> Story {
        let mut story = self.begin();
        let province = self.province();
        let kind = self.dice.pick(codes::CONTACT_KIND);
        let referred = if matches!(kind, "help" | "child_missing") { 520 } else { 140 };
        story.contacts.push(Contact {
            record: self.record(body("HLP", province)),
            filed: self.file(day, Known::Month, 0),
            kind,
            place: self.place(province),
            referral_made: match self.dice.below(1000) {
                0..15 => codes::UNKNOWN,
                drawn if drawn < 15 + referred => "yes",
                _ => "no",
            },
        });
        story
    }

    /// An activity is held.
    pub(super) fn activity(&mut self, day: i32) -> Story {
        let mut story = self.begin();
        let province = self.province();
        let holder = self.holder(province);
        let province = holder.province.unwrap_or(province);
        let kind = self.dice.pick(codes::ACTIVITY_KIND);
        let (audience, most) = match kind {
            "community_session" | "school_session" => (codes::PUBLIC, 120),
            "campaign" => (codes::PUBLIC, 900),
            _ => (codes::OFFICIALS, 45),
        };
        story.activities.push(Activity {
            record: self.record(holder),
            filed: self.file(day, Known::Nearly, 0),
            kind,
            audience: self.dice.pick(audience),
            place: self.place(province),
            participants: self.dice.mille(900).then(|| i64::from(self.dice.between(8, most))),
        });
        story
    }

    fn holder(&mut self, province: Code) -> &'static Agency {
        match self.dice.pick(codes::HOLDER) {
            "NGO" if self.dice.mille(600) => agency("NGO-SSDO"),
            national @ ("FIA" | "IOM") => agency(national),
            group => body(group, province),
        }
    }
}
