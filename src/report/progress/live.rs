//! For a terminal: a table that stays at the bottom, and a line above it for each stack that is over.
//!
//! It is drawn by going up as many lines as were drawn before, so the terminal is never asked anything: one that does
//! not answer cannot hold the run up. Its size is looked at before each drawing; where there is no room for a table,
//! lines are written as for a pipe.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::{
    Board, BoardRow, Listener, PlainProgress,
    table::{TableLine, table},
};
use crate::{
    execute::{Event, StepResult},
    report::{
        Context,
        ink::{Ink, fit, paint, span},
        outcome::in_one_line,
    },
};

/// Columns and rows, where they are known.
pub type TerminalSize = Box<dyn Fn() -> Option<(u16, u16)> + Send>;

/// Fewer columns or rows have no room for a table.
const LEAST: (u16, u16) = (20, 5);
/// Rows that are left for what stood there before.
const ABOVE: usize = 2;

/// Does a terminal of so many columns and rows have room for a table?
pub fn has_room((columns, rows): (u16, u16)) -> bool {
    columns >= LEAST.0 && rows >= LEAST.1
}

/// Draws the table at the bottom of a terminal.
pub struct LiveProgress<W: Write> {
    out: W,
    size: TerminalSize,
    board: Board,
    color: bool,
    unicode: bool,
    label: Option<String>,
    /// The columns of each line of the table that stands.
    standing: Vec<usize>,
    /// What was written last, so that nothing is drawn twice.
    last: String,
    /// Lines in place of the table, while the terminal has no room for one.
    lines: PlainProgress<Vec<u8>>,
}

impl<W: Write> LiveProgress<W> {
    /// Draws with escape sequences to `out`, a terminal that has the size that `size` answers when it is asked.
    pub fn new(out: W, size: TerminalSize, context: &Context<'_>) -> Self {
        Self {
            out,
            size,
            board: Board::default(),
            color: context.color,
            unicode: context.unicode,
            label: context.label.map(str::to_owned),
            standing: Vec::new(),
            last: String::new(),
            lines: PlainProgress::new(Vec::new(), context),
        }
    }

    /// Puts lines above the table and draws it anew.
    fn draw(&mut self, above: &[TableLine], with_table: bool) -> io::Result<()> {
        let (columns, rows) = (self.size)().unwrap_or((0, 0));
        let width = usize::from(columns);
        let context = Context { width, color: self.color, unicode: self.unicode, label: self.label.as_deref() };
        let table = match with_table && has_room((columns, rows)) {
            true => table(&self.board, &context, usize::from(rows) - ABOVE),
            false => Vec::new(),
        };
        let shown = |(ink, text): &TableLine| ink.map_or_else(|| text.clone(), |ink| paint(&context, ink, text));
        let home = home(&self.standing, width);
        let over: String = above.iter().map(|line| format!("{}\x1b[K\r\n", shown(line))).collect();
        let lines: Vec<String> = table.iter().map(|line| format!("{}\x1b[K", shown(line))).collect();
        let drawn = lines.join("\r\n");
        if over.is_empty() && drawn == self.last {
            return Ok(());
        }
        write!(self.out, "{home}{over}{drawn}\x1b[J")?;
        self.standing = table.iter().map(|(_, text)| text.width()).collect();
        self.last = drawn;
        self.out.flush()
    }

    fn over(&self, row: &BoardRow, result: &StepResult) -> TableLine {
        let good = matches!(result, StepResult::Done | StepResult::Unchanged);
        let mark = match (good, self.unicode) {
            (true, true) => "✓",
            (false, true) => "✗",
            (true, false) => "+",
            (false, false) => "x",
        };
        let took = row.began.map(|began| format!(" ({})", span(self.board.now.since(began)))).unwrap_or_default();
        let text = format!("{mark} {}: {}{took}", row.stack, in_one_line(result));
        let width = (self.size)().map(|(columns, _)| usize::from(columns)).filter(|width| *width >= LEAST.0.into());
        let text = width.map_or_else(|| text.clone(), |width| fit(&text, width, self.unicode));
        (Some(if good { Ink::Good } else { Ink::Bad }), text)
    }
}

/// From the end of the last line of the table back to where its first one begins, also where a terminal that became
/// narrower has wrapped them.
fn home(standing: &[usize], columns: usize) -> String {
    let high = |width: &usize| if columns == 0 { 1 } else { width.div_ceil(columns).max(1) };
    match standing.iter().map(high).sum::<usize>() {
        0 | 1 => "\r".to_owned(),
        rows => format!("\r\x1b[{}A", rows - 1),
    }
}

impl<W: Write> Listener for LiveProgress<W> {
    fn hear(&mut self, event: &Event) -> io::Result<()> {
        let over = self.board.hear(event);
        self.lines.hear(event)?;
        let lines = self.lines.taken();
        if !has_room((self.size)().unwrap_or((0, 0))) {
            self.draw(&[], false)?;
            self.out.write_all(lines.replace('\n', "\r\n").as_bytes())?;
            return self.out.flush();
        }
        let mut above = Vec::new();
        if let Event::Settled { stack, result, .. } = event {
            let unseen = matches!(result, StepResult::Failed(_)).then(|| BoardRow::of(stack));
            above.extend(over.or(unseen).map(|row| self.over(&row, result)));
        }
        self.draw(&above, !matches!(event, Event::Finished { .. }))
    }

    fn close(&mut self) -> io::Result<()> {
        self.draw(&[], false)
    }
}
