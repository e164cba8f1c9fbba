//! Interrupts, heard on a thread of their own: whatever the main one waits for, it can be told to stop.
//!
//! While the work goes on each one is passed on to it. When the work is over and somebody is still being told about it
//! (a pager that is not read on, a terminal that stands still), one ends the process with the work's exit code.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
};

use tokio::sync::{mpsc, oneshot};

use super::Exit;

/// No exit code of ours: the work goes on.
const WORKING: u8 = u8::MAX;

/// Interrupts are heard as long as this lives.
pub(super) struct Signals {
    ending: Arc<AtomicU8>,
    _alive: oneshot::Sender<()>,
}

/// Begins to hear. SIGTERM and SIGHUP count as two interrupts, which means leave at once.
pub(super) fn hear() -> (Signals, mpsc::UnboundedReceiver<()>) {
    let (stop, interrupts) = mpsc::unbounded_channel();
    let (alive, gone) = oneshot::channel();
    let ending = Arc::new(AtomicU8::new(WORKING));
    let told = Arc::clone(&ending);
    thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async move {
            tokio::select! {
                () = pass_on(&stop, &told) => {}
                _ = gone => {}
            }
        });
    });
    (Signals { ending, _alive: alive }, interrupts)
}

impl Signals {
    /// The work is over; from now on an interrupt ends the process with its exit code.
    pub(super) fn over(&self, exit: Exit) {
        self.ending.store(exit.code(), Ordering::SeqCst);
    }
}

fn interrupted(times: usize, stop: &mpsc::UnboundedSender<()>, ending: &AtomicU8) {
    match ending.load(Ordering::SeqCst) {
        WORKING => {
            for _ in 0..times {
                // Nobody listens any more when the work is over.
                let _ = stop.send(());
            }
        }
        code => leave(code),
    }
}

/// The main thread may be writing to somebody who does not read, so nobody else can end the process.
#[allow(clippy::exit)]
fn leave(code: u8) -> ! {
    std::process::exit(code.into())
}

#[cfg(unix)]
async fn pass_on(stop: &mpsc::UnboundedSender<()>, ending: &AtomicU8) {
    use tokio::signal::unix::{SignalKind, signal};
    let heard = (signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    let (Ok(mut terminate), Ok(mut hang_up)) = heard else { return };
    loop {
        let times = tokio::select! {
            _ = tokio::signal::ctrl_c() => 1,
            _ = terminate.recv() => 2,
            _ = hang_up.recv() => 2,
        };
        interrupted(times, stop, ending);
    }
}

#[cfg(not(unix))]
async fn pass_on(stop: &mpsc::UnboundedSender<()>, ending: &AtomicU8) {
    while tokio::signal::ctrl_c().await.is_ok() {
        interrupted(1, stop, ending);
    }
}
