//! For programs: one JSON object per line.

use std::io::{self, Write};

use serde::Serialize;

use super::Listener;
use crate::{
    execute::Event,
    report::{FORMAT, plan::without_secrets},
};

/// Writes each event as one line of JSON.
#[derive(Debug)]
pub struct Ndjson<W: Write> {
    out: W,
    label: Option<String>,
}

#[derive(Serialize)]
struct EventRecord<'a> {
    format: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    imagined: Option<&'a str>,
    #[serde(flatten)]
    event: &'a Event,
}

impl<W: Write> Ndjson<W> {
    /// Writes to `out`; `label` stands in every line as `imagined`.
    pub fn new(out: W, label: Option<&str>) -> Self {
        Self { out, label: label.map(str::to_owned) }
    }
}

impl<W: Write> Listener for Ndjson<W> {
    fn hear(&mut self, event: &Event) -> io::Result<()> {
        if matches!(event, Event::Tick { .. }) {
            return Ok(());
        }
        let line = EventRecord { format: FORMAT, kind: "event", imagined: self.label.as_deref(), event };
        serde_json::to_writer(&mut self.out, &without_secrets(serde_json::to_value(&line)?))?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}
