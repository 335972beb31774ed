//! Additions of `create` for a source on the Hugging Face Hub: output lines about the import, its event, and the tags
//! that record the origin of the model.

use serde_json::json;

use crate::app::App;
use crate::commands::custom::hub;
use crate::console::ProgressEvent;
use azure_ai_models_core::hub::{HubPin, HubSource};
use azure_ai_models_core::model::ModelDetails;

/// Reports the content to import.
pub(super) fn describe(app: &App, source: &HubSource) {
    let HubPin { repo, sha, reference, .. } = &source.pin;
    let console = &app.console;
    console.event(
        ProgressEvent::ImportResolved,
        json!({
            "repo": repo, "sha": sha, "ref": reference,
            "files": source.files.len(), "bytes": source.bytes(),
        }),
    );
    console.detail("Import", &format!("{repo}@{reference} ({})", sha.short()));
    console.detail("Files", &hub::selected_line(source));
    for (title, text) in card_lines(source) {
        console.detail(title, &text);
    }
}

/// Titled lines of the model card.
pub(super) fn card_lines(source: &HubSource) -> Vec<(&'static str, String)> {
    let license = source.license.clone().map(|license| {
        let terms = if source.is_gated { "; access is subject to its terms" } else { "" };
        format!("{license} (from the model card{terms})")
    });
    let base = source.base_model.clone().map(|base| format!("{base} (from the model card)"));
    [("License", license), ("Base model", base)].into_iter().filter_map(|(title, text)| Some((title, text?))).collect()
}

/// Details of the model with the tags that record its origin. A tag of the user with the same key takes precedence.
pub(super) fn recorded(app: &App, details: &ModelDetails, source: &HubSource) -> ModelDetails {
    let mut details = details.clone();
    let tags = &mut details.tags;
    for (key, value) in source.tags() {
        match tags.get(key) {
            None => drop(tags.insert(key.to_owned(), value)),
            Some(own) if *own == value => {}
            Some(own) => {
                app.console.warn(&format!("The tag {key}={own} is kept; the Hugging Face Hub has {value}."));
            }
        }
    }
    details
}
