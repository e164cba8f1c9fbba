//! An IAM role, as far as it is asked about before a plan.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What GetRole says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleDescription {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The trust policy, decoded.
    pub trust: Value,
}

impl RoleDescription {
    /// May this service assume the role, without a condition that hubform could not judge?
    pub fn trusts(&self, service: &str) -> bool {
        let statements = as_list(&self.trust["Statement"]);
        statements.iter().any(|statement| {
            let principals = as_list(&statement["Principal"]["Service"]);
            let actions = as_list(&statement["Action"]);
            let assumes = ["sts:AssumeRole", "sts:*", "*"];
            statement["Effect"] == "Allow"
                && principals.iter().any(|principal| principal == service)
                && actions.iter().any(|action| assumes.iter().any(|wanted| action == wanted))
        })
    }
}

fn as_list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        other => vec![other.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_read_in_both_spellings() {
        let role = |trust| RoleDescription { name: "r".into(), arn: "arn".into(), trust };
        let one = serde_json::json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "sagemaker.amazonaws.com"}}});
        let list = serde_json::json!({"Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"],
            "Principal": {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}}]});
        assert!(role(one).trusts("sagemaker.amazonaws.com"));
        assert!(!role(list).trusts("sagemaker.amazonaws.com"));
    }
}
