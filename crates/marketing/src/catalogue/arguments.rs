//! Checking a method's arguments, and laying them out as a call.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Http, Method, Parameter, Place, Type, Verb};
use crate::nearest::nearest;

/// One thing wrong with the arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{argument}: {problem}")]
pub struct ArgumentFault {
    /// The argument's name.
    pub argument: String,
    #[serde(flatten)]
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// It is required.
    Missing,
    /// The method has no such argument.
    Unknown { did_you_mean: Option<String> },
    /// It is of another type.
    WrongType { expected: Type, found: &'static str },
    /// It is out of the range that is allowed.
    OutOfRange { from: i64, to: i64 },
    /// The method sets it itself.
    Fixed,
    /// Exactly one of these is to be given.
    OneOf { names: Vec<String> },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is required"),
            Self::Unknown { did_you_mean: Some(name) } => {
                write!(f, "is not an argument of this method; did you mean {name}?")
            }
            Self::Unknown { did_you_mean: None } => f.write_str("is not an argument of this method"),
            Self::WrongType { expected, found } => write!(f, "must be {}, and is {found}", expected.words()),
            Self::OutOfRange { from, to } => write!(f, "must be from {from} to {to}"),
            Self::Fixed => f.write_str("is set by this method and cannot be given"),
            Self::OneOf { names } => write!(f, "exactly one of {} is to be given", names.join(" and ")),
        }
    }
}

/// A call at Meta, laid out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub verb: Verb,
    /// Without host and version: `/act_123/adsets`. Safe to put into a URL as it is.
    pub path: String,
    pub query: Map<String, Value>,
    pub body: Map<String, Value>,
}

impl Type {
    /// The type in words, for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Id => "an id of digits",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::MoneyMinor => "a whole number of minor currency units",
            Self::Bool => "true or false",
            Self::Datetime => "a time with an offset (2026-11-24T08:00:00+0000) or Unix seconds",
            Self::Object => "an object",
            Self::List => "a list",
            Self::Enum => "a word",
        }
    }

    fn accepts(self, value: &Value) -> bool {
        let integral = |text: &str| text.parse::<i64>().is_ok();
        let json = |text: &str, open: char| {
            text.trim_start().starts_with(open) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        };
        match (self, value) {
            (Self::String | Self::Enum, Value::String(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::Object, Value::Object(_))
            | (Self::List, Value::Array(_)) => true,
            (Self::Id, Value::String(text)) => is_id(text),
            (Self::Id, Value::Number(number)) => number.is_u64(),
            (Self::Integer | Self::MoneyMinor | Self::Datetime, Value::Number(number)) => number.is_i64(),
            (Self::Integer | Self::MoneyMinor, Value::String(text)) => integral(text),
            (Self::Number, Value::String(text)) => text.parse::<f64>().is_ok_and(f64::is_finite),
            (Self::Bool, Value::String(text)) => matches!(text.as_str(), "true" | "false"),
            (Self::Datetime, Value::String(text)) => {
                integral(text) || text.parse::<jiff::Timestamp>().is_ok()
            }
            (Self::Object, Value::String(text)) => json(text, '{'),
            (Self::List, Value::String(text)) => json(text, '['),
            _ => false,
        }
    }
}

/// Digits, with `act_` before them or not.
fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("act_").unwrap_or(text);
    !digits.is_empty() && digits.len() <= 25 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl Method {
    /// Checks the arguments, and names everything that is wrong with them at once.
    ///
    /// This is about names and types only; what an ad set must hold is the business of [`crate::ad_set`]. `null` counts
    /// as not given.
    pub fn check(&self, arguments: &Map<String, Value>) -> Result<(), Vec<ArgumentFault>> {
        let mut faults = Vec::new();
        let mut fault = |argument: &str, problem| {
            faults.push(ArgumentFault { argument: argument.to_owned(), problem });
        };
        for (name, value) in arguments {
            match self.parameter(name) {
                None if self.fixed.contains_key(name) => fault(name, Problem::Fixed),
                None => {
                    let names = self.parameters.iter().map(|parameter| parameter.name.as_str());
                    fault(name, Problem::Unknown { did_you_mean: nearest(name, names).map(str::to_owned) });
                }
                Some(_) if value.is_null() => {}
                // As Meta takes them too: `id,name`.
                Some(parameter) if parameter.name == "fields" && value.is_string() => {}
                Some(parameter) if !parameter.r#type.accepts(value) => {
                    fault(name, Problem::WrongType { expected: parameter.r#type, found: found(value) });
                }
                Some(parameter) if parameter.name == "limit" && !(1..=500).contains(&integer(value)) => {
                    fault(name, Problem::OutOfRange { from: 1, to: 500 });
                }
                Some(_) => {}
            }
        }
        for parameter in self.parameters.iter().filter(|parameter| parameter.required) {
            if arguments.get(&parameter.name).is_none_or(Value::is_null) {
                fault(&parameter.name, Problem::Missing);
            }
        }
        for names in self.http.iter().flat_map(Http::places).filter(|names| names.len() > 1) {
            let given = names.iter().filter(|&&name| arguments.get(name).is_some_and(|it| !it.is_null()));
            if given.count() != 1 {
                fault(names[0], Problem::OneOf { names: names.iter().map(|&it| it.to_owned()).collect() });
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Lays checked arguments out as a call, with defaults, fixed values and the usual fields filled in.
    ///
    /// `None` for a method that is answered here. The arguments must have passed [`Method::check`]; a path parameter
    /// that is not an id would leave its braces in the path.
    pub fn plan(&self, arguments: &Map<String, Value>) -> Option<Plan> {
        let http = self.http.as_ref()?;
        let mut plan = Plan { verb: http.verb, path: http.path.clone(), query: Map::new(), body: Map::new() };
        for parameter in &self.parameters {
            let given = arguments.get(&parameter.name).filter(|value| !value.is_null());
            let Some(value) = given.or(parameter.default.as_ref()) else { continue };
            match parameter.r#in {
                Place::Path => plan.put_into_path(parameter, value),
                Place::Query => drop(plan.query.insert(parameter.name.clone(), value.clone())),
                Place::Body => drop(plan.body.insert(parameter.name.clone(), value.clone())),
                Place::Local => {}
            }
        }
        if self.parameter("fields").is_some() {
            let fields = match plan.query.get("fields") {
                Some(Value::Array(list)) => {
                    list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
                }
                Some(Value::String(text)) => text.clone(),
                _ => self.default_fields.join(","),
            };
            plan.query.insert("fields".to_owned(), Value::from(fields));
        }
        plan.body.extend(self.fixed.iter().map(|(name, value)| (name.clone(), value.clone())));
        Some(plan)
    }
}

impl Plan {
    fn put_into_path(&mut self, parameter: &Parameter, value: &Value) {
        let text = match value {
            Value::String(text) if is_id(text) => text.clone(),
            Value::Number(number) if number.is_u64() => number.to_string(),
            _ => return,
        };
        let text = if parameter.name == "ad_account_id" && !text.starts_with("act_") {
            format!("act_{text}")
        } else {
            text
        };
        let path = self.path.split('/').map(|part| {
            let names = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            let here = names.is_some_and(|names| names.split('|').any(|name| name == parameter.name));
            if here { text.as_str() } else { part }
        });
        self.path = path.collect::<Vec<_>>().join("/");
    }
}

fn integer(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(0)
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{method, methods};
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            _ => panic!("an object"),
        }
    }

    #[test]
    fn all_faults_at_once() {
        let faults = method("ad_set.create")
            .unwrap()
            .check(&map(
                json!({"nam": "x", "campaign_id": "12a", "daily_budget": 1.5, "targeting": "{\"a\":1}"}),
            ))
            .unwrap_err();
        let named: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            named,
            [
                "nam: is not an argument of this method; did you mean name?",
                "campaign_id: must be an id of digits, and is a text",
                "daily_budget: must be a whole number of minor currency units, and is a number",
                "ad_account_id: is required",
                "name: is required",
            ]
        );
    }

    #[test]
    fn fixed_values_cannot_be_given() {
        let archive = method("ad_set.archive").unwrap();
        let faults = archive.check(&map(json!({"ad_set_id": 5, "status": "ACTIVE"}))).unwrap_err();
        assert_eq!(faults[0].problem, Problem::Fixed);
        let plan = archive.plan(&map(json!({"ad_set_id": 5}))).unwrap();
        assert_eq!((plan.path.as_str(), plan.body["status"].as_str()), ("/5", Some("ARCHIVED")));
    }

    #[test]
    fn a_plan_has_defaults_and_prefix() {
        let plan = method("ad_set.create")
            .unwrap()
            .plan(&map(json!({"ad_account_id": "12", "name": "n", "campaign_id": "3"})))
            .unwrap();
        assert_eq!(plan.path, "/act_12/adsets");
        assert_eq!(plan.body["status"], "PAUSED");
        let plan = method("campaign.list").unwrap().plan(&map(json!({"ad_account_id": "act_12"}))).unwrap();
        assert_eq!(plan.path, "/act_12/campaigns");
        assert_eq!(plan.query["limit"], 25);
        assert!(plan.query["fields"].as_str().unwrap().starts_with("id,account_id,name,objective"));
        let plan =
            method("ad.get").unwrap().plan(&map(json!({"ad_id": "1", "fields": ["id", "name"]}))).unwrap();
        assert_eq!(plan.query["fields"], "id,name");
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        for id in ["1/../2", "", "act_", "1?x", "%2e"] {
            assert!(method("ad.get").unwrap().check(&map(json!({"ad_id": id}))).is_err(), "{id}");
        }
    }

    #[test]
    fn of_two_ids_in_one_place_exactly_one_is_given() {
        let list = method("lead.list").unwrap();
        let neither = list.check(&map(json!({"page_id": 1}))).unwrap_err();
        assert_eq!(neither[0].to_string(), "form_id: exactly one of form_id and ad_id is to be given");
        assert_eq!(list.check(&map(json!({"page_id": 1, "form_id": 2, "ad_id": 3}))).unwrap_err().len(), 1);
        for (arguments, path) in [
            (json!({"page_id": 1, "form_id": 2}), "/2/leads"),
            (json!({"page_id": 1, "ad_id": "3"}), "/3/leads"),
        ] {
            let plan = list.plan(&map(arguments)).unwrap();
            assert_eq!(plan.path, path);
            assert!(!plan.query.contains_key("page_id"), "what is local is not sent");
        }
    }

    #[test]
    fn limits_are_bounded() {
        let list = method("page.list").unwrap();
        assert!(list.check(&map(json!({"limit": 0}))).is_err());
        assert!(list.check(&map(json!({"limit": "500", "after": null}))).is_ok());
    }

    #[test]
    fn a_call_with_all_required_arguments_passes() {
        for method in methods() {
            let places: Vec<_> = method.http.iter().flat_map(Http::places).collect();
            let first = |name: &str| places.iter().any(|names| names[0] == name);
            let arguments: Map<_, _> = method
                .parameters
                .iter()
                .filter(|parameter| parameter.required || first(&parameter.name))
                .map(|parameter| {
                    let value = match parameter.r#type {
                        Type::Object => json!({}),
                        Type::List => json!([]),
                        _ => json!("1"),
                    };
                    (parameter.name.clone(), value)
                })
                .collect();
            assert_eq!(method.check(&arguments), Ok(()), "{}", method.id);
            assert!(method.plan(&arguments).is_none_or(|plan| !plan.path.contains('{')), "{}", method.id);
        }
    }
}
