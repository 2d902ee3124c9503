use serde_json::{Map, Value};

/// Parameters of a call. Values keep the type they came with: text from queries and forms, JSON from JSON bodies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(pub Map<String, Value>);

impl Params {
    /// Adds what a query or a urlencoded body holds; later values win. `a[b]=1` and `a[]=1` build objects and
    /// lists, as PHP clients write them.
    pub fn add_urlencoded(&mut self, text: &[u8]) {
        for (name, value) in url::form_urlencoded::parse(text) {
            self.add_text(&name, value.into_owned());
        }
    }

    /// Adds one text parameter, see [`Self::add_urlencoded`].
    pub fn add_text(&mut self, name: &str, value: String) {
        match name.split_once('[').filter(|(base, rest)| !base.is_empty() && rest.ends_with(']')) {
            Some((base, rest)) => {
                let keys: Vec<&str> = rest[..rest.len() - 1].split("][").take(8).collect();
                let slot = self.0.entry(base).or_insert(Value::Null);
                put(slot, &keys, Value::String(value));
            }
            None => {
                self.0.insert(name.to_owned(), Value::String(value));
            }
        }
    }

    /// The parameter as text; numbers and booleans as they would stand in a query.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// The parameter as JSON: text that holds a JSON object, list, number or boolean is read as such.
    pub fn json(&self, name: &str) -> Option<Value> {
        match self.0.get(name)? {
            Value::Null => None,
            Value::String(text) => {
                Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())))
            }
            other => Some(other.clone()),
        }
    }

    /// A list, whether it came as JSON or separated by commas.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        match self.json(name)? {
            Value::Array(items) => Some(
                items.into_iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect(),
            ),
            Value::String(text) => {
                Some(text.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect())
            }
            other => Some(vec![other.to_string()]),
        }
    }

    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|v| !v.is_null())
    }

    /// Takes a text parameter out.
    pub fn take_text(&mut self, name: &str) -> Option<String> {
        let text = self.text(name);
        self.0.remove(name);
        text
    }
}

/// Puts a value at a bracketed path. A path that fits neither list nor object replaces what was there.
fn put(slot: &mut Value, keys: &[&str], value: Value) {
    let Some((key, rest)) = keys.split_first() else {
        *slot = value;
        return;
    };
    let index: Option<usize> = if key.is_empty() { None } else { key.parse().ok() };
    match slot {
        Value::Array(items) if key.is_empty() || index == Some(items.len()) => {
            items.push(Value::Null);
            if let Some(last) = items.last_mut() {
                put(last, rest, value);
            }
        }
        Value::Array(items) if index.is_some_and(|i| i < items.len()) => {
            if let Some(item) = index.and_then(|i| items.get_mut(i)) {
                put(item, rest, value);
            }
        }
        Value::Object(map) => put(map.entry(*key).or_insert(Value::Null), rest, value),
        other => {
            if key.is_empty() || index == Some(0) {
                let mut item = Value::Null;
                put(&mut item, rest, value);
                *other = Value::Array(vec![item]);
            } else {
                let mut map = Map::new();
                put(map.entry(*key).or_insert(Value::Null), rest, value);
                *other = Value::Object(map);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn brackets_build_json() {
        let mut params = Params::default();
        params.add_urlencoded(b"targeting[geo_locations][countries][0]=US&targeting[geo_locations][countries][1]=CA&t[]=a&t[]=b&x[=1&[y]=2&name=N");
        assert_eq!(params.0["targeting"], json!({"geo_locations": {"countries": ["US", "CA"]}}));
        assert_eq!(params.0["t"], json!(["a", "b"]));
        assert_eq!(params.0["x["], json!("1"));
        assert_eq!(params.0["[y]"], json!("2"));
    }

    #[test]
    fn lists_come_in_two_spellings() {
        let mut params = Params::default();
        params.add_urlencoded(b"a=x%2C%20y&b=%5B%22x%22%2C1%5D&c=true");
        assert_eq!(params.list("a").unwrap(), ["x", "y"]);
        assert_eq!(params.list("b").unwrap(), ["x", "1"]);
        assert_eq!(params.bool("c"), Some(true));
    }
}
