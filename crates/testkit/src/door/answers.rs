//! Whether an answer to something bad is the right one: its status, a code, a sentence with place and remedy, and nothing of what was sent.

use serde_json::Value;

use super::http::Answer;

/// Texts of the input that must never be quoted begin so.
pub const MARK: &str = "zq7secret";

/// What must be answered.
#[derive(Debug, Clone, Copy)]
pub struct Want {
    /// Status.
    pub status: u16,
    /// Code of the request's problem; empty where the listener answers before there is a request, or nothing is refused whole.
    pub code: &'static str,
    /// Code of the first line's problem; empty where none is named.
    pub line: &'static str,
    /// How the place of that line's first mistake begins.
    pub place: &'static str,
}

impl Want {
    /// The request is refused whole, by this code.
    pub const fn request(status: u16, code: &'static str) -> Self {
        Self { status, code, line: "", place: "" }
    }

    /// Every line of it is refused, the first by this code at this place.
    pub const fn line(status: u16, line: &'static str, place: &'static str) -> Self {
        Self { status, code: "not_accepted", line, place }
    }

    /// What is wrong with an answer; `None` where nothing is.
    pub fn objects(&self, answer: &Answer) -> Option<String> {
        let (text, body) = (String::from_utf8_lossy(&answer.body).to_lowercase(), answer.json());
        if answer.status != self.status {
            return Some(format!("status {} and not {}: {}", answer.status, self.status, cut(&text)));
        }
        if text.contains(MARK) || answer.head.contains(MARK) {
            return Some("the answer quotes what was sent".to_owned());
        }
        let said = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        if !self.code.is_empty() {
            let whole = ["type", "title", "detail", "code", "hint"].iter().all(|member| said(&body[*member]));
            if !whole || body["code"] != self.code || !answer.head.contains("application/problem+json") {
                return Some(format!("no problem {} with its sentence and remedy: {}", self.code, cut(&text)));
            }
        }
        if self.status == 429 && !answer.head.contains("retry-after") {
            return Some("no time after which to come again".to_owned());
        }
        (!self.line.is_empty()).then(|| self.objects_to_line(&body)).flatten()
    }

    fn objects_to_line(&self, body: &Value) -> Option<String> {
        let mut results = body["results"].as_array().into_iter().flatten();
        let Some(refused) = results.find(|result| result["status"] != 202) else {
            return Some("no line is named".to_owned());
        };
        let (problem, mistake) = (&refused["problem"], &refused["problem"]["mistakes"][0]);
        let text = |name: &str| mistake[name].as_str().unwrap_or_default();
        let right = problem["code"] == self.line && !text("place").is_empty() && !text("expected").is_empty();
        let wrong = !right || !text("place").starts_with(self.place);
        wrong.then(|| format!("not {} at {}: {}", self.line, self.place, cut(&problem.to_string())))
    }
}

fn cut(text: &str) -> String {
    text.chars().take(400).collect()
}
