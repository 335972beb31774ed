//! JSON output that several commands share.

use crate::app::App;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::render::{self, RowKind};
use azure_ai_models_core::model::{CustomModel, ListedModel};

/// One model: its document, or a page that ends with the possible next steps.
pub(super) struct ModelPage<'a> {
    pub(super) app: &'a App,
    pub(super) model: &'a CustomModel,
}

impl Product for ModelPage<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self.model)
    }

    fn text(&self, _: TableStyle) -> String {
        self.app.model_page(self.model)
    }
}

/// One model: its document, or a page with all its details.
pub(super) struct ModelDetails<'a>(pub(super) &'a CustomModel);

impl Product for ModelDetails<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self.0)
    }

    fn text(&self, _: TableStyle) -> String {
        render::model_details(self.0)
    }
}

/// Several models, as a list or a table.
pub(super) struct ModelList<'a> {
    pub(super) models: &'a [ListedModel],
    /// Rows of the table.
    pub(super) counted: RowKind,
}

impl Product for ModelList<'_> {
    fn json(&self) -> JsonPieces<'_> {
        let documents: Vec<_> = self.models.iter().filter_map(ListedModel::document).collect();
        product::list(documents)
    }

    fn text(&self, style: TableStyle) -> String {
        render::model_table(self.models, self.counted, style)
    }
}
