//! Models whose shape is known without asking the Hub.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::CatalogError;
use super::csv::{self, CsvRow};
use super::tables::{Table, Tables};

pub(super) const MODELS: &str = "models.csv";

/// What every model has where it is known: no 0 goes into a lock.
const COUNTS: [&str; 7] =
    ["params_computed", "params_hub", "weight_bytes", "heads", "kv_heads", "kv_bytes_per_token_16bit", "max_positions"];
/// Models that went by a bare name before the Hub had organisations, where they live now.
const WELL_KNOWN: &[&str] = &[
    "FacebookAI/roberta-base",
    "FacebookAI/roberta-large",
    "FacebookAI/xlm-roberta-base",
    "FacebookAI/xlm-roberta-large",
    "distilbert/distilbert-base-cased",
    "distilbert/distilbert-base-uncased",
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
    "distilbert/distilgpt2",
    "distilbert/distilroberta-base",
    "google-bert/bert-base-cased",
    "google-bert/bert-base-multilingual-cased",
    "google-bert/bert-base-uncased",
    "google-bert/bert-large-cased",
    "google-bert/bert-large-uncased",
    "google-t5/t5-base",
    "google-t5/t5-large",
    "google-t5/t5-small",
    "openai-community/gpt2",
    "openai-community/gpt2-large",
    "openai-community/gpt2-medium",
    "openai-community/gpt2-xl",
];

/// Must its licence be accepted on the Hub before the files can be read?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gated {
    /// It must.
    Yes,
    /// It need not.
    No,
    /// No source says.
    Unknown,
}

/// What is known of a model. Sizes in numbers of parameters or bytes; `None` is "not known" or "has none".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// The id on the Hub.
    pub id: String,
    /// `text-generation`, `feature-extraction`.
    pub task: String,
    /// The class in its `config.json`.
    pub architecture: Option<String>,
    /// Parameters, counted from the shape.
    pub params: Option<u64>,
    /// Parameters that each token uses, in a mixture of experts.
    pub params_active: Option<u64>,
    /// Parameters as the Hub totals them.
    pub params_hub: Option<u64>,
    /// Of the published weights, in words: `bfloat16`, `mxfp4 (experts) + bfloat16`.
    pub dtype: Option<String>,
    /// Bytes of the published weights.
    pub weight_bytes: Option<u64>,
    /// Width of the hidden state.
    pub hidden_size: Option<u64>,
    /// Layers.
    pub layers: Option<u32>,
    /// Attention heads.
    pub heads: Option<u32>,
    /// Key and value heads.
    pub kv_heads: Option<u32>,
    /// Width of one head.
    pub head_dim: Option<u32>,
    /// Width of the dense feed-forward layer.
    pub intermediate_size: Option<u64>,
    /// Width of one expert.
    pub moe_intermediate_size: Option<u64>,
    /// Experts per layer.
    pub experts: Option<u32>,
    /// Experts that each token uses.
    pub experts_per_token: Option<u32>,
    /// Tokens in the vocabulary.
    pub vocab_size: Option<u64>,
    /// Do input and output share one embedding?
    pub tied_embeddings: Option<bool>,
    /// Positions it was made for.
    pub max_positions: Option<u64>,
    /// Tokens that a windowed layer sees.
    pub sliding_window: Option<u64>,
    /// Every how many layers one sees everything.
    pub global_attention_every: Option<u32>,
    /// Bytes of key and value cache per token at 16 bits, without what windows save.
    pub kv_bytes_per_token_16bit: Option<u64>,
    /// The licence's identifier on the Hub.
    pub license: Option<String>,
    /// Is it gated?
    pub gated: Gated,
    /// A copy of its `config.json` was compared.
    pub config_checked: bool,
    /// The newest commit of its repository that a public source names. Whether the main branch has moved since,
    /// nobody asked.
    pub commit: Option<Commit>,
}

/// A commit on the Hub that exists, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// All 40 digits.
    pub id: String,
    /// Independent public sources that name it.
    pub sources: u32,
    /// Month or year of the newest of them that has a date: `2026-10`.
    pub seen: Option<String>,
}

impl ModelFacts {
    /// Parameters: counted from the shape, else as the Hub totals them.
    pub fn parameters(&self) -> Option<u64> {
        self.params.or(self.params_hub)
    }
}

#[derive(Debug)]
pub(super) struct Models {
    all: Vec<ModelFacts>,
    by_id: HashMap<String, usize>,
}

impl Models {
    pub(super) fn get(&self, id: &str) -> Option<&ModelFacts> {
        self.by_id.get(id).map(|index| &self.all[*index])
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, ModelFacts> {
        self.all.iter()
    }

    pub(super) fn named(&self, short: &str) -> Vec<&str> {
        let known = self.all.iter().map(|model| model.id.as_str());
        let is_short = |id: &&str| id.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(short));
        let mut ids: Vec<&str> = known.chain(WELL_KNOWN.iter().copied()).filter(is_short).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

impl Table for Models {
    const FILES: &'static [&'static str] = &[MODELS];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let all = csv::read(MODELS, &tables.text(MODELS)?, model)?;
        let by_id = all.iter().enumerate().map(|(index, model)| (model.id.clone(), index)).collect();
        Ok(Self { all, by_id })
    }
}

/// Is it a commit as git names it in full?
pub fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Is it a name of a task, a type or a licence: short, and of one line?
pub fn is_plain(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

fn model(row: &CsvRow<'_>) -> Result<ModelFacts, CatalogError> {
    for column in ["task", "dtype", "license"] {
        if row.known_text(column)?.is_some_and(|text| !is_plain(&text)) {
            return Err(row.error(format!("{column} cannot be {:?}", row.cell(column)?)));
        }
    }
    for column in COUNTS {
        if row.known(column)? == Some(0_u64) {
            return Err(row.error(format!("{column} cannot be 0")));
        }
    }
    Ok(ModelFacts {
        id: row.text("model_id")?,
        task: row.text("task")?,
        architecture: row.known_text("architecture")?,
        params: row.known("params_computed")?,
        params_active: row.known("params_active")?,
        params_hub: row.known("params_hub")?,
        dtype: row.known_text("dtype")?,
        weight_bytes: row.known("weight_bytes")?,
        hidden_size: row.known("hidden_size")?,
        layers: row.known("layers")?,
        heads: row.known("heads")?,
        kv_heads: row.known("kv_heads")?,
        head_dim: row.known("head_dim")?,
        intermediate_size: row.known("intermediate_size")?,
        moe_intermediate_size: row.known("moe_intermediate_size")?,
        experts: row.known("experts")?,
        experts_per_token: row.known("experts_per_token")?,
        vocab_size: row.known("vocab_size")?,
        tied_embeddings: row.known_flag("tied_embeddings")?,
        max_positions: row.known("max_positions")?,
        sliding_window: row.known("sliding_window")?,
        global_attention_every: row.known("global_attention_every")?,
        kv_bytes_per_token_16bit: row.known("kv_bytes_per_token_16bit")?,
        license: row.known_text("license")?,
        gated: gated(row)?,
        config_checked: row.flag("config_checked")?,
        commit: commit(row)?,
    })
}

fn commit(row: &CsvRow<'_>) -> Result<Option<Commit>, CatalogError> {
    let Some(id) = row.known_text("commit")? else { return Ok(None) };
    if id.len() != 40 || !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(row.error(format!("commit cannot be {id:?}")));
    }
    Ok(Some(Commit { id, sources: row.number("commit_sources")?, seen: row.known_text("commit_seen")? }))
}

fn gated(row: &CsvRow<'_>) -> Result<Gated, CatalogError> {
    match row.cell("gated")? {
        "yes" => Ok(Gated::Yes),
        "no" => Ok(Gated::No),
        "unknown" | "" => Ok(Gated::Unknown),
        other => Err(row.error(format!("gated cannot be {other:?}"))),
    }
}
