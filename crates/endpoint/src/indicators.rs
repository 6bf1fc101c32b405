//! The indicator API: what there is, what each says, and the rows of an edition.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use query::selection::Available;
use query::{Catalogue, Dimension, EditionMeta, IndicatorMeta, Selection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Door;
use crate::bodies::{Freshness, Shared, Whole};
use crate::citation::{Citation, METHODOLOGY};
use crate::labels;
use crate::negotiate::Format;
use crate::problem::Problem;
use crate::request::Segment;

/// A text in the two languages of the product.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Text {
    pub(crate) en: String,
    pub(crate) ur: String,
}

impl Text {
    fn new(en: &str, ur: &str) -> Self {
        Self { en: en.to_owned(), ur: ur.to_owned() }
    }
}

impl From<&query::Text> for Text {
    fn from(text: &query::Text) -> Self {
        Self::new(&text.en, &text.ur)
    }
}

/// The indicators.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "a name of the API")]
pub(crate) struct Indicators {
    /// The latest edition; null before the first.
    edition: Option<u32>,
    /// True when the store holds synthetic people; null before the first edition.
    synthetic: Option<bool>,
    indicators: Vec<Indicator>,
}

/// An indicator in the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Indicator {
    /// Stable id.
    id: String,
    title: Text,
    description: Text,
    /// What one unit of the value is: `person`, `case`, `per_100000`, `share`.
    unit: String,
    /// Names of its dimensions, which are its filters.
    dimensions: Vec<String>,
    links: Links,
}

/// Where an indicator is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Links {
    #[serde(rename = "self")]
    #[schema(rename = "self")]
    this: String,
    data: String,
    csv: String,
    /// Each value in each edition.
    revisions: String,
    /// Data Package with the rows and what their columns mean.
    datapackage: String,
    /// The same as an SDMX dataflow.
    sdmx: String,
    /// How the numbers are made.
    methodology: &'static str,
}

/// The definition of an indicator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Definition {
    #[serde(flatten)]
    #[schema(inline)]
    brief: Brief,
    dimensions: Vec<DimensionView>,
    /// What it measures, as named in the column `measure` of the latest edition.
    measures: Vec<String>,
    /// Its periods in the latest edition: years, quarters, `_X` where the time is unknown.
    periods: Vec<String>,
    /// Rows in the latest edition.
    row_count: usize,
    /// The latest edition; null before the first.
    edition: Option<u32>,
    /// True when the store holds synthetic people; null before the first edition.
    synthetic: Option<bool>,
    legend: Legend,
    links: Links,
    /// How to cite its rows in the latest edition; null before the first.
    citation: Option<Citation>,
}

/// What an indicator says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Brief {
    /// Stable id.
    id: String,
    title: Text,
    /// What it shows and what it does not.
    description: Text,
    /// What one unit of the value is: `person`, `case`, `per_100000`, `share`.
    unit: String,
    /// How double counting is avoided.
    counting_rule: Text,
    /// The date that places a unit in a period.
    time_basis: Text,
    /// Agency groups whose records enter.
    agencies: Vec<String>,
    /// Standards that it follows.
    standard: Vec<String>,
    /// `std`, `sens` or `high`.
    sensitivity: String,
    /// First edition or date that published it.
    since: String,
}

/// A dimension and its codes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DimensionView {
    /// Name of the column and of the filter.
    name: String,
    title: Text,
    /// Address of its code list.
    #[serde(skip_serializing_if = "Option::is_none")]
    code_list: Option<String>,
    /// Its codes; beside them `_T` total, `_Z` not applicable, `_X` unknown.
    codes: Vec<Coded>,
}

/// A code with its labels.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Coded {
    code: String,
    #[serde(flatten)]
    #[schema(inline)]
    label: Text,
}

/// How to read the values.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Legend {
    note: Text,
    obs_status: Vec<Coded>,
    conf_status: Vec<Coded>,
    common_codes: Vec<Coded>,
}

impl Legend {
    /// Codes of SDMX (`CL_OBS_STATUS`, `CL_CONF_STATUS`); privacy.md 6.14. One public code for all suppression.
    fn new() -> Self {
        let coded = |(code, en, ur): (&str, &str, &str)| Coded { code: code.to_owned(), label: Text::new(en, ur) };
        let note = Text::new(
            "lo95 and hi95 are the 95 % interval of the protection's noise; where both equal the value, it is exact. \
             Numbers about persons are protected: numbers under 34 are marked U, cells of about 11 people or fewer are \
             not shown, totals may differ from sums.",
            "lo95 اور hi95 تحفظ کے شور کا 95 فیصد وقفہ ہیں؛ جہاں دونوں قدر کے برابر ہوں وہاں عدد قطعی ہے۔ افراد کے اعداد محفوظ کیے \
             گئے ہیں: 34 سے کم اعداد پر U کا نشان ہے، تقریباً 11 یا کم افراد والے خانے نہیں دکھائے جاتے، کل اور مجموعے میں فرق ہو سکتا ہے۔",
        );
        Self {
            note,
            obs_status: labels::OBS_STATUS.map(coded).into(),
            conf_status: labels::CONF_STATUS.map(coded).into(),
            common_codes: labels::COMMON.map(coded).into(),
        }
    }
}

/// The indicators of this service.
#[utoipa::path(get, path = "/v1/indicators", tag = "indicators",
    responses((status = 200, description = "The indicators", body = Indicators), (status = 304, description = "Nothing new")))]
pub(crate) async fn list(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    let current = door.reader.current();
    let shared = Shared::of(current.latest(), "/v1/indicators", Format::Json, Freshness::Minute)
        .defined(door.settings.defined_at);
    let reader = door.reader.clone();
    let make = move || {
        Whole::json(&Indicators {
            edition: current.latest().map(|e| e.edition),
            synthetic: current.latest().map(|e| e.synthetic),
            indicators: reader.catalogue().indicators.iter().map(brief_of).collect(),
        })
    };
    door.bodies.answer(&asked, shared, make).await
}

/// The definition of an indicator: what is counted, how, on which dimensions, and what its codes mean.
#[utoipa::path(get, path = "/v1/indicators/{id}", tag = "indicators",
    params(("id" = String, Path, description = "Id of the indicator, without regard to case", example = "V01")),
    responses((status = 200, description = "The definition", body = Definition), (status = 304, description = "Nothing new")))]
pub(crate) async fn one(
    State(door): State<Arc<Door>>,
    Segment(id): Segment,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let current = door.reader.current();
    // Says that there is none, with the ids that there are.
    let selection = Selection::new(door.reader.catalogue(), &id, [])?;
    let key = format!("/v1/indicators/{}", selection.indicator);
    let shared = Shared::of(current.latest(), &key, Format::Json, Freshness::Minute).defined(door.settings.defined_at);
    let shared = shared.same_for_all();
    let own = Arc::clone(&door);
    let make = move || {
        let catalogue = own.reader.catalogue();
        let meta = catalogue.indicator(&selection.indicator).ok_or_else(Problem::internal)?;
        let latest = current.latest();
        let citation = latest.map(|edition| Citation::of_rows(&own.settings, meta, &selection, edition));
        Whole::json(&definition(catalogue, meta, latest, current.available(meta)?, citation))
    };
    door.bodies.answer(&asked, shared, make).await
}

fn brief_of(meta: &IndicatorMeta) -> Indicator {
    Indicator {
        id: meta.id.clone(),
        title: (&meta.title).into(),
        description: (&meta.description).into(),
        unit: meta.unit.clone(),
        dimensions: meta.dimensions.iter().map(|d| d.name.clone()).collect(),
        links: links(meta),
    }
}

fn links(meta: &IndicatorMeta) -> Links {
    let this = format!("/v1/indicators/{}", meta.id);
    Links {
        data: format!("{this}/data"),
        csv: format!("{this}/data?format=csv"),
        revisions: format!("{this}/revisions"),
        datapackage: format!("{this}/datapackage.json"),
        sdmx: format!("/sdmx/v2/structure/dataflow/{}/{}/+?references=all", crate::sdmx::AGENCY, meta.id),
        methodology: METHODOLOGY,
        this,
    }
}

pub(crate) fn definition(
    catalogue: &Catalogue,
    meta: &IndicatorMeta,
    latest: Option<&EditionMeta>,
    available: Available,
    citation: Option<Citation>,
) -> Definition {
    Definition {
        brief: Brief {
            id: meta.id.clone(),
            title: (&meta.title).into(),
            description: (&meta.description).into(),
            unit: meta.unit.clone(),
            counting_rule: (&meta.counting_rule).into(),
            time_basis: (&meta.time_basis).into(),
            agencies: meta.agencies.clone(),
            standard: meta.standard.clone(),
            sensitivity: meta.sensitivity.clone(),
            since: meta.since.clone(),
        },
        dimensions: meta.dimensions.iter().map(|d| dimension(catalogue, d)).collect(),
        measures: available.measures,
        periods: available.periods,
        row_count: available.rows,
        edition: latest.map(|e| e.edition),
        synthetic: latest.map(|e| e.synthetic),
        legend: Legend::new(),
        links: links(meta),
        citation,
    }
}

fn dimension(catalogue: &Catalogue, dimension: &Dimension) -> DimensionView {
    let list = dimension.code_list.as_deref().and_then(|name| catalogue.code_list(name));
    let codes = list.into_iter().flat_map(|l| &l.codes);
    DimensionView {
        name: dimension.name.clone(),
        title: (&dimension.title).into(),
        code_list: list.map(|l| format!("/v1/code-lists/{}", l.name)),
        codes: codes.map(|c| Coded { code: c.code.clone(), label: Text::new(&c.en, &c.ur) }).collect(),
    }
}
