//! Progress on a thread of its own, so that a terminal or a pipe that takes nothing holds up the words and not the work.

use std::{
    cell::RefCell,
    io::{self, Write},
    rc::Rc,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use super::{Host, args::Format, context};
use crate::{
    execute::Event,
    report::{
        Context,
        progress::{Listener, LiveProgress, Ndjson, PlainProgress, has_room},
    },
};

/// How long a terminal or pipe that takes nothing is waited for when somebody wants to leave.
const PATIENCE: Duration = Duration::from_secs(1);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ProgressMode {
    /// A live table where there is a terminal for it, else plain lines.
    #[default]
    Auto,
    /// A live table, where output is a terminal.
    Live,
    /// A line for each change.
    Plain,
    /// Nothing until the end.
    None,
}

/// A writer that a thread may have.
pub(super) type ProgressWriter = Box<dyn Write + Send>;

/// Events on their way to whoever writes them.
pub(super) enum Teller {
    /// On a thread of its own.
    Aside {
        /// To the thread.
        events: Sender<Event>,
        /// The output, when all is written.
        back: Receiver<(ProgressWriter, Option<io::Error>)>,
    },
    /// Where whoever reads is in this process, and never slow.
    Here {
        /// Whoever writes.
        listener: Box<dyn Listener>,
        /// What it writes to.
        output: Rc<RefCell<ProgressWriter>>,
        /// What kept it from writing.
        trouble: Option<io::Error>,
    },
}

/// Is a table drawn?
pub(super) fn is_live(host: &Host, said: ProgressMode, format: Format) -> bool {
    let size = host.terminal.map(|terminal| (terminal.width, terminal.height));
    let fits = format == Format::Human && size.is_some_and(has_room);
    let quiet = host.variable("CI").is_some() || host.variable("TERM") == Some("dumb");
    match said {
        ProgressMode::Auto => fits && !quiet,
        ProgressMode::Live => fits,
        ProgressMode::Plain | ProgressMode::None => false,
    }
}

/// Where lines are written, the resources of so many stacks are told; where there are more, only those that fail.
const TOLD: usize = 10;

/// Of how many stacks the resources are watched: of as many as a table has rows, else of all or none.
pub(super) fn watched(stacks: usize, rows: Option<u16>) -> usize {
    match rows {
        Some(rows) => usize::from(rows),
        None if stacks <= TOLD => stacks,
        None => 0,
    }
}

/// Begins to tell; takes the host's output until [`Teller::close`] gives it back.
pub(super) fn tell(host: &mut Host, said: ProgressMode, format: Format, label: Option<&str>) -> Teller {
    let mut output = std::mem::replace(&mut host.output, Box::new(io::sink()));
    let look = context(host, None);
    let way = Way { said, format, live: is_live(host, said, format), size: host.terminal_size };
    if !host.aside {
        let output = Rc::new(RefCell::new(output));
        let listener = way.listener(Shared(Rc::clone(&output)), &Context { label, ..look });
        return Teller::Here { listener, output, trouble: None };
    }
    let (events, heard) = channel();
    let (done, back) = channel();
    let label = label.map(str::to_owned);
    let (width, color, unicode) = (look.width, look.color, look.unicode);
    thread::spawn(move || {
        let context = Context { width, color, unicode, label: label.as_deref() };
        let trouble = listen(&mut *way.listener(&mut output, &context), &heard);
        // Whoever lost patience does not want it back.
        let _ = done.send((output, trouble));
    });
    Teller::Aside { events, back }
}

/// How it is told.
struct Way {
    said: ProgressMode,
    format: Format,
    live: bool,
    size: fn() -> Option<(u16, u16)>,
}

impl Way {
    fn listener<'w, W: Write + 'w>(&self, output: W, context: &Context<'_>) -> Box<dyn Listener + 'w> {
        match (self.said, self.format, self.live) {
            (ProgressMode::None, ..) => Box::new(Silent),
            (_, Format::Json, _) => Box::new(Ndjson::new(output, context.label)),
            (_, _, true) => Box::new(LiveProgress::new(output, Box::new(self.size), context)),
            _ => Box::new(PlainProgress::new(output, context)),
        }
    }
}

struct Silent;

impl Listener for Silent {
    fn hear(&mut self, _: &Event) -> io::Result<()> {
        Ok(())
    }
}

/// An output that somebody else gets back.
struct Shared(Rc<RefCell<ProgressWriter>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// Hears everything, also after the first line that could not be written.
fn listen(listener: &mut dyn Listener, events: &Receiver<Event>) -> Option<io::Error> {
    let mut trouble = None;
    for event in events {
        if trouble.is_none() {
            trouble = listener.hear(&event).err();
        }
    }
    trouble.or(listener.close().err())
}

impl Teller {
    pub(super) fn hear(&mut self, event: &Event) {
        match self {
            // Nobody hears where writing has ended; the work goes on.
            Self::Aside { events, .. } => drop(events.send(event.clone())),
            Self::Here { trouble: Some(_), .. } => {}
            Self::Here { listener, trouble, .. } => *trouble = listener.hear(event).err(),
        }
    }

    /// Ends the telling and gives the output back to the host; what kept it from being written, if anything did. Who
    /// reads slowly is waited for, unless the run was interrupted.
    pub(super) fn close(self, host: &mut Host, interrupted: bool) -> Option<io::Error> {
        match self {
            Self::Aside { events, back } => {
                drop(events);
                let patience = if interrupted { PATIENCE } else { Duration::MAX };
                let Ok((output, trouble)) = back.recv_timeout(patience) else {
                    // Standard error leads to the same place, most likely.
                    host.errors = Box::new(io::sink());
                    return None;
                };
                host.output = output;
                trouble
            }
            Self::Here { mut listener, output, trouble } => {
                let closed = listener.close().err();
                host.output = output.replace(Box::new(io::sink()));
                trouble.or(closed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_of_the_resources_of_few_stacks() {
        assert_eq!(
            [(0, None), (10, None), (11, None), (11, Some(40))].map(|(stacks, rows)| watched(stacks, rows)),
            [0, 10, 0, 40]
        );
    }
}
