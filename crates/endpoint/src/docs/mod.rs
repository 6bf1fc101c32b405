//! The documentation at `/docs`: guides, runbooks and the methodology as they are written in `docs/`, and a reference made from the
//! program itself. Plain pages without scripts, carried in the program.
//!
//! Guarantees: a link of a page leads to a page and a heading that are there (tested); what is not carried is named and not linked.
//! Absent: anything that depends on who reads, or on an edition.

mod markdown;
mod reference;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use crate::bodies::{Freshness, Shared, Whole};
use crate::negotiate::Format;
use crate::pages::POLICY;
use crate::problem::{Kind, Problem};
use crate::request::Segment;
use crate::{Door, pages};
pub(crate) use markdown::escaped;

mod carried {
    include!(concat!(env!("OUT_DIR"), "/docs.rs"));
}

/// The address of the first page.
const ROOT: &str = "/docs";
/// The page that it shows.
const INDEX: &str = "guides/README";
/// What pages look like, with the dashboard's font for Urdu.
static STYLE: LazyLock<String> = LazyLock::new(|| {
    let face = |(weight, name): (u32, String)| {
        format!(
            "@font-face {{ font-family: Naskh; src: url(/{name}) format(\"woff2\"); font-weight: {weight}; font-display: swap; \
             unicode-range: U+0600-06FF, U+200C-200F, U+FB50-FDFF, U+FE70-FEFF; }}\n"
        )
    };
    let fonts =
        [400, 700].into_iter().filter_map(|weight| Some((weight, pages::named(&format!("assets/naskh-{weight}"))?)));
    fonts.map(face).chain([include_str!("style.css").to_owned()]).collect()
});

/// A page of the reference that another part of the program writes: of the settings and commands, which this one does not know.
#[derive(Debug, Clone)]
pub struct ReferencePage {
    /// The last part of its address: small letters.
    pub name: &'static str,
    /// Its text: CommonMark, beginning with a heading.
    pub markdown: String,
}

/// Every path template of the documentation.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<Arc<Door>>)> {
    vec![(ROOT, get(index)), ("/docs/{*page}", get(page))]
}

async fn index(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    shown(&door, INDEX, &asked).await
}

async fn page(State(door): State<Arc<Door>>, Segment(name): Segment, asked: HeaderMap) -> Result<Response, Problem> {
    if name == style_name() {
        return Ok(style());
    }
    shown(&door, name.trim_end_matches('/'), &asked).await
}

async fn shown(door: &Arc<Door>, name: &str, asked: &HeaderMap) -> Result<Response, Problem> {
    let Some(page) = door.docs.pages.get(name) else {
        if pages::wanted(asked) {
            return Ok(pages::shell(asked, StatusCode::NOT_FOUND));
        }
        return Err(Problem::new(Kind::NotFound, "The documentation has no such page.", "GET /docs lists them."));
    };
    let html = page.clone();
    let shared =
        Shared::of(None, &format!("{ROOT}/{name}"), Format::Html, Freshness::Ask).defined(door.settings.defined_at);
    let mut response = door.bodies.answer(asked, shared, move || Ok(Whole::from(html.into_bytes()))).await?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}

/// A plain page that stands by itself, in the same style. `head` and `body` are HTML.
pub(crate) fn bare(title: &str, head: &str, body: &str) -> String {
    let style = style_name();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · Amanat</title>\n{head}\n\
         <link rel=\"stylesheet\" href=\"{ROOT}/{style}\">\n</head>\n<body>\n<header><a href=\"/\">Amanat</a></header>\n\
         <main id=\"content\">\n{body}\n</main>\n</body>\n</html>\n"
    )
}

/// The style sheet has its hash in its name and never changes.
fn style_name() -> String {
    format!("style-{}.css", &blake3::hash(STYLE.as_bytes()).to_hex()[..12])
}

fn style() -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    let kept = (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    ([kind, kept], STYLE.as_str()).into_response()
}

/// All pages, written out.
pub(crate) struct Docs {
    /// By their name below `/docs/`.
    pages: BTreeMap<String, String>,
}

/// A page before it is written out.
struct Source {
    name: String,
    title: String,
    markdown: String,
}

impl Docs {
    /// The pages for a catalogue, with those that other parts of the program wrote.
    pub(crate) fn new(reader: &query::Reader, written: &[ReferencePage]) -> Self {
        let texts = carried::FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let written = written.iter().map(|page| (format!("reference/{}", page.name), page.markdown.clone()));
        let own = reference::pages(reader).into_iter().map(|(name, text)| (format!("reference/{name}"), text));
        let sources: Vec<Source> = texts.chain(own).chain(written).map(Source::from).collect();
        let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        let pages = sources.iter().map(|source| (source.name.clone(), source.page(&sources, &known))).collect();
        Self { pages }
    }
}

impl From<(String, String)> for Source {
    fn from((name, markdown): (String, String)) -> Self {
        let title = markdown.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(&name).to_owned();
        Self { name, title, markdown }
    }
}

/// The parts of the list of pages, by what names begin with.
const PARTS: [(&str, &str); 4] = [
    ("guides/", "Guides"),
    ("reference/", "Reference"),
    ("", "About the numbers"),
    ("runbooks/", "When something is wrong"),
];

impl Source {
    fn page(&self, all: &[Self], known: &[&str]) -> String {
        let (lang, dir) = if self.name.rsplit_once('.').is_some_and(|(_, language)| language == "ur") {
            ("ur", "rtl")
        } else {
            ("en", "ltr")
        };
        let title = markdown::escaped(&markdown::plain(&self.title));
        let body = markdown::html(&self.markdown, &self.name, known);
        let (list, style) = (self.list(all), style_name());
        format!(
            "<!doctype html>\n<html lang=\"{lang}\" dir=\"{dir}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · Amanat</title>\n\
             <link rel=\"stylesheet\" href=\"{ROOT}/{style}\">\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#content\">To the text</a>\n\
             <header lang=\"en\" dir=\"ltr\"><a href=\"/\">Amanat</a> <a href=\"{ROOT}\">Documentation</a></header>\n\
             <nav lang=\"en\" dir=\"ltr\" aria-label=\"Pages of the documentation\">{list}</nav>\n\
             <main id=\"content\" tabindex=\"-1\">\n{body}</main>\n</body>\n</html>\n"
        )
    }

    /// The list of pages; the one that is open is marked.
    fn list(&self, all: &[Self]) -> String {
        let mut out = String::new();
        for (begins, part) in PARTS {
            let is_here = |source: &&Self| match begins {
                "" => !source.name.contains('/'),
                begins => source.name.starts_with(begins) && source.name != INDEX,
            };
            let is_open = begins != "runbooks/" || self.name.starts_with(begins);
            let _ = write!(out, "<details{}><summary>{part}</summary><ul>", if is_open { " open" } else { "" });
            for source in all.iter().filter(is_here) {
                let current = if source.name == self.name { " aria-current=\"page\"" } else { "" };
                let title = markdown::escaped(&markdown::plain(&source.title));
                let _ = write!(out, "<li><a href=\"{ROOT}/{}\"{current}>{title}</a></li>", source.name);
            }
            out.push_str("</ul></details>");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn written() -> BTreeMap<String, String> {
        let sources: Vec<Source> =
            carried::FILES.iter().map(|(name, text)| Source::from(((*name).to_owned(), (*text).to_owned()))).collect();
        let own = OWN.map(|name| format!("reference/{name}"));
        let known: Vec<&str> =
            sources.iter().map(|source| source.name.as_str()).chain(own.iter().map(String::as_str)).collect();
        sources.iter().map(|source| (source.name.clone(), source.page(&sources, &known))).collect()
    }

    /// The pages that are made while the program runs.
    const OWN: [&str; 8] =
        ["api", "code-lists", "commands", "functions", "indicators", "problems", "settings", "who-may-ask-what"];

    /// What stands behind each `name="`.
    fn values<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
        page.split(&format!(" {name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn every_link_of_a_page_leads_to_a_page_and_a_heading_that_are_there() {
        let pages = written();
        let mut wrong = Vec::new();
        for (name, page) in &pages {
            for href in
                values(page, "href").into_iter().filter(|href| href.starts_with("/docs/") || href.starts_with('#'))
            {
                let (path, anchor) = href.split_once('#').unwrap_or((href, ""));
                let to = if path.is_empty() { name.as_str() } else { path.trim_start_matches("/docs/") };
                let is_made = to.starts_with("style-") || OWN.iter().any(|name| to == format!("reference/{name}"));
                let Some(target) = pages.get(to) else {
                    if !is_made {
                        wrong.push(format!("{name}: {href}"));
                    }
                    continue;
                };
                if !anchor.is_empty() && !values(target, "id").contains(&anchor) {
                    wrong.push(format!("{name}: {href}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_relative_link_of_a_text_leads_to_a_file_of_the_project() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut wrong = BTreeSet::new();
        for (name, text) in carried::FILES {
            let folder = root.join(markdown::file_of(name)).parent().unwrap().to_owned();
            for target in markdown::links(text)
                .into_iter()
                .filter(|target| !target.contains(':') && !target.starts_with(['/', '#']))
            {
                let path = target.split('#').next().unwrap_or_default();
                if !folder.join(path).exists() {
                    wrong.insert(format!("{name}: {target}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_guide_is_found_from_the_first_page() {
        let pages = written();
        // In its text, not in the list beside it.
        let (_, text) = pages[INDEX].split_once("<main").unwrap();
        let first = values(text, "href").into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
        for name in pages.keys().filter(|name| name.starts_with("guides/") && *name != INDEX) {
            assert!(first.contains(&format!("/docs/{name}")), "{name}");
        }
    }
}
