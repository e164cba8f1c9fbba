//! The Hugging Face Hub in our words, and its port.
//!
//! One question: what is known of a model at a revision. The only side of the port so far is the imagined one, in
//! `sandbox`: it answers from the catalogue's table, for real accounts too, until the Hub itself is asked.

use std::{future::Future, pin::Pin};

use crate::catalog::{Catalog, Commit, Gated, ModelFacts};

/// An answer on its way. The table cannot fail to answer.
pub type HubAnswer<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The branch that is meant where no revision is said.
pub const MAIN: &str = "main";

/// A model's repository at a revision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelAt {
    /// The id, as `Qwen/Qwen3-0.6B`.
    pub id: String,
    /// A branch, tag or commit.
    pub revision: String,
}

/// What the Hub says of a model at a revision. `None` is "not known" or "has none".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The commit that the main branch has, and who says so. Of other revisions it is not known.
    pub commit: Option<Commit>,
    /// Its name of the task, as `text-generation`.
    pub task: String,
    /// Must its terms be accepted before the files can be read?
    pub gated: Gated,
    /// The licence's identifier.
    pub license: Option<String>,
    /// Parameters.
    pub parameters: Option<u64>,
    /// Type of the weights, as `bfloat16`.
    pub dtype: Option<String>,
    /// Bytes of the weights.
    pub weight_bytes: Option<u64>,
    /// Attention heads.
    pub heads: Option<u32>,
    /// Heads of keys and values.
    pub kv_heads: Option<u32>,
    /// Bytes of cache per token at 16 bit.
    pub kv_bytes_per_token: Option<u64>,
    /// The longest context it was made for, in tokens.
    pub max_positions: Option<u64>,
}

/// The Hub.
pub trait Hub {
    /// What is known of a model; none if nothing is.
    fn model<'a>(&'a self, asked: &'a ModelAt) -> HubAnswer<'a, Option<Model>>;
}

impl Model {
    /// What the table says without asking anybody. It speaks of main branches, and other revisions of a model are taken
    /// to have its shape.
    pub fn in_table(catalog: &Catalog, asked: &ModelAt) -> Option<Self> {
        let known = catalog.model(&asked.id)?;
        let commit = known.commit.clone().filter(|_| asked.revision == MAIN);
        Some(Self { commit, ..Self::from(known) })
    }
}

impl From<&ModelFacts> for Model {
    fn from(facts: &ModelFacts) -> Self {
        Self {
            commit: facts.commit.clone(),
            task: facts.task.clone(),
            gated: facts.gated,
            license: facts.license.clone(),
            parameters: facts.parameters(),
            dtype: facts.dtype.clone(),
            weight_bytes: facts.weight_bytes,
            heads: facts.heads,
            kv_heads: facts.kv_heads,
            kv_bytes_per_token: facts.kv_bytes_per_token_16bit,
            max_positions: facts.max_positions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_main_branch_has_a_commit_that_the_table_knows() {
        let at = |revision: &str| {
            let asked = ModelAt { id: "Qwen/Qwen3-0.6B".into(), revision: revision.into() };
            Model::in_table(Catalog::embedded(), &asked).expect("it is in the table")
        };
        let (main, other) = (at(MAIN), at("v1"));
        assert!(main.commit.is_some() && other.commit.is_none());
        assert_eq!(Model { commit: None, ..main }, other, "the shape is taken to be the same");
        let nobodys = ModelAt { id: "nobody/nothing".into(), revision: MAIN.into() };
        assert_eq!(Model::in_table(Catalog::embedded(), &nobodys), None);
    }
}
