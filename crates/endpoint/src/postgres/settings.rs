//! What a session may set, and what it is told: as far as clients need it to feel at home.
//!
//! Three settings do something: `statement_timeout`, `amanat.companions` and what is only shown. The others are kept and
//! shown again, because clients set them and expect no error; nothing here changes what is answered. A setting that
//! would have to do something and does not (an encoding, say) is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use super::errors::Failed;

/// Version that clients are told: those of psql 15 print no warning, and nothing newer is asked for.
pub(super) const SERVER_VERSION: &str = concat!("15.0 (Amanat ", env!("CARGO_PKG_VERSION"), ")");

/// Settings that a client is told of when they change (PostgreSQL documentation, 55.2.7).
const REPORTED: [&str; 6] =
    ["application_name", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "standard_conforming_strings"];

/// Settings of a session that has set nothing.
const DEFAULTS: [(&str, &str); 33] = [
    ("amanat.companions", "off"),
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("DateStyle", "ISO, MDY"),
    ("default_tablespace", ""),
    ("default_transaction_deferrable", "off"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("idle_in_transaction_session_timeout", "0"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("IntervalStyle", "postgres"),
    ("is_superuser", "off"),
    ("lc_collate", "C.UTF-8"),
    ("lc_ctype", "C.UTF-8"),
    ("lc_messages", "C.UTF-8"),
    ("lc_monetary", "C.UTF-8"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("row_security", "on"),
    ("search_path", "published, reference, protected"),
    ("server_encoding", "UTF8"),
    ("server_version", SERVER_VERSION),
    ("server_version_num", "150000"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("TimeZone", "UTC"),
    ("transaction_isolation", "repeatable read"),
    ("transaction_read_only", "on"),
];

/// Settings that nobody sets.
const FIXED: [&str; 11] = [
    "in_hot_standby",
    "integer_datetimes",
    "is_superuser",
    "lc_collate",
    "lc_ctype",
    "max_identifier_length",
    "max_index_keys",
    "server_encoding",
    "server_version",
    "server_version_num",
    "session_authorization",
];

/// Settings that a session may have beyond those that there are.
const MOST: usize = 64;
/// The longest name of a setting, bytes: as of any name in PostgreSQL, and its prefix.
const LONGEST_NAME: usize = 128;
/// The longest value of a setting, bytes.
const LONGEST: usize = 1_024;

/// The settings of one session.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// What is set, by its name as it is known, else in lower case.
    set: BTreeMap<String, String>,
    user: String,
}

impl Settings {
    pub(super) fn new(user: &str) -> Self {
        Self { set: BTreeMap::new(), user: user.to_owned() }
    }

    /// The value of a setting; none where there is none of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        if name.eq_ignore_ascii_case("session_authorization") {
            return Some(&self.user);
        }
        let name = known(name);
        let default = || DEFAULTS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        self.set.get(&name).map(String::as_str).or_else(default)
    }

    /// All settings by name.
    pub(super) fn all(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> =
            DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.extend(self.set.clone());
        all.insert("session_authorization".to_owned(), self.user.clone());
        all
    }

    /// Those that a client is told at the beginning.
    pub(super) fn reported(&self) -> impl Iterator<Item = (&'static str, &str)> {
        const FIRST: [&str; 7] = [
            "server_version",
            "server_encoding",
            "integer_datetimes",
            "is_superuser",
            "in_hot_standby",
            "default_transaction_read_only",
            "session_authorization",
        ];
        FIRST.iter().chain(&REPORTED).filter_map(|name| Some((*name, self.get(name)?)))
    }

    /// Sets one; the default where there is no value. Gives its name and value where a client must be told.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<Option<(&'static str, String)>, Failed> {
        if name.len() > LONGEST_NAME {
            return Err(Failed::new("42622", format!("The name of a setting has at most {LONGEST_NAME} bytes.")));
        }
        let name = known(name);
        let Some(value) = value else {
            self.set.remove(&name);
            return Ok(self.report(&name));
        };
        let value = accepted(&name, value, &self.user)?;
        if FIXED.iter().any(|fixed| fixed.eq_ignore_ascii_case(&name)) {
            return Err(Failed::new("55P02", format!("The setting {name} cannot be changed.")));
        }
        if name == "role" {
            return Ok(None);
        }
        if self.set.len() >= MOST && !self.set.contains_key(&name) {
            return Err(
                Failed::new("54000", format!("A session may have {MOST} settings.")).hint("RESET ALL forgets them.")
            );
        }
        self.set.insert(name.clone(), value);
        Ok(self.report(&name))
    }

    /// Forgets all.
    pub(super) fn reset(&mut self) {
        self.set.clear();
    }

    fn report(&self, name: &str) -> Option<(&'static str, String)> {
        let reported = REPORTED.iter().find(|reported| **reported == name)?;
        Some((reported, self.get(name)?.to_owned()))
    }

    /// The longest time of a question that the session wants.
    pub(super) fn time_limit(&self) -> Option<Duration> {
        let millis = millis(self.get("statement_timeout")?)?;
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    /// Whether numbers of protected tables come with their companions.
    pub(super) fn companions(&self) -> bool {
        self.get("amanat.companions").is_some_and(|value| truth(value) == Some(true))
    }
}

/// The name of a setting as it is known.
fn known(name: &str) -> String {
    let known = DEFAULTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map_or_else(|| name.to_lowercase(), |(known, _)| (*known).to_owned())
}

/// The value as it is kept, if it is one that holds here.
fn accepted(name: &str, value: &str, user: &str) -> Result<String, Failed> {
    let refused = |hint: &str| {
        let shown: String = value.chars().take(40).collect();
        Err(Failed::new("22023", format!("{name} cannot be \"{shown}\" here.")).hint(hint))
    };
    if value.len() > LONGEST {
        return refused("It is too long.");
    }
    // Some drivers send the quotes as well.
    let value = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).unwrap_or(value);
    match name {
        "client_encoding" if !["utf8", "unicode"].contains(&value.to_lowercase().replace(['-', '_'], "").as_str()) => {
            refused("All texts are UTF8.")
        }
        "client_encoding" => Ok("UTF8".to_owned()),
        "standard_conforming_strings" if truth(value) != Some(true) => refused("It is always on."),
        "DateStyle" if !value.to_lowercase().contains("iso") => refused("Dates are written as ISO 8601."),
        "statement_timeout" if millis(value).is_none() => refused("Write milliseconds, or '5s', '1min'."),
        "amanat.companions" if truth(value).is_none() => refused("on or off."),
        "role" if !["none", "default", user].contains(&value) => {
            Err(Failed::new("42501", "A session keeps the user that it began with.").hint("Connect as another user."))
        }
        name if name.starts_with("amanat.") && name != "amanat.companions" => {
            Err(Failed::new("42704", format!("There is no setting {name}.")).hint("amanat.companions is one."))
        }
        _ => Ok(value.to_owned()),
    }
}

fn truth(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A time as settings have it: a number of milliseconds, or with `us`, `ms`, `s`, `min`, `h`, `d`.
fn millis(value: &str) -> Option<u64> {
    let value = value.trim();
    let unit = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let number: u64 = value[..unit].parse().ok()?;
    let factor = match value[unit..].trim() {
        "" | "ms" => 1,
        "us" => return Some(number.div_ceil(1000)),
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_kept_shown_and_forgotten_whatever_its_case() {
        let mut settings = Settings::new("analyst");
        assert_eq!(settings.get("timezone"), Some("UTC"));
        let told = settings.set("TIMEZONE", Some("Asia/Karachi")).expect("a zone");
        assert_eq!(told, Some(("TimeZone", "Asia/Karachi".to_owned())));
        assert_eq!(settings.get("TimeZone"), Some("Asia/Karachi"));
        settings.set("TimeZone", None).expect("the default");
        assert_eq!(settings.get("timezone"), Some("UTC"));
        assert_eq!(settings.get("no_such_setting"), None);
        settings.set("jit", Some("off")).expect("what clients set");
        settings.reset();
        assert_eq!(settings.get("jit"), None);
    }

    #[test]
    fn what_would_have_to_do_something_and_cannot_is_refused() {
        let mut settings = Settings::new("analyst");
        for (name, value) in [
            ("client_encoding", "LATIN1"),
            ("standard_conforming_strings", "off"),
            ("datestyle", "German"),
            ("statement_timeout", "soon"),
            ("amanat.companions", "perhaps"),
            ("amanat.companion", "on"),
            ("server_version", "99"),
            ("role", "postgres"),
            ("session_authorization", "postgres"),
        ] {
            assert!(settings.set(name, Some(value)).is_err(), "{name} = {value}");
        }
        for utf8 in ["utf-8", "UTF8", "'utf-8'", "UNICODE"] {
            settings.set("client_encoding", Some(utf8)).expect(utf8);
        }
        settings.set("role", Some("none")).expect("none");
    }

    #[test]
    fn times_have_units() {
        let mut settings = Settings::new("analyst");
        assert_eq!(settings.time_limit(), None);
        for (value, limit) in [("250", 250), ("5s", 5_000), ("2 min", 120_000), ("1us", 1)] {
            settings.set("statement_timeout", Some(value)).expect("a time");
            assert_eq!(settings.time_limit(), Some(Duration::from_millis(limit)), "{value}");
        }
    }

    #[test]
    fn settings_of_a_session_are_bounded() {
        let mut settings = Settings::new("analyst");
        let set = (0..=MOST).map(|n| settings.set(&format!("x.n{n}"), Some("1")).is_ok());
        assert_eq!(set.filter(|ok| *ok).count(), MOST);
        assert!(settings.set("jit", Some(&"x".repeat(LONGEST + 1))).is_err());
        settings.reset();
        assert!(settings.set(&"x".repeat(LONGEST_NAME + 1), Some("1")).is_err());
    }
}
