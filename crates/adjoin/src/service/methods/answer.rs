//! What a call answers with: Meta's JSON in an envelope of ours, without tokens.

use std::collections::BTreeSet;

use adjoin_marketing::{
    ad_set::{Finding, Report},
    catalogue::{Method, Plan},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use crate::service::{Error, MetaError, Result};

/// The answer of a method, as JSON text of the shape [`Shape`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub json: String,
    /// It is the kept answer of an earlier call with the same idempotency key.
    pub replayed: bool,
}

impl Answer {
    /// The answer as a value.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.json).expect("the envelope is JSON")
    }
}

/// The shape of a method's answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MethodAnswer")]
pub struct Shape<'a> {
    /// What Meta answered: an object, or the rows of a list. In a preview what would be sent.
    #[schemars(with = "Value")]
    data: &'a RawValue,
    /// For lists: send it as `after` to read on; null on the last page.
    #[serde(skip_serializing_if = "Next::is_no_list")]
    #[schemars(with = "Option<String>")]
    next: Next<'a>,
    /// What the rules found worth saying, though they did not reject it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(default)]
    findings: &'a [Finding],
    /// In a preview: whether Meta validated it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    validated_by_meta: Option<bool>,
    /// Meta answered with a newer version than the setup names, since that one has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_warning: Option<&'a str>,
}

/// How a list goes on.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
enum Next<'a> {
    NoList,
    Last(()),
    Cursor(&'a str),
}

impl Next<'_> {
    fn is_no_list(&self) -> bool {
        matches!(self, Self::NoList)
    }
}

impl Shape<'_> {
    fn into_answer(self) -> Answer {
        Answer { json: serde_json::to_string(&self).expect("the envelope is JSON"), replayed: false }
    }
}

/// A list as Meta answers it. Only what is needed to go on is read; the rows stay as they came.
#[derive(Deserialize)]
struct ListOf<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow, default)]
    paging: Option<Paging<'a>>,
}

impl<'a> ListOf<'a> {
    /// The cursor to go on with; `None` on the last page.
    fn after(self) -> Option<std::borrow::Cow<'a, str>> {
        self.paging.and_then(|paging| paging.next.and(paging.cursors)).and_then(|it| it.after)
    }
}

#[derive(Deserialize)]
struct Paging<'a> {
    #[serde(borrow, default)]
    cursors: Option<Cursors<'a>>,
    /// Holds the token, so it is looked at and never passed on.
    #[serde(borrow, default)]
    next: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Cursors<'a> {
    #[serde(borrow, default)]
    after: Option<std::borrow::Cow<'a, str>>,
}

/// Meta's answer in our envelope.
pub fn made(answer: &adjoin_graph::Answer, method: &Method, findings: &[Finding]) -> Result<Answer> {
    let unreadable = || Error::Meta(Box::new(MetaError::unreadable(answer.trace_id.as_deref())));
    let text = std::str::from_utf8(&answer.body).map_err(|_| unreadable())?;
    let version_warning = answer.version_warning.as_deref();
    let envelope = |data: &RawValue, next: Next<'_>| {
        let cleaned = without_tokens(data);
        let data = cleaned.as_deref().unwrap_or(data);
        Shape { data, next, findings, validated_by_meta: None, version_warning }.into_answer()
    };
    if method.paging {
        let list: ListOf<'_> = serde_json::from_str(text).map_err(|_| unreadable())?;
        let (data, after) = (list.data, list.after());
        Ok(envelope(data, after.as_deref().map_or(Next::Last(()), Next::Cursor)))
    } else {
        Ok(envelope(serde_json::from_str(text).map_err(|_| unreadable())?, Next::NoList))
    }
}

/// A page of a list, row by row.
#[derive(Debug, Default)]
pub struct Rows {
    pub items: Vec<Box<RawValue>>,
    pub next: Option<String>,
    version_warning: Option<String>,
}

impl Rows {
    /// The ids of the rows.
    pub fn ids(&self) -> BTreeSet<String> {
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        let named = self.items.iter().filter_map(|row| serde_json::from_str::<Named>(row.get()).ok());
        named.map(|row| row.id).collect()
    }
}

/// The rows of a list that Meta answered.
pub fn rows(answer: &adjoin_graph::Answer) -> Result<Rows> {
    let unreadable = || Error::Meta(Box::new(MetaError::unreadable(answer.trace_id.as_deref())));
    let list: ListOf<'_> = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
    Ok(Rows {
        items: serde_json::from_str(list.data.get()).map_err(|_| unreadable())?,
        next: list.after().map(std::borrow::Cow::into_owned),
        version_warning: answer.version_warning.clone(),
    })
}

/// Rows in our envelope.
pub fn list(page: &Rows) -> Answer {
    let data = serde_json::value::to_raw_value(&page.items).expect("rows are JSON");
    let data = without_tokens(&data).unwrap_or(data);
    Shape {
        data: &data,
        next: page.next.as_deref().map_or(Next::Last(()), Next::Cursor),
        findings: &[],
        validated_by_meta: None,
        version_warning: page.version_warning.as_deref(),
    }
    .into_answer()
}

/// What a write would send, and whether Meta looked at it too.
pub fn preview(plan: &Plan, validated_by_meta: bool, findings: &[Finding]) -> Answer {
    let plan = serde_json::value::to_raw_value(plan).expect("a plan is JSON");
    Shape {
        data: &plan,
        next: Next::NoList,
        findings,
        validated_by_meta: Some(validated_by_meta),
        version_warning: None,
    }
    .into_answer()
}

/// The report of a check that was made here.
pub fn local(report: &Report) -> Answer {
    of(report)
}

/// What was done here, in our envelope.
pub fn of(value: &impl Serialize) -> Answer {
    let data = serde_json::value::to_raw_value(value).expect("what is answered is JSON");
    Shape { data: &data, next: Next::NoList, findings: &[], validated_by_meta: None, version_warning: None }
        .into_answer()
}

/// The same JSON without tokens, when there is one in it: fields of that name, and the paging URLs of nested lists.
/// Most answers hold none and are not read at all.
fn without_tokens(json: &RawValue) -> Option<Box<RawValue>> {
    if !json.get().contains("access_token") {
        return None;
    }
    let mut value: Value = serde_json::from_str(json.get()).ok()?;
    strip(&mut value);
    serde_json::value::to_raw_value(&value).ok()
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.shift_remove("access_token");
            if let Some(Value::Object(paging)) = map.get_mut("paging") {
                paging.shift_remove("next");
                paging.shift_remove("previous");
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::String(text) if text.contains("access_token=") => "[redacted]".clone_into(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_stripped_wherever_they_stand() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        assert!(without_tokens(&raw(r#"{"id":"1"}"#)).is_none());
        let cleaned =
            without_tokens(&raw(r#"{"id":"1","access_token":"EAAB","ads":{"data":[{"access_token":"x"}],
                "paging":{"cursors":{"after":"c"},"next":"https://g/?access_token=EAAB"}},
                "url":"https://g/?a=1&access_token=EAAB"}"#))
            .unwrap();
        assert_eq!(
            cleaned.get(),
            r#"{"id":"1","ads":{"data":[{}],"paging":{"cursors":{"after":"c"}}},"url":"[redacted]"}"#
        );
    }
}
