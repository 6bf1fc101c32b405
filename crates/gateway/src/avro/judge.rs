//! Whether data written with one schema can be read with another: Avro's schema resolution (Avro 1.12, "Schema Resolution")
//! as Apache Avro for Java judges it (`SchemaCompatibility`), which Confluent's registry asks, and stricter in one thing: a
//! known logical type may not become another one, for a date that is read as something else is a wrong record for ever.
//!
//! A recursive pair of types is taken to fit while it is being compared; when it turns out not to, what was concluded from it
//! is forgotten. All work is counted: two schemas of a hostile hand cost no more than [`Effort`] allows.

use std::collections::{HashMap, HashSet};

use super::{AvroSchema, Field, Logical, Named, Node, Primitive, TypeId};

/// What may be spent on comparisons; shared by all comparisons of a request.
#[derive(Debug)]
pub struct Effort {
    steps: u32,
}

impl Effort {
    /// Enough for any honest subject: hundreds of versions of hundreds of fields.
    pub fn of_a_request() -> Self {
        Self { steps: 1_000_000 }
    }
}

/// Deepest chain of types within types that is followed, through names as well.
const MAX_DEPTH: usize = 200;

/// Most differences that are told of one comparison.
const TOLD: usize = 20;

/// The schemas are too large or too intricate to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the schemas are too intricate to be compared: fewer types or shallower nesting is needed")]
pub struct TooIntricate;

/// Why `reader` cannot read all that `writer` writes, one sentence each; none when it can.
pub fn differences(writer: &AvroSchema, reader: &AvroSchema, effort: &mut Effort) -> Result<Vec<String>, TooIntricate> {
    let mut judge = Judge {
        writer,
        reader,
        effort,
        assumed: Vec::new(),
        assumed_set: HashSet::new(),
        refuted: HashSet::new(),
        depth: 0,
        place: String::new(),
        told: Vec::new(),
        quiet: 0,
    };
    judge.can_read(writer.root, reader.root)?;
    Ok(judge.told)
}

type Pair = (TypeId, TypeId);
type Verdict = Result<bool, TooIntricate>;

struct Judge<'a> {
    writer: &'a AvroSchema,
    reader: &'a AvroSchema,
    effort: &'a mut Effort,
    /// Pairs of named types taken to fit, in the order in which they were; each rests on those before it at most.
    assumed: Vec<Pair>,
    assumed_set: HashSet<Pair>,
    /// Pairs that do not fit, which no assumption can change.
    refuted: HashSet<Pair>,
    depth: usize,
    place: String,
    told: Vec<String>,
    /// Above 0 while the branches of a reader's union are tried: that one does not fit is no difference.
    quiet: usize,
}

impl Judge<'_> {
    fn refuse(&mut self, what: impl FnOnce() -> String) -> bool {
        if self.quiet == 0 && self.told.len() < TOLD {
            let place = if self.place.is_empty() { "the schema itself" } else { &self.place };
            let sentence = format!("{place}: {}", what());
            self.told.push(sentence);
        }
        false
    }

    fn within(&mut self, step: &str, writer: TypeId, reader: TypeId) -> Verdict {
        let before = self.place.len();
        if !self.place.is_empty() {
            self.place.push('.');
        }
        self.place.push_str(step);
        let verdict = self.can_read(writer, reader);
        self.place.truncate(before);
        verdict
    }

    fn can_read(&mut self, writer: TypeId, reader: TypeId) -> Verdict {
        if self.depth >= MAX_DEPTH {
            return Err(TooIntricate);
        }
        self.spend(1)?;
        self.depth += 1;
        let verdict = self.types(writer, reader);
        self.depth -= 1;
        verdict
    }

    fn spend(&mut self, steps: usize) -> Result<(), TooIntricate> {
        let steps = u32::try_from(steps).map_err(|_| TooIntricate)?;
        self.effort.steps = self.effort.steps.checked_sub(steps).ok_or(TooIntricate)?;
        Ok(())
    }

    fn types(&mut self, writer: TypeId, reader: TypeId) -> Verdict {
        let (writes, reads) = (self.writer.node(writer), self.reader.node(reader));
        match (writes, reads) {
            (Node::Union(branches), _) => self.each_branch_written(branches, reader),
            (_, Node::Union(branches)) => self.some_branch_read(writer, branches),
            (Node::Array(writer), Node::Array(reader)) => self.within("[items]", *writer, *reader),
            (Node::Map(writer), Node::Map(reader)) => self.within("[values]", *writer, *reader),
            (Node::Primitive(writer, written), Node::Primitive(reader, read)) => {
                Ok(self.primitives((*writer, written.as_ref()), (*reader, read.as_ref())))
            }
            (
                Node::Enum { name: writer, symbols: written, .. },
                Node::Enum { name: reader, symbols: read, default },
            ) => {
                self.spend(written.len() + read.len())?;
                Ok(self.names(writer, reader) && self.symbols(written, read, default.is_some()))
            }
            (
                Node::Fixed { name: writer, size: written, logical: meant },
                Node::Fixed { name: reader, size: read, logical: taken },
            ) => Ok(self.names(writer, reader)
                && (written == read || self.refuse(|| format!("{written} bytes are written, {read} are read")))
                && self.meanings(meant.as_ref(), taken.as_ref())),
            (Node::Record { name: writes, fields: written }, Node::Record { name: reads, fields: read }) => {
                self.records((writer, writes, written), (reader, reads, read))
            }
            _ => Ok(self.refuse(|| format!("written as {}, read as {}", kind(writes), kind(reads)))),
        }
    }

    fn each_branch_written(&mut self, branches: &[TypeId], reader: TypeId) -> Verdict {
        let mut fits = true;
        for branch in branches {
            self.quiet += 1;
            let read = self.can_read(*branch, reader);
            self.quiet -= 1;
            if !read? {
                let branch = self.writer.node(*branch);
                fits = self.refuse(|| format!("the branch {} of the written union cannot be read", kind(branch)));
            }
        }
        Ok(fits)
    }

    fn some_branch_read(&mut self, writer: TypeId, branches: &[TypeId]) -> Verdict {
        for branch in branches {
            self.quiet += 1;
            let read = self.can_read(writer, *branch);
            self.quiet -= 1;
            if read? {
                return Ok(true);
            }
        }
        let written = self.writer.node(writer);
        Ok(self.refuse(|| format!("written as {}, which no branch of the read union takes", kind(written))))
    }

    fn primitives(&mut self, writer: (Primitive, Option<&Logical>), reader: (Primitive, Option<&Logical>)) -> bool {
        use Primitive::{Bytes, Double, Float, Int, Long, String};
        let widened = matches!(
            (writer.0, reader.0),
            (Int, Long | Float | Double) | (Long, Float | Double) | (Float, Double) | (String, Bytes) | (Bytes, String)
        );
        if writer.0 != reader.0 && !widened {
            return self.refuse(|| format!("written as {}, read as {}", writer.0.name(), reader.0.name()));
        }
        self.meanings(writer.1, reader.1)
    }

    /// A known meaning may be added or dropped; one may not become another.
    fn meanings(&mut self, written: Option<&Logical>, read: Option<&Logical>) -> bool {
        match (written, read) {
            (Some(written), Some(read)) if written != read => {
                let shown = |of: &Logical| match of.precision {
                    0 => of.name.to_owned(),
                    _ => format!("{}({}, {})", of.name, of.precision, of.scale),
                };
                self.refuse(|| format!("{} is written, {} is read", shown(written), shown(read)))
            }
            _ => true,
        }
    }

    fn names(&mut self, writer: &Named, reader: &Named) -> bool {
        writer.short() == reader.short()
            || reader.aliases.contains(&writer.full)
            || self.refuse(|| {
                format!("`{}` is written, `{}` is read, and it has no alias of that name", writer.full, reader.full)
            })
    }

    fn symbols(&mut self, written: &[String], read: &[String], has_default: bool) -> bool {
        let known: HashSet<&String> = read.iter().collect();
        let missing: Vec<&str> = written.iter().filter(|symbol| !known.contains(symbol)).map(String::as_str).collect();
        missing.is_empty()
            || has_default
            || self.refuse(|| {
                let shown = missing.iter().take(5).copied().collect::<Vec<_>>().join(", ");
                format!("symbols that are written are not read ({shown}), and the enum has no default")
            })
    }

    fn records(&mut self, writer: (TypeId, &Named, &[Field]), reader: (TypeId, &Named, &[Field])) -> Verdict {
        let pair = (writer.0, reader.0);
        if self.refuted.contains(&pair) && (self.quiet > 0 || !self.told.is_empty()) {
            return Ok(false);
        }
        if self.assumed_set.contains(&pair) {
            return Ok(true);
        }
        let before = self.assumed.len();
        self.assumed.push(pair);
        self.assumed_set.insert(pair);
        let fits = self.names(writer.1, reader.1) && self.fields(writer.2, reader.2)?;
        if !fits {
            for forgotten in self.assumed.drain(before..) {
                self.assumed_set.remove(&forgotten);
            }
            self.refuted.insert(pair);
        }
        Ok(fits)
    }

    fn fields(&mut self, written: &[Field], read: &[Field]) -> Verdict {
        self.spend(written.len() + read.len())?;
        let by_name: HashMap<&str, &Field> = written.iter().map(|field| (field.name.as_str(), field)).collect();
        let mut fits = true;
        for field in read {
            let names = std::iter::once(&field.name).chain(&field.aliases);
            let sources: HashSet<&str> =
                names.filter_map(|name| by_name.get(name.as_str())).map(|field| field.name.as_str()).collect();
            let source = sources.iter().next().and_then(|name| by_name.get(name));
            fits &= match (source, sources.len()) {
                (Some(source), 1) => self.within(&field.name, source.of, field.of)?,
                (None, _) if field.has_default => true,
                (None, _) => {
                    self.refuse(|| format!("the field `{}` is not written and has no default; give it one", field.name))
                }
                _ => self.refuse(|| {
                    format!("the field `{}` and its aliases are several fields of the written record", field.name)
                }),
            };
            if !fits && self.quiet > 0 {
                return Ok(false);
            }
        }
        Ok(fits)
    }
}

fn kind(node: &Node) -> String {
    match node {
        Node::Primitive(primitive, _) => primitive.name().to_owned(),
        Node::Array(_) => "array".into(),
        Node::Map(_) => "map".into(),
        Node::Union(_) => "union".into(),
        Node::Record { name, .. } => format!("record `{}`", name.full),
        Node::Enum { name, .. } => format!("enum `{}`", name.full),
        Node::Fixed { name, .. } => format!("fixed `{}`", name.full),
        Node::Open(name) => format!("`{name}`"),
    }
}
