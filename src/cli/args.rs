//! What the user typed, before it means anything.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::progress::ProgressMode;

/// Hugging Face models on AWS, declared.
///
/// Manifests in, running CloudFormation stacks out. A verb takes files and folders of manifests, reads the whole
/// environment that they belong to, and acts on what was named. Begin with `hubform init`, then
/// `hubform plan --sandbox`.
#[derive(Debug, Clone, Parser)]
#[command(name = "hubform", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = super::Exit::table())]
pub struct Cli {
    /// Options of every verb.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options of every verb.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Imagined account")]
pub struct Globals {
    /// Use an imagined AWS account: nothing is real, costs money or needs credentials
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Folder where the imagined account is kept [default: .hubform/sandbox]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub sandbox_state: Option<PathBuf>,
    /// Simulated seconds per real second
    #[arg(long, global = true, value_name = "FACTOR", value_parser = speed)]
    pub sandbox_speed: Option<f64>,
}

/// One verb each.
#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    /// Write a first manifest and its environment
    Init(InitArgs),
    /// Check manifests; needs no credentials and changes nothing
    Validate(Selection),
    /// Write the CloudFormation templates; needs no credentials
    Render(RenderArgs),
    /// Show what apply would do
    Plan(PlanArgs),
    /// Show the plan, ask, and carry it out
    Apply(ApplyArgs),
    /// Show what would be deleted, ask, and delete the stacks of the named manifests
    Destroy(DestroyArgs),
    /// Show an environment's stacks and whether its endpoints run what was deployed
    Status(Selection),
    /// Write every choice hubform makes into hubform.lock; needs no credentials
    Lock(LockArgs),
    /// Print the JSON Schema of a kind, for editors
    Schema(SchemaArgs),
    /// Write out the CloudFormation templates that manifests are rendered through
    Templates(TemplatesArgs),
    /// Explain the code of a finding, such as HF1020
    Explain(ExplainArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// What is acted on, and how it is read.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// Manifest files and folders; `-` reads standard input [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Same as PATH, spelled as in kubectl
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// Output format: human, json or markdown (for pull requests) [default: human]
    #[arg(short, long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub output: Option<Format>,
    /// Region to use, whatever the Environment says
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Environment to use, if a folder has several
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Lock file [default: hubform.lock beside the environment]
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Fail if a choice is missing from the lock [default if CI is set, and for protected environments]
    #[arg(long)]
    pub locked: bool,
    /// Folder of your own CloudFormation templates, used instead of built-in ones of the same name
    #[arg(long, value_name = "FOLDER")]
    pub templates: Option<PathBuf>,
}

/// The format of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
    /// For pull requests.
    Markdown,
}

/// `hubform init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Folder to write to
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Model id on the Hugging Face Hub
    #[arg(long, default_value = "BAAI/bge-small-en-v1.5")]
    pub model: String,
    /// The endpoint's name [default: from the model]
    #[arg(long)]
    pub name: Option<String>,
}

/// `hubform render`.
#[derive(Debug, Clone, Args)]
pub struct RenderArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub selection: Selection,
    /// Write one file per stack into this folder
    #[arg(short, long, value_name = "FOLDER")]
    pub directory: Option<PathBuf>,
}

/// What planning takes.
#[derive(Debug, Clone, Args)]
pub struct Planning {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub selection: Selection,
    /// Allow a protected manifest, such as Endpoint/chat, to be deleted or replaced; repeatable
    #[arg(long, value_name = "KIND/NAME")]
    pub allow: Vec<String>,
}

/// What taking over takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Adopting {
    /// Take over the existing stack of a manifest, such as Endpoint/chat, whoever made it; repeatable
    #[arg(long, value_name = "KIND/NAME")]
    pub adopt: Vec<String>,
}

/// `hubform plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub planning: Planning,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub adopting: Adopting,
    /// Exit with 3 instead of 0 if changes are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// What carrying out takes.
#[derive(Debug, Clone, Args)]
pub struct Acting {
    /// Do not ask; required if input is not a terminal
    #[arg(short, long)]
    pub yes: bool,
    /// Stacks to work on at once, per account and Region [default: 10]
    #[arg(long, value_name = "COUNT")]
    pub concurrency: Option<NonZeroUsize>,
    /// Fail instead of waiting if an operation still runs on a stack that is needed
    #[arg(long)]
    pub no_wait: bool,
    /// Progress display: auto, live, plain or none [default: auto]
    #[arg(long, value_enum, value_name = "HOW", hide_possible_values = true)]
    pub progress: Option<ProgressMode>,
}

/// `hubform apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub planning: Planning,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub adopting: Adopting,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub acting: Acting,
    /// Have CloudFormation validate new stacks, through a change set, before it creates them
    #[arg(long)]
    pub validate: bool,
}

/// `hubform destroy`.
#[derive(Debug, Clone, Args)]
pub struct DestroyArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub planning: Planning,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub acting: Acting,
}

/// `hubform lock`.
#[derive(Debug, Clone, Args)]
pub struct LockArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub selection: Selection,
    /// Choose pinned values again, for one manifest, such as Endpoint/chat, or for all
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with = "locked")]
    pub upgrade: Option<String>,
    /// Restore the owner id of a lost lock: the one that the stacks carry
    #[arg(long, value_name = "ID", value_parser = owner, conflicts_with = "locked")]
    pub owner: Option<String>,
    /// Give a folder that was copied with its lock an owner id of its own
    #[arg(long, conflicts_with_all = ["owner", "locked"])]
    pub new_owner: bool,
}

/// `hubform schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// Kind, such as Endpoint; omit it to list all kinds
    pub kind: Option<String>,
    /// Print the schema of what the kind's template is given
    #[arg(long)]
    pub view: bool,
}

/// `hubform templates`.
#[derive(Debug, Clone, Args)]
pub struct TemplatesArgs {
    #[command(subcommand)]
    #[allow(missing_docs)]
    pub action: TemplatesAction,
}

/// What to do with templates.
#[derive(Debug, Clone, Subcommand)]
pub enum TemplatesAction {
    /// Write out the built-in templates, to be edited and passed to --templates
    Eject {
        /// Folder to write to
        folder: PathBuf,
    },
}

/// `hubform explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// Code, such as HF1020; omit it to list all codes
    pub code: Option<String>,
}

/// `hubform completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

impl Selection {
    /// Everything named, the current folder where nothing is.
    pub fn all_paths(&self) -> Vec<PathBuf> {
        let all: Vec<_> = self.paths.iter().chain(&self.files).cloned().collect();
        if all.is_empty() { vec![PathBuf::from(".")] } else { all }
    }
}

/// An owner's id.
fn owner(text: &str) -> Result<String, String> {
    match crate::resolve::is_owner(text) {
        true => Ok(text.to_owned()),
        false => Err("expected 16 hex digits, 0-9 and a-f".to_owned()),
    }
}

/// A factor that time can be multiplied by.
fn speed(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "expected a number, such as 120".to_owned())?;
    match factor {
        0.1..=1_000_000.0 => Ok(factor),
        _ => Err("must be between 0.1 and 1000000".to_owned()),
    }
}
