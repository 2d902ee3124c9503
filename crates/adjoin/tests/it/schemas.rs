//! What the API answers is what its document, `/v1/openapi.json`, says that it answers.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::{
    api::{Backend, read},
    methods::{Caller, ad_set, campaign},
    support::on_each_connected,
};

/// The document, as the service hands it out.
struct Document(Value);

impl Document {
    async fn read(backend: &Backend) -> Self {
        Self(backend.get("/v1/openapi.json").await.1)
    }

    /// Asserts that the document foresees this answer of this operation.
    #[track_caller]
    fn foresees(&self, verb: &str, path: &str, status: StatusCode, answer: &Value) {
        let responses = &self.0["paths"][path][verb]["responses"];
        let response = responses.get(status.as_str()).unwrap_or(&responses["default"]);
        let media = if status.is_success() { "application/json" } else { "application/problem+json" };
        let schema = &response["content"][media]["schema"];
        assert!(schema.is_object(), "{verb} {path} has no schema for {status}");
        let faults = self.faults(schema, answer, "");
        assert!(faults.is_empty(), "{verb} {path}: {status}: {faults:?} in {answer:#}");
    }

    fn resolved<'a>(&'a self, reference: &str) -> &'a Value {
        let schema = self.0.pointer(reference.trim_start_matches('#'));
        schema.unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    /// The schemas that hold for the same value as this one: itself, what it refers to, and its alternatives.
    fn parts<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let referred = schema["$ref"].as_str().map(|reference| self.resolved(reference));
        let several =
            ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten();
        let mut parts = vec![schema];
        parts.extend(referred.into_iter().chain(several).flat_map(|it| self.parts(it)));
        parts
    }

    /// Everything of the value that the schema does not foresee.
    fn faults(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut faults = self.misfits(schema, value, at);
        let parts = self.parts(schema);
        let is_open = |part: &&Value| part.get("additionalProperties").is_some();
        if let Value::Object(members) = value
            && parts.iter().any(|part| part["properties"].is_object())
            && !parts.iter().any(is_open)
        {
            let known: BTreeSet<&String> =
                parts.iter().filter_map(|part| part["properties"].as_object()).flat_map(Map::keys).collect();
            faults.extend(
                members
                    .keys()
                    .filter(|name| !known.contains(name))
                    .map(|name| format!("{at}/{name} is not known")),
            );
        }
        faults
    }

    /// The same, but for members that one of several schemas does not know and another may.
    fn misfits(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(reference) = schema["$ref"].as_str() {
            faults.extend(self.misfits(self.resolved(reference), value, at));
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            faults.extend(self.misfits(part, value, at));
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(several) = schema[name].as_array()
                && several.iter().all(|one| !self.misfits(one, value, at).is_empty())
            {
                faults.push(format!("{at} is none of what it may be"));
            }
        }
        let types = match &schema["type"] {
            Value::Array(several) => several.iter().collect(),
            Value::Null => Vec::new(),
            one => vec![one],
        };
        if !types.is_empty() && !types.iter().any(|name| is_a(value, name.as_str().unwrap())) {
            faults.push(format!("{at} is no {types:?}"));
        }
        let is_one_of = |list: &Value| list.as_array().is_none_or(|list| list.contains(value));
        if !is_one_of(&schema["enum"]) || schema.get("const").is_some_and(|fixed| fixed != value) {
            faults.push(format!("{at} has a value that is not foreseen"));
        }
        match value {
            Value::Object(members) => {
                let required = schema["required"].as_array().into_iter().flatten();
                for name in required.filter_map(Value::as_str).filter(|name| !members.contains_key(*name)) {
                    faults.push(format!("{at}/{name} is missing"));
                }
                for (name, value) in members {
                    if let Some(schema) = schema["properties"].get(name) {
                        faults.extend(self.faults(schema, value, &format!("{at}/{name}")));
                    }
                }
            }
            Value::Array(items) if schema["items"].is_object() => {
                for (nth, item) in items.iter().enumerate() {
                    faults.extend(self.faults(&schema["items"], item, &format!("{at}/{nth}")));
                }
            }
            _ => {}
        }
        faults
    }
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("{other} is no type"),
    }
}

#[test]
fn what_does_not_fit_a_schema_is_seen() {
    let schema = json!({
        "type": "object", "required": ["a"],
        "properties": { "a": { "$ref": "#/s/A" }, "b": { "anyOf": [{ "type": "string" }, { "type": "null" }] } },
        "oneOf": [{ "properties": { "c": { "const": 1 } }, "required": ["c"] }, { "required": ["b"] }],
    });
    let document = Document(json!({ "s": { "A": { "type": "array", "items": { "type": "integer" } } } }));
    let faults = |value: &Value| document.faults(&schema, value, "");
    assert!(faults(&json!({ "a": [1], "b": null })).is_empty());
    assert!(faults(&json!({ "a": [], "c": 1 })).is_empty());
    assert_eq!(faults(&json!({ "b": "x" })), ["/a is missing"]);
    assert_eq!(faults(&json!({ "a": [1, "2"], "b": "x" })), ["/a/1 is no [String(\"integer\")]"]);
    assert_eq!(faults(&json!({ "a": [], "b": "x", "d": 1 })), ["/d is not known"]);
    assert_eq!(faults(&json!({ "a": [], "c": 2 })), [" is none of what it may be"]);
}

#[test]
fn problems_are_as_the_document_says() {
    on_each_connected(&[], async |it| {
        let backend = Backend::new(&it.test, None).await;
        let document = Document::read(&backend).await;
        let mut unknown = backend.clone();
        unknown.key.push('x');
        let (status, problem) = unknown.get("/v1/accounts").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        document.foresees("get", "/v1/accounts", status, &problem);

        let absent = adjoin::id::AccountId::new();
        let (status, problem) = backend.get(&format!("/v1/accounts/{absent}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        document.foresees("get", "/v1/accounts/{account_id}", status, &problem);

        let malformed = backend.request(Method::POST, "/v1/accounts");
        let malformed = malformed.header("content-type", "application/json").body("{\"name\":");
        let (status, problem) = read(malformed).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        document.foresees("post", "/v1/accounts", status, &problem);

        let (status, problem) = backend.send(Method::POST, "/v1/accounts", &json!({ "name": "" })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        document.foresees("post", "/v1/accounts", status, &problem);

        // With what the rules found, and with Meta's own error.
        let call = "/v1/accounts/{account_id}/connections/{connection_id}/methods/{method}";
        let caller = Caller::new(it).await;
        let made = caller.data("campaign.create", &campaign(it)).await["id"].clone();
        let mut wrong = ad_set(it, made.as_str().unwrap());
        wrong["promoted_object"] = json!({ "pixel_id": it.facts.pixel_id });
        let (status, problem) = caller.call("ad_set.create", &wrong).await;
        assert!(problem["findings"][0].is_object(), "{problem}");
        document.foresees("post", call, status, &problem);
        let (status, problem) = caller.call("campaign.get", &json!({ "campaign_id": "1" })).await;
        assert!(problem["meta"].is_object(), "{problem}");
        document.foresees("post", call, status, &problem);
    });
}

#[test]
fn answers_are_as_the_document_says() {
    on_each_connected(&[], async |it| {
        let backend = Backend::new(&it.test, None).await;
        let document = Document::read(&backend).await;
        let call = "/v1/accounts/{account_id}/connections/{connection_id}/methods/{method}";
        let caller = Caller::new(it).await;
        let (status, made) = caller.call("campaign.create", &campaign(it)).await;
        assert!(status.is_success() && made.get("findings").is_none(), "{made}");
        document.foresees("post", call, status, &made);
        // The rules do not see the campaign, and say so.
        let arguments = ad_set(it, made["data"]["id"].as_str().unwrap());
        let (status, found) = caller.call("ad_set.create?preview=true&look_up=false", &arguments).await;
        assert!(status.is_success() && found["findings"][0].is_object(), "{found}");
        document.foresees("post", call, status, &found);
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        let (status, list) = caller.call("campaign.list", &in_account).await;
        assert!(status.is_success() && list["next"].is_null(), "{list}");
        document.foresees("post", call, status, &list);

        // Everything that can be read of this account, and of the partner.
        it.test.app.calls.flush().await;
        crate::subscriptions::watch(&it.test.app).await;
        let mut seen = 0;
        for (path, verbs) in document.0["paths"].as_object().unwrap() {
            let place = path
                .replace("{account_id}", it.account.as_str())
                .replace("{connection_id}", it.connection.as_str())
                .replace("{method}", "ad_set.create");
            if verbs.get("get").is_none() || place.contains('{') {
                continue;
            }
            let (status, answer) = backend.get(&place).await;
            assert_eq!(status, StatusCode::OK, "{place}: {answer}");
            document.foresees("get", path, status, &answer);
            seen += 1;
        }
        assert!(seen > 15, "only {seen} were read");
    });
}
