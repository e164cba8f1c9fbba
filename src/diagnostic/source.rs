//! Source texts by number, and how bytes in them become lines and columns.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A file of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A range of bytes in a file; positions stay symbolic like this until they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A place as people name it: both numbers count from one, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The name given when the file was read.
    pub file: String,
    /// Line, from one.
    pub line: usize,
    /// Column in characters, from one.
    pub column: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", super::shown(&self.file), self.line, self.column)
    }
}

#[derive(Debug, Clone)]
struct Source {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Arc<[u32]>,
}

/// Every text that was read in a run.
#[derive(Debug, Clone, Default)]
pub struct SourceMap(Vec<Source>);

impl SourceMap {
    /// Keeps a text under the name people know it by.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let text: Arc<str> = text.into();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        let line_starts = starts.collect();
        self.0.push(Source { name: name.into(), text, line_starts });
        FileId(self.0.len() as u32 - 1)
    }

    /// The name of a file.
    pub fn name(&self, file: FileId) -> &str {
        &self.0[file.0 as usize].name
    }

    /// The text of a file.
    pub fn text(&self, file: FileId) -> &str {
        &self.0[file.0 as usize].text
    }

    /// Puts `*` over bytes of a file, line ends excepted, so that nothing can show them. Spans and columns stay as they
    /// are.
    pub fn mask(&mut self, file: FileId, ranges: impl IntoIterator<Item = std::ops::Range<usize>>) {
        let source = &mut self.0[file.0 as usize];
        let mut text = source.text.to_string();
        for range in ranges {
            let (start, end) =
                (source.text.floor_char_boundary(range.start), source.text.ceil_char_boundary(range.end));
            let hidden: String = text[start..end].chars().map(hidden).collect();
            text.replace_range(start..end, &hidden);
        }
        source.text = text.into();
    }

    /// Where a span starts, as people name it.
    pub fn position(&self, span: Span) -> Position {
        let source = &self.0[span.file.0 as usize];
        let line = source.line_starts.partition_point(|start| *start <= span.start).max(1) - 1;
        let from = source.line_starts[line] as usize;
        let to = (span.start as usize).min(source.text.len());
        let column = source.text.get(from..to).map_or(0, |text| text.chars().count());
        Position { file: source.name.to_string(), line: line + 1, column: column + 1 }
    }

    /// The whole line a span starts in, without its end.
    pub fn line(&self, span: Span) -> &str {
        let source = &self.0[span.file.0 as usize];
        let line = source.line_starts.partition_point(|start| *start <= span.start).max(1) - 1;
        let rest = source.text.get(source.line_starts[line] as usize..).unwrap_or("");
        rest.lines().next().unwrap_or("")
    }
}

/// What stands for a character that is not shown: a kind of asterisk with as many bytes.
fn hidden(c: char) -> char {
    match c {
        '\n' | '\r' => c,
        _ => ['*', '×', '＊', '🞶'][c.len_utf8() - 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let mut map = SourceMap::default();
        let file = map.add("a.yaml", "kind: Model\nname: größe x\n");
        let at = "kind: Model\nname: größe ".len() as u32;
        let span = Span { file, start: at, end: at + 1 };
        assert_eq!(map.position(span).to_string(), "a.yaml:2:13");
        assert_eq!(map.line(span), "name: größe x");
    }

    #[test]
    fn masked_bytes_keep_their_places() {
        let mut map = SourceMap::default();
        let file = map.add("a.yaml", "a: ßx\ny: z");
        map.mask(file, [3..5, 4..7]);
        assert_eq!(map.text(file), "a: ×*\ny: z");
    }
}
