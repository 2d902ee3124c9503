//! Which rows of an edge are asked for: `effective_status`, `filtering`, `updated_since`.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Kind, Node, Scope, list, resolve, table, write};
use crate::{
    protocol::{GraphError, Params},
    world::objects::Object,
};

/// The wanted rows. The default leaves out what was archived or deleted.
#[derive(Debug, Default)]
pub struct Filter {
    effective_status: Option<Vec<String>>,
    conditions: Vec<Condition>,
    /// Unix seconds.
    updated_since: Option<i64>,
    is_completed: Option<bool>,
}

#[derive(Debug)]
struct Condition {
    /// Whose field: the row's own or a parent's.
    of: Kind,
    field: String,
    operator: Operator,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
    InRange,
    NotInRange,
    Contain,
    NotContain,
    In,
    NotIn,
    StartsWith,
    EndsWith,
    Any,
    All,
    None,
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "EQUAL" => Self::Equal,
            "NOT_EQUAL" => Self::NotEqual,
            "GREATER_THAN" | "AFTER" => Self::GreaterThan,
            "GREATER_THAN_OR_EQUAL" | "ON_OR_AFTER" => Self::GreaterThanOrEqual,
            "LESS_THAN" | "BEFORE" => Self::LessThan,
            "LESS_THAN_OR_EQUAL" | "ON_OR_BEFORE" => Self::LessThanOrEqual,
            "IN_RANGE" => Self::InRange,
            "NOT_IN_RANGE" => Self::NotInRange,
            "CONTAIN" => Self::Contain,
            "NOT_CONTAIN" => Self::NotContain,
            "IN" => Self::In,
            "NOT_IN" => Self::NotIn,
            "STARTS_WITH" => Self::StartsWith,
            "ENDS_WITH" => Self::EndsWith,
            "ANY" => Self::Any,
            "ALL" => Self::All,
            "NONE" => Self::None,
            _ => return None,
        })
    }
}

/// A row that is looked at.
pub enum Subject<'a> {
    Object { scope: Scope<'a>, object: &'a Object },
    Node { scope: Scope<'a>, node: &'a Node },
}

impl Filter {
    /// Reads the filter parameters of an edge whose rows are of kind `row`.
    pub fn from_params(params: &Params, row: Kind) -> Result<Self, GraphError> {
        let effective_status = params.list("effective_status").or_else(|| params.list("status"));
        let mut filter = Self { effective_status, ..Self::default() };
        if let Some(since) = params.text("updated_since") {
            filter.updated_since = Some(write::unix_time(&since).ok_or_else(|| {
                GraphError::new(100, "(#100) Param updated_since must be a time, in ISO 8601 or Unix seconds")
            })?);
        }
        filter.is_completed = params.bool("is_completed");
        match params.json("filtering") {
            None => {}
            Some(Value::Array(items)) => {
                for item in &items {
                    filter.conditions.push(condition(item, row)?);
                }
            }
            Some(_) => return Err(GraphError::new(100, "(#100) param filtering must be an array.")),
        }
        // A status among the conditions replaces the default just as the parameter does.
        Ok(filter)
    }

    /// Whether it only leaves out what every list leaves out.
    pub fn is_default(&self) -> bool {
        self.effective_status.is_none()
            && self.conditions.is_empty()
            && self.updated_since.is_none()
            && self.is_completed.is_none()
    }

    fn asks_for_status(&self) -> bool {
        self.effective_status.is_some()
            || self
                .conditions
                .iter()
                .any(|c| matches!(c.field.as_str(), "effective_status" | "status" | "configured_status"))
    }

    pub fn keeps(&self, subject: &Subject<'_>) -> bool {
        if let Subject::Object { scope, object } = subject {
            let objects = &scope.world.objects;
            if object.status.is_hidden() && !self.asks_for_status() {
                return false;
            }
            if let Some(wanted) = &self.effective_status
                && !wanted.iter().any(|status| status == objects.effective_status(object))
            {
                return false;
            }
            if self.updated_since.is_some_and(|since| object.updated < since) {
                return false;
            }
            if let Some(wanted) = self.is_completed {
                let now = scope.world.clock.unix();
                let ended = object.text("end_time").and_then(write::unix_time).is_some_and(|end| end <= now);
                if ended != wanted {
                    return false;
                }
            }
        }
        self.conditions.iter().all(|condition| condition.holds(subject))
    }
}

/// Parents by the names filters use.
fn prefix(name: &str) -> Option<Kind> {
    Some(match name {
        "campaign" | "campaign_group" => Kind::Campaign,
        "adset" => Kind::AdSet,
        "ad" | "adgroup" => Kind::Ad,
        _ => return None,
    })
}

/// A condition on a column of a row that is no object.
pub struct OfColumn {
    pub column: String,
    condition: Condition,
}

impl OfColumn {
    /// `None` if the condition is on none of these columns.
    pub fn read(item: &Value, columns: &[&str]) -> Result<Option<Self>, GraphError> {
        let Some(path) = item.get("field").and_then(Value::as_str) else { return Ok(None) };
        // Clients write the level before it, `ad.impressions`; it is that of the row.
        let bare = match path.split_once('.') {
            Some((level, column)) if prefix(level).is_some() => column,
            _ => path,
        };
        if !columns.contains(&bare) || bare.ends_with("_id") || bare.ends_with("_name") || bare == "objective"
        {
            return Ok(None);
        }
        let operator = item.get("operator").and_then(Value::as_str).unwrap_or_default();
        let operator = Operator::parse(operator).ok_or_else(|| {
            GraphError::new(
                100,
                format!(
                    "(#100) Filtering field '{path}' with operation '{}' is not supported",
                    operator.to_lowercase()
                ),
            )
        })?;
        let value = item.get("value").cloned().unwrap_or(Value::Null);
        let condition = Condition { of: Kind::Ad, field: bare.to_owned(), operator, value };
        Ok(Some(Self { column: bare.to_owned(), condition }))
    }

    pub fn holds(&self, actual: Option<&Value>) -> bool {
        self.condition.compare(actual)
    }
}

fn condition(item: &Value, row: Kind) -> Result<Condition, GraphError> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let (Some(path), Some(operator)) = (text("field"), text("operator")) else {
        return Err(GraphError::new(
            100,
            "(#100) Each item of param filtering needs field, operator and value",
        ));
    };
    let (of, field) = match path.split_once('.') {
        Some((parent, field)) => match prefix(parent) {
            Some(kind) => (kind, field),
            None => (row, path),
        },
        None => (row, path),
    };
    let reachable = match row {
        Kind::Ad => matches!(of, Kind::Ad | Kind::AdSet | Kind::Campaign),
        Kind::AdSet => matches!(of, Kind::AdSet | Kind::Campaign),
        other => of == other,
    };
    let unsupported = || {
        GraphError::new(
            100,
            format!(
                "(#100) Filtering field '{path}' with operation '{}' is not supported",
                operator.to_lowercase()
            ),
        )
    };
    let operator = Operator::parse(operator).ok_or_else(unsupported)?;
    if !reachable || !(field == "id" || table::of(of).has_field(field)) {
        return Err(unsupported());
    }
    let value = item.get("value").cloned().unwrap_or(Value::Null);
    Ok(Condition { of, field: field.to_owned(), operator, value })
}

impl Condition {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        let actual = match subject {
            Subject::Node { scope, node } => self.node_value(*scope, node),
            Subject::Object { scope, object } => {
                let objects = &scope.world.objects;
                let target = match self.of {
                    Kind::Campaign => objects.campaign_of(object),
                    Kind::AdSet if resolve::kind_of(object.kind) == Kind::Ad => objects.get(object.parent),
                    _ => Some(*object),
                };
                target.and_then(|target| match self.field.as_str() {
                    // The usual ones without building a node.
                    "id" => Some(target.id.to_string().into()),
                    "name" => Some(target.name.clone().into()),
                    "effective_status" => Some(objects.effective_status(target).into()),
                    "status" | "configured_status" => Some(target.status.name().into()),
                    _ => self
                        .node_value(*scope, &Node::new(resolve::kind_of(target.kind), target.id.to_string())),
                })
            }
        };
        self.compare(actual.as_ref())
    }

    fn node_value(&self, scope: Scope<'_>, node: &Node) -> Option<Value> {
        if self.field == "id" {
            Some(node.id.clone().into())
        } else {
            list::value_of(scope, node, &self.field)
        }
    }

    fn compare(&self, actual: Option<&Value>) -> bool {
        self.operator.holds(&self.value, actual)
    }
}

impl Operator {
    fn holds(self, wanted: &Value, actual: Option<&Value>) -> bool {
        let wanted: Vec<&Value> = match wanted {
            Value::Array(items) => items.iter().collect(),
            one => vec![one],
        };
        let order = |other: Option<&&Value>| actual.zip(other).and_then(|(a, b)| order(a, b));
        let is = |other: &Value| actual.is_some_and(|a| order_or_text(a, other) == Some(Ordering::Equal));
        let text = |value: &Value| plain(value).to_lowercase();
        let actual_text = actual.map(text).unwrap_or_default();
        let has = |other: &Value| match actual {
            Some(Value::Array(items)) => items.iter().any(|item| text(item) == text(other)),
            _ => actual_text == text(other),
        };
        match self {
            Operator::Equal => wanted.first().is_some_and(|w| is(w)),
            Operator::NotEqual => !wanted.first().is_some_and(|w| is(w)),
            Operator::GreaterThan => order(wanted.first()) == Some(Ordering::Greater),
            Operator::GreaterThanOrEqual => order(wanted.first()).is_some_and(Ordering::is_ge),
            Operator::LessThan => order(wanted.first()) == Some(Ordering::Less),
            Operator::LessThanOrEqual => order(wanted.first()).is_some_and(Ordering::is_le),
            Operator::InRange | Operator::NotInRange => {
                let inside = order(wanted.first()).is_some_and(Ordering::is_ge)
                    && order(wanted.get(1)).is_some_and(Ordering::is_le);
                inside == (self == Operator::InRange)
            }
            Operator::Contain => wanted.iter().any(|w| actual_text.contains(&text(w))),
            Operator::NotContain => !wanted.iter().any(|w| actual_text.contains(&text(w))),
            Operator::StartsWith => wanted.iter().any(|w| actual_text.starts_with(&text(w))),
            Operator::EndsWith => wanted.iter().any(|w| actual_text.ends_with(&text(w))),
            Operator::In | Operator::Any => wanted.iter().any(|w| has(w)),
            Operator::NotIn | Operator::None => !wanted.iter().any(|w| has(w)),
            Operator::All => wanted.iter().all(|w| has(w)),
        }
    }
}

/// Whether a value is what an operator wants; `None` when there is no such operator.
pub fn holds(operator: &str, wanted: &Value, actual: Option<&Value>) -> Option<bool> {
    Operator::parse(operator).map(|operator| operator.holds(wanted, actual))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Numbers and times by their size; anything else has no order.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    let number = |value: &Value| match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return a.partial_cmp(&b);
    }
    let time = |value: &Value| write::unix_time(&plain(value));
    Some(time(a)?.cmp(&time(b)?))
}

/// Ids are too long for floating point, so equal text decides first.
fn order_or_text(a: &Value, b: &Value) -> Option<Ordering> {
    let (left, right) = (plain(a), plain(b));
    if left == right {
        return Some(Ordering::Equal);
    }
    if left.len() > 15 && right.len() > 15 {
        return Some(left.cmp(&right));
    }
    order(a, b).or_else(|| Some(left.cmp(&right)))
}
