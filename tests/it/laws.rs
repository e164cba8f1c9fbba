//! What holds for any deployment, any edit and any fault, tried on many random ones.
//!
//! Runs are seeded: `HUBFORM_SEED=17` plays one again, `HUBFORM_SEED=0..5000` plays many. A seed that once broke a
//! law stays, and comes first.

mod account;
mod again;
mod announced;
mod deployment;
mod misfortune;
mod models;
mod neighbours;
mod operators;
mod rendering;
mod resources;
mod seeds;
mod shared_role;
mod stopping;
