//! Editions and code lists: what was published when, and what the codes mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use query::{CodeListMeta, EditionMeta};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Door;
use crate::bodies::{Freshness, Shared, Whole};
use crate::kept;
use crate::negotiate::Format;
use crate::package::edition_named;
use crate::problem::{Kind, Problem};
use crate::request::{Pairs, Segment};

/// All editions, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Editions {
    /// Number of the latest; null before the first.
    latest: Option<u32>,
    editions: Vec<Edition>,
}

/// An edition: numbered, immutable.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "a name of the API")]
pub(crate) struct Edition {
    /// Number, from 1.
    edition: u32,
    /// Date up to which reports were counted.
    as_of: String,
    /// When it was published, RFC 3339.
    published_at: String,
    /// True when the store holds synthetic people.
    synthetic: bool,
    /// Version of the methodology.
    methodology: Option<String>,
    /// Hash of the policy files.
    policy_hash: Option<String>,
    /// Hash of the definitions.
    sql_hash: Option<String>,
    /// Its address.
    href: String,
}

impl From<&EditionMeta> for Edition {
    fn from(meta: &EditionMeta) -> Self {
        let EditionMeta {
            edition,
            as_of,
            published_at,
            synthetic,
            methodology,
            policy_hash,
            sql_hash,
            embargo_until: _,
        } = meta.clone();
        let href = format!("/v1/editions/{edition}");
        Self { edition, as_of, published_at, synthetic, methodology, policy_hash, sql_hash, href }
    }
}

/// The editions of this service.
#[utoipa::path(get, path = "/v1/editions", tag = "editions",
    responses((status = 200, description = "The editions, oldest first", body = Editions), (status = 304, description = "Nothing new")))]
pub(crate) async fn editions(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    let current = door.reader.current();
    let shared = Shared::of(current.latest(), "/v1/editions", Format::Json, Freshness::Minute);
    let make = move || {
        Whole::json(&Editions {
            latest: current.latest().map(|e| e.edition),
            editions: current.editions().map(Edition::from).collect(),
        })
    };
    door.bodies.answer(&asked, shared, make).await
}

/// One edition.
#[utoipa::path(get, path = "/v1/editions/{number}", tag = "editions",
    params(("number" = String, Path, description = "Number of the edition, or latest", example = "1")),
    responses((status = 200, description = "The edition", body = Edition), (status = 304, description = "Nothing new")))]
pub(crate) async fn edition(
    State(door): State<Arc<Door>>,
    Segment(number): Segment,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let current = door.reader.current();
    let meta = edition_named(&current, &number)?;
    let shared = Shared::of(Some(&meta), "/v1/editions/one", Format::Json, Freshness::Ask);
    door.bodies.answer(&asked, shared, move || Whole::json(&Edition::from(&meta))).await
}

/// The code lists.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeLists {
    code_lists: Vec<CodeListBrief>,
}

/// A code list without its codes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeListBrief {
    name: String,
    version: String,
    /// Where the codes come from.
    source: String,
    /// True while the list awaits an official source.
    provisional: bool,
    /// Number of codes.
    codes: usize,
    /// Its address.
    href: String,
}

/// A code list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeList {
    pub(crate) name: String,
    version: String,
    /// Where the codes come from.
    source: String,
    /// True while the list awaits an official source.
    provisional: bool,
    /// The day asked about; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    /// The edition by which the codes are those of the day; absent where no day was asked about, and before the first
    /// edition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) edition: Option<u32>,
    /// The codes in their official order.
    pub(crate) codes: Vec<Code>,
}

impl From<CodeListMeta> for CodeList {
    fn from(list: CodeListMeta) -> Self {
        let code = |c: query::CodeEntry| {
            let query::CodeEntry { code, en, ur, parent, attributes } = c;
            Code { code, en, ur, parent, valid_from: None, valid_to: None, replaced_by: None, attributes }
        };
        let CodeListMeta { name, version, source, provisional, codes } = list;
        let codes = codes.into_iter().map(code).collect();
        Self { name, version, source, provisional, at: None, edition: None, codes }
    }
}

/// A code with its labels and roll-ups.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "a name of the API")]
pub(crate) struct Code {
    /// Exactly as it stands in the data.
    pub(crate) code: String,
    /// English label.
    pub(crate) en: String,
    /// Urdu label.
    pub(crate) ur: String,
    /// The code above it in the same list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<String>,
    /// Of a list of a day: the first day on which the code is so; absent where it was so before every date that is
    /// counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_from: Option<String>,
    /// Of a list of a day: the last day on which the code is so; absent while it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_to: Option<String>,
    /// Of a list of a day: the code that is used since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replaced_by: Option<String>,
    /// Roll-ups and other attributes by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) attributes: BTreeMap<String, String>,
}

/// The code lists of this service.
#[utoipa::path(get, path = "/v1/code-lists", tag = "code lists",
    responses((status = 200, description = "The code lists", body = CodeLists), (status = 304, description = "Nothing new")))]
pub(crate) async fn code_lists(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    // Lists do not depend on an edition.
    let shared = Shared::of(None, "/v1/code-lists", Format::Json, Freshness::Ask);
    let reader = door.reader.clone();
    let make = move || {
        let brief = |list: &CodeListMeta| CodeListBrief {
            name: list.name.clone(),
            version: list.version.clone(),
            source: list.source.clone(),
            provisional: list.provisional,
            codes: list.codes.len(),
            href: format!("/v1/code-lists/{}", list.name),
        };
        Whole::json(&CodeLists { code_lists: reader.catalogue().code_lists.iter().map(brief).collect() })
    };
    door.bodies.answer(&asked, shared, make).await
}

/// One code list with its codes in English and Urdu, or those of a day as the latest edition knows them.
#[utoipa::path(get, path = "/v1/code-lists/{name}", tag = "code lists",
    params(("name" = String, Path, description = "Name of the list, without regard to case", example = "province"),
        ("at" = Option<String>, Query, description = "A day, YYYY-MM-DD: the codes that are valid on it, as they are called on it", example = "2018-01-01")),
    responses((status = 200, description = "The code list", body = CodeList), (status = 304, description = "Nothing new")))]
pub(crate) async fn code_list(
    State(door): State<Arc<Door>>,
    Segment(name): Segment,
    mut pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let catalogue = door.reader.catalogue();
    let list = catalogue.code_list(&name).cloned().ok_or_else(|| {
        let names: Vec<&str> = catalogue.code_lists.iter().map(|l| l.name.as_str()).collect();
        let hint = format!("A code list is one of {}.", names.join(", "));
        Problem::new(Kind::UnknownCodeList, "There is no code list of that name.", hint)
    })?;
    let address = format!("/v1/code-lists/{}", list.name);
    let Some(at) = kept::asked_day(&mut pairs)? else {
        let shared = Shared::of(None, &address, Format::Json, Freshness::Ask);
        return door.bodies.answer(&asked, shared, move || Whole::json(&CodeList::from(list))).await;
    };
    let current = door.reader.current();
    let shared = Shared::of(current.latest(), &format!("{address}?at={at}"), Format::Json, Freshness::Minute);
    let make = move || {
        let known = current.reference("codes").map(|table| &table.rows);
        Whole::json(&CodeList::from(list).on(at, known, current.latest().map(|edition| edition.edition)))
    };
    door.bodies.answer(&asked, shared, make).await
}
