//! The IAM port.

use super::Client;
use crate::cloud::{Iam, Reply, RoleDescription};

impl Iam for Client {
    fn get_role<'a>(&'a self, name: &str) -> Reply<'a, Option<RoleDescription>> {
        let wanted = name.to_owned();
        self.ask("GetRole", name, |core, place| Ok(core.state.get_role(place, &wanted)))
    }
}
