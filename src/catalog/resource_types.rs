//! Finds a resource type in the table without reading the others, and reads its block.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::CatalogError;
use super::property_path::PropertyPath;
use super::resource_type::{HandlerKind, ResourceType};
use super::shape::{ObjectShape, Property, ValueKind};
use super::tables::{RESOURCE_TYPES, Tables, service_count, service_index, service_text};

const NAMES: &str = "resource-type-names.txt";
const CUSTOM: &str = "AWS::CloudFormation::CustomResource";

/// The table, in the pieces that are decoded at once: one per service, or a single replaced one.
#[derive(Debug)]
pub(super) struct ResourceTypes {
    pieces: Vec<OnceLock<ServicePiece>>,
    names: OnceLock<Vec<String>>,
    replaced: bool,
}

#[derive(Debug, Default)]
struct ServicePiece {
    text: String,
    types: BTreeMap<String, TypeEntry>,
}

#[derive(Debug)]
struct TypeEntry {
    block: Range<usize>,
    first_line: usize,
    parsed: OnceLock<ResourceType>,
}

impl ResourceTypes {
    pub(super) fn new(tables: &Tables) -> Result<Self, CatalogError> {
        match tables.replacement(RESOURCE_TYPES) {
            None => Ok(Self {
                pieces: (0..service_count()).map(|_| OnceLock::new()).collect(),
                names: OnceLock::new(),
                replaced: false,
            }),
            Some(text) => Self::replaced(ServicePiece::new(text.replace("\r\n", "\n"))),
        }
    }

    fn replaced(piece: ServicePiece) -> Result<Self, CatalogError> {
        for entry in piece.types.values() {
            let _ = entry.parsed.set(entry.parse(&piece.text)?);
        }
        let names: Vec<_> = piece.types.keys().cloned().collect();
        Ok(Self { pieces: vec![OnceLock::from(piece)], names: OnceLock::from(names), replaced: true })
    }

    pub(super) fn get(&self, name: &str) -> Option<&ResourceType> {
        let name = if name.starts_with("Custom::") { CUSTOM } else { name };
        let index = if self.replaced { 0 } else { service_index(name.rsplit_once("::")?.0)? };
        let piece = self.pieces[index].get_or_init(|| ServicePiece::new(service_text(index)));
        let entry = piece.types.get(name)?;
        let parse = || entry.parse(&piece.text).unwrap_or_else(|error| panic!("embedded table: {error}"));
        Some(entry.parsed.get_or_init(parse))
    }

    pub(super) fn names(&self, tables: &Tables) -> &[String] {
        self.names.get_or_init(|| match tables.text(NAMES) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(error) => panic!("embedded table: {error}"),
        })
    }
}

impl ServicePiece {
    fn new(text: String) -> Self {
        let mut piece = Self { types: BTreeMap::new(), text };
        let mut open: Option<(String, usize, usize)> = None;
        let mut at = 0;
        for (index, line) in piece.text.split_inclusive('\n').enumerate() {
            if let Some(name) = line.strip_prefix("= ") {
                let next = (name.trim_end().trim_end_matches('+').to_owned(), at, index + 1);
                close(&mut piece.types, open.replace(next), at);
            }
            at += line.len();
        }
        close(&mut piece.types, open, at);
        piece
    }
}

fn close(types: &mut BTreeMap<String, TypeEntry>, open: Option<(String, usize, usize)>, end: usize) {
    if let Some((name, start, first_line)) = open {
        types.insert(name, TypeEntry { block: start..end, first_line, parsed: OnceLock::new() });
    }
}

impl TypeEntry {
    fn parse(&self, text: &str) -> Result<ResourceType, CatalogError> {
        let mut reader = BlockReader::default();
        for (index, line) in text[self.block.clone()].lines().enumerate() {
            let problem = |problem| CatalogError::new(RESOURCE_TYPES, Some(self.first_line + index), problem);
            reader.line(line).map_err(problem)?;
        }
        Ok(reader.found)
    }
}

/// Reads the lines of one block.
#[derive(Default)]
struct BlockReader {
    found: ResourceType,
    shape: Option<String>,
}

impl BlockReader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        match line.split_at_checked(1) {
            Some(("=", name)) => {
                (self.found.name, self.found.top.open) = opened(name.trim_start());
            }
            Some(("-", name)) => {
                let (name, open) = opened(name.trim_start());
                self.found.shapes.insert(name.clone(), ObjectShape { open, ..ObjectShape::default() });
                self.shape = Some(name);
            }
            Some((" ", property)) => self.property(property)?,
            Some(("@", fact)) => self.fact(fact.trim_start())?,
            Some(("#", _)) | None => {}
            Some(_) => return Err(format!("a line cannot begin like {line:?}")),
        }
        Ok(())
    }

    fn property(&mut self, line: &str) -> Result<(), String> {
        let (name, kinds) = line.split_once(' ').ok_or("a property has a name and kinds")?;
        let (name, required) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
        let property = Property { kinds: parse_kinds(kinds)?, required };
        let shape = match &self.shape {
            Some(name) => self.found.shapes.get_mut(name).ok_or("a shape was opened")?,
            None => &mut self.found.top,
        };
        shape.properties.insert(name.to_owned(), property);
        Ok(())
    }

    fn fact(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').ok_or("a fact has values")?;
        let paths = || rest.split(' ').map(PropertyPath::new).collect();
        let found = &mut self.found;
        match word {
            "createOnly" => found.create_only = paths(),
            "conditionalCreateOnly" => found.conditional_create_only = paths(),
            "readOnly" => found.read_only = paths(),
            "writeOnly" => found.write_only = paths(),
            "identifier" => found.identifier = paths(),
            "attributes" => found.attributes = rest.split(' ').map(str::to_owned).collect(),
            "tags" => {
                found.tags = rest.split(' ').next().map(str::to_owned);
                found.tags_create_only = rest.ends_with(" create-only");
            }
            "handlers" => found.handlers = rest.split(' ').map(handler).collect::<Result<_, _>>()?,
            "replacement" => found.deletes_first = rest == "delete_then_create",
            other => return Err(format!("there is no fact called {other:?}")),
        }
        Ok(())
    }
}

fn opened(name: &str) -> (String, bool) {
    name.strip_suffix('+').map_or((name.to_owned(), false), |name| (name.to_owned(), true))
}

fn handler(text: &str) -> Result<(HandlerKind, Option<u32>), String> {
    let (verb, minutes) = text.split_once('=').map_or((text, None), |(verb, minutes)| (verb, Some(minutes)));
    let handler = match verb {
        "create" => HandlerKind::Create,
        "update" => HandlerKind::Update,
        "delete" => HandlerKind::Delete,
        other => return Err(format!("there is no handler called {other:?}")),
    };
    let minutes = minutes.map(|minutes| minutes.parse().map_err(|_| format!("not a number of minutes: {minutes:?}")));
    Ok((handler, minutes.transpose()?))
}

fn parse_kinds(text: &str) -> Result<Vec<ValueKind>, String> {
    let mut depth = 0;
    let between = |c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == '|' && depth == 0
    };
    text.split(between).map(parse_kind).collect()
}

fn parse_kind(text: &str) -> Result<ValueKind, String> {
    let inside = |open, close| text.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    if let Some(items) = inside('[', ']') {
        return Ok(ValueKind::Array(parse_kinds(items)?));
    }
    if let Some(shape) = inside('{', '}') {
        return Ok(ValueKind::Object(Some(shape.to_owned())));
    }
    match text {
        "string" => Ok(ValueKind::String),
        "integer" => Ok(ValueKind::Integer),
        "number" => Ok(ValueKind::Number),
        "boolean" => Ok(ValueKind::Boolean),
        "object" => Ok(ValueKind::Object(None)),
        "array" => Ok(ValueKind::Array(Vec::new())),
        "any" => Ok(ValueKind::Any),
        other => Err(format!("there is no kind called {other:?}")),
    }
}
