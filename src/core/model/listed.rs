//! Models of a list, in compact form for lists of 100,000 models.

use std::sync::Arc;

use serde::de::{DeserializeSeed, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{ModelDocument, ModelFilter, ModelView, Versioned};

/// Number of columns of a table, in their order in the text of a model.
const COLUMNS: usize = 5;

/// Model of a list: the columns of a table, and the whole document if requested.
#[derive(Clone, Debug)]
pub struct ListedModel {
    /// Concatenated columns.
    text: Box<str>,
    /// Ends of the columns in the text.
    ends: [u32; COLUMNS],
    meets_filter: bool,
    document: Option<Box<ModelDocument>>,
}

/// Reads models of a list.
#[derive(Clone, Debug, Default)]
pub struct ModelListSeed {
    /// Filter that is applied to each model.
    pub filter: Arc<ModelFilter>,
    /// True to keep the documents, for JSON.
    pub with_documents: bool,
}

impl ListedModel {
    /// Kind of weights, in the service's spelling; empty if the service does not send it, as for all columns.
    #[must_use]
    pub fn weight_type(&self) -> &str {
        self.column(2)
    }

    /// Account or application that created the model.
    #[must_use]
    pub fn created_by(&self) -> &str {
        self.column(4)
    }

    /// True for a model that meets the conditions of its [`ModelListSeed`].
    #[must_use]
    pub fn meets_filter(&self) -> bool {
        self.meets_filter
    }

    /// The service's own JSON, if the [`ModelListSeed`] keeps it.
    #[must_use]
    pub fn document(&self) -> Option<&ModelDocument> {
        self.document.as_deref()
    }

    fn column(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..self.ends[number] as usize).unwrap_or_default()
    }
}

impl Versioned for ListedModel {
    fn name(&self) -> &str {
        self.column(0)
    }

    fn version(&self) -> &str {
        self.column(1)
    }

    fn created_at(&self) -> &str {
        self.column(3)
    }
}

impl<'de> DeserializeSeed<'de> for ModelListSeed {
    type Value = ListedModel;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ListedModel, D::Error> {
        let mut json = Value::deserialize(deserializer)?;
        let view = ModelView::of(&mut json)?;
        let columns: [&str; COLUMNS] = [
            &view.name,
            view.version.as_deref().unwrap_or_default(),
            view.weight_type.as_deref().unwrap_or_default(),
            view.created_at().unwrap_or_default(),
            view.system_data.as_ref().and_then(|data| data.created_by.as_deref()).unwrap_or_default(),
        ];
        let mut ends = [0; COLUMNS];
        let mut length = 0;
        for (end, column) in ends.iter_mut().zip(columns) {
            length += column.len();
            *end = u32::try_from(length).map_err(D::Error::custom)?;
        }
        let document = self.with_documents.then(|| ModelDocument::of(&json)).transpose().map_err(D::Error::custom)?;
        let meets_filter = self.filter.matches(&view);
        Ok(ListedModel { text: columns.concat().into(), ends, meets_filter, document: document.map(Box::new) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(json: &str, listing: ModelListSeed) -> Result<ListedModel, serde_json::Error> {
        listing.deserialize(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn a_model_keeps_its_columns_and_on_request_its_document() {
        let json =
            r#"{"name":"m","weightType":"LoRA","x":{"sig":[1.5]},"systemData":{"createdAt":"t","createdBy":"ü"}}"#;
        for with_documents in [false, true] {
            let model = listed(json, ModelListSeed { with_documents, ..ModelListSeed::default() }).expect("a model");
            let columns = [model.name(), model.version(), model.weight_type(), model.created_at(), model.created_by()];
            assert_eq!(columns, ["m", "", "LoRA", "t", "ü"]);
            let document = model.document().map(|document| serde_json::to_string(document).expect("JSON"));
            assert_eq!(document.as_deref(), with_documents.then_some(json));
        }
    }

    #[test]
    fn a_model_remembers_whether_it_meets_the_filter() {
        let filter = ModelFilter { name: "a*".parse().ok(), ..ModelFilter::default() };
        let listing = ModelListSeed { filter: Arc::new(filter), with_documents: false };
        for (name, meets) in [("abc", true), ("bca", false)] {
            let model = listed(&format!(r#"{{"name":"{name}"}}"#), listing.clone()).expect("a model");
            assert_eq!(model.meets_filter(), meets, "{name}");
        }
        assert!(listed("{}", listing).is_err());
    }

    /// A list of 100,000 models takes the memory of their columns and of this struct.
    #[test]
    fn a_model_is_small() {
        assert!(size_of::<ListedModel>() <= 56, "{} bytes", size_of::<ListedModel>());
    }
}
