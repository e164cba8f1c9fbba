//! The intrinsic functions.

use serde_json::Value;

use super::{
    place::AccountRegion,
    reference::{self, ResourceReference, SubPiece},
    value::{EvalScope, Evaluated, Lookup, MARK, Pseudo, is_marked},
};

impl EvalScope<'_> {
    pub(crate) fn call(&self, name: &str, argument: &Value, lookup: &dyn Lookup) -> Evaluated<Option<Value>> {
        match name {
            "Ref" => self.reference(argument.as_str().unwrap_or_default(), lookup),
            "Fn::If" => self.choose(argument, lookup),
            "Fn::GetAtt" => {
                let reference = reference::get_att(argument)
                    .ok_or("Template error: every Fn::GetAtt object requires two non-empty parameters")?;
                lookup.resource(&reference).map(Some)
            }
            "Fn::Sub" => self.substitute(argument, lookup).map(|text| Some(Value::String(text))),
            "Fn::Join" => self.join(argument, lookup).map(Some),
            "Fn::Select" => self.select(argument, lookup).map(Some),
            "Fn::Split" => self.split(argument, lookup).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument, lookup).map(Some),
            "Fn::GetAZs" => self.zones(argument, lookup).map(Some),
            "Fn::ImportValue" => lookup.import(&self.text(argument, lookup)?).map(Some),
            "Fn::Base64" => self.text(argument, lookup).map(|text| Some(Value::String(base64(text.as_bytes())))),
            "Fn::Cidr" => self.cidr(argument, lookup).map(Some),
            other => Err(format!("Template error: the imagined account does not know {other} here")),
        }
    }

    fn reference(&self, name: &str, lookup: &dyn Lookup) -> Evaluated<Option<Value>> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(Some(value.clone()));
        }
        let Pseudo { place, stack_id, stack_name, notification_arns } = &self.pseudo;
        let AccountRegion { account, region } = place;
        let text = |text: &str| Ok(Some(Value::String(text.to_owned())));
        match name {
            "AWS::AccountId" => text(account),
            "AWS::NoValue" => Ok(None),
            "AWS::NotificationARNs" => Ok(Some(notification_arns.iter().cloned().map(Value::String).collect())),
            "AWS::Partition" => text(place.partition()),
            "AWS::Region" => text(region),
            "AWS::StackId" => text(stack_id),
            "AWS::StackName" => text(stack_name),
            "AWS::URLSuffix" => text(if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }),
            _ => lookup.resource(&ResourceReference { name: name.to_owned(), attribute: None }).map(Some),
        }
    }

    fn choose(&self, argument: &Value, lookup: &dyn Lookup) -> Evaluated<Option<Value>> {
        let parts = arguments(argument, 3, "Fn::If")?;
        let name = parts[0].as_str().unwrap_or_default();
        match self.conditions.get(name) {
            Some(true) => self.value(&parts[1], lookup),
            Some(false) => self.value(&parts[2], lookup),
            None => Err(format!(
                "Template format error: Unresolved condition dependency {name} in the Resources block of the template"
            )),
        }
    }

    fn substitute(&self, argument: &Value, lookup: &dyn Lookup) -> Evaluated<String> {
        let (text, own) = match argument {
            Value::Array(_) => {
                let parts = arguments(argument, 2, "Fn::Sub")?;
                (&parts[0], parts[1].as_object())
            }
            other => (other, None),
        };
        let text = text.as_str().ok_or("Template error: every Fn::Sub object requires a string")?;
        let mut result = String::new();
        for piece in reference::pieces(text) {
            match piece {
                SubPiece::Text(text) => result.push_str(text),
                SubPiece::Variable(name) => match own.and_then(|own| own.get(name)) {
                    Some(value) => result.push_str(&self.text(value, lookup)?),
                    None => result.push_str(&self.variable(name, lookup)?),
                },
            }
        }
        Ok(result)
    }

    fn variable(&self, name: &str, lookup: &dyn Lookup) -> Evaluated<String> {
        let reference = reference::variable(name);
        let value = match &reference.attribute {
            Some(_) => Some(lookup.resource(&reference)?),
            None => self.reference(name, lookup)?,
        };
        self.text(&value.unwrap_or(Value::String(String::new())), lookup)
    }

    fn join(&self, argument: &Value, lookup: &dyn Lookup) -> Evaluated<Value> {
        let parts = arguments(argument, 2, "Fn::Join")?;
        let delimiter = self.text(&parts[0], lookup)?;
        let items = match self.needed(&parts[1], lookup)? {
            Value::Array(items) => items,
            marked if is_marked(&marked) => return Ok(marked),
            _ => return Err("Template error: every Fn::Join object requires a list".to_owned()),
        };
        let texts: Evaluated<Vec<String>> = items.iter().map(|item| self.text(item, lookup)).collect();
        Ok(Value::String(texts?.join(&delimiter)))
    }

    fn select(&self, argument: &Value, lookup: &dyn Lookup) -> Evaluated<Value> {
        let parts = arguments(argument, 2, "Fn::Select")?;
        let index = self.text(&parts[0], lookup)?;
        let mut items = match self.needed(&parts[1], lookup)? {
            Value::Array(items) => items,
            Value::String(text) if text.contains(MARK) => return Ok(Value::String(format!("{text}[{index}]"))),
            _ => return Err("Template error: every Fn::Select object requires a list".to_owned()),
        };
        match index.parse::<usize>() {
            Ok(index) if index < items.len() => Ok(items.swap_remove(index)),
            _ => Err(format!("Template error: Fn::Select cannot select nonexistent value at index {index}")),
        }
    }

    fn split(&self, argument: &Value, lookup: &dyn Lookup) -> Evaluated<Value> {
        let parts = arguments(argument, 2, "Fn::Split")?;
        let delimiter = self.text(&parts[0], lookup)?;
        let text = self.text(&parts[1], lookup)?;
        if text.contains(MARK) || delimiter.is_empty() {
            return Ok(Value::String(text));
        }
        Ok(text.split(delimiter.as_str()).map(|part| Value::String(part.to_owned())).collect())
    }

    fn find_in_map(&self, argument: &Value, lookup: &dyn Lookup) -> Evaluated<Value> {
        let parts = arguments(argument, 3, "Fn::FindInMap")?;
        let keys: Vec<String> = parts.iter().map(|part| self.text(part, lookup)).collect::<Evaluated<_>>()?;
        let found = self.template.mappings.get(&keys[0]).and_then(|map| map.get(&keys[1])?.get(&keys[2]));
        found
            .cloned()
            .ok_or_else(|| format!("Template error: Unable to get mapping for {}::{}::{}", keys[0], keys[1], keys[2]))
    }

    /// Every Region has three zones here.
    fn zones(&self, argument: &Value, lookup: &dyn Lookup) -> Evaluated<Value> {
        let wanted = self.text(argument, lookup)?;
        let region = if wanted.is_empty() { self.pseudo.place.region.clone() } else { wanted };
        Ok(["a", "b", "c"].iter().map(|zone| Value::String(format!("{region}{zone}"))).collect())
    }

    fn cidr(&self, argument: &Value, lookup: &dyn Lookup) -> Evaluated<Value> {
        let parts = argument.as_array().filter(|parts| parts.len() == 3 || parts.len() == 2);
        let parts = parts.ok_or("Template error: every Fn::Cidr object requires two or three parameters")?;
        let block = self.text(&parts[0], lookup)?;
        if block.contains(MARK) {
            return Ok(Value::String(block));
        }
        let number = |part: &Value| {
            let text = self.text(part, lookup)?;
            text.parse::<u32>().map_err(|_| format!("Template error: Fn::Cidr takes numbers, not {text}"))
        };
        let bits = parts.get(2).map_or(Ok(8), number)?;
        subnets(&block, number(&parts[1])?, bits)
            .ok_or_else(|| format!("Template error: Fn::Cidr cannot divide {block}"))
    }
}

fn arguments<'v>(argument: &'v Value, count: usize, name: &str) -> Evaluated<&'v [Value]> {
    let parts = argument.as_array().filter(|parts| parts.len() == count);
    parts.map(Vec::as_slice).ok_or_else(|| format!("Template error: every {name} object requires {count} parameters"))
}

fn subnets(block: &str, count: u32, bits: u32) -> Option<Value> {
    let (address, length) = block.split_once('/')?;
    let address: u32 = address.parse::<std::net::Ipv4Addr>().ok()?.into();
    let (length, size) = (length.parse::<u32>().ok()?, 32u32.checked_sub(bits)?);
    let available = 1u64.checked_shl(size.checked_sub(length)?)?;
    if u64::from(count) > available.min(256) {
        return None;
    }
    let step = 1u64 << bits;
    let nth = |index: u32| {
        let start = u32::try_from(u64::from(address) + u64::from(index) * step).ok()?;
        Some(Value::String(format!("{}/{size}", std::net::Ipv4Addr::from(start))))
    };
    (0..count).map(nth).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain([0u8; 2].iter()).take(3).fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        for index in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * index) & 63) as usize];
            text.push(if index > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use std::collections::BTreeMap;

    use super::*;
    use crate::sandbox::template::ParsedTemplate;

    struct NoStack;

    impl Lookup for NoStack {
        fn resource(&self, reference: &ResourceReference) -> Evaluated<Value> {
            Ok(Value::String(format!("<{}{}>", reference.name, reference.attribute.as_deref().unwrap_or_default())))
        }

        fn import(&self, name: &str) -> Evaluated<Value> {
            if name == "Known" { Ok(json!("imported")) } else { Err(format!("No export named {name} found")) }
        }
    }

    fn check(value: Value, expect: expect_test::Expect) {
        let template = ParsedTemplate::parse(
            &json!({
                "Parameters": {"Size": {"Type": "Number", "Default": 2}, "Zones": {"Type": "CommaDelimitedList", "Default": "a, b"}},
                "Mappings": {"M": {"us-east-1": {"X": "mapped"}}},
                "Conditions": {
                    "Big": {"Fn::Equals": [{"Ref": "Size"}, "2"]},
                    "Small": {"Fn::Not": [{"Condition": "Big"}]},
                    "Both": {"Fn::And": [{"Condition": "Big"}, {"Condition": "Small"}]},
                },
                "Resources": {"R": {"Type": "AWS::SNS::Topic"}},
            })
            .to_string(),
        )
        .expect("a sound template");
        let pseudo = Pseudo {
            place: AccountRegion { account: "1".into(), region: "us-east-1".into() },
            stack_id: "arn:s".into(),
            stack_name: "s".into(),
            notification_arns: vec![],
        };
        let scope = EvalScope::new(&template, &BTreeMap::new(), pseudo).expect("sound conditions");
        let result = scope.value(&value, &NoStack);
        expect.assert_eq(&match result {
            Ok(Some(value)) => value.to_string(),
            Ok(None) => "nothing".to_owned(),
            Err(error) => error,
        });
    }

    #[test]
    fn functions() {
        use expect_test::expect;
        check(
            json!({"Fn::Sub": "${AWS::Region}/${R}/${R.Arn}/${!x}/${Size}"}),
            expect![[r#""us-east-1/<R>/<RArn>/${x}/2""#]],
        );
        check(json!({"Fn::Join": ["-", ["a", {"Ref": "Size"}]]}), expect![[r#""a-2""#]]);
        check(json!({"Fn::Select": [1, {"Fn::Split": ["/", "a/b"]}]}), expect![[r#""b""#]]);
        check(
            json!({"Fn::Select": ["5", {"Ref": "Zones"}]}),
            expect!["Template error: Fn::Select cannot select nonexistent value at index 5"],
        );
        check(json!({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "X"]}), expect![[r#""mapped""#]]);
        check(json!({"Fn::If": ["Both", 1, [{"Ref": "AWS::NoValue"}, 2]]}), expect!["[2]"]);
        check(json!({"A": {"Ref": "AWS::NoValue"}, "B": {"Ref": "Zones"}}), expect![[r#"{"B":["a","b"]}"#]]);
        check(json!({"Fn::Base64": "hello"}), expect![[r#""aGVsbG8=""#]]);
        check(json!({"Fn::Cidr": ["10.0.0.0/16", 3, 8]}), expect![[r#"["10.0.0.0/24","10.0.1.0/24","10.0.2.0/24"]"#]]);
        check(json!({"Fn::ImportValue": "Other"}), expect!["No export named Other found"]);
        check(json!({"Fn::GetAZs": ""}), expect![[r#"["us-east-1a","us-east-1b","us-east-1c"]"#]]);
        check(json!({"Ref": "AWS::NoValue"}), expect!["nothing"]);
    }
}
