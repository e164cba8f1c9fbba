//! Engines: what hubform knows about each is in its row, and nowhere else.
//!
//! A row is data, but for the container's environment. The rest of the room asks the row and names no engine. A new one
//! is its word in the manifest language, a file here with its `mod`, and its place in [`ENGINES`].

mod custom;
#[cfg(test)]
mod fake;
mod flags;
mod tei;
#[cfg(test)]
mod tests;
mod transformers;
mod vllm;
mod words;

use std::{collections::BTreeMap, fmt};

pub(super) use flags::{Flags, Takes, scaled};
pub(super) use words::Words;

use super::{
    hardware::Fit,
    model::{Served, Weights},
};
use crate::{
    catalog::{AcceleratorKind, Arch, ImageAccelerator, Instance},
    manifest::{self, ticked},
};

/// The supported engines, in the order of advice.
static ENGINES: &[&EngineRow] = &[
    &vllm::ENGINE,
    &tei::ENGINE,
    &transformers::ENGINE,
    #[cfg(test)]
    &fake::ENGINE,
    &custom::ENGINE,
];

/// Where SageMaker puts weights from S3.
const LOCAL: &str = "/opt/ml/model";

/// A container's environment.
pub(super) type Variables = BTreeMap<String, String>;

/// Fields of Model that say how it is served, of which not every engine uses each.
pub(super) const TUNING: [&str; 5] = ["context", "dtype", "quantization", "tensorParallel", "trustRemoteCode"];

/// A program that serves models.
pub(super) struct EngineRow {
    /// What manifests call it.
    word: manifest::Engine,
    /// Tasks it is chosen for where the manifest names no engine.
    tasks: &'static [&'static str],
    /// Tasks that it serves, if known.
    serves: &'static [&'static str],
    /// The version of its images that `flags` and `task_words` are of.
    pub(super) version: &'static str,
    /// Words for the task, where the image reads it.
    pub(super) task_words: Option<&'static Words>,
    /// Fields of Model that tell it how to serve; the others change nothing.
    uses: &'static [&'static str],
    /// Does it use one device, however many there are?
    pub(super) one_device: bool,
    /// Variables beside its flags that hubform sets or SageMaker relies on, and the fields that each is set by.
    variables: &'static [(&'static str, &'static [&'static str])],
    /// Variables for a key that callers must send.
    keys: &'static [&'static str],
    /// The variable by which it accepts a longer context than the model's, at the user's own risk.
    pub(super) long_context: Option<&'static str>,
    /// What it has images for; nothing where that depends on the manifest's `image`.
    platforms: &'static [Platform],
    pub(super) sizing: Sizing,
    /// Flags of its own, where its image takes any.
    pub(super) flags: Option<Flags>,
    /// The variables by which its image learns what to serve, and how.
    pub(super) environment: fn(&Served<'_>, &Fit) -> Variables,
    /// Its word for 16 bits on GPUs without bfloat16, where it stops at start instead of falling back by itself.
    pub(super) half: Option<&'static str>,
    /// Minutes until it is up, and why, where the model's size does not matter.
    pub(super) startup: Option<(u64, &'static str)>,
}

/// By which rule a model is judged to fit, and an instance chosen for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizing {
    /// A decoder: weights and cache, over several devices of an instance.
    Decoder,
    /// An encoder or a speech model: weights, on one device or on processors.
    Encoder,
    /// Its needs are unknown: nothing is judged or chosen.
    None,
}

/// A kind of device that an engine has images for.
pub(super) struct Platform {
    pub(super) on: ImageAccelerator,
    /// The catalogue's name for its images.
    pub(super) images: &'static str,
    /// The catalogue's names for others that read the same variables. They are not chosen.
    also: &'static [&'static str],
    /// The least compute capability that hubform chooses, on GPUs.
    capability: Option<(u32, u32)>,
    /// What is reported of its images, and the way out. They are not chosen.
    pub(super) broken: Option<(&'static str, &'static str)>,
}

/// The engine that manifests call so, where it is supported.
pub(super) fn of(word: manifest::Engine) -> Option<&'static EngineRow> {
    ENGINES.iter().copied().find(|engine| engine.word == word)
}

/// The engine that is chosen for a task.
pub(super) fn by_task(task: &str) -> Option<&'static EngineRow> {
    ENGINES.iter().copied().find(|engine| engine.tasks.contains(&task))
}

/// An engine that may have been chosen, by name.
pub(super) fn by_name(name: &str) -> Option<&'static EngineRow> {
    choosable().find(|engine| engine.to_string() == name)
}

/// The names of those that are chosen, as in "`a`, `b` or `c`".
pub(super) fn choosable_names() -> String {
    let mut names: Vec<_> = choosable().map(EngineRow::to_string).collect();
    names.sort();
    ticked(names, "or")
}

fn choosable() -> impl Iterator<Item = &'static EngineRow> {
    ENGINES.iter().copied().filter(|engine| !engine.tasks.is_empty())
}

/// How to name one, as in "set `engine: a`, `b`, or `c` with `image`".
pub(super) fn advice() -> String {
    let named = ENGINES.iter().enumerate().map(|(at, engine)| {
        let key = if at == 0 { "engine: " } else { "" };
        let or = if at + 1 == ENGINES.len() { "or " } else { "" };
        let image = if engine.is_in_image() { " with `image`" } else { "" };
        format!("{or}`{key}{engine}`{image}")
    });
    format!("set {}", named.collect::<Vec<_>>().join(", "))
}

impl EngineRow {
    /// Is it whatever the manifest's `image` holds?
    pub(super) fn is_in_image(&self) -> bool {
        self.platforms.is_empty()
    }

    /// Does it serve a task? Nobody knows of an image of the user's own.
    pub(super) fn serves(&self, task: &str) -> bool {
        self.serves.is_empty() || self.serves.contains(&task)
    }

    /// Does a field of Model change how it serves?
    pub(super) fn uses(&self, field: &str) -> bool {
        self.uses.contains(&field)
    }

    /// The fields that a variable is set by, where it is hubform's.
    pub(super) fn fields_of_variable(&self, name: &str) -> Option<&'static [&'static str]> {
        let own = self.variables.iter().find(|(variable, _)| *variable == name).map(|(_, fields)| *fields);
        own.or_else(|| {
            let flags = self.flags.as_ref()?;
            flags.fields_of(&flags.of_variable(name)?)
        })
    }

    /// Does a variable set a key that callers must send?
    pub(super) fn is_key(&self, name: &str) -> bool {
        let by_flag = || {
            let flags = self.flags.as_ref()?;
            Some(flags.is_key(&flags.of_variable(name)?))
        };
        self.keys.contains(&name) || by_flag() == Some(true)
    }

    /// Can its container run an image of this table?
    pub(super) fn reads_as(&self, images: &str) -> bool {
        self.platforms.iter().any(|platform| platform.images == images || platform.also.contains(&images))
    }

    /// Its images for a kind of device, where it has any.
    pub(super) fn platform(&self, on: ImageAccelerator) -> Option<&Platform> {
        self.platforms.iter().find(|platform| platform.on == on)
    }

    /// Is such an instance chosen for it, as long as the model fits?
    pub(super) fn takes(&self, instance: &Instance) -> bool {
        self.platforms.iter().any(|platform| platform.broken.is_none() && platform.takes(instance))
    }
}

impl Platform {
    fn takes(&self, instance: &Instance) -> bool {
        match (self.on, &instance.accelerator) {
            (ImageAccelerator::Cpu, None) => instance.arch == Some(Arch::X86_64),
            (ImageAccelerator::Gpu, Some(gpu)) => {
                gpu.kind == AcceleratorKind::Gpu
                    && gpu.fraction.is_none_or(|share| share >= 1.0)
                    && gpu.cuda_compute_capability >= self.capability
            }
            (ImageAccelerator::Neuron, Some(chip)) => chip.kind == AcceleratorKind::Neuron,
            (ImageAccelerator::Cpu, Some(_)) | (ImageAccelerator::Gpu | ImageAccelerator::Neuron, None) => false,
        }
    }
}

impl fmt::Display for EngineRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.word.fmt(f)
    }
}

/// Where the weights are, in the two variables that an image reads it from.
fn location(served: &Served<'_>, model: &str, revision: &str) -> Variables {
    let (id, at) = match &served.weights {
        Weights::Hub { id, revision } => (id.as_str(), revision.clone()),
        Weights::S3 { .. } => (LOCAL, None),
    };
    let revision = at.map(|at| (revision.to_owned(), at));
    [(model.to_owned(), id.to_owned())].into_iter().chain(revision).collect()
}
