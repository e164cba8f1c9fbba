//! The live table: a pure function from what is going on to cells.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};
use unicode_width::UnicodeWidthStr;

use super::{Board, Row};
use crate::{
    execute::Waiting,
    report::{
        Context,
        ink::{fit, span},
        outcome::stacks,
    },
};

/// The columns, from the one that is never dropped to the one dropped first.
const COLUMNS: [(&str, usize); 5] =
    [("stack", 12), ("status", 18), ("elapsed", 7), ("operation", 16), ("resource or what it waits for", 24)];
/// In which order they stand.
const ORDER: [usize; 5] = [0, 3, 1, 4, 2];
const GAP: usize = 2;

/// How many lines the table of a board wants, at most `most`.
pub fn height(board: &Board, most: u16) -> u16 {
    let lines = board.rows().len() + 2;
    u16::try_from(lines).unwrap_or(u16::MAX).min(most)
}

/// Draws the board: a line of counts, the columns' names, and a line per stack, the busiest first. What does not fit
/// is counted in the last line.
pub fn table(board: &Board, context: &Context<'_>, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let mut lines = Lines { area, buffer, next: 0, color: context.color };
    lines.push(&fit(&headline(board, context), width, context.unicode), Style::new().add_modifier(Modifier::BOLD));
    let rows = board.rows();
    if rows.is_empty() || area.height < 3 {
        return;
    }
    let widths = widths(&rows, width);
    let names: Vec<String> = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect();
    lines.push(&line(&names, &widths, context), Style::new().add_modifier(Modifier::DIM));
    let room = usize::from(area.height) - 2;
    let shown = if rows.len() > room { room - 1 } else { rows.len() };
    for row in &rows[..shown] {
        lines.push(&line(&cells(row, board, &widths), &widths, context), style(row));
    }
    if shown < rows.len() {
        let text = format!("and {} more", rows.len() - shown);
        lines.push(&text, Style::new().add_modifier(Modifier::DIM));
    }
}

struct Lines<'a> {
    area: Rect,
    buffer: &'a mut Buffer,
    next: u16,
    color: bool,
}

impl Lines<'_> {
    fn push(&mut self, text: &str, style: Style) {
        if self.next < self.area.height {
            let style = if self.color { style } else { Style::new() };
            let (x, y) = (self.area.x, self.area.y + self.next);
            self.buffer.set_stringn(x, y, text, usize::from(self.area.width), style);
            self.next += 1;
        }
    }
}

fn headline(board: &Board, context: &Context<'_>) -> String {
    let dot = if context.unicode { " · " } else { ", " };
    let label = context.label.map(|label| format!("[{label}] ")).unwrap_or_default();
    let failed = if board.failed > 0 { format!("{dot}{} failed", board.failed) } else { String::new() };
    let stopping = if board.interrupted { format!("{dot}stopping when these are done") } else { String::new() };
    let done = format!("{} of {} over", board.over, stacks(board.total));
    format!("{label}{done}{failed}{dot}{}{stopping}", span(board.elapsed()))
}

/// Widths by column; a column that does not fit has none.
fn widths(rows: &[&Row], width: usize) -> [usize; 5] {
    let mut widths = [0; 5];
    let mut left = width;
    for (column, (name, least)) in COLUMNS.iter().enumerate() {
        let wanted = if column == 4 { *least } else { natural(rows, column).max(name.len()) };
        let take = wanted.min((*least).max(width * share(column) / 100));
        if column > 0 && left < take + GAP {
            break;
        }
        widths[column] = take.min(left);
        left -= widths[column] + if column > 0 { GAP } else { 0 };
    }
    let last = if widths[4] > 0 { 4 } else { 0 };
    widths[last] += left.min(if last == 4 { left } else { natural(rows, 0).saturating_sub(widths[0]) });
    widths
}

/// Per cent of the width a column may take.
fn share(column: usize) -> usize {
    [30, 35, 10, 25, 100][column]
}

fn natural(rows: &[&Row], column: usize) -> usize {
    let of = |row: &&Row| match column {
        0 => row.stack.width(),
        1 => status(row).width(),
        3 => row.operation.width(),
        _ => 7,
    };
    rows.iter().map(of).max().unwrap_or(0)
}

fn cells(row: &Row, board: &Board, widths: &[usize; 5]) -> Vec<String> {
    let detail = waits_for(row).or_else(|| resource(row)).unwrap_or_default();
    let elapsed = row.began.map(|began| span(board.now.since(began))).unwrap_or_default();
    let narrow = widths[4] == 0;
    let status = match waits_for(row) {
        Some(waits) if narrow => waits,
        _ => status(row),
    };
    vec![row.stack.clone(), status, elapsed, row.operation.clone(), detail]
}

fn status(row: &Row) -> String {
    match (&row.status, row.began) {
        (Some(status), Some(_)) => status.to_string(),
        (_, Some(_)) => "starting".into(),
        (_, None) => "waiting".into(),
    }
}

fn waits_for(row: &Row) -> Option<String> {
    Some(match row.waiting.as_ref()? {
        Waiting::Stacks(needed) => {
            let names: Vec<&str> = needed.iter().map(|stack| stack.name.as_str()).collect();
            format!("waits for {}", names.join(", "))
        }
        Waiting::Turn => "waits for its turn".into(),
        Waiting::Throttled => "AWS asked to slow down".into(),
        Waiting::ChangeSet => "change set is computed".into(),
    })
}

fn resource(row: &Row) -> Option<String> {
    row.resource.as_ref().map(|(logical_id, status)| format!("{logical_id} {status}"))
}

fn line(cells: &[String], widths: &[usize; 5], context: &Context<'_>) -> String {
    let mut out = String::new();
    for column in ORDER.into_iter().filter(|column| widths[*column] > 0) {
        let text = fit(&cells[column], widths[column], context.unicode);
        let pad = " ".repeat(widths[column].saturating_sub(text.width()) + GAP);
        out.push_str(&text);
        out.push_str(&pad);
    }
    out.trim_end().to_owned()
}

fn style(row: &Row) -> Style {
    match (&row.status, row.began) {
        (_, None) => Style::new().add_modifier(Modifier::DIM),
        (Some(status), _) if status.is_rollback() => Style::new().fg(Color::Red),
        _ => Style::new(),
    }
}
