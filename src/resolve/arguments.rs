//! What a manifest sets in an engine, by field, flag or variable, checked against the engine's row: what the server
//! would stop over at start is found here, minutes and an instance earlier.

use serde_json::Value;

use super::{
    Resolver,
    engine::{Takes, Variables, Words, scaled},
    judge,
    model::{Served, Weights},
    references::FieldPlace,
    serving::Serving,
};
use crate::{
    catalog::EngineVersion,
    diagnostic::{Code, Diagnostic, first_of},
    manifest::ticked,
};

/// Words that a help lists.
const MOST_WORDS: usize = 16;

/// One setting.
struct Argument<'a> {
    /// As it is written: `dtype`, `kv-cache-dtype`, `SM_VLLM_DTYPE`.
    name: String,
    text: String,
    place: FieldPlace<'a>,
}

/// Checks all settings. `set` is what hubform sets itself.
pub(super) fn check(context: &mut Resolver<'_>, serving: &Serving<'_>, set: &Variables) {
    for (said, takes) in of_flags(serving) {
        match takes {
            Takes::Word(words) => check_word(context, serving, &said, words),
            number => check_number(context, serving, &said, number),
        }
    }
    if let (Some(words), Some(said)) = (serving.served.engine.task_words, task(serving)) {
        check_word(context, serving, &said, words);
    }
    check_variables(context, serving, set);
}

/// Settings of flags whose values are known. Flags of `args` that are hubform's are refused anyway.
fn of_flags<'a>(serving: &Serving<'a>) -> Vec<(Argument<'a>, &'static Takes)> {
    let (served, mut all) = (&serving.served, Vec::new());
    let Some(flags) = &served.engine.flags else { return all };
    let mut say = |flag: &str, name: &str, text: String, place: FieldPlace<'a>| {
        all.extend(flags.takes(flag).map(|takes| (Argument { name: name.to_owned(), text, place }, takes)));
    };
    for (field, text) in [("dtype", &served.spec.dtype), ("quantization", &served.spec.quantization)] {
        if let (Some(flag), Some(text)) = (flags.of_field(field), text) {
            say(flag, field, text.clone(), served.place.at(field));
        }
    }
    for (name, value) in served.spec.args.iter().filter(|(name, _)| flags.fields_of(name).is_none()) {
        say(name, name, text(value), served.place.at("args").at(name));
    }
    for (name, text) in &served.spec.env {
        if let Some(flag) = flags.of_variable(name) {
            say(&flag, name, text.clone(), served.place.at("env").at(name));
        }
    }
    all
}

/// As a variable carries it.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The task as the image reads it: the manifest's, else the table's.
fn task<'a>(serving: &Serving<'a>) -> Option<Argument<'a>> {
    let served = &serving.served;
    let key = if served.spec.task.is_some() { "task" } else { "hub" };
    Some(Argument { name: "task".to_owned(), text: served.task.clone()?, place: served.place.at(key) })
}

fn check_word(context: &mut Resolver<'_>, serving: &Serving<'_>, said: &Argument<'_>, words: &Words) {
    let word = word(words, &said.text);
    if words.has(word) {
        return check_device(context, serving, said, words);
    }
    // A plug-in brings words of its own.
    let brings = |flag: &String| words.plugin.is_some_and(|plugin| flag.replace('_', "-") == plugin);
    if serving.served.spec.args.keys().any(brings) {
        return;
    }
    let image = ListedVersion::of(serving);
    if words.had(word) && image.is_older() {
        return;
    }
    let engine = serving.served.engine;
    let (name, text) = (&said.name, crate::diagnostic::shown(&said.text));
    let gone = if words.had(word) { " any longer" } else { "" };
    let of = if words.settled { String::new() } else { format!(" {}", engine.version) };
    let message = format!("{engine}{of} does not know `{name}: {text}`{gone}");
    let is_task = engine.task_words.is_some_and(|tasks| std::ptr::eq(tasks, words));
    let takes = values(words, &said.text);
    let (code, help) = if is_task && has_own_code(serving) {
        (Code::TaskMismatch, format!("only code of the model's own can serve it; {takes}"))
    } else if !(words.settled || image.is_exact()) {
        (Code::MayBeUnknownWord, format!("{}; {takes}", image.doubt()))
    } else {
        let code = if is_task { Code::UnknownTask } else { Code::UnknownWord };
        let older =
            if words.had(word) { format!("use an `image` older than {}; ", engine.version) } else { String::new() };
        (code, older + &takes)
    };
    context.report(Diagnostic::new(code, message).at(said.place.span()).help(help));
}

/// May code of the model's own serve a task that the image does not know? From S3 it is `code/inference.py`; on the Hub a
/// custom pipeline, which needs `trust_remote_code`.
fn has_own_code(serving: &Serving<'_>) -> bool {
    let Served { spec, weights, .. } = &serving.served;
    !matches!(weights, Weights::Hub { .. }) || spec.trust_remote_code == Some(true)
}

/// The version of the image beside the one that the engine's row is of.
struct ListedVersion<'a> {
    listed: EngineVersion,
    image: Option<&'a EngineVersion>,
}

impl<'a> ListedVersion<'a> {
    fn of(serving: &'a Serving<'_>) -> Self {
        let listed = EngineVersion::new(serving.served.engine.version.to_owned());
        Self { listed, image: serving.container.version.as_ref() }
    }

    fn is_exact(&self) -> bool {
        self.image == Some(&self.listed)
    }

    fn is_older(&self) -> bool {
        self.image.is_some_and(|image| *image < self.listed)
    }

    /// Why a finding is only a warning.
    fn doubt(&self) -> String {
        match self.image {
            Some(image) => format!("hubform knows the values of {}, and the image has {image}", self.listed),
            None => format!("hubform knows the values of {}, and `image` may be another version", self.listed),
        }
    }
}

/// `translation` of `translation_en_to_de`, which names the languages as well.
fn word<'t>(words: &Words, text: &'t str) -> &'t str {
    let directed = text.starts_with("translation_") && (words.has("translation") || words.had("translation"));
    if directed { "translation" } else { text }
}

fn values(words: &Words, text: &str) -> String {
    match words.near(text) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("values are {}", first_of(words.list.iter().map(|word| format!("`{word}`")), MOST_WORDS)),
    }
}

/// Is the GPU new enough for what a word asks for?
fn check_device(context: &mut Resolver<'_>, serving: &Serving<'_>, said: &Argument<'_>, words: &Words) {
    let Some(needs) = words.capability(&said.text) else { return };
    let gpu = serving.chosen.facts.and_then(|instance| instance.accelerator.as_ref());
    let Some((gpu, has)) = gpu.and_then(|gpu| Some((gpu, gpu.cuda_compute_capability?))) else { return };
    if has >= needs {
        return;
    }
    let message = format!(
        "`{}: {}` needs a GPU of compute capability {}.{}, but the {} of `{}` has {}.{}",
        said.name, said.text, needs.0, needs.1, gpu.name, serving.chosen.name, has.0, has.1
    );
    let help = format!("{}, or name an instance type with a newer GPU", words.way_out);
    context.report(Diagnostic::new(Code::DeviceTooOld, message).at(said.place.span()).help(help));
}

fn check_number(context: &mut Resolver<'_>, serving: &Serving<'_>, said: &Argument<'_>, takes: &Takes) {
    if fits(takes, &said.text) {
        return;
    }
    let what = match takes {
        Takes::Word(_) => return,
        Takes::Share => "a number above 0, at most 1".to_owned(),
        Takes::Length => "a whole number of at least 0, or `auto`".to_owned(),
        Takes::Port => "a whole number from 0 to 65535".to_owned(),
        Takes::Whole(i64::MIN) | Takes::Scaled(i64::MIN) => "a whole number".to_owned(),
        Takes::Whole(least) | Takes::Scaled(least) => format!("a whole number of at least {least}"),
        Takes::Number(least) if *least == f64::MIN => "a number".to_owned(),
        Takes::Number(least) => format!("a number of at least {least}"),
    };
    let such = meant(&said.text, takes).unwrap_or_else(|| example(takes).to_owned());
    let (text, help) = (crate::diagnostic::shown(&said.text), format!("write a number such as `{such}`"));
    let image = ListedVersion::of(serving);
    let (code, of, help) = if image.is_exact() {
        (Code::NumberExpected, String::new(), help)
    } else {
        let of = format!(" in {} {}", serving.served.engine, image.listed);
        (Code::MayBeUnknownWord, of, format!("{}; {help}", image.doubt()))
    };
    let message = format!("`{}` must be {what}{of}, not `{text}`", said.name);
    context.report(Diagnostic::new(code, message).at(said.place.span()).help(help));
}

fn fits(takes: &Takes, text: &str) -> bool {
    let number = || text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    match takes {
        Takes::Word(_) => true,
        Takes::Whole(least) => text.trim().parse::<i64>().is_ok_and(|number| number >= *least),
        Takes::Port => text.trim().parse::<u16>().is_ok(),
        Takes::Scaled(least) => scaled(text).is_some_and(|number| number >= *least),
        Takes::Length => text.trim().eq_ignore_ascii_case("auto") || scaled(text).is_some_and(|number| number >= -1),
        Takes::Number(least) => number().is_some_and(|number| number >= *least),
        Takes::Share => number().is_some_and(|number| number > 0.0 && number <= 1.0),
    }
}

/// The number that stands in `95%`, `16,384` or `80GiB`, as the flag accepts it.
fn meant(text: &str, takes: &Takes) -> Option<String> {
    let plain: String = text.trim().chars().filter(|c| !matches!(c, ',' | '_' | ' ')).collect();
    let digits = plain.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let number = match scaled(&plain).or_else(|| scaled(&plain.to_lowercase())) {
        Some(number) => number as f64,
        None => digits.parse().ok()?,
    };
    let number = match takes {
        Takes::Share if number >= 10.0 || plain.ends_with('%') => number / 100.0,
        Takes::Number(_) if plain.ends_with('%') => number / 100.0,
        _ => number,
    };
    let written = number.to_string();
    fits(takes, &written).then_some(written)
}

fn example(takes: &Takes) -> &'static str {
    match takes {
        Takes::Share => "0.9",
        Takes::Word(_) | Takes::Whole(_) | Takes::Number(_) => "8",
        Takes::Scaled(_) | Takes::Length => "8192",
        Takes::Port => "9000",
    }
}

/// Variables that undo what hubform sets, or what SageMaker relies on.
fn check_variables(context: &mut Resolver<'_>, serving: &Serving<'_>, set: &Variables) {
    let served = &serving.served;
    for (name, text) in &served.spec.env {
        let place = served.place.at("env").at(name);
        if served.engine.is_key(name) {
            refuse_key(context, name, &place);
        }
        let replaces = set.get(name).is_some_and(|own| own != text);
        match served.engine.fields_of_variable(name) {
            Some(_) if set.get(name) == Some(text) => {}
            Some([]) if served.engine.flags.as_ref().is_some_and(|flags| flags.is_fixed(name)) => {
                warn_fixed(context, name, &place);
            }
            Some(fields) => warn_own(context, name, fields, &place),
            None if replaces => warn_own(context, name, &["args"], &place),
            None => {}
        }
    }
    check_context(context, serving);
}

fn warn_fixed(context: &mut Resolver<'_>, name: &str, place: &FieldPlace<'_>) {
    let message = format!("`{name}` has no effect: the image starts the server with a flag for it");
    context.report(Diagnostic::new(Code::OwnVariable, message).at(place.span()).help("remove it"));
}

fn warn_own(context: &mut Resolver<'_>, name: &str, fields: &[&str], place: &FieldPlace<'_>) {
    let (message, help) = match fields {
        [] => (
            format!("`{name}` sets where or how the server listens, which hubform and the image fix"),
            "remove it; SageMaker reaches the server only at that place".to_owned(),
        ),
        fields => (
            format!("`{name}` replaces what hubform sets"),
            format!("set {} in the model instead: hubform uses it for its checks", ticked(fields, "or")),
        ),
    };
    context.report(Diagnostic::new(Code::OwnVariable, message).at(place.span()).help(help));
}

/// Refuses a key for the server, wherever it is set.
pub(super) fn refuse_key(context: &mut Resolver<'_>, name: &str, place: &FieldPlace<'_>) {
    let message = format!("`{name}` makes the server require a key, which SageMaker does not pass on");
    let help = "remove it; IAM controls who may call an endpoint, and the key would be readable in the template";
    context.report(Diagnostic::new(Code::ServerKey, message).at(place.span()).help(help));
}

/// A context set by a variable in place of the field.
fn check_context(context: &mut Resolver<'_>, serving: &Serving<'_>) {
    let served = &serving.served;
    let Some(flags) = &served.engine.flags else { return };
    let Some(flag) = flags.of_field("context") else { return };
    let name = flags.variable(flag);
    let said = served.spec.env.get(&name).and_then(|text| u64::try_from(scaled(text)?).ok());
    if let Some(wanted) = said {
        judge::positions(context, served, wanted, served.place.at("env").at(&name).span());
    }
}

/// A list for a flag that takes several values, where the image would pass it as one text. A list of one is that one.
pub(super) fn listed(context: &mut Resolver<'_>, serving: &Serving<'_>, flag: &str, value: &Value) -> Option<String> {
    let served = &serving.served;
    let takes_several = served.engine.flags.as_ref().is_some_and(|flags| flags.takes_several(flag));
    let Value::Array(items) = value else { return None };
    let listed = EngineVersion::new(served.engine.version.to_owned());
    let splits = serving.container.version.as_ref().is_none_or(|version| *version > listed);
    match items.as_slice() {
        _ if !takes_several || splits => None,
        [one] => Some(text(one)),
        _ => {
            let message = format!("`{flag}` accepts several values, but the image would pass this list as one");
            let help = format!(
                "use one value; the entrypoint of `{}` {} does not split lists",
                served.engine,
                listed.as_str()
            );
            let place = served.place.at("args").at(flag);
            context.report(Diagnostic::new(Code::ListForFlag, message).at(place.span()).help(help));
            None
        }
    }
}

/// A mirror of the Hub, by name.
const MIRROR: &str = "HF_ENDPOINT";

/// Does its container fetch from the Hub itself?
pub(super) fn fetches_from_hub(serving: &Serving<'_>) -> bool {
    matches!(serving.served.weights, Weights::Hub { .. }) && !serving.served.spec.env.contains_key(MIRROR)
}
