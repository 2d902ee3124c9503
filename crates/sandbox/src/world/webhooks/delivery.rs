use std::time::Instant;

use bytes::Bytes;
use serde_json::{Map, Value};

/// A change that waits to be sent.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub app: String,
    pub object: String,
    /// The `id` of its entry.
    pub entry: String,
    pub field: String,
    pub value: Value,
    pub since: Instant,
    /// Not sent before this, so that others come first.
    pub hold: Instant,
}

/// One POST, from its first attempt to its end.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub app: String,
    pub object: String,
    pub body: Bytes,
    pub changes: usize,
    pub attempts: u32,
    /// Unix seconds of the first attempt, by the virtual clock.
    pub first: i64,
    /// Not tried again before this (Unix seconds, virtual).
    pub due: i64,
    pub in_flight: bool,
}

/// A POST to make now.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub id: u64,
    pub url: String,
    pub body: Bytes,
    /// The key of the signature.
    pub secret: String,
}

/// How a POST went: the status, or why there is none.
pub type Outcome = Result<u16, String>;

/// When a delivery that failed is tried again, in seconds after its first attempt: at once, then ever more rarely, and
/// not after 36 hours. Source: webhooks/getting-started; the steps between are a guess.
const RETRIES: [i64; 10] =
    [0, 60, 300, 1_800, 7_200, 4 * 3_600, 8 * 3_600, 16 * 3_600, 24 * 3_600, 36 * 3_600];

impl Delivery {
    /// Plans the next attempt after one that failed; false when there is none left.
    pub(super) fn failed(&mut self) -> bool {
        let step = usize::try_from(self.attempts).unwrap_or(usize::MAX).saturating_sub(1);
        self.in_flight = false;
        match RETRIES.get(step) {
            Some(after) => {
                self.due = self.first + after;
                true
            }
            None => false,
        }
    }
}

/// The body of a POST: changes of one Page or account share an entry.
pub(super) fn body(object: &str, changes: Vec<Change>, include_values: bool, now: i64) -> Bytes {
    let mut entries: Vec<(String, Vec<Value>)> = Vec::new();
    for change in changes {
        let told = if include_values {
            let mut told = Map::new();
            told.insert("field".into(), change.field.into());
            told.insert("value".into(), change.value);
            Value::Object(told)
        } else {
            change.field.into()
        };
        match entries.iter_mut().find(|(id, _)| *id == change.entry) {
            Some((_, changes)) => changes.push(told),
            None => entries.push((change.entry, vec![told])),
        }
    }
    let key = if include_values { "changes" } else { "changed_fields" };
    let entries: Vec<Value> = entries
        .into_iter()
        .map(|(id, changes)| {
            let mut entry = Map::new();
            entry.insert("id".into(), id.into());
            entry.insert("time".into(), now.into());
            entry.insert(key.into(), changes.into());
            Value::Object(entry)
        })
        .collect();
    let mut payload = Map::new();
    payload.insert("object".into(), object.into());
    payload.insert("entry".into(), entries.into());
    escaped(&Value::Object(payload).to_string())
}

/// Meta writes what is not ASCII as `\u00e4`, in lower case, and signs those bytes.
pub(super) fn escaped(json: &str) -> Bytes {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                out.push_str("\\u");
                out.push_str(&crate::hex::hex(&unit.to_be_bytes()));
            }
        }
    }
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_beyond_ascii_are_escaped_in_lower_case() {
        assert_eq!(escaped("{\"a\":\"Zoë 정 😀\"}"), "{\"a\":\"Zo\\u00eb \\uc815 \\ud83d\\ude00\"}");
    }

    #[test]
    fn retries_end_after_thirty_six_hours() {
        let mut delivery = Delivery {
            app: String::new(),
            object: String::new(),
            body: Bytes::new(),
            changes: 1,
            attempts: 0,
            first: 1_000,
            due: 1_000,
            in_flight: true,
        };
        let mut due = Vec::new();
        loop {
            delivery.attempts += 1;
            if !delivery.failed() {
                break;
            }
            due.push(delivery.due - delivery.first);
        }
        assert_eq!((due[0], due[due.len() - 1]), (0, 36 * 3_600));
        assert!(due.windows(3).all(|w| w[2] - w[1] >= w[1] - w[0]), "ever more rarely: {due:?}");
    }
}
