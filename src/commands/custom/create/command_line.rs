//! The command line to repeat. A source URL is included without its query, and the omission is reported.

use std::path::Path;

use super::spec::{CreateSpec, EngineChoice, VersionChoice};
use crate::app::App;
use crate::shell::option_arguments;
use azure_ai_models_core::hub::{CopyMode, VerifyMode};
use azure_ai_models_core::model::{ModelVersion, Source, WeightType};
use azure_ai_models_core::units;

impl CreateSpec {
    /// Command that creates this very model.
    pub(super) fn command_line(&self, app: &App) -> String {
        let mut arguments = self.arguments();
        if self.detach.is_some() || app.detached.is_some() {
            arguments.push("--detach".to_owned());
        }
        let text = app.command_line(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        match &self.source {
            Source::Blob(url) if self.source_file.is_none() && url.expose().query().is_some() => {
                format!("{text}\nThe source URL is shown without its SAS; add it.")
            }
            _ => text,
        }
    }

    /// Command and options; a URL is included without its query.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut line =
            CommandBuilder { args: vec!["custom".to_owned(), "create".into(), "--name".into(), self.name.to_string()] };
        let path = |path: &Path| path.display().to_string();
        if let Some(plan) = &self.plan {
            let mut line = CommandBuilder { args: vec!["custom".to_owned(), "create".into()] };
            line.add("--plan", Some(path(&plan.file)));
            match (&self.source_file, &self.source) {
                (Some(file), _) => line.add("--source-file", Some(path(file))),
                // Stored in the plan, but without the SAS that the user has to add.
                (None, Source::Blob(url)) => line.add("--source", Some(url.without_query().to_string())),
                (None, Source::Local(_) | Source::Hub(_)) => {}
            }
            line.add("--timeout", self.given_timeout.map(units::duration_option));
            line.add("--deploy", self.deploy.as_ref().map(|deploy| deploy.name.to_string()));
            line.flag("--yes", self.deploy.as_ref().is_some_and(|deploy| deploy.yes));
            line.flag("--no-wait", self.has_no_wait());
            return line.args;
        }
        match (&self.source_file, &self.source) {
            (Some(file), _) => line.add("--source-file", Some(path(file))),
            (None, Source::Local(source)) => line.add("--source", Some(path(source))),
            (None, Source::Blob(url)) => line.add("--source", Some(url.without_query().to_string())),
            (None, Source::Hub(address)) => line.add("--source", Some(address.to_string())),
        }
        let default = VersionChoice::Named(ModelVersion::first());
        line.add("--version", (self.version != default).then(|| self.version.to_string()));
        let details = &self.details;
        line.add("--description", details.description.clone());
        for (key, value) in &details.tags {
            line.add("--tag", Some(format!("{key}={value}")));
        }
        line.add("--base-model", details.base_model.as_ref().map(ToString::to_string));
        let weight_type = (details.weight_type != WeightType::default()).then(|| details.weight_type.to_string());
        line.add("--weight-type", weight_type);
        line.add("--lora-rank", details.lora.rank.map(|rank| rank.to_string()));
        line.add("--lora-alpha", details.lora.alpha.map(|alpha| alpha.to_string()));
        line.add("--lora-target-modules", details.lora.target_modules.as_ref().map(|modules| modules.join(",")));
        line.add("--lora-dropout", details.lora.dropout.map(|dropout| dropout.to_string()));
        line.add("--publisher", details.publisher.clone());
        for pattern in self.selection.include() {
            line.add("--include", Some(pattern.to_string()));
        }
        for pattern in self.selection.exclude() {
            line.add("--exclude", Some(pattern.to_string()));
        }
        line.add("--timeout", self.given_timeout.map(units::duration_option));
        if let EngineChoice::Native { parallel, hash } = self.engine {
            let is_hub = matches!(self.source, Source::Hub(_));
            line.add("--engine", (!is_hub).then(|| "native".to_owned()));
            line.add("--parallel", parallel.map(|number| number.to_string()));
            line.flag("--no-hash", !hash);
        }
        line.add("--copy", (self.copy != CopyMode::default()).then(|| self.copy.to_string()));
        line.add("--verify", (self.verify != VerifyMode::default()).then(|| self.verify.to_string()));
        line.add("--azcopy-path", self.azcopy_path.as_deref().map(path));
        line.add("--limit-rate", self.limit_rate.map(units::option));
        line.flag("--no-default-excludes", !self.selection.has_default_excludes());
        line.flag("--skip-check", !self.check);
        line.flag("--overwrite", self.overwrite);
        if let Some(deploy) = &self.deploy {
            // The name after `--deploy` needs no `=`: it never begins with a dash.
            line.add("--deploy", Some(deploy.name.to_string()));
            line.add("--sku-name", deploy.sku_name.clone());
            line.add("--sku-capacity", deploy.sku_capacity.map(|capacity| capacity.to_string()));
            line.flag("--yes", deploy.yes);
        }
        line.flag("--if-changed", self.if_changed);
        line.flag("--no-wait", self.has_no_wait());
        line.args
    }

    /// True if neither the registration nor the deployment is awaited.
    fn has_no_wait(&self) -> bool {
        self.no_wait || self.deploy.as_ref().is_some_and(|deploy| deploy.limit.is_none())
    }
}

struct CommandBuilder {
    args: Vec<String>,
}

impl CommandBuilder {
    fn add(&mut self, option: &str, value: Option<String>) {
        self.args.extend(value.into_iter().flat_map(|value| option_arguments(option, &value)));
    }

    fn flag(&mut self, option: &str, is_set: bool) {
        self.args.extend(is_set.then(|| option.to_owned()));
    }
}
