//! Desired stacks become CloudFormation bodies.
//!
//! Templates are Tera; what users wrote enters them only as opaque tokens, so it can never change a body's
//! structure. The body that comes of it is judged as a whole (`dynamic`). What leaves this room is a [`StackSpec`]:
//! canonical bytes, parameters, tags, capabilities, a digest and where each property came from.

mod body;
mod bounds;
mod dynamic;
mod hatch;
mod outline;
mod policies;
mod spec;
mod templates;
mod token;
mod tree;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Part, Path, SourceMap},
    resolve::{
        DesiredStack,
        view::{Verbatim, View},
    },
};

pub use body::{BODY_LIMIT, capabilities, with_digest, without_stamps, yaml};
pub use spec::{Origin, Origins, StackSpec, body_digest};
pub use templates::{EMBEDDED, TemplateError, Templates};
pub use tree::from_yaml;

pub use crate::resolve::{Check, Choice, Envelope, Identity, ParameterValue, StackKind};

/// Renders every stack, on all processors. Findings of one do not hide those of another.
pub fn render(stacks: Vec<DesiredStack>, templates: &Templates, sources: &SourceMap) -> (Vec<StackSpec>, Diagnostics) {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(stacks.len() / 64 + 1);
    let share = stacks.len().div_ceil(workers).max(1);
    let mut stacks = stacks.into_iter();
    let parts: Vec<Vec<DesiredStack>> = (0..workers).map(|_| stacks.by_ref().take(share).collect()).collect();
    let results: Vec<_> = std::thread::scope(|scope| {
        let work = |part: Vec<_>| part.into_iter().map(|stack| one(stack, templates, sources)).collect::<Vec<_>>();
        let parts: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || work(part))).collect();
        parts.into_iter().flat_map(|part| part.join().expect("rendering does not panic")).collect()
    });
    let (mut specs, mut diagnostics) = (Vec::with_capacity(results.len()), Diagnostics::new());
    for result in results {
        match result {
            Ok((spec, warnings)) => {
                specs.push(spec);
                diagnostics.extend(warnings);
            }
            Err(found) => diagnostics.extend(found),
        }
    }
    (specs, diagnostics)
}

/// The stack, and warnings about it.
fn one(
    stack: DesiredStack,
    templates: &Templates,
    sources: &SourceMap,
) -> Result<(StackSpec, Diagnostics), Diagnostics> {
    let mut body = tree_of(&stack, templates).map_err(only)?;
    let overridden = hatch::apply(&mut body, &stack)?;
    body::stamp_identity(&mut body, &stack);
    dynamic::check(&body, &stack, &overridden)?;
    let warnings = policies::check(&body, &stack);
    if warnings.has_errors() {
        return Err(warnings);
    }
    let digest = body::digest(&body, &stack.envelope);
    let body = Value::Object(body);
    let capabilities = body::capabilities(&body);
    let body = body::with_digest(body, &digest).to_string();
    check_size(&stack, &body).map_err(only)?;
    let origins = origins(&stack, sources);
    let spec = StackSpec {
        identity: stack.identity,
        envelope: stack.envelope,
        body: body.into(),
        digest,
        capabilities,
        overridden,
        origins,
    };
    Ok((spec, warnings))
}

fn only(diagnostic: Diagnostic) -> Diagnostics {
    Diagnostics::from_iter([diagnostic])
}

fn tree_of(stack: &DesiredStack, templates: &Templates) -> Result<Map<String, Value>, Diagnostic> {
    let template = stack.view.template();
    let rendered = templates.render(template, &stack.view).map_err(|error| failed(stack, &error))?;
    let odd = |odd: tree::Odd| {
        let message = format!("`{}` rendered to something that is not a template: {}", template, odd.why);
        let finding = Diagnostic::new(Code::TemplateOutput, message).label(stack.span, "while rendering this");
        match odd.line {
            Some(line) => finding.help(format!("the rendered line is `{line}`")),
            None => finding,
        }
    };
    let tree = tree::parse(&rendered).map_err(odd)?;
    outline::body(tree).map_err(|misshapen| {
        let finding = odd(tree::Odd { why: misshapen.why, line: None });
        let key = misshapen.key.as_deref();
        match key.and_then(|key| templates.line_with(template, key, misshapen.top)) {
            Some((place, line)) => finding.help(format!("it is written at {place}, `{line}`")),
            None => finding,
        }
    })
}

fn failed(stack: &DesiredStack, error: &TemplateError) -> Diagnostic {
    let (what, fields) = match error.message.split_once(" Available ") {
        Some((what, there)) => (what.trim_end_matches('.'), there.strip_prefix("fields: ")),
        None => (error.message.as_str(), None),
    };
    let mut help: Vec<String> =
        error.line.iter().map(|line| format!("the line in the template is `{}`", line.trim())).collect();
    help.extend(fields.map(|fields| format!("what it is taken from has {fields}")));
    let is_unknown = what.ends_with("is not defined") || what.ends_with("its value is undefined");
    help.extend(seen(stack).filter(|_| is_unknown));
    let message = format!("{}: {what}", error.place);
    let finding = Diagnostic::new(Code::TemplateFailed, message).label(stack.span, "while rendering this");
    if help.is_empty() { finding } else { finding.help(help.join("\n")) }
}

/// All that the template of a stack may see, also what this stack has not.
fn seen(stack: &DesiredStack) -> Option<String> {
    let StackKind::Known(kind) = stack.identity.kind else { return None };
    let schema = View::schema(kind)?;
    let fields: Vec<&str> = schema.get("properties")?.as_object()?.keys().map(String::as_str).collect();
    let fields = fields.join(", ");
    Some(format!("the view of {kind} has {fields}; `hubform schema --view {kind}` says what each is"))
}

fn check_size(stack: &DesiredStack, body: &str) -> Result<(), Diagnostic> {
    if body.len() <= BODY_LIMIT {
        return Ok(());
    }
    let message = format!("the body has {} bytes, but CloudFormation accepts {BODY_LIMIT}", body.len());
    Err(Diagnostic::new(Code::BodyTooLarge, message).at(stack.span).help("shorten `resources`, `env` or `statements`"))
}

fn origins(stack: &DesiredStack, sources: &SourceMap) -> Origins {
    let place = |field: &crate::resolve::ManifestField| Origin {
        field: field.path.field(),
        position: sources.position(field.span),
    };
    let mut properties: std::collections::BTreeMap<_, _> =
        stack.origins.iter().map(|(path, field)| (path.clone(), place(field))).collect();
    for (place, span) in &stack.hatch.spans {
        let origin = || {
            let field = Path::from("spec").join(place).field();
            Origin { field, position: sources.position(*span) }
        };
        if let Some(path) = set_by(stack, place) {
            properties.insert(path, origin());
        }
    }
    Origins { manifest: sources.position(stack.span), properties }
}

/// What a place in the escape hatch sets in the body: a resource of one's own, or a property that is overridden.
fn set_by(stack: &DesiredStack, place: &Path) -> Option<Path> {
    match place.parts() {
        [section, id] if section.key() == Some("resources") => Some(id.clone().into()),
        [section, id, Part::Index(at)] if section.key() == Some("overrides") => {
            let Verbatim(patch) = stack.hatch.overrides.get(id.key()?)?;
            let pointer = patch.get(at)?["path"].as_str()?;
            Some(Path::from(id.clone()).join(Path::read(pointer)))
        }
        [section, path @ ..] if section.key() == Some("overrides") && path.len() > 1 => {
            Some(Path::from_iter(path.iter().cloned()))
        }
        _ => None,
    }
}
