//! Whatever is in the manifest's `image`.

use super::{Engine, Sizing, Variables, location};
use crate::{
    manifest,
    resolve::{hardware::Fit, model::Served},
};

pub(super) static ENGINE: Engine = Engine {
    word: manifest::Engine::Custom,
    tasks: &[],
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
