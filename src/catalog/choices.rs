//! Which inputs each choice that hubform makes is recorded with. A release that looks at more adds a word here, and
//! pins of older releases hold all the same: they are judged by what they recorded.

use std::collections::BTreeMap;

use super::CatalogError;
use super::csv;
use super::tables::{Table, Tables};

const CHOICES: &str = "choices.csv";

#[derive(Debug)]
pub(super) struct Choices(BTreeMap<String, Vec<String>>);

impl Choices {
    pub(super) fn inputs(&self, choice: &str) -> &[String] {
        self.0.get(choice).map_or(&[], Vec::as_slice)
    }
}

impl Table for Choices {
    const FILES: &'static [&'static str] = &[CHOICES];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let rows = csv::read(CHOICES, &tables.text(CHOICES)?, |row| {
            let inputs = row.known_text("records")?.unwrap_or_default();
            Ok((row.text("choice")?, inputs.split_whitespace().map(str::to_owned).collect()))
        })?;
        Ok(Self(rows.into_iter().collect()))
    }
}
