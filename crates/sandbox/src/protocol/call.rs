use bytes::Bytes;

use super::Params;

/// The verbs of the Graph API. `PUT` is accepted on the wire and becomes `Post`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    /// Only the alerts of an ad account (`/act_1/subscriptions`) are documented to take it.
    Patch,
    Delete,
}

impl Method {
    /// As it stands in a request line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// An uploaded part of a multipart body.
#[derive(Debug, Clone)]
pub struct FilePart {
    pub part_name: String,
    pub file_name: Option<String>,
    pub content: Bytes,
}

/// One Graph call, whether it came as a request of its own or as a batch item.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    /// The version in the path, `None` when the path had none.
    pub version: Option<String>,
    /// Path segments after the version: `["act_1", "campaigns"]`.
    pub path: Vec<String>,
    /// Parameters of query, form, JSON and multipart, merged; without the access token.
    pub params: Params,
    pub files: Vec<FilePart>,
    /// The raw token, from a parameter or the `Authorization` header.
    pub token: Option<String>,
    /// Scheme and authority under which the caller reached us, for self-contained `next` links.
    pub base_url: String,
}

/// Who calls: what a valid token stands for at this moment.
#[derive(Debug, Clone)]
pub struct Caller {
    pub token: String,
    pub app_id: String,
    pub kind: crate::world::identity::TokenKind,
    /// Permissions that are live for this token.
    pub scopes: Vec<String>,
    /// Asset ids a permission is narrowed to; a permission that is absent here reaches all the subject's assets.
    pub granular: Vec<(String, Vec<String>)>,
}

impl Caller {
    /// Whether it is the token of this Page.
    pub fn is_page(&self, id: &str) -> bool {
        matches!(&self.kind, crate::world::identity::TokenKind::Page { page_id, .. } if page_id == id)
    }

    pub fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|s| s == scope)
    }

    /// Whether `scope` is granted and reaches `asset_id` (ad accounts with or without `act_`).
    pub fn reaches(&self, scope: &str, asset_id: &str) -> bool {
        let bare = asset_id.strip_prefix("act_").unwrap_or(asset_id);
        self.has(scope)
            && self
                .granular
                .iter()
                .find(|(s, _)| s == scope)
                .is_none_or(|(_, ids)| ids.iter().any(|id| id.strip_prefix("act_").unwrap_or(id) == bare))
    }
}
