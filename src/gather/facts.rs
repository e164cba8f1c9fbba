//! The questions of resolving, answered. What an answer means is not judged here.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use super::{AT_ONCE, Asking, in_targets, side_by_side::side_by_side};
use crate::{
    cloud::{CloudError, CloudErrorKind, CloudResult, Connection, Target},
    hub::Hub,
    resolve::{Facts, LookedUp, Questions},
};

/// What the accounts answer: whose they are, and their roles. One look for each role in each target.
pub async fn facts(asking: Asking<'_>, questions: &Questions) -> CloudResult<Facts> {
    let accounts = identities(asking, &questions.accounts).await?;
    let asked = questions.roles.iter().map(|(target, arn)| (target, arn.as_str()));
    let looked_up = in_targets(asking, asked, async |connection, arn| look_up(asking, connection, arn).await).await?;
    let roles = looked_up.into_iter().map(|((target, arn), found)| ((target.clone(), arn.to_owned()), found));
    Ok(Facts { accounts, roles: roles.collect(), ..Facts::default() })
}

/// What the Hub answers.
pub async fn models(hub: &dyn Hub, questions: &Questions) -> Facts {
    let ask = |asked| async move { Ok::<_, Infallible>((Clone::clone(asked), hub.model(asked).await)) };
    let Ok(models) = side_by_side(AT_ONCE, questions.models.iter().map(ask)).await;
    Facts { models: models.into_iter().collect(), ..Facts::default() }
}

async fn identities(asking: Asking<'_>, targets: &BTreeSet<Target>) -> CloudResult<BTreeMap<Target, String>> {
    let ask = |target: &Target| {
        let target = target.clone();
        async move {
            let connection = asking.accounts.at(&target).await?;
            let caller = asking.patiently(async || connection.identity.caller().await).await?;
            Ok((target, caller.account))
        }
    };
    Ok(side_by_side(AT_ONCE, targets.iter().map(ask)).await?.into_iter().collect())
}

async fn look_up(asking: Asking<'_>, connection: &Connection, arn: &str) -> CloudResult<LookedUp> {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    match asking.patiently(async || connection.iam.get_role(name).await).await {
        Ok(Some(found)) => Ok(LookedUp::Found(found)),
        Ok(None) => Ok(LookedUp::Missing),
        Err(CloudError { kind: CloudErrorKind::AccessDenied(why), .. }) => Ok(LookedUp::Denied(why)),
        Err(error) => Err(error),
    }
}
