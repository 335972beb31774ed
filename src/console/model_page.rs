//! Table and pages of models. Pure.

use std::borrow::Cow;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use url::Url;

use super::render::{RULE, aligned, section};
use super::table::{TableStyle, table};
use azure_ai_models_core::display::printable;
use azure_ai_models_core::model::{CustomModel, ListedModel, ModelView, OperationProgress, Versioned};
use azure_ai_models_core::redact;
use azure_ai_models_core::units;

/// Kind of the rows in a table of models.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowKind {
    /// The latest version of each model.
    Models,
    /// Versions of one model.
    Versions,
}

impl RowKind {
    fn noun(self) -> &'static str {
        match self {
            Self::Models => "custom model(s)",
            Self::Versions => "version(s)",
        }
    }

    /// Name of a row for `--quiet`.
    fn name(self, model: &ListedModel) -> &str {
        match self {
            Self::Models => model.name(),
            Self::Versions => model.version(),
        }
    }
}

/// Table of `list` and `versions`; `counted` is the kind of its rows.
#[must_use]
pub(crate) fn model_table(models: &[ListedModel], counted: RowKind, style: TableStyle) -> String {
    if !style.summary {
        return models.iter().map(|model| printable(counted.name(model)) + "\n").collect();
    }
    let rows = models.iter().map(|model| {
        let created = if model.created_at().is_empty() { String::new() } else { timestamp(model.created_at()) };
        let texts = [model.name(), model.version(), model.weight_type()].map(Cow::Borrowed);
        texts.into_iter().chain([created.into(), model.created_by().into()]).collect()
    });
    let mut out = String::new();
    if !models.is_empty() {
        out = table(&["NAME", "VERSION", "WEIGHT TYPE", "CREATED", "CREATED BY"], rows, 1, style);
    }
    if !models.is_empty() {
        out.push('\n');
    }
    format!("{out}{} {} found\n", models.len(), counted.noun())
}

/// Page of `create --if-changed` if nothing changed.
#[must_use]
pub(crate) fn unchanged_page(name: &str, version: &str) -> String {
    format!(
        "Model '{}' (version {}) has the same content: nothing was uploaded.\n",
        printable(name),
        printable(version)
    )
}

/// Only the name, for `--quiet`.
#[must_use]
pub(crate) fn name_line(name: &str) -> String {
    printable(name) + "\n"
}

/// Page of `show`: all details of a model, and the next steps.
#[must_use]
pub(crate) fn model_page(model: &CustomModel, deploy: &str, wait: &str) -> String {
    let next = match model.view().progress() {
        OperationProgress::Done => deploy_section(deploy),
        OperationProgress::Running => {
            format!("The registration is in progress. To wait for the result:\n  {}\n", printable(wait))
        }
        OperationProgress::Failed => "The registration failed: this version cannot be deployed.\n".to_owned(),
    };
    format!("{}\n{next}", model_details(model))
}

/// All details of a model.
#[must_use]
pub(crate) fn model_details(model: &CustomModel) -> String {
    let view = model.view();
    let mut page = format!("Custom Model: {}\n{RULE}\n", printable(&view.name));
    section(&mut page, "General", &general(view));
    if let Some(failure) = &view.failure {
        section(&mut page, "Failure", &[("Code", failure.code.clone()), ("Message", failure.message.clone())]);
    }
    if let Some(data) = &view.system_data {
        let when = |at: &Option<String>| at.as_deref().map(timestamp);
        let rows = [
            ("Created", when(&data.created_at)),
            ("Created By", data.created_by.clone()),
            ("Last Modified", when(&data.last_modified_at)),
        ];
        section(&mut page, "System Data", &rows);
    }
    section(&mut page, "Storage", &[("Blob URI", view.blob_uri.as_deref().map(without_query))]);
    if let Some(lora) = &view.lora_config {
        let rows = [
            ("Rank", lora.rank.map(|rank| rank.to_string())),
            ("Alpha", lora.alpha.map(|alpha| alpha.to_string())),
            ("Target modules", lora.target_modules.as_ref().map(|modules| modules.join(", "))),
            ("Dropout", lora.dropout.map(|dropout| dropout.to_string())),
        ];
        section(&mut page, "LoRA", &rows);
    }
    if let Some(source) = &view.source {
        let rows = [
            ("Type", source.source_type.clone()),
            ("Job", source.job_id.clone()),
            ("Repository", source.hugging_face_repo_id.clone()),
            ("Revision", source.revision.clone()),
        ];
        section(&mut page, "Source", &rows);
    }
    section(&mut page, "Imported From", &import(view));
    if let Some(profile) = &view.artifact_profile {
        let signals = profile.signals.as_ref().filter(|signals| !signals.is_empty()).map(|signals| signals.join(", "));
        section(&mut page, "Artifact Profile", &[("Category", profile.category.clone()), ("Signals", signals)]);
    }
    let tags: Vec<(&str, Option<String>)> =
        view.tags.iter().map(|(key, value)| (key.as_str(), Some(value.clone()))).collect();
    section(&mut page, "Tags", &tags);
    let warnings: Vec<(&str, Option<String>)> = view
        .warnings
        .iter()
        .flatten()
        .map(|warning| {
            (warning.code.as_deref().unwrap_or("Warning"), Some(warning.message.clone().unwrap_or_default()))
        })
        .collect();
    section(&mut page, "Warnings", &warnings);
    format!("{page}{RULE}\n")
}

/// Origin of an imported model, according to the tags of the import.
fn import(view: &ModelView) -> [(&'static str, Option<String>); 5] {
    let tag = |key: &str| view.tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let repository = tag("hf.repo");
    let of_hub = repository.as_ref().map(|_| "Hugging Face Hub".to_owned());
    let of_import = |key| repository.as_ref().and_then(|_| tag(key));
    [
        ("Type", of_hub),
        ("Repository", repository.clone()),
        ("Reference", of_import("hf.ref")),
        ("Commit", of_import("hf.revision")),
        ("Folder", of_import("hf.path")),
    ]
}

fn general(view: &ModelView) -> [(&'static str, Option<String>); 8] {
    let catalog = view.catalog_info.as_ref();
    [
        ("Name", Some(view.name.clone())),
        ("Version", view.version.clone()),
        ("Description", view.description.clone().filter(|text| !text.is_empty())),
        ("Weight type", view.weight_type.clone()),
        ("Base model", view.base_model().map(str::to_owned)),
        ("Publisher", catalog.and_then(|catalog| catalog.publisher_id.clone())),
        ("License", catalog.and_then(|catalog| catalog.license.clone())),
        ("State", view.provisioning_state.clone()),
    ]
}

/// Page at the end of `create`; `state` is the one that the operation reported.
#[must_use]
pub(crate) fn created_page(
    model: &CustomModel,
    state: Option<&str>,
    format: Option<&str>,
    bytes: Option<u64>,
    next: &str,
) -> String {
    let view = model.view();
    let state = state.map(str::to_owned).or_else(|| view.provisioning_state.clone());
    let rows = [
        ("Name", Some(view.name.clone())),
        ("Version", view.version.clone()),
        ("Format", format.map(str::to_ascii_lowercase)),
        ("Size", bytes.map(units::bytes)),
        ("Weight type", view.weight_type.clone()),
        ("Created", view.created_at().map(timestamp)),
        ("State", state),
    ];
    format!("{RULE}\n{}{RULE}\n\n{next}", aligned(&rows))
}

/// Section with the command that deploys a registered model.
#[must_use]
pub(crate) fn deploy_section(deploy: &str) -> String {
    format!("To deploy this model:\n  {}\n", printable(deploy))
}

/// Formats a time as `2026-02-14T10:30:00Z`, regardless of the offset and fraction in the service's text; other text is
/// unchanged.
fn timestamp(text: &str) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok().map(|at| at.to_offset(time::UtcOffset::UTC));
    parsed.and_then(|at| at.format(&format).ok()).unwrap_or_else(|| text.to_owned())
}

fn without_query(uri: &str) -> String {
    Url::parse(uri).map_or_else(|_| redact::clean(uri), |url| redact::bare(url).to_string())
}

#[cfg(test)]
mod tests {
    use azure_ai_models_core::model::ModelListSeed;
    use serde::de::DeserializeSeed;
    use serde_json::{Value, json};

    use super::*;

    fn full() -> CustomModel {
        serde_json::from_str(
            r#"{"name":"my-model","version":"1","description":"My fine-tuned model","weightType":"FullWeight",
            "derivedModelInformation":{"baseModel":"azureml://registries/r/models/FW-X/versions/1"},
            "blobUri":"https://storage.blob.core.windows.net/container?sig=CANARY","provisioningState":"Succeeded",
            "tags":{"team":"a","baseArchitecture":"FW-X"},
            "systemData":{"createdAt":"2026-02-14T11:30:00.1234567+01:00","createdBy":"user@contoso.com","lastModifiedAt":"odd"},
            "artifactProfile":{"category":"DataOnly","signals":[]},
            "warnings":[{"code":"UnclassifiedArtifact","message":"look"}]}"#,
        )
        .expect("a model")
    }

    #[test]
    fn the_page_contains_the_page_of_the_design() {
        insta::assert_snapshot!(model_page(&full(), "azd ...", "wait ..."));
    }

    #[test]
    fn the_success_page_contains_the_box_of_the_design() {
        insta::assert_snapshot!(created_page(
            &full(),
            None,
            Some("SafeTensors"),
            Some(73_551_801_139),
            &deploy_section("azd ...")
        ));
    }

    #[test]
    fn tables_show_a_count_unless_quiet() {
        let style = TableStyle { width: None, summary: true };
        let listed = |document: Value| ModelListSeed::default().deserialize(document).expect("a model");
        let models = [listed(serde_json::to_value(full()).expect("JSON")), listed(json!({"name": "bare"}))];
        insta::assert_snapshot!(model_table(&models, RowKind::Models, style));
        assert_eq!(model_table(&[], RowKind::Models, style), "0 custom model(s) found\n");
        assert_eq!(model_table(&[], RowKind::Models, TableStyle { summary: false, ..style }), "");
    }
}
