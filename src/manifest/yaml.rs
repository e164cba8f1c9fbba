//! Text to trees: the events of `granit-parser`, strictly.
//!
//! Plain YAML 1.2. Refused: duplicate keys, tags, merge keys (`<<`), keys that are not text, other versions.
//! Aliases may repeat at most [`MOST_REPEATED`] values and [`MOST_BYTES`] of text in a document, and nothing is deeper
//! than [`DEEPEST`].
//! When a document cannot be read on, reading starts again at the next `---`: a line that begins so always
//! starts a document, whatever stands before it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::scalar::sense;
use super::secret::shown;
use super::tree::{Content, MapEntry, Sense, YamlNode, YamlScalar};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, FileId, Span};

/// Levels of maps and lists.
const DEEPEST: usize = 64;
/// Values that aliases repeat in one document, each counted as often as it is repeated.
const MOST_REPEATED: usize = 10_000;
/// Bytes of keys and values that aliases repeat in one document.
const MOST_BYTES: usize = 1 << 20;

/// One document of a text.
#[derive(Debug)]
pub(super) struct YamlDocument {
    /// `None` where it could not be read to its end.
    pub(super) root: Option<YamlNode>,
    /// Its bytes, with comments before it.
    pub(super) range: Range<usize>,
}

/// Every document of a text; empty ones are left out.
pub(super) fn read(file: FileId, text: &str, findings: &mut Diagnostics) -> Vec<YamlDocument> {
    let mut parts = Vec::new();
    let mut base = 0;
    loop {
        let mut reader = YamlReader::new(file, text, base, findings);
        let Err(stop) = reader.documents(&mut parts) else { return parts };
        let from = parts.last().map_or(0, |part: &YamlDocument| part.range.end);
        findings.push(stop.finding);
        let next = next_marker(text, stop.at.max(base));
        parts.push(YamlDocument { root: None, range: from..next.unwrap_or(text.len()) });
        match next {
            Some(next) => base = next,
            None => return parts,
        }
    }
}

fn next_marker(text: &str, after: usize) -> Option<usize> {
    let is_marker =
        |at: usize| text[at..].strip_prefix("---").is_some_and(|r| r.is_empty() || r.starts_with(char::is_whitespace));
    let after = text.floor_char_boundary(after);
    text[after..].match_indices("\n---").map(|(at, _)| after + at + 1).find(|at| is_marker(*at))
}

/// Why a document cannot be read on.
struct Stop {
    at: usize,
    finding: Diagnostic,
}

type NextEvent<'a> = (Event<'a>, granit_parser::Span);

/// What an anchor names: the value, its number of values and bytes of text, its depth.
#[derive(Clone)]
struct Anchored {
    node: YamlNode,
    weight: AliasWeight,
    height: usize,
}

#[derive(Clone, Copy, Default)]
struct AliasWeight {
    values: usize,
    bytes: usize,
}

impl std::ops::AddAssign for AliasWeight {
    fn add_assign(&mut self, other: Self) {
        self.values += other.values;
        self.bytes += other.bytes;
    }
}

/// What a list or map weighs without what is in it.
const ITSELF: AliasWeight = AliasWeight { values: 1, bytes: 0 };

struct YamlReader<'a, 'f> {
    parser: Parser<'a, StrInput<'a>>,
    file: FileId,
    text: &'a str,
    base: usize,
    anchors: HashMap<usize, Anchored>,
    repeated: AliasWeight,
    findings: &'f mut Diagnostics,
}

impl<'a, 'f> YamlReader<'a, 'f> {
    fn new(file: FileId, text: &'a str, base: usize, findings: &'f mut Diagnostics) -> Self {
        let mut options = granit_parser::options! {
            strict_indentation: true,
            flow_nesting_limit: DEEPEST + 1,
            block_nesting_limit: DEEPEST + 1,
        };
        options.set_emit_comments(false);
        let parser = Parser::new_from_str_with_options(&text[base..], options);
        Self { parser, file, text, base, anchors: HashMap::new(), repeated: AliasWeight::default(), findings }
    }

    fn documents(&mut self, parts: &mut Vec<YamlDocument>) -> Result<(), Stop> {
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| self.broken(&error))?;
            let Event::DocumentStart(_, version) = event else { continue };
            if version.is_some_and(|version| (version.major, version.minor) != (1, 2)) {
                let finding = Diagnostic::new(Code::YamlFeature, "manifests are YAML 1.2");
                self.report(span, finding.help("remove the `%YAML` line"));
            }
            self.anchors.clear();
            self.repeated = AliasWeight::default();
            let start = parts.last().map_or(0, |part| part.range.end);
            let first = self.next()?;
            let root = self.node(first, 0)?.node;
            let (_, end) = self.next()?;
            let end = (self.base + end.start.byte_offset().unwrap_or(0)).clamp(start, self.text.len());
            if root.describe() != "nothing" {
                parts.push(YamlDocument { root: Some(root), range: start..end });
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<NextEvent<'a>, Stop> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.broken(&error)),
            None => Err(self.stop(Code::BrokenYaml, "the file ends too early", self.text.len())),
        }
    }

    fn node(&mut self, (event, place): NextEvent<'a>, depth: usize) -> Result<Anchored, Stop> {
        let span = self.span(place);
        if depth > DEEPEST {
            return Err(self.too_deep(span.start as usize));
        }
        let (anchor, tag, read) = match event {
            Event::Alias(id) => return self.alias(id, span, depth),
            Event::Scalar(text, style, anchor, tag) => (anchor, tag, self.scalar(&text, style, span)),
            Event::SequenceStart(_, anchor, tag) => (anchor, tag, self.list(span, depth)?),
            Event::MappingStart(_, anchor, tag) => (anchor, tag, self.map(span, depth)?),
            _ => return Err(self.stop(Code::BrokenYaml, "a value is missing", span.start as usize)),
        };
        if let Some(tag) = tag {
            self.refuse_tag(&tag, place);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, read.clone());
        }
        Ok(read)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: Span) -> Anchored {
        let sense = if style == ScalarStyle::Plain { sense(text) } else { Sense::Text };
        let node = YamlNode { span, content: Content::Scalar(YamlScalar { text: text.into(), sense }) };
        Anchored { node, weight: AliasWeight { values: 1, bytes: text.len() }, height: 0 }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Anchored, Stop> {
        let (mut items, mut weight, mut height) = (Vec::new(), ITSELF, 0);
        loop {
            let next = self.next()?;
            if next.0 == Event::SequenceEnd {
                let span = self.around(start, next.1, items.last());
                let node = YamlNode { span, content: Content::List(items.into()) };
                return Ok(Anchored { node, weight, height });
            }
            let read = self.node(next, depth + 1)?;
            weight += read.weight;
            height = height.max(read.height + 1);
            items.push(read.node);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Anchored, Stop> {
        let mut entries = Entries::default();
        let (mut weight, mut height) = (ITSELF, 0);
        loop {
            let next = self.next()?;
            if next.0 == Event::MappingEnd {
                let span = self.around(start, next.1, entries.list.last().map(|entry| &entry.value));
                let node = YamlNode { span, content: Content::Map(Arc::from(entries.list)) };
                return Ok(Anchored { node, weight, height });
            }
            let key = self.key(next, depth)?;
            let next = self.next()?;
            let read = self.node(next, depth + 1)?;
            weight += read.weight;
            height = height.max(read.height + 1);
            if let Some((key, key_span)) = key {
                weight.bytes += key.len();
                self.enter(&mut entries, key, key_span, read.node);
            }
        }
    }

    fn enter(&mut self, entries: &mut Entries, key: Box<str>, key_span: Span, mut value: YamlNode) {
        if value.span.start == value.span.end && value.describe() == "nothing" {
            value.span = key_span;
        }
        if let Some(first) = entries.seen.get(&key) {
            let message = format!("duplicate key `{}`", shown(&key));
            let finding = Diagnostic::new(Code::DuplicateKey, message).label(key_span, "again here");
            self.findings.push(finding.label(*first, "first here"));
            return;
        }
        entries.seen.insert(key.clone(), key_span);
        entries.list.push(MapEntry { key, key_span, value });
    }

    fn key(&mut self, (event, place): NextEvent<'a>, depth: usize) -> Result<Option<(Box<str>, Span)>, Stop> {
        let span = self.span(place);
        match &event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<" => {
                let finding = Diagnostic::new(Code::YamlFeature, "merge keys are not part of YAML 1.2");
                self.report(place, finding.help("repeat the fields, or put them in a manifest and refer to it"));
                return Ok(None);
            }
            Event::Scalar(text, style, _, tag)
                if tag.is_none() && (!text.is_empty() || *style != ScalarStyle::Plain) =>
            {
                let key: Box<str> = text.as_ref().into();
                self.node((event, place), depth)?;
                return Ok(Some((key, span)));
            }
            _ => {}
        }
        self.node((event, place), depth + 1)?;
        self.report(place, Diagnostic::new(Code::YamlFeature, "keys must be text"));
        Ok(None)
    }

    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Result<Anchored, Stop> {
        let Some(named) = self.anchors.get(&id).cloned() else {
            return Err(self.stop(Code::AliasLimit, "this alias is inside its own anchor", span.start as usize));
        };
        self.repeated += named.weight;
        if self.repeated.values > MOST_REPEATED || self.repeated.bytes > MOST_BYTES {
            let what = match self.repeated.values > MOST_REPEATED {
                true => format!("{MOST_REPEATED} values"),
                false => format!("{} MiB of text", MOST_BYTES >> 20),
            };
            let message = format!("aliases repeat more than {what} in this document");
            return Err(self.stop(Code::AliasLimit, message, span.start as usize));
        }
        if depth + named.height > DEEPEST {
            return Err(self.too_deep(span.start as usize));
        }
        Ok(Anchored { node: YamlNode { span, ..named.node }, ..named })
    }

    fn refuse_tag(&mut self, tag: &Tag, place: granit_parser::Span) {
        let finding =
            Diagnostic::new(Code::YamlFeature, format!("tags such as `{}` are not allowed", shown(&tag.original())));
        let help = match tag.original_handle() {
            "!" if matches!(tag.suffix(), "Ref" | "Condition") => format!("write the long form, `{}: …`", tag.suffix()),
            "!" => format!("write CloudFormation's functions in long form, `Fn::{}: …`", shown(tag.suffix())),
            _ => "remove the tag, and quote text that looks like something else".to_owned(),
        };
        self.report(place.tag_span().unwrap_or(place), finding.help(help));
    }

    fn span(&self, place: granit_parser::Span) -> Span {
        let range = place.byte_range().unwrap_or(0..0);
        let at = |offset: usize| self.text.floor_char_boundary((self.base + offset).min(self.text.len())) as u32;
        Span { file: self.file, start: at(range.start), end: at(range.end).max(at(range.start)) }
    }

    /// From the start of a collection to the end of its last value, or to its closing bracket.
    fn around(&self, start: Span, end: granit_parser::Span, last: Option<&YamlNode>) -> Span {
        let end = self.span(end).end;
        let bracket = end > start.start && matches!(self.text.as_bytes()[end as usize - 1], b']' | b'}');
        let inside = last.filter(|node| node.span.file == self.file).map_or(start.end, |node| node.span.end);
        Span { end: if bracket { end } else { inside }.max(start.end), ..start }
    }

    fn report(&mut self, place: granit_parser::Span, finding: Diagnostic) {
        self.findings.push(finding.at(self.span(place)));
    }

    fn stop(&self, code: Code, message: impl Into<String>, at: usize) -> Stop {
        let start = self.text.floor_char_boundary(at.min(self.text.len()));
        let end = start + self.text[start..].chars().next().map_or(0, char::len_utf8);
        let span = Span { file: self.file, start: start as u32, end: end as u32 };
        Stop { at: start, finding: Diagnostic::new(code, message).at(span) }
    }

    fn too_deep(&self, at: usize) -> Stop {
        self.stop(Code::TooDeep, format!("maps and lists are nested more than {DEEPEST} levels deep"), at)
    }

    fn broken(&self, error: &ScanError) -> Stop {
        let at = self.base + error.marker().byte_offset().unwrap_or(0);
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            return self.too_deep(at);
        }
        let mut stop = self.stop(Code::BrokenYaml, message(error.kind()), at);
        if let Some(help) = help(error.kind()) {
            stop.finding = stop.finding.help(help);
        }
        stop
    }
}

#[derive(Default)]
struct Entries {
    list: Vec<MapEntry>,
    seen: HashMap<Box<str>, Span>,
}

fn message(kind: &ErrorKind) -> String {
    let text = kind.to_string();
    match text.strip_prefix("while ").and_then(|rest| rest.split_once(", ")) {
        Some((_, what)) => what.to_owned(),
        None => text,
    }
}

fn help(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => Some("indent with spaces"),
        ErrorKind::MappingValueNotAllowed => Some("text with `: ` in it needs quotes; check the indentation, too"),
        ErrorKind::InvalidIndentation | ErrorKind::SimpleKeyExpected => Some(
            "check that the lines of a map start in the same column, each with a `:`, and that every `{` and `[` is closed",
        ),
        ErrorKind::UnclosedQuotedScalar => Some("close the quote"),
        ErrorKind::UnknownQuotedScalarEscape => Some("use single quotes if `\\` is meant literally"),
        _ => None,
    }
}
