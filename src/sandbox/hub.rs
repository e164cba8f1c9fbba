//! The Hub port, imagined: the catalogue's table of models answers, and nothing leaves the machine. Runs on real
//! accounts ask it as well until the port has a live side.

use crate::{
    catalog::Catalog,
    hub::{Hub, HubAnswer, Model, ModelAt},
};

/// A Hub that has the models of a table.
#[derive(Debug, Clone, Copy)]
pub struct TableHub<'a> {
    catalog: &'a Catalog,
}

impl<'a> TableHub<'a> {
    /// The Hub that these tables know.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self { catalog }
    }
}

impl Hub for TableHub<'_> {
    fn model<'a>(&'a self, asked: &'a ModelAt) -> HubAnswer<'a, Option<Model>> {
        Box::pin(std::future::ready(Model::in_table(self.catalog, asked)))
    }
}
