//! How an answer is cited, by whose licence it is used, and how its numbers were made: in each answer.

use axum::http::{HeaderName, HeaderValue, header};
use query::{EditionMeta, IndicatorMeta, Selection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Settings;

/// Address of the methodology; the same text for all editions of its version.
pub(crate) const METHODOLOGY: &str = "/v1/methodology";

/// How to cite an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Citation {
    /// What to write below a number.
    pub(crate) text: String,
    /// Address of this very answer: it names the edition, so that it stays the same.
    pub(crate) href: String,
    /// Address of the methodology.
    pub(crate) methodology: String,
    /// Licence of the numbers.
    pub(crate) licence: String,
}

/// An address of this service: whole where the operator has said under which address it is public.
pub(crate) fn address(settings: &Settings, path: &str) -> String {
    format!("{}{path}", settings.public_url.as_deref().unwrap_or_default().trim_end_matches('/'))
}

/// The path of the rows of a selection in one edition.
pub(crate) fn path_of(selection: &Selection, edition: u32) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in selection.pairs() {
        query.append_pair(name, &value);
    }
    query.append_pair("edition", &edition.to_string());
    format!("/v1/indicators/{}/data?{}", selection.indicator, query.finish())
}

impl Citation {
    /// Of rows of an indicator.
    pub(crate) fn of_rows(
        settings: &Settings,
        meta: &IndicatorMeta,
        selection: &Selection,
        edition: &EditionMeta,
    ) -> Self {
        let path = path_of(selection, edition.edition);
        Self::new(settings, &format!("“{}” ({})", meta.title.en, meta.id), edition, &path)
    }

    /// Of a whole edition.
    pub(crate) fn of_edition(settings: &Settings, edition: &EditionMeta) -> Self {
        let path = format!("/v1/editions/{}", edition.edition);
        Self::new(settings, "all indicators", edition, &path)
    }

    fn new(settings: &Settings, what: &str, edition: &EditionMeta, path: &str) -> Self {
        let href = address(settings, path);
        let day = edition.published_at.get(..10).unwrap_or(&edition.published_at);
        let (number, as_of) = (edition.edition, &edition.as_of);
        let made_up = if edition.synthetic { " SYNTHETIC: nobody in it exists." } else { "" };
        let text = format!("Amanat, {what}, edition {number} of {day}, data as of {as_of}, {href}.{made_up}");
        let methodology = address(settings, METHODOLOGY);
        Self { text, href, methodology, licence: settings.licence.clone() }
    }

    /// The same as headers, for forms that have no place for it (RFC 8574, RFC 8288).
    ///
    /// One header for all: an answer that is given again copies its headers each time, and several of one name cost the most.
    pub(crate) fn links(&self, described_by: &str) -> Option<(HeaderName, HeaderValue)> {
        let targets = [
            (self.href.as_str(), "cite-as"),
            (described_by, "describedby"),
            (&self.methodology, "describedby"),
            (&self.licence, "license"),
        ];
        let links = targets.map(|(target, rel)| format!("<{target}>; rel=\"{rel}\""));
        Some((header::LINK, HeaderValue::from_str(&links.join(", ")).ok()?))
    }
}
