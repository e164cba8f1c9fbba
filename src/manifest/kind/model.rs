//! `Model`: which weights, served by what and how.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Path};
use crate::manifest::check::{RuleCheck, Rules};
use crate::manifest::secret::{is_hub_token_name, names_variable, shown};

/// Which weights at which revision, for which task, served by which engine and how.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("oneOf" = [
    {"required": ["hub"]}, {"required": ["s3"]}, {"required": ["package"]}, {"required": ["training"]}
]))]
pub struct Model {
    /// Id on the Hugging Face Hub, with its organisation.
    #[schemars(extend("x-form" = "hub-id"))]
    pub hub: Option<String>,
    /// S3 prefix that ends with `/`, or a `.tar.gz`.
    #[schemars(extend("x-form" = "weights"))]
    pub s3: Option<String>,
    /// ARN of a model package or model package group.
    #[schemars(extend("x-form" = "arn", "x-later" = "models from a package"))]
    pub package: Option<String>,
    /// Name of a `Training` manifest.
    #[schemars(extend("x-later" = "models from a training"))]
    pub training: Option<String>,
    /// Branch, tag or commit.
    #[schemars(length(min = 1))]
    pub revision: Option<String>,
    /// Version of a package.
    #[schemars(range(min = 1), extend("x-later" = "package versions"))]
    pub version: Option<u64>,
    /// The Hub's name of the task, such as `text-generation`.
    #[schemars(length(min = 1))]
    pub task: Option<String>,
    /// What serves the model; chosen by task when not given.
    pub engine: Option<Engine>,
    /// Container image that overrides the catalogue's.
    #[schemars(extend("x-form" = "image"))]
    pub image: Option<String>,
    /// Longest context in tokens.
    #[schemars(range(min = 1))]
    pub context: Option<u64>,
    /// Sequences at once, fixed when compiling for Neuron.
    #[schemars(range(min = 1), extend("x-later" = "`batchSize` (Neuron only)"))]
    pub batch_size: Option<u32>,
    /// Number format of the weights, in the engine's words.
    #[schemars(length(min = 1))]
    pub dtype: Option<String>,
    /// Quantization, in the engine's words.
    #[schemars(length(min = 1))]
    pub quantization: Option<String>,
    /// Devices that share one copy.
    #[schemars(range(min = 1))]
    pub tensor_parallel: Option<u32>,
    /// The engine's own flags without dashes; lists and maps become JSON.
    pub args: BTreeMap<String, serde_json::Value>,
    /// Container variables, text as typed.
    #[schemars(extend("x-inner" = {"x-text": true}))]
    pub env: BTreeMap<String, String>,
    /// Secret with a Hub token.
    #[schemars(extend("x-later" = "a Hub token"))]
    pub token: Option<Token>,
    /// Copy the weights to S3 before anything is served.
    #[schemars(extend("x-later" = "staging"))]
    pub staging: Option<Staging>,
    /// Let the engine run code that comes with the model.
    pub trust_remote_code: Option<bool>,
    /// States that the model's licence was accepted.
    pub accept_license: Option<bool>,
    /// Adapters on top of the model.
    #[schemars(extend("x-later" = "adapters"))]
    pub adapters: Vec<Adapter>,
}

/// A program that serves models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// vLLM.
    Vllm,
    /// SGLang.
    #[schemars(extend("x-later" = "the engine `sglang`"))]
    Sglang,
    /// Text Embeddings Inference.
    Tei,
    /// Deep Java Library's large model inference.
    #[schemars(extend("x-later" = "the engine `lmi`"))]
    Lmi,
    /// The Hugging Face inference toolkit.
    Transformers,
    /// llama.cpp.
    #[schemars(extend("x-later" = "the engine `llama-cpp`"))]
    LlamaCpp,
    /// Text Generation Inference.
    #[schemars(extend("x-later" = "the engine `tgi`"))]
    Tgi,
    /// vLLM on Neuron.
    #[schemars(extend("x-later" = "the engine `neuron-vllm`"))]
    NeuronVllm,
    /// Text Generation Inference on Neuron.
    #[schemars(extend("x-later" = "the engine `neuron-tgi`"))]
    NeuronTgi,
    /// What is in `image`.
    Custom,
    /// Nobody's: what one more engine costs is measured by it.
    #[cfg(test)]
    Fake,
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

/// A value kept in Secrets Manager.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Token {
    /// Name or ARN of the secret.
    pub secret: String,
    /// JSON key inside it.
    pub key: Option<String>,
}

/// Whether and where weights are copied to S3 first.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Staging {
    /// Under the environment's artifact bucket, or not at all.
    Flag(bool),
    /// As said.
    Place(StagingPlace),
}

/// Where weights are copied to, and by what.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct StagingPlace {
    /// Where to.
    #[schemars(extend("x-form" = "s3"))]
    pub s3: Option<String>,
    /// Where the copying job runs.
    pub network: Option<super::Vpc>,
    /// What it runs on.
    #[schemars(extend("x-form" = "instance"))]
    pub instance: Option<String>,
}

/// An adapter (LoRA) on top of a model.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(extend("oneOf" = [{"required": ["hub"]}, {"required": ["s3"]}, {"required": ["training"]}]))]
pub struct Adapter {
    /// Name that callers ask for.
    #[schemars(extend("x-form" = "name"))]
    pub name: String,
    /// Id on the Hub.
    #[schemars(extend("x-form" = "hub-id"))]
    pub hub: Option<String>,
    /// S3 archive.
    #[schemars(extend("x-form" = "s3"))]
    pub s3: Option<String>,
    /// Name of a `Training` manifest.
    pub training: Option<String>,
    /// Rank of its matrices.
    #[schemars(range(min = 1))]
    pub rank: Option<u32>,
}

const MOST_VARIABLES: usize = 100;
const LONGEST_VARIABLE: usize = 1024;

impl Rules for Model {
    fn check(&self, at: &mut RuleCheck<'_>) {
        if self.engine == Some(Engine::Custom) && self.image.is_none() {
            at.report("engine", Code::MissingField, "the engine `custom` needs an `image`");
        }
        if self.revision.is_some() && self.hub.is_none() {
            at.report_key("revision", Code::Conflict, "`revision` applies only to a model on the Hub", "remove it");
        }
        self.check_args(at);
        self.check_env(at);
        self.warn_of_shell_variables(at);
    }
}

impl Model {
    /// A flag travels as a variable, with `_` for `-`.
    fn check_args(&self, at: &mut RuleCheck<'_>) {
        for flag in self.args.keys() {
            let place = Path::from("args").at(flag);
            if flag.starts_with('-') {
                let plain = format!("write `{}`", shown(flag.trim_start_matches('-')));
                at.report_key(place, Code::InvalidValue, "flags in `args` have no dashes", &plain);
            } else if !is_variable(&flag.replace('-', "_")) {
                let help = "names are letters, digits, `-` and `_`, and do not begin with a digit";
                at.report_key(place, Code::InvalidValue, format!("`{}` is not a valid flag name", shown(flag)), help);
            }
        }
    }

    /// One warning, whatever the number of variables.
    fn warn_of_shell_variables(&self, at: &mut RuleCheck<'_>) {
        let mut named = self.env.iter().filter(|(name, value)| !is_hub_token_name(name) && names_variable(value));
        let Some((first, _)) = named.next() else { return };
        let more = match named.count() {
            0 => String::new(),
            1 => " and 1 more variable".to_owned(),
            count => format!(" and {count} more variables"),
        };
        let message =
            format!("`{}`{more} would be set to this text: hubform does not expand shell variables", shown(first));
        let help = "write the value itself; `$` and `%` are plain text in `env`";
        at.report_help(Path::from("env").at(first), Code::ShellVariable, message, help);
    }

    fn check_env(&self, at: &mut RuleCheck<'_>) {
        if self.env.len() > MOST_VARIABLES {
            at.report("env", Code::OutOfRange, format!("SageMaker accepts at most {MOST_VARIABLES} variables"));
        }
        for (name, value) in &self.env {
            let field = Path::from("env").at(name);
            if !is_variable(name) {
                let help = "names are letters, digits and `_`, and do not begin with a digit";
                at.report_key(
                    &field,
                    Code::InvalidValue,
                    format!("`{}` is not a valid variable name", shown(name)),
                    help,
                );
            }
            if name.len() > LONGEST_VARIABLE || value.len() > LONGEST_VARIABLE {
                let message =
                    format!("SageMaker accepts at most {LONGEST_VARIABLE} bytes in a variable's name or value");
                at.report(&field, Code::OutOfRange, message);
            }
        }
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
