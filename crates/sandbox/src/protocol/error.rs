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
    /// Title and text for the person in front of the screen.
    pub user: Option<Box<(String, String)>>,
    /// An object such as `{"blame_field_specs": [["targeting", "geo_locations"]]}`.
    pub data: Option<Box<Value>>,
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
            user: None,
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
        self.user = Some(Box::new((title.into(), message.into())));
        self
    }

    #[must_use]
    pub fn data(mut self, data: Value) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    /// The field at fault, as a path.
    #[must_use]
    pub fn blame(self, path: &[&str]) -> Self {
        self.data(json!({ "blame_field_specs": [path] }))
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

    /// A Page's own affair was asked for with the token of a person or system user.
    pub fn page_token_needed() -> Self {
        Self::new(190, "(#190) This method must be called with a Page Access Token")
    }

    pub fn to_json(&self, fbtrace_id: &str) -> Value {
        let mut error = serde_json::Map::new();
        error.insert("message".into(), self.message.clone().into());
        error.insert("type".into(), self.kind.into());
        error.insert("code".into(), self.code.into());
        if let Some(data) = &self.data {
            error.insert("error_data".into(), (**data).clone());
        }
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".into(), subcode.into());
        }
        error.insert("is_transient".into(), self.is_transient.into());
        if let Some((title, message)) = self.user.as_deref() {
            error.insert("error_user_title".into(), title.clone().into());
            error.insert("error_user_msg".into(), message.clone().into());
        }
        error.insert("fbtrace_id".into(), fbtrace_id.into());
        json!({ "error": error })
    }
}
