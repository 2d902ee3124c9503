//! Fields that people and programs send: which one does not fit, and what would. Used by the API and by the console's
//! forms.

use adjoin_marketing::nearest::nearest;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::service::Fault;

/// Reads fields as a form or a query sends them.
pub fn from_pairs<T: DeserializeOwned>(text: &[u8]) -> Result<T, Fault> {
    if let Some((name, _)) =
        url::form_urlencoded::parse(text).find(|(name, value)| name.contains('\0') || value.contains('\0'))
    {
        return Err(Fault::nul(shown(&name)));
    }
    let pairs = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let path = error.path().to_string();
        misfit(&path, &error.into_inner().to_string())
    })
}

/// The place of the first text with a NUL in a JSON document.
pub fn nul_in_json(bytes: &[u8]) -> Option<Fault> {
    // As a character of its own it is no JSON, and nearly no document has it escaped.
    const ESCAPED: &[u8] = b"\\u0000";
    if !bytes.windows(ESCAPED.len()).any(|part| part == ESCAPED) {
        return None;
    }
    nul_in(&serde_json::from_slice(bytes).ok()?, "").map(Fault::nul)
}

fn nul_in(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| path.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| nul_in(item, &format!("{path}[{index}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            let place = if path.is_empty() { shown(name) } else { format!("{path}.{}", shown(name)) };
            if name.contains('\0') { Some(place) } else { nul_in(field, &place) }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The name with the symbol for NUL in place of the character.
pub fn shown(name: &str) -> String {
    name.replace('\0', "\u{2400}")
}

/// A value that is there and does not fit. `message` is serde's.
pub fn misfit(path: &str, message: &str) -> Fault {
    let message = message.split_once(" at line ").map_or(message, |(what, _)| what);
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let child = |name: &str| if path == "." { name.to_owned() } else { format!("{path}.{name}") };
    if message.starts_with("unknown field") {
        let given = quoted.first().copied().unwrap_or_default();
        let known = quoted.get(1..).unwrap_or_default();
        let fix = match nearest(given, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None if known.is_empty() => "leave it out".to_owned(),
            None => format!("leave it out, or use one of {}", known.join(", ")),
        };
        // serde's path names the unknown field itself or the object around it, depending on where it noticed.
        let field = if path == given || path.ends_with(&format!(".{given}")) {
            path.to_owned()
        } else {
            child(given)
        };
        Fault::new(field, "there is no such field", fix)
    } else if message.starts_with("missing field") {
        let field = quoted.first().copied().unwrap_or_default();
        Fault::new(child(field), "it is missing", "give it")
    } else if message.starts_with("duplicate field") {
        let field = quoted.first().copied().unwrap_or_default();
        Fault::new(child(field), "it is there twice", "give it once")
    } else if message.starts_with("unknown variant") {
        let given = quoted.first().copied().unwrap_or_default();
        let known = quoted.get(1..).unwrap_or_default();
        let fix = match nearest(given, known.iter().copied()) {
            Some(near) => format!("did you mean {near}? It takes {}", known.join(", ")),
            None => format!("one of {}", known.join(", ")),
        };
        Fault::new(if path == "." { "" } else { path }, format!("{given:?} is none of its values"), fix)
    } else if message.contains("`true` or `false`") {
        Fault::new(path, "it is not true or false", "true or false")
    } else {
        let (found, expected) = message.split_once(", expected ").unwrap_or((message, "another value"));
        Fault::new(if path == "." { "" } else { path }, found, expected)
    }
}
