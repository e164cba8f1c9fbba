//! Colours, wrapping, and how long things took: what all texts share.

use std::{fmt::Write, time::Duration};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Context;

/// A colour, as the number of its escape sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Good = 32,
    Care = 33,
    Bad = 31,
    Bold = 1,
    Dim = 2,
}

/// The text in a colour, where the context wants colours.
pub(super) fn paint(context: &Context<'_>, ink: Ink, text: &str) -> String {
    match context.color {
        true => format!("\u{1b}[{}m{text}\u{1b}[0m", ink as u8),
        false => text.to_owned(),
    }
}

/// Appends a paragraph, wrapped to the context's width, each line indented; lines after the first by two more.
pub(super) fn paragraph(out: &mut String, context: &Context<'_>, indent: usize, text: &str) {
    if let Some(command) = text.strip_prefix('`').and_then(|text| text.strip_suffix('`')).filter(|c| !c.contains('`')) {
        // To be copied as it stands.
        let _ = writeln!(out, "{:indent$}{command}", "");
        return;
    }
    let width = context.width.saturating_sub(indent).max(20);
    for (number, line) in wrap(text, width).into_iter().enumerate() {
        let deeper = if number > 0 { 2 } else { 0 };
        let _ = writeln!(out, "{:1$}{line}", "", indent + deeper);
    }
}

/// Appends what to do, a paragraph a line, behind an arrow; commands that are a line of their own stand deeper, whole.
pub(super) fn way_out(out: &mut String, context: &Context<'_>, indent: usize, text: &str) {
    let arrow = if context.unicode { "→" } else { "=>" };
    for (number, line) in text.lines().enumerate() {
        match number {
            0 => paragraph(out, context, indent, &format!("{arrow} {line}")),
            _ => paragraph(out, context, indent + if line.starts_with('`') { 4 } else { 2 }, line),
        }
    }
}

/// Breaks a text at spaces, and not within what is quoted by backticks, so that a command can be copied; the lines after
/// the first are two columns shorter. A word that is too long stands alone.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text, width) {
        let room = width - if lines.is_empty() { 0 } else { 2 };
        if !line.is_empty() && line.width() + 1 + shown_width(word) > room {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The words of a text. What backticks quote is one, if a line holds it.
fn words(text: &str, width: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        let mut end = rest.find(' ').unwrap_or(rest.len());
        if let Some(open) = rest[..end].find('`').filter(|_| rest[..end].matches('`').count() % 2 == 1) {
            let close = rest[open + 1..].find('`').map(|close| open + 1 + close);
            let whole = close.map(|close| rest[close..].find(' ').map_or(rest.len(), |space| close + space));
            end = whole.filter(|whole| shown_width(&rest[..*whole]) + 2 <= width).unwrap_or(end);
        }
        words.push(&rest[..end]);
        match rest.get(end + 1..) {
            Some(after) => rest = after,
            None => return words,
        }
    }
}

fn shown_width(word: &str) -> usize {
    match word.find('\u{1b}') {
        Some(_) => word.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest).width()).sum(),
        None => word.width(),
    }
}

/// The text in at most `width` columns, cut in the middle of the end by an ellipsis; control characters are spaces.
pub(super) fn fit(text: &str, width: usize, unicode: bool) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.width() <= width {
        return text;
    }
    let mark = if unicode { "…" } else { "..." };
    let room = width.saturating_sub(mark.width());
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        out.push(c);
    }
    out + &mark.chars().take(width).collect::<String>()
}

/// As `8s`, `2m10s`, `1h04m`.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// As `1 stack`, `3 stacks`.
pub(super) fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_counts_columns_and_never_loses_a_word() {
        let mut out = String::new();
        let context = Context { width: 24, ..Context::default() };
        paragraph(&mut out, &context, 2, "größere Wörter brauchen mehr Platz als-dieses-sehr-lange-Wort hat");
        assert_eq!(out, "  größere Wörter\n    brauchen mehr Platz\n    als-dieses-sehr-lange-Wort\n    hat\n");
        assert_eq!(fit("a\nlong name", 6, true), "a lon…");
        assert_eq!(span(Duration::from_secs(3_840)), "1h04m");
    }
}
