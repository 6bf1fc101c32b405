//! An edition as one archive: rows, definitions, code lists, what they mean, how to cite them.
//!
//! The bytes follow from the edition and the program: files in one order, at one time of change, with one way to compress.

use std::io::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use query::EditionMeta;
use query::selection::Available;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use crate::Door;
use crate::bodies::{Shared, Whole};
use crate::citation::Citation;
use crate::methodology;
use crate::negotiate::Format;
use crate::package::{self, File, edition_named};
use crate::problem::Problem;
use crate::request::Segment;
use crate::{data, indicators, reference};

/// 1980-01-01, the first moment that a zip file can name: when a file was packed is no part of what it says.
pub(crate) const FIRST_MOMENT: i64 = 315_532_800;

/// An edition as a zip file: every indicator's CSV, definitions, code lists, a Data Package, the methodology, how to cite.
#[utoipa::path(get, path = "/v1/editions/{number}/archive.zip", tag = "editions",
    params(("number" = String, Path, description = "Number of the edition, or latest", example = "1")),
    responses((status = 200, description = "The archive", body = Vec<u8>, content_type = "application/zip"),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn archive(
    State(door): State<Arc<Door>>,
    Segment(number): Segment,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let current = door.reader.current();
    let edition = edition_named(&current, &number)?;
    // Definitions are part of it, and a newer program may say them in other words.
    let freshness = data::freshness(None, &edition);
    let mut shared = Shared::of(Some(&edition), "/v1/editions/archive", Format::Zip, freshness);
    shared = shared.defined(door.settings.defined_at);
    shared.headers.extend(Citation::of_edition(&door.settings, &edition).links("datapackage.json"));
    let name = format!("attachment; filename=\"amanat-edition-{}.zip\"", edition.edition);
    shared.headers.extend(HeaderValue::from_str(&name).ok().map(|name| (header::CONTENT_DISPOSITION, name)));
    let own = Arc::clone(&door);
    let make = move || {
        let files = package::files(own.reader.catalogue(), &current, edition.edition)?;
        let parts = parts(&own, &edition, files)?;
        let zipped = zipped(&parts).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "an archive could not be written");
            Problem::internal()
        })?;
        Ok(Whole::from(zipped))
    };
    door.bodies.answer(&asked, shared, make).await
}

/// Names and contents of the files, in their order.
fn parts(door: &Door, edition: &EditionMeta, files: Vec<(String, File)>) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let catalogue = door.reader.catalogue();
    let mut parts = vec![("README.md".to_owned(), readme(door, edition).into_bytes())];
    parts.push(("datapackage.json".to_owned(), pretty(&package::edition_descriptor(door, edition, &files))?));
    for (_, file) in &files {
        let mut periods = file.long.period.codes.clone();
        periods.sort_by_key(|p| (p.starts_with('_'), p.clone()));
        let available = Available { measures: file.long.measure.codes.clone(), periods, rows: file.long.len };
        let mut selection = query::Selection::new(catalogue, &file.meta.id, [])?;
        selection.edition = Some(edition.edition);
        let citation = Citation::of_rows(&door.settings, &file.meta, &selection, edition);
        let definition = indicators::definition(catalogue, &file.meta, Some(edition), available, Some(citation));
        parts.push((format!("definitions/{}.json", file.meta.id), pretty(&definition)?));
    }
    for list in &catalogue.code_lists {
        let written = pretty(&reference::CodeList::from(list.clone()))?;
        parts.push((format!("code-lists/{}.json", list.name), written));
    }
    parts.push(("methodology.md".to_owned(), methodology::ENGLISH.as_bytes().to_vec()));
    parts.push(("methodology.ur.md".to_owned(), methodology::URDU.as_bytes().to_vec()));
    parts.extend(files.into_iter().map(|(path, file)| (path, file.csv)));
    Ok(parts)
}

fn pretty(document: &impl serde::Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec_pretty(document).map_err(|_| Problem::internal())
}

fn readme(door: &Door, edition: &EditionMeta) -> String {
    let citation = Citation::of_edition(&door.settings, edition);
    let number = edition.edition;
    let made_up = if edition.synthetic { "\n**SYNTHETIC: nobody in it exists.**\n" } else { "" };
    format!(
        "# Amanat: national indicators on trafficking in persons, edition {number}\n{made_up}\n\
         Published {published}, data as of {as_of}. An edition never changes.\n\n\
         | | |\n|---|---|\n\
         | `data/*.csv` | rows of each indicator, in long form; a suppressed value is empty and has status Q |\n\
         | `definitions/*.json` | what each indicator counts, in English and Urdu |\n\
         | `code-lists/*.json` | what the codes mean, in English and Urdu |\n\
         | `datapackage.json` | the same for programs (Data Package v2), with the SHA-256 of each file |\n\
         | `methodology.md`, `methodology.ur.md` | how the numbers are made and protected |\n\n\
         Cite as: {text}\n\nMethodology: {methodology}\n\nLicence: {licence}\n",
        published = edition.published_at,
        as_of = edition.as_of,
        text = citation.text,
        methodology = citation.methodology,
        licence = citation.licence,
    )
}

fn zipped(parts: &[(String, Vec<u8>)]) -> Result<Vec<u8>, rawzip::Error> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, content) in parts {
        let (mut entry, config) = archive
            .new_file(name)
            .compression_method(CompressionMethod::DEFLATE)
            .last_modified(UtcDateTime::from_unix(FIRST_MOMENT))
            .unix_permissions(0o644)
            .start()?;
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(content)?;
        let (encoder, descriptor) = writer.finish()?;
        encoder.finish()?;
        entry.finish(descriptor)?;
    }
    archive.finish()
}
