//! For a terminal: a table that stays at the bottom, and a line above it for each stack that is over.

use std::io::{self, Write};

use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::{Backend, CrosstermBackend},
    buffer::Buffer,
    style::{Color, Style},
};

use super::{Board, Listener, Row, table};
use crate::{
    execute::{Event, StepResult},
    report::{
        Context,
        ink::{fit, span},
        outcome::in_one_line,
    },
};

/// Draws the table at the bottom of a terminal.
#[derive(Debug)]
pub struct Live<B: Backend> {
    terminal: Terminal<B>,
    board: Board,
    color: bool,
    unicode: bool,
    label: Option<String>,
}

impl<W: Write> Live<CrosstermBackend<W>> {
    /// Draws with escape sequences to `out`, which must be the terminal the process has.
    ///
    /// # Errors
    ///
    /// When the terminal does not tell where its cursor is.
    pub fn on_terminal(out: W, rows: u16, context: &Context<'_>) -> io::Result<Self> {
        Self::new(CrosstermBackend::new(out), rows, context)
    }
}

impl<B: Backend> Live<B>
where
    B::Error: Send + Sync + 'static,
{
    /// Draws to any backend, in at most `rows` lines.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn new(backend: B, rows: u16, context: &Context<'_>) -> io::Result<Self> {
        let options = TerminalOptions { viewport: Viewport::Inline(rows.max(3)) };
        let terminal = Terminal::with_options(backend, options).map_err(io::Error::other)?;
        let label = context.label.map(str::to_owned);
        Ok(Self { terminal, board: Board::default(), color: context.color, unicode: context.unicode, label })
    }

    /// The backend, to look at what was drawn.
    pub fn backend(&self) -> &B {
        self.terminal.backend()
    }

    fn draw(&mut self) -> io::Result<()> {
        let (board, label) = (&self.board, self.label.as_deref());
        let (color, unicode) = (self.color, self.unicode);
        let drawn = self.terminal.draw(|frame| {
            let area = frame.area();
            let context = Context { width: usize::from(area.width), color, unicode, label };
            table(board, &context, area, frame.buffer_mut());
        });
        drawn.map(drop).map_err(io::Error::other)
    }

    fn print(&mut self, row: &Row, result: &StepResult) -> io::Result<()> {
        let good = matches!(result, StepResult::Done | StepResult::Unchanged);
        let mark = match (good, self.unicode) {
            (true, true) => "✓",
            (false, true) => "✗",
            (true, false) => "+",
            (false, false) => "x",
        };
        let took = row.began.map(|began| format!(" ({})", span(self.board.now.since(began)))).unwrap_or_default();
        let text = format!("{mark} {}: {}{took}", row.stack, in_one_line(result));
        let style = match (self.color, good) {
            (false, _) => Style::new(),
            (true, true) => Style::new().fg(Color::Green),
            (true, false) => Style::new().fg(Color::Red),
        };
        let unicode = self.unicode;
        let printed = self.terminal.insert_before(1, |buffer: &mut Buffer| {
            let width = usize::from(buffer.area.width);
            buffer.set_stringn(0, buffer.area.y, fit(&text, width, unicode), width, style);
        });
        printed.map_err(io::Error::other)
    }
}

impl<B: Backend> Listener for Live<B>
where
    B::Error: Send + Sync + 'static,
{
    fn hear(&mut self, event: &Event) -> io::Result<()> {
        let over = self.board.hear(event);
        if let Event::Settled { stack, result, .. } = event {
            let unseen = matches!(result, StepResult::Failed(_)).then(|| Row::of(stack));
            if let Some(row) = over.or(unseen) {
                self.print(&row, result)?;
            }
        }
        match event {
            Event::Finished { .. } => self.close(),
            _ => self.draw(),
        }
    }

    fn close(&mut self) -> io::Result<()> {
        let top = self.terminal.get_frame().area().y;
        self.terminal.clear().map_err(io::Error::other)?;
        self.terminal.set_cursor_position((0, top)).map_err(io::Error::other)?;
        self.terminal.show_cursor().map_err(io::Error::other)
    }
}
