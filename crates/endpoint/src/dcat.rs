//! The catalogue of datasets by DCAT 3 (<https://www.w3.org/TR/vocab-dcat-3/>), as JSON-LD: for portals that harvest.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use query::selection::Available;
use query::{EditionMeta, IndicatorMeta};
use serde_json::{Value, json};

use crate::Door;
use crate::bodies::{Freshness, Shared, Whole};
use crate::citation::{METHODOLOGY, address};
use crate::negotiate::Format;
use crate::problem::Problem;
use crate::sdmx;

/// Forms of a dataset: name, media type, title.
const FORMS: [(Format, &str, &str); 7] = [
    (Format::Csv, "https://www.iana.org/assignments/media-types/text/csv", "CSV"),
    (Format::Json, "https://www.iana.org/assignments/media-types/application/json", "JSON"),
    (Format::Parquet, "https://www.iana.org/assignments/media-types/application/vnd.apache.parquet", "Parquet"),
    (Format::Arrow, "https://www.iana.org/assignments/media-types/application/vnd.apache.arrow.stream", "Arrow"),
    (Format::SdmxJson, "https://www.iana.org/assignments/media-types/application/vnd.sdmx.data+json", "SDMX-JSON 2.0"),
    (Format::SdmxCsv, "https://www.iana.org/assignments/media-types/application/vnd.sdmx.data+csv", "SDMX-CSV 2.0"),
    (Format::JsonStat, "https://www.iana.org/assignments/media-types/application/json", "JSON-stat 2.0"),
];

/// The catalogue of datasets.
#[utoipa::path(get, path = "/v1/dcat.jsonld", tag = "indicators",
    responses((status = 200, description = "DCAT 3 as JSON-LD", body = Object, content_type = "application/ld+json"),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn dcat(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    let current = door.reader.current();
    let shared = Shared::of(current.latest(), "/v1/dcat.jsonld", Format::JsonLd, Freshness::Minute)
        .defined(door.settings.defined_at);
    let own = Arc::clone(&door);
    let make = move || {
        let latest = current.latest();
        let mut datasets = Vec::new();
        for meta in &own.reader.catalogue().indicators {
            datasets.push(dataset(&own, meta, latest, &current.available(meta)?));
        }
        Whole::json(&catalogue(&own, latest, datasets))
    };
    door.bodies.answer(&asked, shared, make).await
}

fn catalogue(door: &Door, latest: Option<&EditionMeta>, datasets: Vec<Value>) -> Value {
    let mut catalogue = json!({
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": address(&door.settings, "/v1/dcat.jsonld"),
        "@type": "dcat:Catalog",
        "dct:title": text("National indicators on trafficking in persons", "انسانی سمگلنگ کے قومی اشاریے"),
        "dct:description": text(
            "Published, protected numbers in immutable editions. Nothing here is about one person.",
            "شائع شدہ، محفوظ اعداد، ناقابلِ تبدیل اشاعتوں میں۔ یہاں کچھ بھی کسی ایک فرد کے بارے میں نہیں۔",
        ),
        "dct:publisher": publisher(),
        "dct:license": {"@id": door.settings.licence},
        "dct:language": ["en", "ur"],
        "dcat:dataset": datasets,
        "dcat:service": {
            "@id": address(&door.settings, "/openapi.json"),
            "@type": "dcat:DataService",
            "dct:title": text("Indicator API", "اشاریوں کی API"),
            "dcat:endpointURL": {"@id": address(&door.settings, "/")},
            "dcat:endpointDescription": {"@id": address(&door.settings, "/openapi.json")},
        },
    });
    if let Some(edition) = latest {
        catalogue["dct:modified"] = moment(edition);
    }
    catalogue
}

fn dataset(door: &Door, meta: &IndicatorMeta, latest: Option<&EditionMeta>, available: &Available) -> Value {
    let own = address(&door.settings, &format!("/v1/indicators/{}", meta.id));
    let structure = format!("/sdmx/v2/structure/datastructure/{}/DSD_{}/+?references=all", sdmx::AGENCY, meta.id);
    let mut dataset = json!({
        "@id": own,
        "@type": "dcat:Dataset",
        "dct:identifier": meta.id,
        "dct:title": text(&meta.title.en, &meta.title.ur),
        "dct:description": text(&meta.description.en, &meta.description.ur),
        "dct:publisher": publisher(),
        "dct:license": {"@id": door.settings.licence},
        "dct:conformsTo": {"@id": address(&door.settings, &structure)},
        "dcat:keyword": meta.standard,
        "dcat:landingPage": {"@id": own},
        "dct:isReferencedBy": {"@id": address(&door.settings, METHODOLOGY)},
        "dcat:distribution": FORMS.map(|form| distribution(door, meta, form)),
    });
    if let Some(edition) = latest {
        dataset["dct:modified"] = moment(edition);
        dataset["dcat:version"] = edition.edition.to_string().into();
    }
    let years: Vec<&str> =
        available.periods.iter().filter_map(|p| p.get(..4)).filter(|y| y.parse::<u32>().is_ok()).collect();
    if let (Some(first), Some(last)) = (years.iter().min(), years.iter().max()) {
        dataset["dct:temporal"] = json!({
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@type": "xsd:gYear", "@value": first},
            "dcat:endDate": {"@type": "xsd:gYear", "@value": last},
        });
    }
    dataset
}

fn distribution(door: &Door, meta: &IndicatorMeta, (format, media, title): (Format, &str, &str)) -> Value {
    let url = address(&door.settings, &format!("/v1/indicators/{}/data?format={}", meta.id, format.name()));
    json!({
        "@id": url,
        "@type": "dcat:Distribution",
        "dct:title": title,
        "dcat:accessURL": {"@id": url},
        "dcat:downloadURL": {"@id": url},
        "dcat:mediaType": {"@id": media},
        "dct:license": {"@id": door.settings.licence},
    })
}

fn publisher() -> Value {
    json!({"@type": "foaf:Agent", "foaf:name": "Amanat"})
}

fn text(en: &str, ur: &str) -> Value {
    json!([{"@value": en, "@language": "en"}, {"@value": ur, "@language": "ur"}])
}

fn moment(edition: &EditionMeta) -> Value {
    json!({"@type": "xsd:dateTime", "@value": edition.published_at})
}
