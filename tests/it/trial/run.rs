//! Which seeds a trial plays, and how it tells what came of them.

use std::{
    any::Any,
    cell::Cell,
    io::Write,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

use fastrand::Rng;

/// As of the laws: a seed, or a range.
const SEED: &str = "HUBFORM_SEED";
const LENGTH: &str = "HUBFORM_TRIAL";
/// How much more a long run plays.
const LONG: u64 = 60;
/// After so many failures the others tell nothing new.
const ENOUGH: usize = 5;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What a trial came to.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) tried: usize,
    pub(super) reached: usize,
    pub(super) failures: Vec<String>,
}

/// Plays a trial with every seed; what it says of one is a failure, and so is a panic.
pub(super) fn play(
    count: u64,
    figures: &mut Figures,
    mut trial: impl FnMut(&mut Rng, u64, &mut Figures) -> Result<(), String>,
) {
    for seed in seeds(count) {
        let ended = quietly(|| trial(&mut Rng::with_seed(seed), seed, figures));
        let told = match ended {
            Ok(Ok(())) => continue,
            Ok(Err(told)) => told,
            Err(words) => format!("panicked: {words}"),
        };
        figures.failures.push(format!("{SEED}={seed}: {told}"));
        if figures.failures.len() == ENOUGH {
            return;
        }
    }
}

/// Runs something that may panic; its words, without a line on standard error.
pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                usual(panic);
            }
        }));
    });
    let before = QUIET.replace(true);
    let ended = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    ended.map_err(|panic| words(&*panic))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words").to_owned()
}

/// Were no seeds said, so that what was reached can be held to something?
pub(super) fn is_usual() -> bool {
    std::env::var_os(SEED).is_none()
}

/// Is everything to be played that there is?
pub(super) fn is_long() -> bool {
    std::env::var(LENGTH).is_ok_and(|length| length == "long")
}

/// The seeds of a trial that usually plays `count`.
pub(super) fn seeds(count: u64) -> Range<u64> {
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("{SEED} takes a number, not `{text}`"));
    let said = std::env::var(SEED).ok();
    let said = said.as_deref().map(|said| said.split_once("..").unwrap_or((said, "")));
    let long = is_long();
    let first = match said {
        Some((first, _)) => number(first),
        None if long => Rng::new().u64(..1 << 40),
        None => 0,
    };
    match said {
        Some((_, "")) => first..first + 1,
        Some((_, end)) => first..number(end),
        None if long => first..first + LONG * count,
        None => first..first + count,
    }
}

/// The first character that steers a terminal, ends a line for some readers or turns the direction of writing, line
/// breaks aside. The list is the trial's own: that of `src/diagnostic/show.rs` is what is tried.
pub(super) fn steers(text: &str) -> Option<char> {
    text.chars().find(|c| {
        c.is_control() && *c != '\n'
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

impl Figures {
    /// One line, seen where tests pass too; the trial has failed where anything did.
    pub(super) fn tell(&self, trial: &str, tried: &str, reached: &str) {
        let Self { tried: count, reached: met, failures } = self;
        let line = format!("trial of {trial}: {count} {tried} tried, {met} {reached}, {} failed", failures.len());
        let _ = writeln!(std::io::stdout(), "{line}");
        assert!(failures.is_empty(), "{line}\n{}", failures.join("\n"));
        assert!(*count > 0 && *met > 0, "{line}");
    }
}
