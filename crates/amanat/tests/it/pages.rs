//! The pages of the codes through the real door: what one shows as refused is refused with its code, and what it shows
//! instead is answered.

use serde_json::Value;

use crate::door::{House, Reply};
use crate::program::get;

const SPENT: &str = "PRIV-1020";
/// Levels by which a secret can be asked for: more than one role's share pays for.
const LEVELS: [&str; 7] = ["sex", "age_group", "scope", "referral_source", "citizenship_region", "isic", "age_band"];

impl House {
    /// What the service says at a path.
    fn page(&self, path: &str) -> Value {
        let (status, body) = get(self.address, path, "").unwrap();
        assert_eq!(status, 200, "{path}");
        serde_json::from_str(&body).unwrap()
    }

    /// The key of the role with the least to spend.
    fn poor(&self) -> &str {
        &self.keys[2]
    }

    fn spend_what_the_poor_may_ask(&self) {
        let refused = LEVELS.iter().any(|level| {
            let by = format!("recruiter_relation, {level}");
            let sql = format!("select {by}, count(*) from victims where year = 2024 group by {by}");
            let reply = self.ask_with(self.poor(), &sql);
            reply.status != 200 && reply.problem() == SPENT
        });
        assert!(refused, "a share has an end");
    }
}

/// Whether an answer has a number or a text of the data in it.
fn shows_something(reply: &Reply) -> bool {
    let json = reply.json();
    let mut rows = json["rows"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
    rows.any(|value| !value.is_null())
}

#[test]
fn what_a_page_shows_as_refused_is_refused_with_its_code_and_what_it_shows_instead_is_answered() {
    let house = House::open();
    let (mut codes, mut wrong) = (0, Vec::new());
    for listed in house.page("/problems").as_array().unwrap() {
        let code = listed["code"].as_str().unwrap();
        let page = house.page(&format!("/problems/{code}"));
        assert_eq!(page, *listed, "the page says what the list says");
        if !code.starts_with("PRIV-") {
            continue;
        }
        codes += 1;
        assert!(page["meaning"].is_string() && page["advice"].is_string(), "{page}");
        let rewrites = page["rewrites"].as_array().cloned().unwrap_or_default();
        assert_eq!(rewrites.is_empty(), code == "PRIV-5000", "{page}");
        if code == SPENT {
            house.spend_what_the_poor_may_ask();
        }
        let key = if code == SPENT { house.poor() } else { &house.keys[0] };
        for rewrite in rewrites {
            let [refused, instead] = ["refused", "instead"].map(|of| rewrite[of].as_str().unwrap().to_owned());
            let reply = house.ask_with(key, &refused);
            if reply.status == 200 || reply.problem() != code {
                wrong.push(format!("{code}: {refused}\n{reply:?}"));
            }
            let reply = house.ask_with(key, &instead);
            if reply.status != 200 || !shows_something(&reply) {
                wrong.push(format!("{code}: {instead}\n{reply:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(codes, 19, "each code of a question about protected tables has its page");
    house.close();
}
