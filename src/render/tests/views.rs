//! Each field of a view is laid out by its template: on and off, and where the service has a list, for each item.

use serde_json::{Map, Value, json};

use super::super::{EMBEDDED, outline, templates::Templates, tree};
use crate::resolve::view::View;

/// An endpoint with everything that a view can say, and two of all that is a list.
fn full() -> Value {
    let given = json!({ "Fn::ImportValue": "x" });
    let of = |name: &str, metric: Value, routing: Value, watches: Value| {
        let model = json!({ "id": format!("Model{name}"), "location_output": format!("Location{name}"), "image": "i",
            "environment": { "A": "b" }, "data": { "uri": "s3://b/m/", "archive": true },
            "vpc": { "subnets": ["a"], "security_groups": ["b"] }, "isolated": true });
        let variant = json!({ "name": format!("v{name}"), "model": format!("Model{name}"), "instance": "ml.m5.xlarge",
            "count": 1, "volume": 9, "ami": "a", "download_timeout": 61, "startup_timeout": 62,
            "provision_timeout": 63, "routing": routing });
        let scaler = json!({ "id": format!("Target{name}"), "policy_id": format!("Policy{name}"),
            "variant": format!("v{name}"), "min": 1, "max": 2, "metric": metric, "target": 3, "cooldown_in": 4,
            "cooldown_out": 5, "schedules": [{ "name": "s", "when": "rate(1 day)", "timezone": "UTC", "min": 1, "max": 3 }]
        });
        let mut alarm = json!({ "id": format!("Alarm{name}"), "variant": format!("v{name}"), "description": "d",
            "notify": [given] });
        alarm.as_object_mut().expect("it is one").extend(watches.as_object().cloned().unwrap_or_default());
        [model, variant, scaler, alarm]
    };
    let custom = json!({ "kind": "custom", "namespace": "n", "name": "m", "dimensions": [{ "name": "d", "value": "v" }],
        "statistic": "Sum" });
    let one = of(
        "",
        custom,
        json!({ "strategy": "prefix-aware", "prefix_length": 7, "concurrency_threshold": 8 }),
        json!({ "watches": "errors", "percent": 5 }),
    );
    let two = of(
        "Two",
        json!({ "kind": "gpu" }),
        json!({ "strategy": "random" }),
        json!({ "watches": "latency", "microseconds": 6 }),
    );
    let [models, variants, scalers, alarms] = std::array::from_fn(|at| json!([one[at], two[at]]));
    json!({ "description": "d", "endpoint_name": "e", "models": models, "variants": variants, "scalers": scalers,
        "alarms": alarms, "volume_key": given,
        "role": { "source": "own", "users": ["a"], "services": ["b"], "accounts": ["1"], "managed_policies": [given],
            "permissions_boundary": given, "statements": [{ "Effect": "Allow" }] },
        "rollout": { "strategy": "canary", "size": { "count": 1 }, "bake": 1, "drain": 2, "timeout": 3, "alarms": ["x"] },
        "capture": { "percent": 1, "uri": "s3://b/", "requests": true, "answers": true, "key": given, "csv": ["a"],
            "json": ["b"] } })
}

fn body(view: &Value) -> Map<String, Value> {
    let text =
        Templates::embedded().render("endpoint.yaml.tera", view).unwrap_or_else(|error| panic!("{error}: {view}"));
    let tree = tree::parse(&text).unwrap_or_else(|odd| panic!("{odd:?}: {text}"));
    outline::body(tree).unwrap_or_else(|odd| panic!("{odd:?}: {text}"))
}

/// Pointers to everything below a value, itself left out.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let below: Vec<_> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.replace('/', "~1"), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => return,
    };
    for (key, value) in below {
        let place = format!("{at}/{key}");
        places(value, &place, found);
        found.push(place);
    }
}

fn without(view: &Value, place: &str) -> Value {
    let mut less = view.clone();
    let (above, key) = place.rsplit_once('/').expect("it is a pointer");
    match less.pointer_mut(above).expect("it is there") {
        Value::Object(map) => drop(map.remove(&key.replace("~1", "/"))),
        Value::Array(items) => drop(items.remove(key.parse().expect("it is an index"))),
        _ => unreachable!("only these have something below"),
    }
    less
}

/// Where the view of everything has each type that is a map of its own fields.
const TRIED: &[(&str, &str)] = &[
    ("", ""),
    ("ExecutionRole", "/role"),
    ("RoleView", "/role"),
    ("ModelView", "/models/0"),
    ("DataView", "/models/0/data"),
    ("VpcView", "/models/0/vpc"),
    ("VariantView", "/variants/0"),
    ("RoutingView", "/variants/0/routing"),
    ("ScalerView", "/scalers/0"),
    ("ScheduleView", "/scalers/0/schedules/0"),
    ("ScalingMetric", "/scalers/0/metric"),
    ("DimensionView", "/scalers/0/metric/dimensions/0"),
    ("AlarmView", "/alarms/0"),
    ("RolloutView", "/rollout"),
    ("Strategy", "/rollout/strategy"),
    ("StepSize", "/rollout/size"),
    ("CaptureView", "/capture"),
];
/// Types that a template takes whole, or that only tests have.
const WHOLE: &[&str] = &[
    "Given",
    "Givens",
    "PolicyStatement",
    "Statement",
    "Condition",
    "Compared",
    "OneOrList",
    "Resources",
    "Verbatim",
    "FakeView",
];

#[test]
fn a_view_of_everything_is_one_that_resolving_could_make() {
    let schema = View::schema(crate::manifest::Kind::Endpoint).expect("it has a view").to_value();
    let (full, mut odd) = (full(), Vec::new());
    for (name, place) in TRIED {
        let schema = if name.is_empty() { &schema } else { &schema["$defs"][name] };
        let value = full.pointer(place).expect("it is there");
        let fields = schema["properties"].as_object().into_iter().flat_map(Map::keys);
        let fields = fields.filter(|field| *field != "fake" && value.get(*field).is_none());
        odd.extend(fields.map(|field| format!("{name}.{field} is not tried")));
        let tagged = schema["oneOf"].is_array() || name.is_empty() || *place == "/role";
        let known = |key: &&String| tagged || schema["properties"].get(*key).is_some();
        let keys = value.as_object().into_iter().flat_map(Map::keys);
        odd.extend(keys.filter(|key| !known(key)).map(|key| format!("{name} has no {key}")));
    }
    let types = schema["$defs"].as_object().expect("it has types").keys();
    let told = |name: &&String| TRIED.iter().any(|(tried, _)| tried == *name) || WHOLE.contains(&name.as_str());
    odd.extend(types.filter(|name| !told(name)).map(|name| format!("{name} is neither tried nor taken whole")));
    assert_eq!(odd, [] as [String; 0]);
}

/// The words that tell the alternatives of a type apart.
fn words(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            found.extend(map.get("const").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|below| words(below, found));
        }
        Value::Array(items) => items.iter().for_each(|below| words(below, found)),
        _ => {}
    }
}

/// No template has an `else` for what it does not name.
#[test]
fn templates_name_every_alternative() {
    let schema = View::schema(crate::manifest::Kind::Endpoint).expect("it has a view").to_value();
    let mut found = Vec::new();
    words(&schema, &mut found);
    let named = |word: &String| EMBEDDED.iter().any(|(_, text)| text.contains(&format!("== \"{word}\"")));
    let unnamed: Vec<_> = found.iter().filter(|word| !named(word)).collect();
    assert_eq!(unnamed, [] as [&String; 0]);
    assert!(found.len() > 15, "{found:?}");
}

#[test]
fn a_role_of_its_own_stack_is_laid_out() {
    let view = json!({ "description": "d", "access": full()["role"] });
    let text = Templates::embedded().render("role.yaml.tera", &view).expect("it renders");
    let body = outline::body(tree::parse(&text).expect("it is YAML")).expect("it is a body");
    assert_eq!((&body["Description"], &body["Resources"]["Role"]["Type"]), (&json!("d"), &json!("AWS::IAM::Role")));
    let schema = View::schema(crate::manifest::Kind::Role).expect("it has a view").to_value();
    assert_eq!(schema["properties"].as_object().map(|fields| fields.len()), Some(2));
}

#[test]
fn every_item_of_a_list_is_laid_out() {
    let body = body(&full());
    let ids: Vec<_> = body["Resources"].as_object().expect("it has some").keys().map(String::as_str).collect();
    let both = [
        "Alarm",
        "AlarmTwo",
        "Endpoint",
        "EndpointConfig",
        "ExecutionRole",
        "Model",
        "ModelTwo",
        "Policy",
        "PolicyTwo",
        "Target",
        "TargetTwo",
    ];
    assert_eq!(ids, both);
    let config = &body["Resources"]["EndpointConfig"]["Properties"];
    assert_eq!(config["ProductionVariants"].as_array().map(Vec::len), Some(2));
    assert_eq!(body["Outputs"]["LocationTwo"]["Value"], "s3://b/m/");
}

/// Whatever is taken out of a view, the body changes or the template says that it is missing: nothing is passed over.
#[test]
fn no_field_of_a_view_is_idle() {
    let (full, mut found, mut idle) = (full(), Vec::new(), Vec::new());
    let whole = body(&full);
    places(&full, "", &mut found);
    for place in &found {
        let less = without(&full, place);
        let text = Templates::embedded().render("endpoint.yaml.tera", &less);
        let tree = text.ok().and_then(|text| outline::body(tree::parse(&text).ok()?).ok());
        if tree.as_ref() == Some(&whole) {
            idle.push(place.as_str());
        }
    }
    assert_eq!(idle, [] as [&str; 0]);
    assert!(found.len() > 100, "{} places", found.len());
}

/// What may be missing may: the template asks for it.
#[test]
fn every_option_of_a_view_may_be_off() {
    let full = full();
    let options = [
        "/capture",
        "/volume_key",
        "/models/0/data",
        "/models/0/vpc",
        "/variants/0/volume",
        "/variants/0/ami",
        "/variants/0/download_timeout",
        "/variants/0/provision_timeout",
        "/variants/0/routing",
        "/rollout/drain",
        "/rollout/timeout",
        "/capture/key",
        "/alarms/0/notify",
        "/role/managed_policies",
        "/role/permissions_boundary",
        "/scalers/0/schedules/0/timezone",
        "/scalers/0/schedules/0/min",
        "/scalers/0/schedules/0/max",
    ];
    for place in options {
        body(&without(&full, place));
    }
    let mut bare = full.clone();
    for list in [
        "/scalers",
        "/alarms",
        "/rollout/alarms",
        "/role/services",
        "/role/accounts",
        "/capture/csv",
        "/capture/json",
        "/scalers/0/metric/dimensions",
        "/scalers/0/schedules",
    ] {
        if let Some(items) = bare.pointer_mut(list) {
            *items = json!([]);
        }
        body(&bare);
    }
    for role in [json!({ "source": "parameter" }), json!({ "source": "arn", "arn": "a" })] {
        let mut other = full.clone();
        other["role"] = role;
        body(&other);
    }
    for (strategy, size) in [
        ("all-at-once", json!(null)),
        ("linear", json!({ "percent": 10 })),
        ("rolling", json!({ "count": 1 })),
        ("rolling", json!({ "percent": 5 })),
    ] {
        let mut other = full.clone();
        other["rollout"]["strategy"] = json!(strategy);
        match size.is_null() {
            true => other = without(&other, "/rollout/size"),
            false => other["rollout"]["size"] = size,
        }
        body(&other);
    }
}
