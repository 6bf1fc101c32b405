//! Structure messages: which artefacts a query asks for, what they lead to, and how they are written (SDMX-JSON 2.0).
//!
//! A dataflow has a data structure, which has code lists and the concept scheme; the agency scheme names who maintains all.

use std::collections::BTreeSet;

use query::{Catalogue, IndicatorMeta, Text};
use serde_json::{Value, json};

use super::model::{self, AGENCY, CONCEPTS, Component, Role, VERSION, Values};
use crate::problem::{Kind, Problem};

/// Address of the schema of structure messages.
const SCHEMA: &str = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/2.0.0/sdmx-json-structure-schema.json";

/// Names of artefacts as the registry of SDMX writes them.
pub(super) mod urn {
    use query::{Catalogue, IndicatorMeta};

    use crate::sdmx::model::{self, AGENCY, CONCEPTS, VERSION};

    pub(in crate::sdmx) fn dataflow(meta: &IndicatorMeta) -> String {
        format!("urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={AGENCY}:{}({VERSION})", meta.id)
    }

    pub(in crate::sdmx) fn structure(meta: &IndicatorMeta) -> String {
        let id = model::structure_id(meta);
        format!("urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={AGENCY}:{id}({VERSION})")
    }

    pub(super) fn list(catalogue: &Catalogue, id: &str) -> String {
        let version = model::list_version(catalogue, id);
        format!("urn:sdmx:org.sdmx.infomodel.codelist.Codelist={AGENCY}:{id}({version})")
    }

    pub(super) fn concept(id: &str) -> String {
        format!("urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept={AGENCY}:{CONCEPTS}({VERSION}).{id}")
    }
}

/// The types of artefacts that there are, as a path names them.
pub(super) const TYPES: [&str; 5] = ["dataflow", "datastructure", "codelist", "conceptscheme", "agencyscheme"];

/// An artefact; in the order in which a message has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Flow(String),
    Structure(String),
    List(String),
    Concepts,
    Agencies,
}

impl Node {
    fn kind(&self) -> &'static str {
        match self {
            Node::Flow(_) => "dataflow",
            Node::Structure(_) => "datastructure",
            Node::List(_) => "codelist",
            Node::Concepts => "conceptscheme",
            Node::Agencies => "agencyscheme",
        }
    }

    /// Agency, id and version.
    fn identity(&self, catalogue: &Catalogue) -> (&'static str, String, String) {
        let version = VERSION.to_owned();
        match self {
            Node::Flow(id) => (AGENCY, id.clone(), version),
            Node::Structure(id) => (AGENCY, format!("DSD_{id}"), version),
            Node::List(id) => (AGENCY, id.clone(), model::list_version(catalogue, id)),
            Node::Concepts => (AGENCY, CONCEPTS.to_owned(), version),
            // The one artefact without a version of its own; the schema fixes what stands there.
            Node::Agencies => ("SDMX", "AGENCIES".to_owned(), "1.0".to_owned()),
        }
    }

    fn children(&self, catalogue: &Catalogue) -> BTreeSet<Node> {
        match self {
            Node::Flow(id) => [Node::Structure(id.clone())].into(),
            Node::Structure(id) => {
                let components = catalogue.indicator(id).map(model::components).unwrap_or_default();
                let lists = components.into_iter().filter_map(|c| match c.values {
                    Values::Codes(list) => Some(Node::List(list)),
                    Values::Plain(_) => None,
                });
                lists.chain([Node::Concepts]).collect()
            }
            Node::List(_) | Node::Concepts | Node::Agencies => BTreeSet::new(),
        }
    }

    fn parents(&self, catalogue: &Catalogue) -> BTreeSet<Node> {
        every(catalogue).into_iter().filter(|node| node.children(catalogue).contains(self)).collect()
    }
}

fn every(catalogue: &Catalogue) -> BTreeSet<Node> {
    let ids = || catalogue.indicators.iter().map(|i| i.id.clone());
    let lists = model::lists(catalogue).into_iter().map(Node::List);
    ids()
        .map(Node::Flow)
        .chain(ids().map(Node::Structure))
        .chain(lists)
        .chain([Node::Concepts, Node::Agencies])
        .collect()
}

/// How much of an artefact is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    Full,
    /// Stubs of all.
    AllStubs,
    /// Stubs of what is referenced.
    ReferenceStubs,
}

/// A structure query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    nodes: BTreeSet<Node>,
    matched: BTreeSet<Node>,
    detail: Detail,
    /// The same for all requests for these artefacts.
    pub(super) key: String,
}

impl Query {
    /// Reads a path (type, agency, id, version; what is missing is `*`, the version `~`) and its parameters.
    ///
    /// # Errors
    /// A problem that names the part and what it may be; 404 where nothing matches.
    pub(super) fn read(
        catalogue: &Catalogue,
        [kind, agency, id, version]: [&str; 4],
        detail: Option<&str>,
        references: Option<&str>,
    ) -> Result<Self, Problem> {
        let kinds: Vec<&str> = if kind == "*" { TYPES.to_vec() } else { kind.split(',').collect() };
        if !kinds.iter().all(|kind| TYPES.contains(kind)) {
            let hint = format!("A type is one of {}, or *.", TYPES.join(", "));
            return Err(Problem::new(Kind::NotFound, "There are no artefacts of that type.", hint));
        }
        let detail = Self::detail(detail)?;
        let matched: BTreeSet<Node> = every(catalogue)
            .into_iter()
            .filter(|node| {
                let (own_agency, own_id, own_version) = node.identity(catalogue);
                kinds.contains(&node.kind())
                    && names(agency, own_agency)
                    && names(id, &own_id)
                    && version.split(',').any(|wanted| is_version(wanted, &own_version))
            })
            .collect();
        if matched.is_empty() {
            let hint = format!("GET /sdmx/v2/structure/{}/*/*?detail=allstubs lists those that there are.", kinds[0]);
            return Err(Problem::new(Kind::NotFound, "There is no such artefact.", hint));
        }
        let references = references.unwrap_or("none").to_ascii_lowercase();
        let nodes = with_references(catalogue, &matched, &references)?;
        let key = format!("{nodes:?} {matched:?} {detail:?}");
        Ok(Self { nodes, matched, detail, key })
    }

    fn detail(text: Option<&str>) -> Result<Detail, Problem> {
        match text.unwrap_or("full").to_ascii_lowercase().as_str() {
            // Lists are short and never extended: the whole one is also its relevant part.
            "full" | "raw" | "referencepartial" => Ok(Detail::Full),
            "allstubs" | "allcompletestubs" => Ok(Detail::AllStubs),
            "referencestubs" | "referencecompletestubs" => Ok(Detail::ReferenceStubs),
            _ => {
                let hint = "It is one of full, raw, allstubs, allcompletestubs, referencestubs, referencecompletestubs, \
                    referencepartial.";
                Err(Problem::new(Kind::MalformedParameter, "detail is none that there is.", hint))
            }
        }
    }

    /// The message.
    pub(super) fn message(
        &self,
        catalogue: &Catalogue,
        measures: &[String],
        prepared: &str,
        synthetic: bool,
    ) -> Result<Vec<u8>, Problem> {
        let mut data = serde_json::Map::new();
        for node in &self.nodes {
            let stub = match self.detail {
                Detail::Full => false,
                Detail::AllStubs => true,
                Detail::ReferenceStubs => !self.matched.contains(node),
            };
            let (member, artefact) = write(catalogue, measures, node, stub).ok_or_else(Problem::internal)?;
            if let Some(all) = data.entry(member).or_insert_with(|| json!([])).as_array_mut() {
                all.push(artefact);
            }
        }
        let message = json!({
            "meta": {
                "schema": SCHEMA,
                "id": format!("{AGENCY}-STRUCTURES"),
                "test": synthetic,
                "prepared": prepared,
                "contentLanguages": ["en", "ur"],
                "sender": {"id": AGENCY, "name": "Amanat"},
            },
            "data": data,
        });
        serde_json::to_vec(&message).map_err(|_| Problem::internal())
    }
}

/// Whether a list of a path names an artefact.
fn names(list: &str, own: &str) -> bool {
    list.split(',').any(|wanted| matches!(wanted, "*" | "all") || wanted.eq_ignore_ascii_case(own))
}

/// Whether a version of a path is that of an artefact. There is one version of each, and it is final: the latest, the latest
/// stable and any are the same. `2026.10+.0` is that one or a later one of the same year.
pub(super) fn is_version(wanted: &str, own: &str) -> bool {
    if matches!(wanted, "*" | "~" | "+" | "latest" | "all") || wanted == own {
        return true;
    }
    let parts = |text: &str| -> Vec<Option<u32>> { text.split('.').map(|part| part.parse().ok()).collect() };
    let Some(at) = wanted.split('.').position(|part| part.ends_with('+')) else { return false };
    let (wanted, own) = (parts(&wanted.replace('+', "")), parts(own));
    wanted.len() == own.len()
        && wanted.iter().all(Option::is_some)
        && wanted[..at] == own[..at]
        && wanted[at..] <= own[at..]
}

fn with_references(
    catalogue: &Catalogue,
    matched: &BTreeSet<Node>,
    references: &str,
) -> Result<BTreeSet<Node>, Problem> {
    let down = |nodes: &BTreeSet<Node>| nodes.iter().flat_map(|n| n.children(catalogue)).collect::<BTreeSet<_>>();
    let up = |nodes: &BTreeSet<Node>| nodes.iter().flat_map(|n| n.parents(catalogue)).collect::<BTreeSet<_>>();
    // Three levels are all that there are.
    let descendants = || union([down(matched), down(&down(matched))]);
    let ancestors = || union([up(matched), up(&up(matched))]);
    let siblings = || union([up(matched), down(&up(matched))]);
    let found = match references {
        "none" => BTreeSet::new(),
        "children" => down(matched),
        "descendants" => descendants(),
        "parents" => up(matched),
        "ancestors" => ancestors(),
        "parentsandsiblings" => siblings(),
        "all" => union([descendants(), ancestors(), siblings(), [Node::Agencies].into()]),
        kinds if kinds.split(',').all(|kind| TYPES.contains(&kind)) => {
            let near = union([descendants(), ancestors(), [Node::Agencies].into()]);
            near.into_iter().filter(|n| kinds.split(',').any(|kind| kind == n.kind())).collect()
        }
        _ => {
            let hint = format!(
                "It is one of none, parents, parentsandsiblings, ancestors, children, descendants, all, or types: {}.",
                TYPES.join(", ")
            );
            return Err(Problem::new(Kind::MalformedParameter, "references is none that there is.", hint));
        }
    };
    Ok(matched.iter().cloned().chain(found).collect())
}

/// Several sets as one.
fn union<const N: usize>(sets: [BTreeSet<Node>; N]) -> BTreeSet<Node> {
    sets.into_iter().flatten().collect()
}

/// The member of `data` that has artefacts of this type, and the artefact.
fn write(catalogue: &Catalogue, measures: &[String], node: &Node, stub: bool) -> Option<(&'static str, Value)> {
    Some(match node {
        Node::Flow(id) => {
            let meta = catalogue.indicator(id)?;
            let mut flow = maintained(node, catalogue, &meta.title, Some(&meta.description));
            flow["structure"] = urn::structure(meta).into();
            ("dataflows", flow)
        }
        Node::Structure(id) => {
            let meta = catalogue.indicator(id)?;
            let mut structure = maintained(node, catalogue, &meta.title, None);
            if !stub {
                structure["dataStructureComponents"] = parts(catalogue, meta);
            }
            ("dataStructures", structure)
        }
        Node::List(id) => {
            let list = model::list(catalogue, measures, id)?;
            let name = Text { en: list.name.clone(), ur: list.name.clone() };
            let source = Text { en: format!("Source: {}.", list.source), ur: format!("ماخذ: {}", list.source) };
            let mut written = maintained(node, catalogue, &name, Some(&source));
            if !stub && !list.codes.is_empty() {
                written["codes"] = list.codes.iter().map(code).collect();
            }
            ("codelists", written)
        }
        Node::Concepts => {
            let name = Text { en: "Concepts of Amanat".to_owned(), ur: "امانت کے تصورات".to_owned() };
            let mut scheme = maintained(node, catalogue, &name, None);
            if !stub {
                scheme["concepts"] = model::concepts(catalogue).iter().map(concept).collect();
            }
            ("conceptSchemes", scheme)
        }
        Node::Agencies => {
            let name = Text { en: "Agencies".to_owned(), ur: "ادارے".to_owned() };
            let mut scheme = maintained(node, catalogue, &name, None);
            if !stub {
                scheme["agencies"] =
                    json!([{"id": AGENCY, "name": "Amanat", "names": {"en": "Amanat", "ur": "امانت"}}]);
            }
            ("agencySchemes", scheme)
        }
    })
}

fn maintained(node: &Node, catalogue: &Catalogue, name: &Text, description: Option<&Text>) -> Value {
    let (agency, id, version) = node.identity(catalogue);
    let mut artefact = json!({
        "id": id,
        "agencyID": agency,
        "version": version,
        "name": name.en,
        "names": {"en": name.en, "ur": name.ur},
    });
    if let Some(text) = description {
        artefact["description"] = text.en.as_str().into();
        artefact["descriptions"] = json!({"en": text.en, "ur": text.ur});
    }
    artefact
}

fn code(code: &model::Code) -> Value {
    let mut written = json!({"id": code.id, "name": code.name.en, "names": {"en": code.name.en, "ur": code.name.ur}});
    if let Some(parent) = &code.parent {
        written["parent"] = parent.as_str().into();
    }
    written
}

fn concept(concept: &model::Concept) -> Value {
    let name = &concept.name;
    let mut written = json!({"id": concept.id, "name": name.en, "names": {"en": name.en, "ur": name.ur}});
    if !concept.description.is_empty() {
        written["description"] = concept.description.into();
        written["descriptions"] = json!({"en": concept.description});
    }
    if let Some(standard) = concept.standard {
        let text = format!("SDMX cross-domain concept {standard}");
        written["annotations"] =
            json!([{"type": "SDMX_CONCEPT", "title": standard, "text": text, "texts": {"en": text}}]);
    }
    written
}

fn parts(catalogue: &Catalogue, meta: &IndicatorMeta) -> Value {
    let components = model::components(meta);
    let of = |role: Role| components.iter().filter(move |c| c.role == role);
    let dimensions = of(Role::Dimension).enumerate().map(|(position, component)| {
        let mut dimension = part(catalogue, component);
        dimension["position"] = position.into();
        dimension
    });
    // `_X` is a period of the data and none of time. SDMX 3.0 has `sentinelValues` for it, over which pysdmx 1.21 refuses the
    // whole message (it expects texts where the schema has objects), so that an annotation says it.
    let time = of(Role::Time).next().map(|component| {
        let mut time = part(catalogue, component);
        time["annotations"] = json!([{"type": "SENTINEL_VALUE", "title": "_X", "text": "Unknown", "texts": {"en": "Unknown", "ur": "نامعلوم"}}]);
        time
    });
    let attributes = of(Role::Observation).chain(of(Role::DataSet)).map(|component| {
        let mut attribute = part(catalogue, component);
        attribute["usage"] = if component.id.ends_with("95") { "optional" } else { "mandatory" }.into();
        attribute["attributeRelationship"] = match component.role {
            Role::DataSet => json!({"dataflow": {}}),
            _ => json!({"observation": {}}),
        };
        attribute
    });
    json!({
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": dimensions.collect::<Vec<_>>(),
            "timeDimension": time,
        },
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": of(Role::Measure).map(|c| part(catalogue, c)).collect::<Vec<_>>(),
        },
        "attributeList": {"id": "AttributeDescriptor", "attributes": attributes.collect::<Vec<_>>()},
    })
}

fn part(catalogue: &Catalogue, component: &Component) -> Value {
    let representation = match &component.values {
        Values::Codes(list) => json!({"enumeration": urn::list(catalogue, list)}),
        Values::Plain(kind) => json!({"format": {"dataType": kind}}),
    };
    json!({
        "id": component.id,
        "conceptIdentity": urn::concept(&component.id),
        "localRepresentation": representation,
    })
}

#[cfg(test)]
mod tests {
    use super::is_version;

    #[test]
    fn a_version_may_be_exact_any_or_at_least() {
        for wanted in ["2026.11.0", "*", "~", "+", "latest", "2026.11.0+", "2026.10+.0", "2025+.0.0"] {
            assert!(is_version(wanted, "2026.11.0"), "{wanted}");
        }
        for wanted in ["", "1.0.0", "2026.12+.0", "2027+.0.0", "2025.1+.0", "x+.0.0", "2026+", "2026.11"] {
            assert!(!is_version(wanted, "2026.11.0"), "{wanted}");
        }
    }
}
