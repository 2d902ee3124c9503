//! A method's arguments as a JSON Schema.

use serde_json::{Map, Value, json};

use super::{Http, Method, Parameter, Type};

/// The schema of a method's arguments, an object in JSON Schema 2020-12.
///
/// Enums are given as examples, not as constraints: Meta adds words without notice.
pub fn json_schema(method: &Method) -> Value {
    let properties: Map<String, Value> =
        method.parameters.iter().map(|parameter| (parameter.name.clone(), property(parameter))).collect();
    let required: Vec<&str> = method
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .map(|parameter| parameter.name.as_str())
        .collect();
    let mut schema = json!({
        "type": "object",
        "title": method.title,
        "description": method.what,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    // One place in the path takes one of several ids.
    for names in method.http.iter().flat_map(Http::places).filter(|names| names.len() > 1) {
        schema["oneOf"] = names.iter().map(|name| json!({ "required": [name] })).collect();
    }
    schema
}

fn property(parameter: &Parameter) -> Value {
    let mut schema = match parameter.r#type {
        Type::String | Type::Enum => json!({"type": "string"}),
        Type::Id => json!({"type": ["string", "integer"], "pattern": "^(act_)?[0-9]+$"}),
        Type::Integer | Type::MoneyMinor => json!({"type": ["integer", "string"], "pattern": "^-?[0-9]+$"}),
        Type::Number => json!({"type": ["number", "string"]}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Datetime => json!({"type": ["string", "integer"]}),
        Type::Object => json!({"type": "object"}),
        Type::List => json!({"type": "array"}),
    };
    if parameter.name == "fields" {
        schema["type"] = json!(["array", "string"]);
    }
    schema["description"] = parameter.what.clone().into();
    if parameter.name == "limit" {
        schema["minimum"] = 1.into();
        schema["maximum"] = 500.into();
    }
    if let Some(default) = &parameter.default {
        schema["default"] = default.clone();
    }
    if let Some(words) = parameter.vocabulary() {
        let examples: Vec<&str> = words.values.iter().map(String::as_str).collect();
        if parameter.r#type == Type::List {
            schema["items"] = json!({"type": "string", "examples": examples});
        } else {
            schema["examples"] = json!(examples);
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::super::{method, methods};
    use super::*;

    #[test]
    fn names_every_parameter() {
        for method in methods() {
            let schema = json_schema(method);
            assert_eq!(schema["properties"].as_object().unwrap().len(), method.parameters.len());
        }
        let schema = json_schema(method("ad_set.create").unwrap());
        assert_eq!(schema["required"], json!(["ad_account_id", "name", "campaign_id"]));
        assert_eq!(schema["properties"]["status"]["default"], "PAUSED");
        assert!(
            schema["properties"]["optimization_goal"]["examples"]
                .as_array()
                .unwrap()
                .contains(&json!("REACH"))
        );
    }
}
