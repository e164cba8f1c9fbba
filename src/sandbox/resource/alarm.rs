//! CloudWatch's alarms: made like any other type, and looked for by endpoints that roll back on them.

use super::Site;

pub(super) const TYPE: &str = "AWS::CloudWatch::Alarm";
const COMPOSITE: &str = "AWS::CloudWatch::CompositeAlarm";

/// Is there an alarm of this name?
pub(super) fn exists(site: &Site<'_>, name: &str) -> bool {
    [TYPE, COMPOSITE].iter().any(|kind| site.object(kind, name).is_some())
}
