//! What the user typed, before it means anything.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::progress::Progress;

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
    /// Use an imagined AWS account: nothing is real, nothing costs, no credentials are needed
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Folder that keeps the imagined account [default: .hubform/sandbox]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub sandbox_state: Option<PathBuf>,
    /// Simulated seconds that pass in one real second
    #[arg(long, global = true, value_name = "FACTOR", value_parser = speed)]
    pub sandbox_speed: Option<f64>,
}

/// One verb each.
#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    /// Write a first manifest and its environment
    Init(Init),
    /// Check manifests; needs no credentials and changes nothing
    Validate(Selection),
    /// Write the CloudFormation templates; needs no credentials
    Render(Render),
    /// Show what apply would do
    Plan(Plan),
    /// Show the plan, ask, and carry it out
    Apply(Apply),
    /// Delete the stacks of the manifests named; asks first
    Destroy(Destroy),
    /// Show an environment's stacks and whether its endpoints run what was deployed
    Status(Selection),
    /// Write every choice hubform makes into hubform.lock; needs no credentials
    Lock(Lock),
    /// Print the JSON Schema of a kind, for editors
    Schema(Schema),
    /// Write out the CloudFormation templates that manifests are rendered through
    Templates(Templates),
    /// Explain a finding's code, such as HF1020
    Explain(Explain),
    /// Print a completion script for a shell
    Completions(Completions),
}

/// What is acted on, and how it is read.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// Files and folders of manifests; `-` is standard input [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The same as PATH, as kubectl spells it
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// How to answer: human, json or markdown (for pull requests) [default: human]
    #[arg(short, long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub output: Option<Format>,
    /// Region, whatever the environment says
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Which environment, where a folder has several
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Lock file [default: hubform.lock beside the environment]
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Refuse to make a choice that is not in the lock [default where CI is set, and for protected environments]
    #[arg(long)]
    pub locked: bool,
    /// Folder with CloudFormation templates of your own, in place of those of the same name
    #[arg(long, value_name = "FOLDER")]
    pub templates: Option<PathBuf>,
}

/// How to answer.
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
pub struct Init {
    /// Folder to write to
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Id of the model on the Hugging Face Hub
    #[arg(long, default_value = "BAAI/bge-small-en-v1.5")]
    pub model: String,
    /// The endpoint's name [default: from the model]
    #[arg(long)]
    pub name: Option<String>,
}

/// `hubform render`.
#[derive(Debug, Clone, Args)]
pub struct Render {
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
    /// Allow a protected manifest, such as Endpoint/chat, to be deleted or replaced; may be repeated
    #[arg(long, value_name = "KIND/NAME")]
    pub allow: Vec<String>,
}

/// What taking over takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Adopting {
    /// Take over the stack that a manifest would become, such as Endpoint/chat, whoever made it; may be repeated
    #[arg(long, value_name = "KIND/NAME")]
    pub adopt: Vec<String>,
}

/// `hubform plan`.
#[derive(Debug, Clone, Args)]
pub struct Plan {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub planning: Planning,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub adopting: Adopting,
    /// Exit with 3 instead of 0 where there is something to do
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// What carrying out takes.
#[derive(Debug, Clone, Args)]
pub struct Acting {
    /// Go on without asking; needed where nobody can be asked
    #[arg(short, long)]
    pub yes: bool,
    /// How many stacks to work on at once, per account and Region [default: 10]
    #[arg(long, value_name = "COUNT")]
    pub concurrency: Option<usize>,
    /// Refuse, instead of waiting, where an operation still runs on a stack that is needed
    #[arg(long)]
    pub no_wait: bool,
    /// How to show progress: auto, live, plain or none [default: auto]
    #[arg(long, value_enum, value_name = "HOW", hide_possible_values = true)]
    pub progress: Option<Progress>,
}

/// `hubform apply`.
#[derive(Debug, Clone, Args)]
pub struct Apply {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub planning: Planning,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub adopting: Adopting,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub acting: Acting,
    /// Let CloudFormation check new stacks before it makes them, by a change set
    #[arg(long)]
    pub validate: bool,
}

/// `hubform destroy`.
#[derive(Debug, Clone, Args)]
pub struct Destroy {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub planning: Planning,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub acting: Acting,
}

/// `hubform lock`.
#[derive(Debug, Clone, Args)]
pub struct Lock {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub selection: Selection,
    /// Choose again what is pinned, for one manifest, such as Endpoint/chat, or for all
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with = "locked")]
    pub upgrade: Option<String>,
    /// Take back the identity of a lock that was lost: the owner id that the stacks carry
    #[arg(long, value_name = "ID", value_parser = owner, conflicts_with = "locked")]
    pub owner: Option<String>,
    /// Make a folder that was copied with its lock its own
    #[arg(long, conflicts_with_all = ["owner", "locked"])]
    pub new_owner: bool,
}

/// `hubform schema`.
#[derive(Debug, Clone, Args)]
pub struct Schema {
    /// A kind, such as Endpoint; without it, the kinds are listed
    pub kind: Option<String>,
    /// Print the schema of what the kind's template sees
    #[arg(long)]
    pub view: bool,
}

/// `hubform templates`.
#[derive(Debug, Clone, Args)]
pub struct Templates {
    #[command(subcommand)]
    #[allow(missing_docs)]
    pub action: TemplatesAction,
}

/// What to do with templates.
#[derive(Debug, Clone, Subcommand)]
pub enum TemplatesAction {
    /// Write the built-in templates out, to be changed and given to --templates
    Eject {
        /// Folder to write to
        folder: PathBuf,
    },
}

/// `hubform explain`.
#[derive(Debug, Clone, Args)]
pub struct Explain {
    /// A code, such as HF1020; without it, all are listed
    pub code: Option<String>,
}

/// `hubform completions`.
#[derive(Debug, Clone, Args)]
pub struct Completions {
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
        false => Err("it has 16 digits, 0 to 9 and a to f".to_owned()),
    }
}

/// A factor that time can be multiplied by.
fn speed(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "a number is needed, as 120".to_owned())?;
    match factor {
        0.1..=1_000_000.0 => Ok(factor),
        _ => Err("it must lie between 0.1 and 1000000".to_owned()),
    }
}
