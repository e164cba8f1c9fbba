//! Burstable instances, which SageMaker does not scale.
//!
//! SageMaker Developer Guide, "Configure model auto scaling with the console": no variant is registered with "an instance
//! that is a burstable performance instance such as T2" (D). Hosting has ml.t2 alone; that all families of EC2 which begin
//! with `t` and a digit are burstable says the EC2 User Guide, "Burstable performance instances" (D).
//! By name and not by table, because the rule also covers types that no table of hubform has yet.

/// Is this instance type, in SageMaker's spelling, a burstable one?
pub fn is_burstable(instance_type: &str) -> bool {
    let family = instance_type.strip_prefix("ml.").unwrap_or(instance_type).strip_prefix('t');
    family.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_burstable;

    #[test]
    fn t_and_a_digit_is_burstable() {
        assert!(["ml.t2.xlarge", "ml.t3.medium", "t3a.large", "ml.t4g.small"].into_iter().all(is_burstable));
        assert!(!["ml.trn1.2xlarge", "ml.c7i.large", "ml.m5.xlarge"].into_iter().any(is_burstable));
    }
}
