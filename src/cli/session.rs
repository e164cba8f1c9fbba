//! The account that a verb works on: the caller's, or an imagined one.

use std::{path::PathBuf, rc::Rc};

use anyhow::Result;

use super::{args::Globals, host::Host};
use crate::{
    catalog::Catalog,
    clock::Clock,
    cloud::{Accounts, Retrying, Timestamp},
    gather::Asking,
    hub::Hub,
    sandbox::{Pace, Sandbox, SandboxSettings, TableHub},
};

/// Accounts and their time.
pub(super) struct Session {
    pub(super) accounts: Rc<dyn Accounts>,
    pub(super) clock: Rc<dyn Clock>,
    sandbox: Option<Sandbox>,
    kept: bool,
}

/// The folder of the imagined account, where no other is said.
pub(super) const USUAL_FOLDER: &str = ".hubform/sandbox";

/// The folder of the imagined account, where one is used.
pub(super) fn sandbox_folder(host: &Host, globals: &Globals) -> Option<PathBuf> {
    let said = globals.sandbox_state.clone().or_else(|| host.variable("HUBFORM_SANDBOX_STATE").map(PathBuf::from));
    is_sandbox(host, globals).then(|| said.unwrap_or_else(|| PathBuf::from(USUAL_FOLDER)))
}

/// Is this run about an imagined account?
pub(super) fn is_sandbox(host: &Host, globals: &Globals) -> bool {
    globals.sandbox || host.variable("HUBFORM_SANDBOX").is_some_and(|value| value != "0" && value != "false")
}

/// The Hub that models are asked of. Until it is asked itself, that is the table, whatever the account.
pub(super) fn hub(catalog: &Catalog) -> impl Hub + '_ {
    TableHub::new(catalog)
}

/// Connects.
pub(super) fn open(host: &Host, globals: &Globals) -> Result<Session> {
    let Some(folder) = sandbox_folder(host, globals) else { return real(host) };
    let (sandbox, kept) = match &host.sandbox {
        Some(sandbox) => (sandbox.clone(), false),
        None => {
            let pace = globals.sandbox_speed.map_or_else(Pace::default, Pace::Scaled);
            (Sandbox::open(&host.folder.join(folder), SandboxSettings::default(), pace)?, true)
        }
    };
    Ok(Session { accounts: sandbox.accounts(), clock: sandbox.clock(), sandbox: Some(sandbox), kept })
}

#[cfg(feature = "aws")]
fn real(host: &Host) -> Result<Session> {
    check_settings(host)?;
    let accounts = Rc::new(crate::aws::AwsAccounts::new(None));
    Ok(Session { accounts, clock: Rc::new(crate::clock::SystemClock), sandbox: None, kept: false })
}

#[cfg(not(feature = "aws"))]
fn real(_: &Host) -> Result<Session> {
    anyhow::bail!(super::Refusal::no_aws())
}

/// The Region of the caller's profile, for verbs on a real account.
#[cfg(feature = "aws")]
pub(super) async fn profile_region(host: &Host, globals: &Globals) -> Result<Option<String>> {
    if is_sandbox(host, globals) {
        return Ok(None);
    }
    check_settings(host)?;
    if let Some((what, help)) = crate::aws::wrong_profile(host.variable("AWS_PROFILE")).await {
        anyhow::bail!(super::Refusal::new(what, help));
    }
    Ok(crate::aws::profile_region(None).await)
}

#[cfg(feature = "aws")]
fn check_settings(host: &Host) -> Result<()> {
    match crate::aws::wrong_setting(&host.variables) {
        Some((what, help)) => anyhow::bail!(super::Refusal::new(what, help)),
        None => Ok(()),
    }
}

/// The Region of the caller's profile, for verbs on a real account.
#[cfg(not(feature = "aws"))]
pub(super) async fn profile_region(host: &Host, globals: &Globals) -> Result<Option<String>> {
    if is_sandbox(host, globals) { Ok(None) } else { anyhow::bail!(super::Refusal::no_aws()) }
}

impl Session {
    /// How it is asked; `told` hears of calls that have not worked for a while.
    pub(super) fn asking<'a>(&'a self, told: &'a dyn Fn(&Retrying, Timestamp)) -> Asking<'a> {
        Asking { accounts: &*self.accounts, clock: &*self.clock, told }
    }

    /// Is it an imagined account?
    pub(super) fn is_imagined(&self) -> bool {
        self.sandbox.is_some()
    }

    /// What headers say of it.
    pub(super) fn label(&self) -> Option<&'static str> {
        self.is_imagined().then_some("imagined account")
    }

    /// Writes down what an imagined account has become.
    pub(super) fn close(self) -> Result<()> {
        match self.sandbox {
            Some(sandbox) if self.kept => Ok(sandbox.save()?),
            _ => Ok(()),
        }
    }
}
