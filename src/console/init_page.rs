//! The page of `init`. Pure.

use super::render::aligned;
use azure_ai_models_core::display::printable;

/// Data of the page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InitPage<'a> {
    /// Name of the azd environment.
    pub(crate) environment: &'a str,
    /// Azure subscription.
    pub(crate) subscription: &'a str,
    /// Resource group.
    pub(crate) group: &'a str,
    /// Foundry project.
    pub(crate) project: &'a str,
    /// Endpoint of the project.
    pub(crate) endpoint: &'a str,
    /// Commands for the next steps.
    pub(crate) next: &'a [String],
}

impl InitPage<'_> {
    /// Text of the page.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let rows = [
            ("Environment", self.environment),
            ("Subscription", self.subscription),
            ("Resource Group", self.group),
            ("Project", self.project),
            ("Endpoint", self.endpoint),
        ]
        .map(|(key, value)| (key, Some(value.to_owned())));
        let next: Vec<String> = self.next.iter().map(|command| format!("  {}\n", printable(command))).collect();
        let (rows, next) = (aligned(&rows), next.concat());
        format!("SUCCESS: AI models project initialized!\n\n{rows}\nYou can now use commands like:\n{next}")
    }
}
