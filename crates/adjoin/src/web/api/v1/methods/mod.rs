pub mod call;
pub mod call_local;
pub mod call_of_account;
pub mod get;
pub mod list;

use adjoin_marketing::catalogue::{self, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct MethodPath {
    /// The method, such as `ad_set.create`.
    pub method: String,
}

/// One method of the Marketing API that can be called for an account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Method {
    /// Such as `ad_set.create`.
    pub id: String,
    pub title: String,
    pub what: String,
    pub kind: MethodKind,
    /// One of these permissions must be granted; empty if none is needed.
    pub permissions: Vec<String>,
    /// And all of these must be granted.
    pub also_needed: Vec<String>,
    /// JSON Schema (2020-12) of the arguments.
    pub arguments: Value,
    /// What is read when `fields` is left out.
    pub default_fields: Vec<String>,
    /// Answers page by page.
    pub is_list: bool,
    /// Meta's page about it.
    pub source: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MethodKind {
    Read,
    Write,
    /// Answered here, without Meta.
    Local,
}

impl From<&catalogue::Method> for Method {
    fn from(method: &catalogue::Method) -> Self {
        Self {
            id: method.id.clone(),
            title: method.title.clone(),
            what: method.what.clone(),
            kind: match method.kind {
                Kind::Read => MethodKind::Read,
                Kind::Write => MethodKind::Write,
                Kind::Local => MethodKind::Local,
            },
            permissions: method.any_of.clone(),
            also_needed: method.all_of.clone(),
            arguments: catalogue::json_schema(method),
            default_fields: method.default_fields.clone(),
            is_list: method.paging,
            source: method.source.clone(),
        }
    }
}
