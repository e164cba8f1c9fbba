//! Whatever is in the manifest's `image`.

use super::{EngineRow, Sizing, Variables, location};
use crate::{
    manifest,
    resolve::{hardware::Fit, model::Served},
};

pub(super) static ENGINE: EngineRow = EngineRow {
    word: manifest::Engine::Custom,
    tasks: &[],
    serves: &[],
    version: "",
    task_words: None,
    uses: &[],
    one_device: false,
    variables: &[("HF_MODEL_ID", &["hub", "s3"]), ("HF_MODEL_REVISION", &["revision"])],
    keys: &[],
    long_context: None,
    platforms: &[],
    sizing: Sizing::None,
    flags: None,
    environment,
    half: None,
    startup: None,
};

fn environment(served: &Served<'_>, _: &Fit) -> Variables {
    location(served, "HF_MODEL_ID", "HF_MODEL_REVISION")
}
