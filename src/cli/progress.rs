//! Progress on a thread of its own, so that a terminal or a pipe that takes nothing holds up the words and not the work.

use std::{
    io::Write,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use super::{Host, args::Format, context};
use crate::{
    execute::Event,
    report::progress::{Listener, Live, Ndjson, Plain, has_room},
};

/// How long a terminal or pipe that takes nothing is waited for when somebody wants to leave.
const PATIENCE: Duration = Duration::from_secs(1);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Progress {
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
pub(super) type Output = Box<dyn Write + Send>;

/// Events on their way to whoever writes them.
pub(super) struct Teller {
    events: Sender<Event>,
    back: Receiver<(Output, Option<std::io::Error>)>,
}

/// Is a table drawn?
pub(super) fn is_live(host: &Host, said: Progress, format: Format) -> bool {
    let size = host.terminal.map(|terminal| (terminal.width, terminal.height));
    let fits = format == Format::Human && size.is_some_and(has_room);
    let quiet = host.variable("CI").is_some() || host.variable("TERM") == Some("dumb");
    match said {
        Progress::Auto => fits && !quiet,
        Progress::Live => fits,
        Progress::Plain | Progress::None => false,
    }
}

/// Begins to tell; takes the host's output until [`Teller::close`] gives it back.
pub(super) fn tell(host: &mut Host, said: Progress, format: Format, label: Option<&str>) -> Teller {
    let (events, heard) = channel();
    let (done, back) = channel();
    let live = is_live(host, said, format);
    let label = label.map(str::to_owned);
    let look = context(host, None);
    let (width, color, unicode) = (look.width, look.color, look.unicode);
    let size = host.terminal_size;
    let mut output = std::mem::replace(&mut host.output, Box::new(std::io::sink()));
    thread::spawn(move || {
        let context = crate::report::Context { width, color, unicode, label: label.as_deref() };
        let trouble = match (said, format, live) {
            (Progress::None, ..) => listen(&mut Silent, &heard),
            (_, Format::Json, _) => listen(&mut Ndjson::new(&mut output, context.label), &heard),
            (_, _, true) => listen(&mut Live::new(&mut output, Box::new(size), &context), &heard),
            _ => listen(&mut Plain::new(&mut output, &context), &heard),
        };
        // Whoever lost patience does not want it back.
        let _ = done.send((output, trouble));
    });
    Teller { events, back }
}

struct Silent;

impl Listener for Silent {
    fn hear(&mut self, _: &Event) -> std::io::Result<()> {
        Ok(())
    }
}

/// Hears everything, also after the first line that could not be written.
fn listen(listener: &mut dyn Listener, events: &Receiver<Event>) -> Option<std::io::Error> {
    let mut trouble = None;
    for event in events {
        if trouble.is_none() {
            trouble = listener.hear(&event).err();
        }
    }
    trouble.or(listener.close().err())
}

impl Teller {
    pub(super) fn hear(&self, event: &Event) {
        // Nobody hears where writing has ended; the work goes on.
        let _ = self.events.send(event.clone());
    }

    /// Ends the telling and gives the output back to the host; what kept it from being written, if anything did. Who
    /// reads slowly is waited for, unless the run was interrupted.
    pub(super) fn close(self, host: &mut Host, interrupted: bool) -> Option<std::io::Error> {
        drop(self.events);
        let patience = if interrupted { PATIENCE } else { Duration::MAX };
        let Ok((output, trouble)) = self.back.recv_timeout(patience) else {
            // Standard error leads to the same place, most likely.
            host.errors = Box::new(std::io::sink());
            return None;
        };
        host.output = output;
        trouble
    }
}
