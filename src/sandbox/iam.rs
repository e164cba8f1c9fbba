//! The IAM port.

use super::Place;
use crate::cloud::{Iam, Reply, RoleDescription};

impl Iam for Place {
    fn get_role<'a>(&'a self, name: &str) -> Reply<'a, Option<RoleDescription>> {
        let wanted = name.to_owned();
        self.ask("GetRole", name, |core, _| Ok(core.state.get_role(&wanted)))
    }
}
