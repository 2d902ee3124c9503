//! The JSONPath of batch references: `{result=name:$.data.*.id}`.

use serde_json::Value;

/// Values a path selects, in document order; `None` when the path cannot be read.
pub fn select<'v>(root: &'v Value, path: &str) -> Option<Vec<&'v Value>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut found = vec![root];
    while !rest.is_empty() {
        let (step, after) = step(rest)?;
        rest = after;
        found = found.into_iter().flat_map(|value| take(value, step)).collect();
    }
    Some(found)
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
    All,
}

fn step(text: &str) -> Option<(Step<'_>, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let end = rest.find(']')?;
        let (inner, after) = (&rest[..end], &rest[end + 1..]);
        let quoted = ['\'', '"'].iter().find_map(|q| inner.strip_prefix(*q)?.strip_suffix(*q));
        let step = match (quoted, inner) {
            (Some(name), _) => Step::Name(name),
            (None, "*") => Step::All,
            (None, index) => Step::Index(index.parse().ok()?),
        };
        return Some((step, after));
    }
    let rest = text.strip_prefix('.')?;
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    match name {
        "" => None,
        "*" => Some((Step::All, after)),
        name => Some((Step::Name(name), after)),
    }
}

fn take<'v>(value: &'v Value, step: Step<'_>) -> Vec<&'v Value> {
    match (step, value) {
        (Step::Name(name), Value::Object(map)) => map.get(name).into_iter().collect(),
        (Step::Name(index), Value::Array(items)) => {
            index.parse::<usize>().ok().and_then(|i| items.get(i)).into_iter().collect()
        }
        (Step::Index(index), Value::Array(items)) => items.get(index).into_iter().collect(),
        (Step::All, Value::Array(items)) => items.iter().collect(),
        (Step::All, Value::Object(map)) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// What a reference becomes in a URL or body: several values are joined by commas, objects are JSON.
pub fn text(values: &[&Value]) -> String {
    values
        .iter()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selects_names_indices_and_wildcards() {
        let root = json!({"id": "7", "data": [{"id": "1"}, {"id": "2"}], "images": {"a.png": {"hash": "h"}}});
        let get = |path| text(&select(&root, path).unwrap());
        assert_eq!(get("$.id"), "7");
        assert_eq!(get("$.data.*.id"), "1,2");
        assert_eq!(get("$.data[1].id"), "2");
        assert_eq!(get("$['data'][*]['id']"), "1,2");
        assert_eq!(get("$.images.*.hash"), "h");
        assert_eq!(get("$.absent.id"), "");
        assert!(select(&root, "id").is_none() && select(&root, "$..id").is_none());
    }
}
