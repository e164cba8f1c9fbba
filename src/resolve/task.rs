//! Whether the task is one of the Hub's, one that the model was made for, and one that the engine serves.

use super::{Resolver, engine, model::Served};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};

/// The Hub's tasks: `PIPELINE_DATA` in packages/tasks of huggingface.js, and the short names that Transformers accepts.
const OF_HUB: &[&str] = &[
    "any-to-any",
    "audio-classification",
    "audio-text-to-text",
    "audio-to-audio",
    "automatic-speech-recognition",
    "conversational",
    "depth-estimation",
    "document-question-answering",
    "feature-extraction",
    "fill-mask",
    "graph-ml",
    "image-classification",
    "image-feature-extraction",
    "image-segmentation",
    "image-text-to-image",
    "image-text-to-text",
    "image-text-to-video",
    "image-to-3d",
    "image-to-image",
    "image-to-text",
    "image-to-video",
    "keypoint-detection",
    "mask-generation",
    "multiple-choice",
    "ner",
    "object-detection",
    "other",
    "question-answering",
    "reinforcement-learning",
    "robotics",
    "sentence-similarity",
    "sentiment-analysis",
    "summarization",
    "table-question-answering",
    "table-to-text",
    "tabular-classification",
    "tabular-regression",
    "tabular-to-text",
    "text-classification",
    "text-generation",
    "text-ranking",
    "text-retrieval",
    "text-to-3d",
    "text-to-audio",
    "text-to-image",
    "text-to-speech",
    "text-to-video",
    "text2text-generation",
    "time-series-forecasting",
    "token-classification",
    "translation",
    "unconditional-image-generation",
    "video-classification",
    "video-text-to-text",
    "video-to-video",
    "visual-document-retrieval",
    "visual-question-answering",
    "voice-activity-detection",
    "zero-shot-classification",
    "zero-shot-image-classification",
    "zero-shot-object-detection",
];

/// Tasks that one model is often used for alike.
const ALIKE: &[&[&str]] = &[
    &["feature-extraction", "sentence-similarity", "fill-mask", "text-ranking"],
    &["text-classification", "text-ranking", "zero-shot-classification", "sentiment-analysis"],
    &["token-classification", "ner"],
    &["text-to-speech", "text-to-audio"],
    &["feature-extraction", "image-feature-extraction", "zero-shot-image-classification"],
    &[
        "any-to-any",
        "audio-text-to-text",
        "conversational",
        "image-text-to-text",
        "image-to-text",
        "summarization",
        "text-generation",
        "text2text-generation",
        "translation",
        "video-text-to-text",
        "visual-question-answering",
    ],
];

/// The Hub's task that was meant by a word that is none, if one is near.
pub(super) fn near(task: &str) -> Option<&'static str> {
    did_you_mean(task, OF_HUB.iter().copied()).filter(|near| *near != task)
}

/// Warns where the task does not match.
pub(super) fn check(context: &mut Resolver<'_>, served: &Served<'_>) {
    let Some(task) = served.task.as_deref() else { return };
    let is_known = OF_HUB.contains(&task) || engine::by_task(task).is_some();
    // What the image reads is judged by its own words.
    if !is_known && served.engine.task_words.is_none() {
        return warn_unknown(context, served, task);
    }
    let of_table = served.facts.as_ref().map(|facts| facts.task.as_str());
    match of_table.filter(|of_table| is_known && served.spec.task.is_some() && !alike(of_table, task)) {
        Some(of_table) => warn_model(context, served, task, of_table),
        None if is_known && !served.engine.serves(task) => warn_engine(context, served, task),
        None => {}
    }
}

fn alike(one: &str, other: &str) -> bool {
    one == other || ALIKE.iter().any(|group| group.contains(&one) && group.contains(&other))
}

fn warn_unknown(context: &mut Resolver<'_>, served: &Served<'_>, task: &str) {
    let message = format!("`{}` is not a task of the Hub", crate::diagnostic::shown(task));
    let help = match near(task) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "use the Hub's name, such as `text-generation` or `feature-extraction`".to_owned(),
    };
    context.report(Diagnostic::new(Code::TaskMismatch, message).at(served.place.at("task").span()).help(help));
}

fn warn_model(context: &mut Resolver<'_>, served: &Served<'_>, task: &str, of_table: &str) {
    let message = format!("`{}` is made for `{of_table}`, but `task` is `{task}`", served.weights.name());
    let help = "remove `task`, or use a model made for it";
    context.report(Diagnostic::new(Code::TaskMismatch, message).at(served.place.at("task").span()).help(help));
}

fn warn_engine(context: &mut Resolver<'_>, served: &Served<'_>, task: &str) {
    let message = format!("hubform does not know `{}` to serve `{task}`", served.engine);
    let help = match engine::by_task(task) {
        Some(other) => format!("`{other}` serves it; remove `engine` and hubform chooses it"),
        None => engine::advice(),
    };
    context.report(Diagnostic::new(Code::TaskMismatch, message).at(served.place.at("engine").span()).help(help));
}

#[cfg(test)]
mod tests {
    use super::{OF_HUB, alike, near};

    #[test]
    fn tasks_are_told_apart() {
        assert!(OF_HUB.is_sorted());
        assert_eq!(near("text-generatoin"), Some("text-generation"));
        assert_eq!(near("Text-Generation"), Some("text-generation"));
        assert!(alike("sentence-similarity", "feature-extraction") && !alike("text-generation", "feature-extraction"));
    }
}
