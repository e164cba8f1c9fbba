//! From which field of a manifest a failure comes, by the words of the service and the body that was sent.
//!
//! What the words are about decides first: a container is the model's, whatever resource reports it. Then the resource
//! that failed: a property that is named, a value that is quoted. Only then a value of another resource, and only one
//! that a manifest says: names that hubform makes, and what refers to something, say nothing of where it was written.

use serde_json::Value;

use crate::{
    cloud::Reason,
    diagnostic::{Part, Path, Trail},
    render::{Origin, Origins},
};

/// What is known of a failure.
pub(super) struct FieldSearch<'a, 'b> {
    pub(super) origins: &'a Origins,
    /// The resources of the body that was sent.
    pub(super) resources: &'b Value,
    /// The resource that failed.
    pub(super) logical_id: &'b str,
    /// The service's words.
    pub(super) reason: &'b str,
}

impl<'a> FieldSearch<'a, '_> {
    /// The field, where one is known.
    pub(super) fn origin(&self) -> Option<&'a Origin> {
        let properties = Path::from_iter([self.logical_id, "Properties"]);
        self.by_kind()
            .or_else(|| self.property_named(&properties))
            .or_else(|| self.value_quoted(&properties))
            .or_else(|| self.instance())
            .or_else(|| self.origins.of(&properties))
    }

    /// Where that is written which the words are about.
    fn by_kind(&self) -> Option<&'a Origin> {
        let container = |field: &str| {
            let model = self.model()?;
            self.origins.of(&Path::from_iter([model, "Properties", "PrimaryContainer", field]))
        };
        match Reason::read(self.reason) {
            Reason::Container => self.origins.of(&Path::default().at(self.model()?)),
            Reason::Image => container("Image"),
            Reason::Weights | Reason::Archive => container("ModelDataSource"),
            Reason::Role => self.origins.of(&Path::from("ExecutionRole")),
            _ => None,
        }
    }

    /// The model that is meant: the one that failed, that of the variant that is named, or the only one.
    fn model(&self) -> Option<&str> {
        let resources = self.resources.as_object()?;
        let mut models = resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::SageMaker::Model");
        if let Some((failed, _)) = models.clone().find(|(id, _)| *id == self.logical_id) {
            return Some(failed);
        }
        let variants =
            resources.values().filter_map(|resource| resource["Properties"]["ProductionVariants"].as_array());
        let named = variants
            .flatten()
            .find(|variant| variant["VariantName"].as_str().is_some_and(|name| has_word(self.reason, name)));
        let of_variant = named.and_then(|variant| {
            let name = &variant["ModelName"];
            name["Ref"].as_str().or_else(|| name["Fn::GetAtt"][0].as_str())
        });
        let first = models.next().map(|(id, _)| id.as_str());
        of_variant.or(first.filter(|_| models.next().is_none()))
    }

    /// The instance type that there is none of, where the reason does not name it.
    fn instance(&self) -> Option<&'a Origin> {
        let is_short = Reason::read(self.reason) == Reason::Capacity;
        self.origins.of(&Path::from("EndpointConfig/Properties")).filter(|_| is_short)
    }

    /// A property of the resource that the reason names.
    fn property_named(&self, properties: &Path) -> Option<&'a Origin> {
        let below = self.origins.properties.iter().filter(|(path, _)| path.is_within(properties));
        let named = below.filter(|(path, _)| {
            let name = path.parts().iter().rev().find_map(Part::key).unwrap_or_default();
            *path != properties && name != "Properties" && has_word(self.reason, name)
        });
        named.max_by_key(|(path, _)| path.to_string().len()).map(|(_, origin)| origin)
    }

    /// The longest text in the body that the reason repeats, of the failed resource before all others. A short one
    /// counts there alone, and only where the reason sets it apart, as in `alarms [ghost] were not found`.
    fn value_quoted(&self, properties: &Path) -> Option<&'a Origin> {
        let mut texts = Vec::new();
        for (logical_id, resource) in self.resources.as_object()? {
            collect_texts(&resource["Properties"], &Trail::Top.at(logical_id).at("Properties"), &mut texts);
        }
        let quoted = texts.into_iter().filter_map(|(path, text)| {
            let own = path.is_within(properties);
            let repeated = match text.len() >= SHORTEST_QUOTE {
                true => has_word(self.reason, text),
                false => own && is_set_apart(self.reason, text),
            };
            let origin = if own { self.origins.of(&path) } else { self.written(&path) };
            Some((own, text.len(), origin.filter(|_| repeated)?))
        });
        quoted.max_by_key(|(own, length, _)| (*own, *length)).map(|(.., origin)| origin)
    }

    /// The origin of a value that is known to come from a field of its own, not only with its whole resource.
    fn written(&self, path: &Path) -> Option<&'a Origin> {
        path.upward().take_while(|place| place.len() > 2).find_map(|place| self.origins.properties.get(place))
    }
}

/// Shorter texts turn up in a reason by chance, unless it sets them apart.
const SHORTEST_QUOTE: usize = 6;

/// Is the text alone between brackets, quotation marks or the commas of a list?
fn is_set_apart(reason: &str, text: &str) -> bool {
    let opens = |before: &str| before.trim_end().ends_with(['[', '(', '{', '\'', '"', '`', ',']);
    let closes = |after: &str| after.trim_start().starts_with([']', ')', '}', '\'', '"', '`', ',']);
    let mut found = reason.match_indices(text);
    !text.is_empty() && found.any(|(at, _)| opens(&reason[..at]) && closes(&reason[at + text.len()..]))
}

/// Every text but those of functions, which name resources and attributes.
fn collect_texts<'v>(value: &'v Value, path: &Trail<'_>, into: &mut Vec<(Path, &'v str)>) {
    match value {
        Value::String(text) => into.push((path.path(), text)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| collect_texts(item, &path.item(i), into));
        }
        Value::Object(fields) => {
            let written = fields.iter().filter(|(key, _)| *key != "Ref" && *key != "Fn::GetAtt");
            written.for_each(|(key, item)| collect_texts(item, &path.at(key), into));
        }
        _ => {}
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    let stands =
        |(at, _): (usize, &str)| edge(text[..at].chars().next_back()) && edge(text[at + word.len()..].chars().next());
    !word.is_empty() && text.match_indices(word).any(stands)
}
