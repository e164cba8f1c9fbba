//! The parsed text of a rendered template becomes a CloudFormation tree: short tags in their long form, tokens as
//! the values they stand for, keys in a stable order. Bodies submitted as YAML are read the same way.

use serde_json::{Map, Value};
use serde_yaml::Value as Yaml;

use super::{bounds, token};

/// Why a rendered text is not a tree, and in which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) why: String,
    pub(super) line: Option<String>,
}

/// Parses a rendered template. The error speaks of the rendered text.
pub(super) fn parse(rendered: &str) -> Result<Value, Odd> {
    bounds::check(rendered).map_err(|(why, line)| {
        let line = rendered.lines().nth(line.wrapping_sub(1)).filter(|line| !token::has_marks(line));
        Odd { why, line: line.map(|line| line.trim().chars().take(80).collect()) }
    })?;
    let read = serde_yaml::from_str(rendered).map_err(|error: serde_yaml::Error| {
        let at = error.location().map_or(0, |location| location.line());
        let line = rendered.lines().nth(at.wrapping_sub(1)).filter(|line| !token::has_marks(line));
        Odd { why: error.to_string(), line: line.map(|line| line.trim().to_owned()) }
    });
    convert(read?, false, ScalarText::Rendered).map_err(|why| Odd { why, line: None })
}

/// Reads a body written in YAML.
///
/// # Errors
///
/// Why it is none.
pub fn from_yaml(body: &str) -> Result<Value, String> {
    bounds::check(body).map_err(|(why, line)| format!("{why} (line {line})"))?;
    let read = serde_yaml::from_str(body).map_err(|error: serde_yaml::Error| error.to_string())?;
    convert(read, false, ScalarText::Plain)
}

/// How texts are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScalarText {
    /// They may hold tokens.
    Rendered,
    /// They are literal.
    Plain,
}

impl ScalarText {
    fn value(self, text: String, in_sub: bool) -> Value {
        match self {
            Self::Rendered => token::decode(&text, in_sub),
            Self::Plain => Value::String(text),
        }
    }

    fn key(self, key: Yaml) -> Result<String, String> {
        match (self, key) {
            (Self::Rendered, Yaml::String(text)) => Ok(token::decode_text(&text, false)),
            (Self::Plain, Yaml::String(text)) => Ok(text),
            (Self::Plain, Yaml::Number(number)) => Ok(number.to_string()),
            (Self::Plain, Yaml::Bool(flag)) => Ok(flag.to_string()),
            (_, other) => Err(format!("a key must be text, not {other:?}")),
        }
    }
}

fn convert(tree: Yaml, in_sub: bool, texts: ScalarText) -> Result<Value, String> {
    Ok(match tree {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::Number(number) => convert_number(&number)?,
        Yaml::String(text) => texts.value(text, in_sub),
        Yaml::Sequence(items) => convert_items(items, in_sub, texts)?,
        Yaml::Mapping(map) => Value::Object(convert_map(map, texts)?),
        Yaml::Tagged(tagged) => convert_tag(&tagged.tag.to_string(), tagged.value, texts)?,
    })
}

fn convert_number(number: &serde_yaml::Number) -> Result<Value, String> {
    let value = number.as_i64().map(Value::from).or_else(|| number.as_u64().map(Value::from));
    value
        .or_else(|| number.as_f64().and_then(serde_json::Number::from_f64).map(Value::Number))
        .ok_or_else(|| format!("{number} is not a JSON number"))
}

fn convert_items(items: Vec<Yaml>, in_sub: bool, texts: ScalarText) -> Result<Value, String> {
    let items = items.into_iter().enumerate().map(|(at, item)| convert(item, in_sub && at == 0, texts));
    Ok(Value::Array(items.collect::<Result<_, _>>()?))
}

fn convert_map(map: serde_yaml::Mapping, texts: ScalarText) -> Result<Map<String, Value>, String> {
    map.into_iter()
        .map(|(key, value)| {
            let key = texts.key(key)?;
            let value = convert(value, key == "Fn::Sub", texts)?;
            Ok((key, value))
        })
        .filter(|entry| !matches!(entry, Ok((_, Value::Null))))
        .collect()
}

fn convert_tag(tag: &str, value: Yaml, texts: ScalarText) -> Result<Value, String> {
    let name = tag.trim_start_matches('!');
    let key = match name {
        "Ref" | "Condition" => name.to_owned(),
        "And" | "Base64" | "Cidr" | "Equals" | "FindInMap" | "GetAtt" | "GetAZs" | "If" | "ImportValue" | "Join"
        | "Length" | "Not" | "Or" | "Select" | "Split" | "Sub" | "ToJsonString" | "Transform" => format!("Fn::{name}"),
        _ => return Err(format!("`!{name}` is not a function CloudFormation has")),
    };
    let value = convert(value, name == "Sub", texts)?;
    let value = match (name, value) {
        ("GetAtt", Value::String(text)) => match text.split_once('.') {
            Some((id, attribute)) => serde_json::json!([id, attribute]),
            None => return Err(format!("`!GetAtt {text}` needs an attribute after a dot")),
        },
        (_, value) => value,
    };
    Ok(Value::Object(Map::from_iter([(key, value)])))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn short_tags_take_their_long_form() {
        let text =
            "A: !GetAtt Model.ModelName\nB: !Sub 'x/${AWS::Region}'\nC: !Join ['-', [!Ref X, y]]\nD: ~\nE: 007\n";
        expect![[r#"{"A":{"Fn::GetAtt":["Model","ModelName"]},"B":{"Fn::Sub":"x/${AWS::Region}"},"C":{"Fn::Join":["-",[{"Ref":"X"},"y"]]},"E":"007"}"#]]
            .assert_eq(&parse(text).map_or_else(|odd| odd.why, |tree| tree.to_string()));
    }

    #[test]
    fn a_body_written_by_hand_is_read_as_a_rendered_one() {
        let text = "A: !GetAtt Model.ModelName\nB: !Sub 'x/${AWS::Region}'\n1234: yes it is\n";
        expect![[
            r#"{"1234":"yes it is","A":{"Fn::GetAtt":["Model","ModelName"]},"B":{"Fn::Sub":"x/${AWS::Region}"}}"#
        ]]
        .assert_eq(&from_yaml(text).map_or_else(|why| why, |tree| tree.to_string()));
    }

    #[test]
    fn an_unknown_tag_is_an_error() {
        expect!["`!Nope` is not a function CloudFormation has"]
            .assert_eq(&parse("A: !Nope x").expect_err("there is no such function").why);
    }
}
