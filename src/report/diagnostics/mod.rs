//! Findings, with the lines they speak of.

mod shape;
mod snippet;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use self::{
    shape::Block,
    snippet::{INDENT, snippet},
};
use super::{
    Context, FORMAT,
    ink::{Ink, count, fit, paint, paragraph, way_out, wrap},
};
use crate::diagnostic::{Diagnostic, Diagnostics, FileId, Label, Severity, SourceMap, in_place, shown};

/// Beyond this many a run counts the rest.
const SHOWN: usize = 100;
/// So much of a value is shown in any case where several findings are told together; of others what a line holds.
const LEAST_VALUE: usize = 30;

/// For people: each finding with its source, those of one shape together; then how many there are.
pub fn human(diagnostics: &Diagnostics, sources: &SourceMap, context: &Context<'_>) -> String {
    let context = &Context { width: context.width.max(40), ..*context };
    let mut texts = FindingTexts { sources, masked: BTreeMap::new() };
    let mut out = String::new();
    let mut left = SHOWN;
    for block in Block::all(diagnostics) {
        match block.findings.as_slice() {
            _ if left == 0 => break,
            [one] => alone(&mut out, context, one, &mut texts),
            _ => together(&mut out, context, (&block, left), &mut texts),
        }
        left = left.saturating_sub(block.findings.len());
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&counted(diagnostics, context));
    out
}

/// One line each, as `a.yaml:2:13: error[HF1001]: message`.
pub fn short(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    diagnostics.iter().map(|diagnostic| one_line(diagnostic, sources)).collect()
}

/// For programs: one JSON object per line, all of them.
pub fn json_lines(diagnostics: &Diagnostics, sources: &SourceMap, context: &Context<'_>) -> String {
    let line = |diagnostic: &Diagnostic| format!("{}\n", json(diagnostic, sources, context));
    diagnostics.iter().map(line).collect()
}

/// One finding for programs.
pub fn json(diagnostic: &Diagnostic, sources: &SourceMap, context: &Context<'_>) -> Value {
    let labels = diagnostic.labels.iter().map(|label| {
        let start = sources.position(label.span);
        let end = sources.position(crate::diagnostic::Span { start: label.span.end, ..label.span });
        json!({"file": shown(&start.file), "line": start.line, "column": start.column,
               "endLine": end.line, "endColumn": end.column, "text": shown(&label.text)})
    });
    json!({"format": FORMAT, "type": "diagnostic", "imagined": context.label, "code": diagnostic.code.number(),
           "title": diagnostic.code.title(), "severity": diagnostic.severity, "message": shown(&diagnostic.message),
           "labels": labels.collect::<Vec<_>>(), "help": diagnostic.help.as_deref().map(shown)})
}

fn one_line(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let place = diagnostic.labels.first().map(|label| format!("{}: ", sources.position(label.span)));
    let word = severity_word(diagnostic.severity);
    let (place, code) = (place.unwrap_or_default(), diagnostic.code.number());
    format!("{place}{word}[{code}]: {}\n", shown(&diagnostic.message))
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn counted(diagnostics: &Diagnostics, context: &Context<'_>) -> String {
    let parts = [Severity::Error, Severity::Warning, Severity::Note].into_iter().filter_map(|severity| {
        let number = diagnostics.iter().filter(|d| d.severity == severity).count();
        (number > 0).then(|| paint(context, severity_ink(severity), &count(number, severity_word(severity))))
    });
    let parts: Vec<String> = parts.collect();
    let unseen = diagnostics.len().saturating_sub(SHOWN);
    let rest = if unseen > 0 { format!(" ({unseen} more than the {SHOWN} above)") } else { String::new() };
    let worst = diagnostics.iter().min_by_key(|d| std::cmp::Reverse(d.severity));
    match worst.map(|d| d.code.number()) {
        Some(code) => format!("{}{rest}; `hubform explain {code}` says more\n", parts.join(", ")),
        None => String::new(),
    }
}

/// The texts of files with secrets masked, each made once.
struct FindingTexts<'a> {
    sources: &'a SourceMap,
    masked: BTreeMap<FileId, Arc<str>>,
}

impl FindingTexts<'_> {
    fn of(&mut self, file: FileId) -> Arc<str> {
        let text = || Arc::from(in_place(self.sources.text(file)));
        Arc::clone(self.masked.entry(file).or_insert_with(text))
    }

    /// The first line of what a label points at.
    fn at(&mut self, label: &Label) -> String {
        let text = self.of(label.span.file);
        let part = text.get(label.span.start as usize..label.span.end as usize).unwrap_or("");
        part.lines().next().unwrap_or("").trim().to_owned()
    }
}

/// One finding: its words, the line it points at, and the way out.
fn alone(out: &mut String, context: &Context<'_>, diagnostic: &Diagnostic, texts: &mut FindingTexts<'_>) {
    headline(out, context, diagnostic, &shown(&diagnostic.message), 1);
    let file = diagnostic.labels.first().map(|label| label.span.file);
    let drawable = |label: &&Label| Some(label.span.file) == file && !texts.sources.text(label.span.file).is_empty();
    let (here, elsewhere): (Vec<_>, Vec<_>) = diagnostic.labels.iter().partition(drawable);
    let ink = severity_ink(diagnostic.severity);
    snippet(out, context, ink, (&here, texts));
    for label in elsewhere {
        let position = texts.sources.position(label.span);
        let words = if label.text.is_empty() { String::new() } else { format!(": {}", shown(&label.text)) };
        paragraph(out, context, INDENT, &format!("{position}{words}"));
    }
    help(out, context, diagnostic);
}

/// Findings of one shape: what they have in common, then each place with what is its own.
fn together(out: &mut String, context: &Context<'_>, (block, most): (&Block<'_>, usize), texts: &mut FindingTexts<'_>) {
    let first = block.findings[0];
    let (common, values) = block.told();
    headline(out, context, first, &shown(&common), block.findings.len());
    let mut places: Vec<String> = Vec::new();
    for (diagnostic, value) in block.findings.iter().zip(values).take(most) {
        let label = diagnostic.labels.first();
        let value = match label {
            Some(label) if value.is_empty() => texts.at(label),
            _ => shown(&value),
        };
        let position = label.map_or_else(String::new, |label| format!("{} ", texts.sources.position(label.span)));
        let room = context.width.saturating_sub(INDENT + position.width()).max(LEAST_VALUE);
        places.push(format!("{position}{}", fit(&value, room, context.unicode)).trim_end().to_owned());
    }
    let more = block.findings.len() - places.len();
    places.extend((more > 0).then(|| format!("and {more} more")));
    listed(out, context, &places);
    help(out, context, first);
}

/// Places in as few lines as they need, none of them broken.
fn listed(out: &mut String, context: &Context<'_>, places: &[String]) {
    let dot = if context.unicode { " · " } else { ", " };
    let room = context.width.saturating_sub(INDENT);
    let mut line = String::new();
    for place in places {
        if !line.is_empty() && line.width() + dot.width() + place.width() > room {
            out.push_str(&format!("{:INDENT$}{line}\n", ""));
            line.clear();
        }
        line.push_str(if line.is_empty() { "" } else { dot });
        line.push_str(place);
    }
    out.push_str(&format!("{:INDENT$}{line}\n", ""));
}

/// The words of a finding; its code, and how many there are, at the right edge of the first line.
fn headline(out: &mut String, context: &Context<'_>, diagnostic: &Diagnostic, message: &str, number: usize) {
    let times = if context.unicode { "×" } else { "x" };
    let code = diagnostic.code.number();
    let code = if number > 1 { format!("{number} {times} {code}") } else { code.to_owned() };
    let room = context.width.saturating_sub(code.width() + 2).max(20);
    let word = severity_word(diagnostic.severity);
    let painted = paint(context, severity_ink(diagnostic.severity), &format!("{word}:"));
    let lines = message.lines().enumerate().flat_map(|(number, line)| match number {
        0 => wrap(&format!("{word}: {line}"), room),
        _ => wrap(line, room - 2),
    });
    for (number, line) in lines.enumerate() {
        let line = line.trim_end();
        if number > 0 {
            out.push_str(&format!("  {line}\n"));
            continue;
        }
        let pad = (context.width - code.width()).saturating_sub(line.width()).max(2);
        let line = line.replacen(&format!("{word}:"), &painted, 1);
        out.push_str(&format!("{line}{:pad$}{}\n", "", paint(context, Ink::Dim, &code)));
    }
}

fn help(out: &mut String, context: &Context<'_>, diagnostic: &Diagnostic) {
    if let Some(help) = &diagnostic.help {
        way_out(out, context, INDENT, &shown(help));
    }
}

fn severity_ink(severity: Severity) -> Ink {
    match severity {
        Severity::Error => Ink::Bad,
        Severity::Warning => Ink::Care,
        Severity::Note => Ink::Dim,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::diagnostic::{Code, Span};

    fn check(text: &str, at: &str, expect: Expect) {
        let mut sources = SourceMap::default();
        let file = sources.add("a.yaml", text);
        let start = text.find(at).expect("in the text") as u32;
        let span = Span { file, start, end: start + at.len() as u32 };
        let mut diagnostics = Diagnostics::new();
        diagnostics
            .push(Diagnostic::new(Code::BrokenYaml, "a mapping was expected").label(span, "here").help("indent"));
        let context = Context { width: 60, ..Context::default() };
        let human = human(&diagnostics, &sources, &context);
        let json = json_lines(&diagnostics, &sources, &Context { label: Some("imagined account"), ..context });
        expect.assert_eq(&format!("{human}{}{json}", short(&diagnostics, &sources)));
    }

    #[test]
    fn findings_show_their_line_and_no_secrets() {
        let token = "x1".repeat(16);
        check(
            &format!("kind: Model\ntoken: hf_{token}\nname: a\n"),
            "token",
            expect![[r#"
                error: a mapping was expected                         HF1001
                    ╭─ a.yaml:2:1
                  2 │ token: ***********************************
                    │ ^^^^^ here
                    → indent

                1 error; `hubform explain HF1001` says more
                a.yaml:2:1: error[HF1001]: a mapping was expected
                {"code":"HF1001","format":1,"help":"indent","imagined":"imagined account","labels":[{"column":1,"endColumn":6,"endLine":2,"file":"a.yaml","line":2,"text":"here"}],"message":"a mapping was expected","severity":"error","title":"broken YAML","type":"diagnostic"}
            "#]],
        );
    }

    #[test]
    fn of_a_very_long_line_the_part_is_shown() {
        check(
            &format!("{}name: a", " ".repeat(5000)),
            "name",
            expect![[r#"
                error: a mapping was expected                         HF1001
                    ╭─ a.yaml:1:5001
                  1 │ …            name: a
                    │              ^^^^ here
                    → indent

                1 error; `hubform explain HF1001` says more
                a.yaml:1:5001: error[HF1001]: a mapping was expected
                {"code":"HF1001","format":1,"help":"indent","imagined":"imagined account","labels":[{"column":5001,"endColumn":5005,"endLine":1,"file":"a.yaml","line":1,"text":"here"}],"message":"a mapping was expected","severity":"error","title":"broken YAML","type":"diagnostic"}
            "#]],
        );
    }
}
