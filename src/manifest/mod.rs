//! YAML manifests in, typed specs with positions out.
//!
//! [`parse`] reads texts into a spanned tree, looks for secrets, and walks each document against the JSON Schema
//! derived from its kind's type, so that the validator and `hubform schema` cannot disagree; only a document
//! without findings becomes a [`Spec`]. [`environments`] sorts documents into environments, merges patches into
//! their trees and walks those again. Everything is pure: folders are read from the names of the inputs. Leans
//! on `diagnostic` alone.

mod document;
mod kind;
mod tree;
mod value;

pub use document::{Document, EnvironmentSet, Input, Manifests, Origin, ResolvedEnvironment};
pub use kind::*;
pub use value::*;
