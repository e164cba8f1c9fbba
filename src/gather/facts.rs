//! The questions of resolving, answered. What an answer means is not judged here.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use super::{AT_ONCE, Asking, side_by_side::side_by_side};
use crate::{
    cloud::{CloudError, CloudErrorKind, CloudResult, Target},
    hub::Hub,
    resolve::{Facts, LookedUp, Questions},
};

/// What the accounts answer: whose they are, and their roles. One look for each role in each target.
pub async fn facts(asking: Asking<'_>, questions: &Questions) -> CloudResult<Facts> {
    let accounts = identities(asking, &questions.accounts).await?;
    let look = |(target, arn): &(Target, String)| {
        let key = (target.clone(), arn.clone());
        async move {
            let answer = look_up(asking, &key.0, &key.1).await?;
            Ok((key, answer))
        }
    };
    let roles = side_by_side(AT_ONCE, questions.roles.iter().map(look)).await?.into_iter().collect();
    Ok(Facts { accounts, roles, ..Facts::default() })
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

async fn look_up(asking: Asking<'_>, target: &Target, arn: &str) -> CloudResult<LookedUp> {
    let connection = asking.accounts.at(target).await?;
    let name = arn.rsplit('/').next().unwrap_or(arn);
    match asking.patiently(async || connection.iam.get_role(name).await).await {
        Ok(Some(found)) => Ok(LookedUp::Found(found)),
        Ok(None) => Ok(LookedUp::Missing),
        Err(CloudError { kind: CloudErrorKind::AccessDenied(why), .. }) => Ok(LookedUp::Denied(why)),
        Err(error) => Err(error),
    }
}
