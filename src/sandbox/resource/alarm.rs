//! CloudWatch's alarms: made like any other type, and looked up by endpoints that roll back on them.

use std::time::Duration;

use serde_json::Value;

use super::{CreatedResource, Handled, HandlerFailure, HandlerSite, ResourceHandler, generic::GenericHandler};
use crate::{sandbox::stack::Record, service::arn::Arn};

pub(super) const TYPE: &str = "AWS::CloudWatch::Alarm";
const COMPOSITE: &str = "AWS::CloudWatch::CompositeAlarm";

/// An alarm, and its actions.
pub(super) struct AlarmHandler;

impl ResourceHandler for AlarmHandler {
    fn create(&self, site: &mut HandlerSite<'_>, kind: &str, properties: &Value) -> Handled<CreatedResource> {
        check_actions(site, properties)?;
        GenericHandler.create(site, kind, properties)
    }

    fn update(&self, site: &mut HandlerSite<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        check_actions(site, properties)?;
        GenericHandler.update(site, record, properties)
    }
}

/// An alarm acts in its own Region, on ARNs. (O: the words about Regions, cds-snc/notification-terraform#128; others
/// are not recorded. That a FIFO topic is refused is reported, and documented nowhere.)
fn check_actions(site: &HandlerSite<'_>, properties: &Value) -> Handled<()> {
    let lists = ["AlarmActions", "OKActions", "InsufficientDataActions"].map(|list| properties[list].as_array());
    for action in lists.into_iter().flatten().flatten().filter_map(Value::as_str) {
        let refuse =
            |why: String| Err(HandlerFailure::invalid(format!("{why} (Service: CloudWatch, Status Code: 400)")));
        match Arn::parse(action) {
            None => return refuse(format!("Invalid arn syntax: {action}")),
            Some(arn) if !arn.region.is_empty() && arn.region != site.place.region => {
                let own = &site.place.region;
                return refuse(format!("Invalid region {} specified. Only {own} is supported.", arn.region));
            }
            Some(arn) if arn.service == "sns" && arn.resource.ends_with(".fifo") => {
                return refuse(format!("Invalid use of FIFO topic {action} as an alarm action"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Is there an alarm of this name?
pub(super) fn exists(site: &HandlerSite<'_>, name: &str) -> bool {
    [TYPE, COMPOSITE].iter().any(|kind| site.object(kind, name).is_some())
}
