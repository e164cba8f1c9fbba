//! The live table: a pure function from what is going on to lines.

use unicode_width::UnicodeWidthStr;

use super::{Board, BoardRow};
use crate::{
    cloud::Retrying,
    execute::Waiting,
    report::{
        Context,
        ink::{Ink, fit, span},
        outcome::stacks,
        retry::in_short,
    },
};

/// A line and how it is painted.
pub(super) type TableLine = (Option<Ink>, String);

/// The columns and the least each needs, from the one that is never dropped to the one dropped first.
const COLUMNS: [(&str, usize); 5] =
    [("stack", 20), ("status", 18), ("elapsed", 7), ("resource / waiting for", 24), ("operation", 10)];
const STATUS: usize = 1;
const DETAIL: usize = 3;
/// In which order they stand.
const ORDER: [usize; 5] = [0, 4, STATUS, DETAIL, 2];
const GAP: usize = 2;
/// In which order they get what is left.
const GROWTH: [usize; 5] = [DETAIL, 0, STATUS, 4, 2];
/// No column grows beyond this much of the width, in per cent.
const MOST: usize = 40;

/// A line of counts, the columns' names, and a line per stack, the busiest first: at most `most` lines, none wider than
/// the context. What does not fit is counted in the last one.
pub(super) fn table(board: &Board, context: &Context<'_>, most: usize) -> Vec<TableLine> {
    let width = context.width;
    let mut lines = vec![(Some(Ink::Bold), fit(&headline(board, context), width, context.unicode))];
    let rows = board.rows();
    if rows.is_empty() || most < 3 {
        return lines;
    }
    let columns = visible(width);
    let room = most - 2;
    let shown = if rows.len() > room { room - 1 } else { rows.len() };
    let cells: Vec<_> = rows[..shown].iter().map(|row| cells(row, board, columns > DETAIL)).collect();
    let widths = widths(&cells, columns, width);
    let names = COLUMNS.map(|(name, _)| name.to_owned());
    lines.push((Some(Ink::Dim), line(&names, &widths, context)));
    lines.extend(rows.iter().zip(&cells).map(|(row, cells)| (ink(row), line(cells, &widths, context))));
    if shown < rows.len() {
        lines.push((Some(Ink::Dim), fit(&format!("and {} more", rows.len() - shown), width, context.unicode)));
    }
    lines
}

fn headline(board: &Board, context: &Context<'_>) -> String {
    let dot = if context.unicode { " · " } else { ", " };
    let label = context.label.map(|label| format!("[{label}] ")).unwrap_or_default();
    let failed = if board.failed > 0 { format!("{dot}{} failed", board.failed) } else { String::new() };
    let stopping = if board.interrupted { format!("{dot}stopping after these") } else { String::new() };
    let done = format!("{} of {} done", board.over, stacks(board.total));
    let told = |call: &Retrying| format!("{dot}{}: {}", call.operation, in_short(call));
    let tries = board.retrying.as_ref().map(told).unwrap_or_default();
    format!("{label}{done}{failed}{dot}{}{stopping}{tries}", span(board.elapsed()))
}

/// How many columns have room for their least.
fn visible(width: usize) -> usize {
    let mut used = 0;
    let fits = |(_, least): &&(&str, usize)| {
        used += least + GAP;
        used <= width + GAP
    };
    COLUMNS.iter().take_while(fits).count().max(1)
}

/// Widths by column, none for those that have no room: the least first, then what is left.
fn widths(cells: &[[String; 5]], columns: usize, width: usize) -> [usize; 5] {
    let mut widths = [0; 5];
    for column in 0..columns {
        widths[column] = COLUMNS[column].1.min(width);
    }
    let mut left = width.saturating_sub(widths.iter().sum::<usize>() + GAP * (columns - 1));
    for column in GROWTH.into_iter().filter(|column| *column < columns) {
        let wanted = cells.iter().map(|cells| cells[column].width()).max().unwrap_or(0);
        let more = wanted.min(width * MOST / 100).saturating_sub(widths[column]).min(left);
        widths[column] += more;
        left -= more;
    }
    widths
}

fn cells(row: &BoardRow, board: &Board, has_detail: bool) -> [String; 5] {
    let detail = waits_for(row).or_else(|| resource(row)).unwrap_or_default();
    let elapsed = row.began.map(|began| span(board.now.since(began))).unwrap_or_default();
    let status = match waits_for(row) {
        Some(waits) if !has_detail => waits,
        _ => status(row),
    };
    [row.stack.clone(), status, elapsed, detail, row.operation.clone()]
}

fn status(row: &BoardRow) -> String {
    match (&row.status, row.began) {
        (Some(status), Some(_)) => status.to_string(),
        (_, Some(_)) => "starting".into(),
        (_, None) => "waiting".into(),
    }
}

fn waits_for(row: &BoardRow) -> Option<String> {
    if let Some(call) = &row.retrying {
        return Some(in_short(call));
    }
    Some(match row.waiting.as_ref()? {
        Waiting::Stacks(needed) => {
            let names: Vec<&str> = needed.iter().map(|stack| stack.name.as_str()).collect();
            format!("waits for {}", names.join(", "))
        }
        Waiting::Turn => "waits for its turn".into(),
        Waiting::ChangeSet => "change set is computed".into(),
    })
}

fn resource(row: &BoardRow) -> Option<String> {
    row.resource.as_ref().map(|(logical_id, status)| format!("{logical_id} {status}"))
}

fn line(cells: &[String; 5], widths: &[usize; 5], context: &Context<'_>) -> String {
    let mut out = String::new();
    for column in ORDER.into_iter().filter(|column| widths[*column] > 0) {
        let text = fit(&cells[column], widths[column], context.unicode);
        let pad = " ".repeat(widths[column].saturating_sub(text.width()) + GAP);
        out.push_str(&text);
        out.push_str(&pad);
    }
    out.trim_end().to_owned()
}

fn ink(row: &BoardRow) -> Option<Ink> {
    match (&row.status, row.began) {
        (_, None) => Some(Ink::Dim),
        (Some(status), _) if status.is_rollback() => Some(Ink::Bad),
        _ => None,
    }
}
