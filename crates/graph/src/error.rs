use std::fmt;

use http::StatusCode;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;

use crate::{Access, Request, Usage};

/// Why a call gave no answer. Neither `Display` nor `Debug` shows a token, a proof or a URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Meta said no. Decide by code and subcode: the texts change without notice.
    #[error("{0}")]
    Refused(Box<GraphRefusal>),
    /// No answer in time. A write that was `sent` may have been carried out all the same.
    #[error("the Graph API gave no answer in time{}", outcome(*sent))]
    Timeout { sent: bool },
    /// The connection could not be made, or broke. A write that was `sent` may have been carried out.
    #[error("the Graph API cannot be reached{}", outcome(*sent))]
    Unreachable {
        sent: bool,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An answer came, but not one this client understands.
    #[error("the Graph API's answer (HTTP {status}) cannot be read: {reason}{}", trace(trace_id.as_deref()))]
    Unreadable { status: u16, reason: String, trace_id: Option<String> },
    /// The answer is longer than the configured limit, in bytes. Ask for fewer fields or smaller pages.
    #[error("the Graph API's answer is longer than {limit} bytes; ask for fewer fields or a smaller page")]
    TooLarge { limit: usize },
    /// Meta's pages lead back to one already read.
    #[error("the pages of {path} lead in a circle")]
    PagingLoop { path: String },
    /// The request or the configuration is wrong; nothing was sent.
    #[error("the request cannot be sent: {reason}")]
    Invalid { reason: String },
}

fn outcome(sent: bool) -> &'static str {
    if sent { "; a change may have been made all the same" } else { "; nothing was sent" }
}

fn trace(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(" (trace {id})"))
}

impl Error {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into() }
    }

    /// Meta's own error, when it is one.
    pub fn refusal(&self) -> Option<&GraphRefusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the same call may well succeed a little later. A throttle is not counted: it needs a longer wait.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_passing(),
            Self::Timeout { .. } | Self::Unreachable { .. } => true,
            Self::Unreadable { status, .. } => *status >= 500,
            Self::TooLarge { .. } | Self::PagingLoop { .. } | Self::Invalid { .. } => false,
        }
    }

    /// Whether it is certain that the request never left this machine.
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::Timeout { sent } | Self::Unreachable { sent, .. } => !sent,
            Self::Invalid { .. } => true,
            _ => false,
        }
    }

    /// Whether a write that failed in this way may nevertheless have been carried out. Look before repeating it.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Timeout { sent } | Self::Unreachable { sent, .. } => *sent,
            Self::Unreadable { .. } | Self::TooLarge { .. } => true,
            Self::Refused(refusal) => refusal.is_passing(),
            Self::PagingLoop { .. } | Self::Invalid { .. } => false,
        }
    }
}

/// Meta's error, whole. Secrets that Meta repeated in it are replaced.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphRefusal {
    /// HTTP status: 400 for nearly everything, throttling included; 200 for `success: false`.
    pub status: u16,
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    /// Meta's `type`, such as `OAuthException`.
    pub kind: Option<String>,
    /// For developers, in English.
    pub message: String,
    /// For people, in the caller's locale; so is `user_msg`.
    pub user_title: Option<String>,
    pub user_msg: Option<String>,
    pub is_transient: bool,
    /// `error_data.blame_field_specs`: paths to the parameters at fault, such as `targeting`, `geo_locations`.
    pub blame_fields: Vec<Vec<String>>,
    /// What Meta's support asks for. Goes stale within days.
    pub fbtrace_id: Option<String>,
    /// Meta sends an object or JSON text; text that is JSON has been parsed.
    pub error_data: Option<Value>,
    /// The answer's body.
    pub raw: Value,
    pub usage: Usage,
}

impl GraphRefusal {
    /// Reads an error answer; `None` if `body` holds no error that Meta would send.
    pub(crate) fn read(status: u16, body: Value, usage: Usage) -> Option<Self> {
        let error = match &body {
            Value::Object(top) => match top.get("error") {
                Some(error @ (Value::Object(_) | Value::String(_))) => error,
                // Answers of the older REST interface, still seen from some login endpoints.
                _ if top.contains_key("error_code") || top.contains_key("error_msg") => &body,
                _ if top.get("success") == Some(&Value::Bool(false)) => &body,
                _ => return None,
            },
            Value::Bool(false) => &body,
            _ => return None,
        };
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        let error_data = match error.get("error_data") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => {
                Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())))
            }
            Some(other) => Some(other.clone()),
        };
        let message = text("message")
            .or_else(|| text("error_msg"))
            .or_else(|| text("error_description"))
            .or_else(|| error.as_str().map(str::to_owned))
            .unwrap_or_else(|| "Meta did not carry it out and gave no reason".to_owned());
        Some(Self {
            status,
            code: integer(error.get("code").or_else(|| error.get("error_code"))),
            subcode: integer(error.get("error_subcode")),
            kind: text("type"),
            message,
            user_title: text("error_user_title"),
            user_msg: text("error_user_msg"),
            is_transient: error.get("is_transient").and_then(Value::as_bool).unwrap_or(false),
            blame_fields: error_data.as_ref().map_or_else(Vec::new, blame_fields),
            fbtrace_id: text("fbtrace_id"),
            error_data,
            usage,
            raw: body,
        })
    }

    /// A rate limit of the app, the account or a business use case. Calling on lengthens the block.
    pub fn is_throttle(&self) -> bool {
        matches!(self.code, Some(4 | 17 | 32 | 341 | 613 | 80_000..=80_014))
    }

    /// A fault at Meta's side that may be gone in a moment.
    pub fn is_passing(&self) -> bool {
        if self.is_throttle() {
            return false;
        }
        match (self.code, self.subcode) {
            // Temporary by their code, but the same question gets the same answer: it must be made smaller or mended.
            (Some(1), Some(99)) | (Some(2), Some(1_504_038 | 1_504_041 | 1_504_042)) => false,
            (Some(1), None) | (Some(2), _) => true,
            _ => self.is_transient || self.status >= 500,
        }
    }

    /// Whether Meta objects to the proof that was sent. Told by the text, since no code is documented for it.
    pub(crate) fn is_about_proof(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        message.contains("invalid appsecret_proof") || message.contains("appsecret_time")
    }

    /// Whether Meta does not take this HTTP method at this path.
    pub(crate) fn is_unsupported_method(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        self.status == StatusCode::METHOD_NOT_ALLOWED.as_u16()
            || message.starts_with("unsupported post request")
            || message.starts_with("unsupported request - method type")
            || message.contains("unsupported method")
    }
}

impl fmt::Display for GraphRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meta refused the request: {} (HTTP {}", self.message, self.status)?;
        if let Some(code) = self.code {
            write!(f, ", code {code}")?;
        }
        if let Some(subcode) = self.subcode {
            write!(f, ", subcode {subcode}")?;
        }
        if let Some(trace) = &self.fbtrace_id {
            write!(f, ", trace {trace}")?;
        }
        f.write_str(")")
    }
}

fn integer(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(it) => it.as_i64(),
        Value::String(it) => it.parse().ok(),
        _ => None,
    }
}

fn blame_fields(error_data: &Value) -> Vec<Vec<String>> {
    let step = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let specs = error_data.get("blame_field_specs").or_else(|| error_data.get("blame_field"));
    match specs {
        Some(Value::Array(paths)) => paths
            .iter()
            .map(|path| match path {
                Value::Array(steps) => steps.iter().map(step).collect(),
                single => vec![step(single)],
            })
            .collect(),
        Some(single @ Value::String(_)) => vec![vec![step(single)]],
        _ => Vec::new(),
    }
}

/// The strings that must not come back in an error: Meta repeats a malformed token in its text.
#[derive(Default)]
pub(crate) struct Secrets<'a> {
    needles: Vec<&'a str>,
}

const REDACTED: &str = "[redacted]";
/// Shorter strings are no secrets, and replacing them would make a text unreadable.
const SHORTEST_SECRET: usize = 6;

impl<'a> Secrets<'a> {
    pub(crate) fn of(request: &'a Request, access: Option<&'a Access>) -> Self {
        let mut secrets = Self::default();
        secrets.add_request(request);
        if let Some(access) = access {
            secrets.add_access(access);
        }
        secrets
    }

    pub(crate) fn add_request(&mut self, request: &'a Request) {
        for value in request.secrets() {
            self.add(value);
        }
    }

    pub(crate) fn add_access(&mut self, access: &'a Access) {
        self.add(access.token.expose_secret());
        if let Some(secret) = &access.app_secret {
            self.add(secret.expose_secret());
        }
    }

    fn add(&mut self, secret: &'a str) {
        self.needles.push(secret);
        // An app token holds the app secret.
        self.needles.extend(secret.split_once('|').map(|(_, app_secret)| app_secret));
    }

    pub(crate) fn redact(&self, text: &mut String) {
        for needle in self.needles.iter().filter(|needle| needle.len() >= SHORTEST_SECRET) {
            let in_url: String = url::form_urlencoded::byte_serialize(needle.as_bytes()).collect();
            for form in [*needle, &in_url] {
                if text.contains(form) {
                    *text = text.replace(form, REDACTED);
                }
            }
        }
    }

    pub(crate) fn redact_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.redact(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.redact_value(member)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(status: u16, body: Value) -> GraphRefusal {
        GraphRefusal::read(status, body, Usage::default()).unwrap()
    }

    #[test]
    fn metas_error_is_kept_whole() {
        let body = json!({"error": {
            "message": "Invalid parameter", "type": "OAuthException", "code": 100, "error_subcode": 1_885_183,
            "is_transient": false, "error_user_title": "Title", "error_user_msg": "Text", "fbtrace_id": "AbC",
            "error_data": "{\"blame_field_specs\":[[\"targeting\",\"geo_locations\"],[\"adset\",0]]}",
            "something_new": [1]
        }});
        let refusal = read(400, body.clone());
        assert_eq!(
            (refusal.code, refusal.subcode, refusal.kind.as_deref()),
            (Some(100), Some(1_885_183), Some("OAuthException"))
        );
        assert_eq!(
            (refusal.user_title.as_deref(), refusal.user_msg.as_deref()),
            (Some("Title"), Some("Text"))
        );
        assert_eq!(refusal.blame_fields, [vec!["targeting", "geo_locations"], vec!["adset", "0"]]);
        assert_eq!(refusal.error_data.as_ref().unwrap()["blame_field_specs"][0][0], "targeting");
        assert_eq!(refusal.raw, body);
        assert_eq!(
            refusal.to_string(),
            "Meta refused the request: Invalid parameter (HTTP 400, code 100, subcode 1885183, trace AbC)"
        );
    }

    #[test]
    fn error_data_may_be_an_object_a_text_or_anything() {
        let data = |data: Value| read(400, json!({"error": {"message": "m", "error_data": data}}));
        assert_eq!(data(json!({"blame_field_specs": [["name"]]})).blame_fields, [vec!["name"]]);
        assert_eq!(data(json!({"blame_field": "name"})).blame_fields, [vec!["name"]]);
        assert_eq!(data(json!({"blame_field_specs": ["name"]})).blame_fields, [vec!["name"]]);
        assert_eq!(data(json!("not json")).error_data, Some(json!("not json")));
        assert_eq!(data(json!(null)).error_data, None);
        assert_eq!(data(json!([1])).error_data, Some(json!([1])));
    }

    #[test]
    fn other_shapes_of_errors_are_read() {
        assert_eq!(
            read(400, json!({"error": "invalid_code", "error_description": "d"})).message,
            "invalid_code"
        );
        let rest = read(400, json!({"error_code": "101", "error_msg": "Error validating application."}));
        assert_eq!((rest.code, rest.message.as_str()), (Some(101), "Error validating application."));
        assert_eq!(read(200, json!({"success": false})).code, None);
        for nothing in [json!({}), json!([]), json!("error"), json!({"error": 3}), json!(null)] {
            assert_eq!(GraphRefusal::read(500, nothing, Usage::default()), None);
        }
    }

    proptest! {
        #[test]
        fn judging_a_body_never_panics(
            bytes: Vec<u8>,
            status: u16,
            name in "error|success|error_code|error_data",
            inner in r#"\{"(message|code|error_data|error_subcode)":("[^"\\]{0,9}"|[0-9]{1,25}|null|\[[0-9]?\])\}"#,
        ) {
            let wrapped = format!("{{\"{name}\":{inner}}}");
            for bytes in [bytes, inner.into_bytes(), wrapped.into_bytes()] {
                let headers = http::HeaderMap::new();
                let _ = crate::Answer::judge(status, &headers, bytes.into(), &Secrets::default());
            }
        }

        #[test]
        fn a_secret_is_redacted_wherever_it_stands(
            before in "[ -~]{0,40}",
            after in "[ -~]{0,40}",
            secret in "[A-Z]{6,30}[|][a-z+/=]{6,30}",
            deep: bool,
            in_url: bool,
        ) {
            let access = Access::unsigned(secret.clone());
            let request = Request::get("/me");
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let shown = if in_url { encoded } else { secret.clone() };
            let text = format!("{before}{shown}{after}");
            let mut value = if deep { json!({"a": [{"b": text}]}) } else { json!(text) };
            Secrets::of(&request, Some(&access)).redact_value(&mut value);
            prop_assert!(!value.to_string().contains(&shown));
            prop_assert!(value.to_string().contains(REDACTED));
        }
    }
}
