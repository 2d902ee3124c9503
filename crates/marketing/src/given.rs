//! Arguments as callers give them: a list or an object may come as JSON text, as Meta takes it too.

use std::borrow::Cow;

use serde_json::{Map, Value};

pub(crate) fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

pub(crate) fn list(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value {
        Value::Array(items) => Some(Cow::Borrowed(items)),
        Value::String(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        _ => None,
    }
}

pub(crate) fn object(value: &Value) -> Option<Cow<'_, Map<String, Value>>> {
    match value {
        Value::Object(map) => Some(Cow::Borrowed(map)),
        Value::String(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        _ => None,
    }
}
