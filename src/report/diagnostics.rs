//! Findings, with the lines they speak of.

use std::{collections::BTreeMap, fmt, sync::Arc};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, ThemeCharacters, ThemeStyles};
use serde_json::{Value, json};
use textwrap::{WordSeparator, WordSplitter};

use super::{
    Context, FORMAT,
    ink::{Ink, count, paint},
};
use crate::diagnostic::{Diagnostic, Diagnostics, FileId, Label, Severity, SourceMap, in_place, shown};

/// Beyond this many a run counts the rest.
const SHOWN: usize = 100;
/// A label over more lines than these shows the first of them.
const TALLEST_LABEL: usize = 6;
/// Longer lines are named, not shown.
const LONGEST_LINE: usize = 400;

/// For people: each finding with its source, then how many there are.
pub fn human(diagnostics: &Diagnostics, sources: &SourceMap, context: &Context<'_>) -> String {
    let handler = handler(context);
    let mut texts = Texts { sources, masked: BTreeMap::new() };
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN) {
        let shown = Shown::new(diagnostic, &mut texts);
        if handler.render_report(&mut out, &shown).is_err() {
            out.push_str(&one_line(diagnostic, sources));
        }
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
    let kinds = [(Severity::Error, Ink::Bad), (Severity::Warning, Ink::Care), (Severity::Note, Ink::Dim)];
    let parts = kinds.iter().filter_map(|(severity, ink)| {
        let number = diagnostics.iter().filter(|d| d.severity == *severity).count();
        (number > 0).then(|| paint(context, *ink, &count(number, severity_word(*severity))))
    });
    let parts: Vec<String> = parts.collect();
    let unseen = diagnostics.len().saturating_sub(SHOWN);
    let rest = if unseen > 0 { format!(" ({unseen} more than the {SHOWN} above)") } else { String::new() };
    match diagnostics.iter().map(|d| d.code.number()).min() {
        Some(code) => format!("{}{rest}; `hubform explain {code}` says more\n", parts.join(", ")),
        None => String::new(),
    }
}

fn handler(context: &Context<'_>) -> GraphicalReportHandler {
    let characters = if context.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let styles = if context.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(context.width.max(40))
        .with_links(false)
        .with_context_lines(1)
        .with_word_separator(WordSeparator::AsciiSpace)
        .with_word_splitter(WordSplitter::NoHyphenation)
}

/// The texts of files with secrets masked, each made once.
struct Texts<'a> {
    sources: &'a SourceMap,
    masked: BTreeMap<FileId, Arc<str>>,
}

impl Texts<'_> {
    fn of(&mut self, file: FileId) -> Arc<str> {
        let text = || Arc::from(in_place(self.sources.text(file)));
        Arc::clone(self.masked.entry(file).or_insert_with(text))
    }
}

/// A finding in the form miette draws.
#[derive(Debug)]
struct Shown {
    code: &'static str,
    severity: Severity,
    message: String,
    help: Option<String>,
    labels: Vec<LabeledSpan>,
    source: Option<NamedSource<Arc<str>>>,
}

impl Shown {
    fn new(diagnostic: &Diagnostic, texts: &mut Texts<'_>) -> Self {
        let sources = texts.sources;
        let file = diagnostic.labels.first().map(|label| label.span.file);
        let drawable = |label: &&Label| {
            let text = sources.text(label.span.file);
            Some(label.span.file) == file && !text.is_empty() && sources.line(label.span).len() <= LONGEST_LINE
        };
        let (here, elsewhere): (Vec<_>, Vec<_>) = diagnostic.labels.iter().partition(drawable);
        let labels: Vec<LabeledSpan> = here.into_iter().map(|label| drawn(label, sources)).collect();
        let see = elsewhere.into_iter().map(|label| match label.text.as_str() {
            "" => format!("see {}", sources.position(label.span)),
            text => format!("see {}: {text}", sources.position(label.span)),
        });
        let help: Vec<String> = diagnostic.help.clone().into_iter().chain(see).collect();
        let source = file.filter(|_| !labels.is_empty());
        Self {
            code: diagnostic.code.number(),
            severity: diagnostic.severity,
            message: shown(&diagnostic.message),
            help: (!help.is_empty()).then(|| shown(&help.join("\n"))),
            labels,
            source: source.map(|file| NamedSource::new(shown(sources.name(file)), texts.of(file))),
        }
    }
}

fn drawn(label: &Label, sources: &SourceMap) -> LabeledSpan {
    let text = sources.text(label.span.file);
    let start = (label.span.start as usize).min(text.len());
    let end = (label.span.end as usize).clamp(start, text.len());
    let lines = text[start..end].lines().count();
    let end = if lines > TALLEST_LABEL { start + text[start..end].find('\n').unwrap_or(0) } else { end };
    let words = (!label.text.is_empty()).then(|| shown(&label.text));
    LabeledSpan::new(words, start, end - start)
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
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
            "name",
            expect![[r#"
                HF1001

                  × a mapping was expected
                   ╭─[a.yaml:3:1]
                 2 │ token: ***********************************
                 3 │ name: a
                   · ──┬─
                   ·   ╰── here
                   ╰────
                  help: indent

                1 error; `hubform explain HF1001` says more
                a.yaml:3:1: error[HF1001]: a mapping was expected
                {"code":"HF1001","format":1,"help":"indent","imagined":"imagined account","labels":[{"column":1,"endColumn":5,"endLine":3,"file":"a.yaml","line":3,"text":"here"}],"message":"a mapping was expected","severity":"error","title":"broken YAML","type":"diagnostic"}
            "#]],
        );
    }

    #[test]
    fn a_very_long_line_is_named_and_not_shown() {
        check(
            &format!("{}name: a", " ".repeat(5000)),
            "name",
            expect![[r#"
            HF1001

              × a mapping was expected
              help: indent
                    see a.yaml:1:5001: here

            1 error; `hubform explain HF1001` says more
            a.yaml:1:5001: error[HF1001]: a mapping was expected
            {"code":"HF1001","format":1,"help":"indent","imagined":"imagined account","labels":[{"column":5001,"endColumn":5005,"endLine":1,"file":"a.yaml","line":1,"text":"here"}],"message":"a mapping was expected","severity":"error","title":"broken YAML","type":"diagnostic"}
        "#]],
        );
    }
}
