//! Texts to documents, each checked on its own.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::check::RuleCheck;
use super::document::{DocumentOrigin, Draft, Header, Manifests, SourceText, SpecState};
use super::form::is_name;
use super::kind::{Kind, LATER, Spec};
use super::schema::{API_VERSION, Metadata, schema};
use super::secret::{self, Secret, is_hub_token_name, is_secret_name, is_variable_name, names_variable, shown};
use super::tree::{Content, MapEntry, Sense, YamlNode, path_of};
use super::walk::walk;
use super::yaml::{self, YamlDocument};
use crate::diagnostic::{self, Code, Diagnostic, Diagnostics, FileId, SourceMap, Span, did_you_mean};

/// A file above this many bytes is not read.
const LARGEST: usize = 8 << 20;
const LONGEST_NAME: usize = 40;

/// Reads texts and finds everything that is wrong with each document on its own: its YAML, structure, types,
/// units, names, secrets. Cannot fail: what could not be read has findings.
///
/// Documents that an environment patches are checked by [`super::environments`], patched.
pub fn parse(inputs: Vec<SourceText>, sources: &mut SourceMap) -> (Manifests, Diagnostics) {
    let mut run = DocumentReader::default();
    let folder =
        inputs.first().and_then(|input| Path::new(&input.name).parent()).map(Path::to_owned).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for input in inputs {
        if seen.insert(clean(&input.name)) {
            run.file(input, sources);
        }
    }
    let patched = patched(&run.raw);
    let drafts = run.raw.into_iter().map(|raw| draft(raw, &patched, &mut run.findings)).collect();
    (Manifests { drafts, folder, skipped: run.skipped }, run.findings)
}

fn clean(name: &str) -> PathBuf {
    Path::new(name).components().filter(|part| *part != std::path::Component::CurDir).collect()
}

/// A document of a known kind with a name.
struct Raw {
    header: Header,
    named_well: bool,
}

#[derive(Default)]
struct DocumentReader {
    raw: Vec<Raw>,
    skipped: usize,
    findings: Diagnostics,
}

impl DocumentReader {
    fn file(&mut self, input: SourceText, sources: &mut SourceMap) {
        let Some((text, file)) = self.text(&input, sources) else { return };
        let mut broken = Diagnostics::new();
        let parts = yaml::read(file, &text, &mut broken);
        let mut secrets = Secrets::new(file, &text);
        for part in &parts {
            let ours = part.root.as_ref().is_none_or(|root| self.document(root, file, &input));
            if ours {
                secrets.report(part, &mut self.findings);
            }
        }
        self.findings.extend(broken);
        sources.mask(file, secrets.mask);
    }

    fn text(&mut self, input: &SourceText, sources: &mut SourceMap) -> Option<(String, FileId)> {
        let refuse = |file, at: usize, code, message: String| {
            Some(Diagnostic::new(code, message).at(Span { file, start: at as u32, end: at as u32 }))
        };
        let (name, bytes) = (input.name.clone(), &input.bytes);
        let refused = match std::str::from_utf8(bytes) {
            _ if bytes.len() > LARGEST => {
                let message = format!("the file is larger than {} MiB, the limit", LARGEST >> 20);
                refuse(sources.add(name, ""), 0, Code::FileTooLarge, message)
            }
            Ok(text) => return Some((text.to_owned(), sources.add(name, text))),
            Err(error) => {
                let lossy = String::from_utf8_lossy(bytes);
                let masked: Vec<_> = secret::find(&lossy).into_iter().map(|(range, _)| range).collect();
                let file = sources.add(name, lossy.as_ref());
                sources.mask(file, masked);
                refuse(file, error.valid_up_to(), Code::NotUtf8, "the file is not UTF-8 from here on".to_owned())
            }
        };
        self.findings.extend(refused);
        None
    }

    /// Adds a document if it is hubform's; returns whether it is.
    fn document(&mut self, root: &YamlNode, file: FileId, input: &SourceText) -> bool {
        match group(root, input.named) {
            Group::Foreign => {
                self.skipped += 1;
                false
            }
            Group::Refused(finding) => {
                self.findings.push(finding);
                true
            }
            Group::Ours => {
                let kind = kind(root).map_err(|finding| self.findings.push(finding));
                let origin = DocumentOrigin { file, path: PathBuf::from(&input.name), tree: Arc::new(root.clone()) };
                self.raw.extend(kind.ok().map(|kind| raw(kind, root, origin)));
                true
            }
        }
    }
}

enum Group {
    Ours,
    Foreign,
    Refused(Diagnostic),
}

/// Whose a document is, by `apiVersion`.
fn group(root: &YamlNode, named: bool) -> Group {
    let Some(entries) = root.entries() else {
        let message = format!("a manifest must be a map, not {}", root.describe());
        return Group::Refused(Diagnostic::new(Code::WrongType, message).at(start(root)));
    };
    let Some(version) = root.get("apiVersion") else {
        if !named && root.get("kind").is_none() {
            return Group::Foreign;
        }
        let near = did_you_mean("apiVersion", entries.iter().map(|entry| &*entry.key));
        let help = match near {
            Some(written) => format!("`{}` should be `apiVersion`", shown(written)),
            None => format!("a manifest begins with `apiVersion: {API_VERSION}`"),
        };
        return Group::Refused(
            Diagnostic::new(Code::MissingField, "`apiVersion` is missing").at(start(root)).help(help),
        );
    };
    match version.value.text() {
        Some(API_VERSION) => Group::Ours,
        Some(text) if is_ours(text) => {
            let message = format!("unknown version `{}`", shown(text));
            let finding = Diagnostic::new(Code::UnknownVersion, message).at(version.value.span);
            let renamed = if text.starts_with("hubform/") { "the group was renamed: " } else { "" };
            Group::Refused(finding.help(format!("{renamed}write `apiVersion: {API_VERSION}`")))
        }
        Some(text) if named => {
            let message = format!(
                "`{}` is not hubform's; a file named on the command line must contain only manifests",
                shown(text)
            );
            Group::Refused(Diagnostic::new(Code::ForeignDocument, message).at(version.value.span))
        }
        Some(_) => Group::Foreign,
        None => {
            let message = format!("`apiVersion` must be text, not {}", version.value.describe());
            Group::Refused(Diagnostic::new(Code::WrongType, message).at(version.value.span))
        }
    }
}

/// Is it our group, or the one that 0.1 had?
fn is_ours(version: &str) -> bool {
    matches!(version.split('/').next(), Some("hubform" | "hubform.dev"))
}

fn kind(root: &YamlNode) -> Result<Kind, Diagnostic> {
    let Some(entry) = root.get("kind") else {
        return Err(Diagnostic::new(Code::MissingField, "the document has no `kind`").at(start(root)));
    };
    let span = entry.value.span;
    let Some(text) = entry.value.text() else {
        let message = format!("`kind` must be text, not {}", entry.value.describe());
        return Err(Diagnostic::new(Code::WrongType, message).at(span));
    };
    if LATER.contains(&text) {
        return Err(Diagnostic::new(Code::NotYetSupported, format!("not yet supported: the kind `{text}`")).at(span));
    }
    Kind::find(text).ok_or_else(|| {
        let finding = Diagnostic::new(Code::UnknownKind, format!("unknown kind `{}`", shown(text))).at(span);
        let names = || Kind::ALL.iter().map(|kind| kind.name()).chain(LATER);
        finding.help(match did_you_mean(text, names()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("kinds are {}", super::wording::ticked(Kind::ALL.iter().map(|kind| kind.name()), "and")),
        })
    })
}

/// The beginning of a document, for findings about the whole of it.
fn start(root: &YamlNode) -> Span {
    let first = root.entries().and_then(<[_]>::first);
    first.map_or(Span { end: root.span.start, ..root.span }, |entry| entry.key_span)
}

fn raw(kind: Kind, root: &YamlNode, origin: DocumentOrigin) -> Raw {
    let name = root.get("metadata").and_then(|entry| entry.value.get("name")?.value.text()).unwrap_or_default();
    let named_well = is_name(name, LONGEST_NAME);
    let header =
        Header { kind, name: name.to_owned(), labels: Default::default(), annotations: Default::default(), origin };
    Raw { header, named_well }
}

/// Kind and name of every manifest that some environment patches.
fn patched(raw: &[Raw]) -> BTreeSet<(String, String)> {
    let environments = raw.iter().filter(|raw| raw.header.kind == Kind::Environment);
    let patches = environments.flat_map(|raw| patches(&raw.header.origin.tree));
    patches.map(|patch| (patch.kind.to_owned(), patch.name.to_owned())).collect()
}

/// A patch as it is written in an environment.
pub(super) struct WrittenPatch<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) name_span: Span,
    pub(super) spec: &'a YamlNode,
}

pub(super) fn patches(environment: &YamlNode) -> impl Iterator<Item = WrittenPatch<'_>> {
    let list = environment.get("spec").and_then(|spec| spec.value.get("patches"));
    list.and_then(|list| list.value.items()).unwrap_or_default().iter().filter_map(|patch| {
        let name = &patch.get("name")?.value;
        let kind = patch.get("kind")?.value.text()?;
        Some(WrittenPatch { kind, name: name.text()?, name_span: name.span, spec: &patch.get("spec")?.value })
    })
}

fn draft(raw: Raw, patched: &BTreeSet<(String, String)>, findings: &mut Diagnostics) -> Draft {
    let Raw { mut header, named_well } = raw;
    if named_well && patched.contains(&(header.kind.name().to_owned(), header.name.clone())) {
        return Draft { header, reading: SpecState::Deferred };
    }
    let reading = read(&mut header, findings).map_or(SpecState::Refused, SpecState::Done);
    Draft { header, reading }
}

/// Holds a document's tree against its kind's schema and rules; fills in labels and annotations.
///
/// With findings about structure the rules are still held against what can be read.
pub(super) fn read(header: &mut Header, findings: &mut Diagnostics) -> Option<Spec> {
    let mut found = Diagnostics::new();
    let mut value = walk(schema(header.kind), &header.origin.tree, &mut found);
    let clean = found.is_empty();
    let mut rules = Diagnostics::new();
    let spec = typed(header, value["spec"].take(), value["metadata"].take(), &mut rules);
    if clean || spec.is_some() {
        found.extend(rules);
    }
    let fine = !found.has_errors();
    findings.extend(found);
    spec.filter(|_| fine)
}

fn typed(header: &mut Header, spec: Value, metadata: Value, findings: &mut Diagnostics) -> Option<Spec> {
    let mut refuse = |error: &dyn std::fmt::Display, path: diagnostic::Path| {
        let message = format!("cannot read this: {}", shown(&error.to_string()));
        findings.push(Diagnostic::new(Code::WrongType, message).at(header.origin.span(path)));
    };
    let spec = if spec.is_null() { Value::Object(Default::default()) } else { spec };
    let spec = header
        .kind
        .deserialize(spec)
        .map_err(|e| refuse(e.inner(), diagnostic::Path::from("/spec").join(path_of(e.path()))))
        .ok()?;
    let metadata: Metadata = serde_json::from_value(metadata).map_err(|e| refuse(&e, "/metadata".into())).ok()?;
    (header.labels, header.annotations) = (metadata.labels, metadata.annotations);
    spec.check(&mut RuleCheck::new(&header.origin, "/spec", findings));
    Some(spec)
}

/// Secrets of one file: those found in its text as it is, and those that YAML's escapes hid.
struct Secrets {
    file: FileId,
    plain: Vec<(Range<usize>, Secret)>,
    mask: Vec<Range<usize>>,
}

impl Secrets {
    fn new(file: FileId, text: &str) -> Self {
        let plain = secret::find(text);
        let mask = plain.iter().map(|(range, _)| range.clone()).collect();
        Self { file, plain, mask }
    }

    fn report(&mut self, part: &YamlDocument, findings: &mut Diagnostics) {
        let inside = self.plain.iter().filter(|(range, _)| part.range.contains(&range.start));
        for (range, secret) in inside {
            let span = Span { file: self.file, start: range.start as u32, end: range.end as u32 };
            findings.push(literal(*secret).at(span));
        }
        if let Some(root) = &part.root {
            self.visit(root, "", findings);
        }
    }

    /// `parent` is the key that the node is the value of.
    fn visit(&mut self, node: &YamlNode, parent: &str, findings: &mut Diagnostics) {
        match &node.content {
            Content::Scalar(scalar) => self.look(&scalar.text, node.span, findings),
            Content::List(items) => items.iter().for_each(|item| self.visit(item, "", findings)),
            Content::Map(entries) => entries.iter().for_each(|entry| {
                self.look(&entry.key, entry.key_span, findings);
                match parent {
                    "args" if secret::is_server_key(&entry.key) => self.hide(&entry.value),
                    "env" if secret::is_server_key_variable(&entry.key) => {
                        self.hide(&entry.value);
                        self.look_at_name(entry, findings);
                    }
                    _ => self.look_at_name(entry, findings),
                }
                self.visit(&entry.value, &entry.key, findings);
            }),
        }
    }

    /// A key for the server is refused where the engine is known; here it is only hidden.
    fn hide(&mut self, value: &YamlNode) {
        self.mask.push(value.span.start as usize..value.span.end as usize);
    }

    /// A variable whose name says that it is a secret, with its value in plain text.
    fn look_at_name(&mut self, entry: &MapEntry, findings: &mut Diagnostics) {
        let Content::Scalar(scalar) = &entry.value.content else { return };
        let literal = !scalar.text.is_empty() && !matches!(scalar.sense, Sense::Null | Sense::Bool(_));
        let is_secret = literal && is_secret_name(&entry.key);
        if is_secret {
            self.hide(&entry.value);
        }
        // A token with a shape of its own is reported by that.
        if literal && is_hub_token_name(&entry.key) && secret::find(&scalar.text).is_empty() {
            findings.push(hub_token(entry, &scalar.text));
        } else if is_secret && !is_variable_name(&scalar.text) {
            let message = format!("the value of `{}` is in plain text", shown(&entry.key));
            let help = "anyone who may describe the model can read it; keep secrets in Secrets Manager and fetch them in the container";
            findings.push(Diagnostic::new(Code::SecretByName, message).at(entry.key_span).help(help));
        }
    }

    fn look(&mut self, text: &str, span: Span, findings: &mut Diagnostics) {
        let bytes = span.start as usize..span.end as usize;
        let hidden = secret::find(text);
        let plain = self.plain.iter().filter(|(range, _)| bytes.contains(&range.start)).count();
        if let Some((_, secret)) = hidden.get(plain) {
            findings.push(literal(*secret).at(span));
            self.mask.push(bytes);
        }
        if text.contains(secret::DYNAMIC_REFERENCE) {
            let finding = Diagnostic::new(Code::DynamicReference, "dynamic references are not allowed in manifests");
            findings.push(finding.at(span).help("use `{ssm: NAME}` where an id or ARN is expected"));
        }
    }
}

/// A literal token is readable for anyone who may describe the model; a shell variable would arrive unexpanded.
fn hub_token(entry: &MapEntry, text: &str) -> Diagnostic {
    let name = shown(&entry.key);
    let message = match names_variable(text) {
        true => format!("`{name}` would be set to this text: hubform does not expand shell variables"),
        false => {
            format!("`{name}` must not be set in a manifest: anyone who may describe the model could read the token")
        }
    };
    let help = "remove it and copy the weights to S3 (`s3:`); hubform cannot pass a Hub token yet";
    Diagnostic::new(Code::HubToken, message).at(entry.value.span).help(help)
}

fn literal(secret: Secret) -> Diagnostic {
    let finding = Diagnostic::new(Code::LiteralSecret, format!("{} is in plain text", secret.describe()));
    finding.help("revoke it, since anyone who read the file has it; keep secrets in Secrets Manager")
}
