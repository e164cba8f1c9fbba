//! The lines of a source that a finding points at.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{FindingTexts, Label, shown};
use crate::report::{
    Context,
    ink::{Ink, paint, wrap},
};

/// Left of everything that stands under a headline.
pub(super) const INDENT: usize = 4;

/// One line with what is marked in it.
struct Marked<'a> {
    number: usize,
    line: &'a str,
    /// Columns from and to.
    columns: (usize, usize),
    words: &'a str,
    is_first: bool,
}

/// Appends the place of the first label and the line of each, in the order of the file.
pub(super) fn snippet(
    out: &mut String,
    context: &Context<'_>,
    ink: Ink,
    (labels, texts): (&[&Label], &mut FindingTexts<'_>),
) {
    let Some(first) = labels.first() else { return };
    let text = texts.of(first.span.file);
    let mut lines: Vec<Marked<'_>> = labels.iter().map(|label| marked(label, first, &text, texts)).collect();
    lines.sort_by_key(|line| (line.number, line.columns));
    let digits = lines.iter().map(|line| line.number.to_string().len()).max().unwrap_or(1);
    let gutter = Gutter { context, digits };
    let corner = if context.unicode { "╭─" } else { "-->" };
    let place = texts.sources.position(first.span);
    out.push_str(&format!("{} {place}\n", gutter.paint(&format!("{:1$} {corner}", "", digits))));
    let mut last = None;
    for line in &lines {
        let room = context.width.saturating_sub(INDENT + digits + 3).max(20);
        let window = Window::over(line, room, context.unicode);
        if last != Some(line.number) {
            out.push_str(&gutter.line(Some(line.number), &window.text));
        }
        last = Some(line.number);
        marks(out, &gutter, line, &window, (ink, room));
    }
}

fn marked<'a>(label: &'a Label, first: &Label, text: &'a str, texts: &FindingTexts<'_>) -> Marked<'a> {
    let start = text.floor_char_boundary((label.span.start as usize).min(text.len()));
    let end = text.floor_char_boundary((label.span.end as usize).clamp(start, text.len()));
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[from..].lines().next().unwrap_or("");
    let (start, end) = ((start - from).min(line.len()), (end - from).min(line.trim_end().len()));
    let column = |at: usize| line[..at].chars().map(columns).sum::<usize>();
    Marked {
        number: texts.sources.position(label.span).line,
        line,
        columns: (column(start), column(end.max(start)).max(column(start) + 1)),
        words: &label.text,
        is_first: std::ptr::eq(label, first),
    }
}

/// How wide a character is shown; a tab is shown as a space.
fn columns(c: char) -> usize {
    if c == '\t' { 1 } else { c.width().unwrap_or(0) }
}

/// The marks under a line, and the words behind them, or below where there is no room.
fn marks(out: &mut String, gutter: &Gutter<'_>, line: &Marked<'_>, window: &Window, (ink, room): (Ink, usize)) {
    let (from, to) = window.columns;
    let (mark, ink) = if line.is_first { ("^", ink) } else { ("-", Ink::Dim) };
    let drawn = paint(gutter.context, ink, &mark.repeat(to - from));
    let words = shown(line.words);
    let fits = to + 1 + words.width() <= room;
    let behind = if fits && !words.is_empty() { format!(" {words}") } else { String::new() };
    out.push_str(&gutter.line(None, &format!("{:from$}{drawn}{behind}", "")));
    if !fits && !words.is_empty() {
        wrap(&words, room).iter().for_each(|words| out.push_str(&gutter.line(None, words)));
    }
}

struct Gutter<'a> {
    context: &'a Context<'a>,
    digits: usize,
}

impl Gutter<'_> {
    fn paint(&self, text: &str) -> String {
        // The corner stands above the bar, the numbers right before it.
        format!("{:1$}{2}", "", INDENT - 2, paint(self.context, Ink::Dim, text))
    }

    fn line(&self, number: Option<usize>, text: &str) -> String {
        let bar = if self.context.unicode { "│" } else { "|" };
        let number = number.map(|number| number.to_string()).unwrap_or_default();
        let digits = self.digits;
        let line = format!("{} {text}", self.paint(&format!("{number:>digits$} {bar}")));
        format!("{}\n", line.trim_end())
    }
}

/// What is shown of a line that may be longer than the room for it: the marked part and what is around it.
struct Window {
    text: String,
    /// Columns of the mark within it.
    columns: (usize, usize),
}

impl Window {
    fn over(line: &Marked<'_>, room: usize, unicode: bool) -> Self {
        let dots = if unicode { "…" } else { "..." };
        let width: usize = line.line.chars().map(columns).sum();
        let (start, end) = line.columns;
        let is_whole = width <= room;
        let from = match () {
            () if is_whole || end + dots.width() <= room => 0,
            () if start < room / 2 => 0,
            () => start - room / 4,
        };
        let to = if is_whole { width } else { from + room };
        let before = if from > 0 { dots } else { "" };
        let after = if to < width { dots } else { "" };
        let (mut text, mut column) = (before.to_owned(), 0);
        for c in line.line.chars() {
            if column >= from + before.width() && column + columns(c) + after.width() <= to {
                text.push(if c == '\t' { ' ' } else { c });
            }
            column += columns(c);
        }
        text.push_str(after);
        let end = end.min(to).max(start + 1);
        Self { text, columns: (start - from, end - from) }
    }
}
