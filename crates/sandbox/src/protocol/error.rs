use http::StatusCode;
use serde_json::{Value, json};

/// An error as the Graph API answers it. `fbtrace_id` is added where the answer is written.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphError {
    pub status: StatusCode,
    pub message: String,
    /// `OAuthException`, `GraphMethodException`, ...
    pub kind: &'static str,
    pub code: i64,
    pub subcode: Option<i64>,
    pub is_transient: bool,
    pub user_title: Option<String>,
    pub user_message: Option<String>,
    /// An object such as `{"blame_field_specs": [["targeting", "geo_locations"]]}`.
    pub data: Option<Value>,
}

impl GraphError {
    /// A 400 `OAuthException`, which nearly every refusal is.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            kind: "OAuthException",
            code,
            subcode: None,
            is_transient: false,
            user_title: None,
            user_message: None,
            data: None,
        }
    }

    #[must_use]
    pub fn subcode(mut self, subcode: i64) -> Self {
        self.subcode = Some(subcode);
        self
    }

    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub fn user(mut self, title: impl Into<String>, message: impl Into<String>) -> Self {
        self.user_title = Some(title.into());
        self.user_message = Some(message.into());
        self
    }

    #[must_use]
    pub fn blame(mut self, path: &[&str]) -> Self {
        self.data = Some(json!({ "blame_field_specs": [path] }));
        self
    }

    /// The object is gone, was never there, or is not this caller's: Meta does not tell them apart.
    pub fn unsupported_get(id: &str) -> Self {
        Self {
            kind: "GraphMethodException",
            ..Self::new(
                100,
                format!(
                    "Unsupported get request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
                ),
            )
            .subcode(33)
        }
    }

    pub fn to_json(&self, fbtrace_id: &str) -> Value {
        let mut error = serde_json::Map::new();
        error.insert("message".into(), self.message.clone().into());
        error.insert("type".into(), self.kind.into());
        error.insert("code".into(), self.code.into());
        if let Some(data) = &self.data {
            error.insert("error_data".into(), data.clone());
        }
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".into(), subcode.into());
        }
        error.insert("is_transient".into(), self.is_transient.into());
        if let Some(title) = &self.user_title {
            error.insert("error_user_title".into(), title.clone().into());
        }
        if let Some(message) = &self.user_message {
            error.insert("error_user_msg".into(), message.clone().into());
        }
        error.insert("fbtrace_id".into(), fbtrace_id.into());
        json!({ "error": error })
    }
}
