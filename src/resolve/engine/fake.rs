//! An engine in tests only, to measure what one more costs: this file, a place in the list, a word in the language.

use super::{EngineRow, Flags, Platform, Sizing, Variables, location};
use crate::{
    catalog::ImageAccelerator,
    manifest,
    resolve::{hardware::Fit, model::Served},
};

pub(super) static ENGINE: EngineRow = EngineRow {
    word: manifest::Engine::Fake,
    tasks: &["fortune-telling"],
    serves: &["fortune-telling", "feature-extraction"],
    version: "1.0",
    task_words: None,
    uses: &[],
    one_device: true,
    variables: &[],
    keys: &[],
    long_context: None,
    platforms: &[Platform { on: ImageAccelerator::Cpu, images: "fake", also: &[], capability: None, broken: None }],
    sizing: Sizing::Encoder,
    flags: Some(Flags {
        prefix: "FAKE_",
        owned: &[("weights", &["hub", "s3"])],
        fixed: &[],
        keys: &[],
        abbreviates: false,
        memory: &[],
        takes: &[],
        several: &[],
        stretch: &[],
    }),
    environment,
    half: None,
    startup: Some((1, "there is nothing to start")),
};

fn environment(served: &Served<'_>, _: &Fit) -> Variables {
    location(served, "FAKE_WEIGHTS", "FAKE_REVISION")
}
