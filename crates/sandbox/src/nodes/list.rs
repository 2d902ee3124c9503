//! Answering an edge: filters, pages, cursors, summary.

use serde_json::{Map, Value, json};

use super::{
    Cell, Kind, Node, Scope,
    filter::{Filter, Subject},
    read, resolve,
};
use crate::{
    protocol::{
        GraphError, Params, cursor,
        fields::{self, Field},
    },
    world::{leads, objects::ObjectKind},
};

const DEFAULT_LIMIT: usize = 25;
/// More is silently cut to this; the links go on from there.
const MAX_LIMIT: usize = 1000;

/// The rows of an edge before they are cut into pages.
pub struct List<'a> {
    pub rows: Rows<'a>,
    /// Fields of a row when the call names none; empty = those of its kind.
    pub default: &'static [&'static str],
}

pub enum Rows<'a> {
    /// Created objects, newest first.
    Objects { parent: u64, kind: ObjectKind },
    /// Few enough to be listed at once.
    Few(Vec<Row>),
    /// Rows that are worked out when they are looked at; cursors are row indices.
    Computed { count: usize, row: Box<dyn Fn(usize) -> Value + 'a>, summary: Option<Value> },
    /// Leads, newest first.
    Leads(leads::Query),
}

pub enum Row {
    Node(Node),
    Plain(Value),
}

impl List<'_> {
    pub fn objects(parent: u64, kind: ObjectKind) -> Self {
        Self { rows: Rows::Objects { parent, kind }, default: &[] }
    }

    pub fn nodes(nodes: Vec<Node>) -> Self {
        Self { rows: Rows::Few(nodes.into_iter().map(Row::Node).collect()), default: &[] }
    }

    pub fn leads(query: leads::Query) -> Self {
        Self { rows: Rows::Leads(query), default: &[] }
    }

    pub fn plain(rows: Vec<Value>) -> Self {
        Self { rows: Rows::Few(rows.into_iter().map(Row::Plain).collect()), default: &[] }
    }

    #[must_use]
    pub fn with_default(self, default: &'static [&'static str]) -> Self {
        Self { default, ..self }
    }
}

/// Which way from which cursor.
enum From {
    Start,
    After(u64),
    Before(u64),
}

/// What was cut out of the list.
struct Window {
    /// Cursor keys and rows, in answer order.
    rows: Vec<(u64, Value)>,
    more_after: bool,
    more_before: bool,
    total: Option<usize>,
}

/// One page of an edge of `node`.
pub fn page(
    scope: Scope<'_>,
    list: &List<'_>,
    node: &Node,
    edge: &str,
    params: &Params,
    fields: Option<&[Field]>,
) -> Result<Value, GraphError> {
    let limit = match params.text("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| {
                GraphError::new(100, "(#100) Param limit must be an integer greater than or equal to 0")
            })?
            .min(MAX_LIMIT),
    };
    let computed = matches!(list.rows, Rows::Computed { .. });
    let decode = |name: &str| -> Result<Option<u64>, GraphError> {
        let Some(text) = params.text(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let key = if computed {
            cursor::decode_index(&text).map(|index| index as u64)
        } else {
            cursor::decode(&text)
        };
        key.map(Some).ok_or_else(|| GraphError::new(100, format!("(#100) Invalid cursors values: {name}")))
    };
    let from = match (decode("after")?, decode("before")?) {
        (Some(key), _) => From::After(key),
        (None, Some(key)) => From::Before(key),
        (None, None) => From::Start,
    };
    let wants_total = params
        .list("summary")
        .is_some_and(|names| names.iter().any(|name| matches!(name.as_str(), "true" | "1" | "total_count")));
    let window = match &list.rows {
        Rows::Objects { parent, kind } => {
            objects(scope, *parent, *kind, list.default, &from, limit, wants_total, params, fields)?
        }
        Rows::Leads(query) => lead_rows(scope, query, &from, limit, wants_total, fields)?,
        Rows::Few(rows) => few(scope, rows, list.default, &from, limit, params, fields)?,
        Rows::Computed { count, row, .. } => computed_rows(*count, row, &from, limit, fields),
    };

    let encode = |key: u64| {
        if computed {
            cursor::encode_index(usize::try_from(key).unwrap_or_default())
        } else {
            cursor::encode(key)
        }
    };
    let mut answer = Map::new();
    let ends =
        window.rows.first().zip(window.rows.last()).map(|(first, last)| (encode(first.0), encode(last.0)));
    answer.insert("data".into(), window.rows.into_iter().map(|(_, row)| row).collect());
    if let Some((before, after)) = ends {
        let mut paging = Map::new();
        paging.insert("cursors".into(), json!({ "before": before, "after": after }));
        if window.more_after {
            paging.insert(
                "next".into(),
                link(scope, node, edge, params, fields, limit, ("after", &after)).into(),
            );
        }
        if window.more_before {
            paging.insert(
                "previous".into(),
                link(scope, node, edge, params, fields, limit, ("before", &before)).into(),
            );
        }
        answer.insert("paging".into(), Value::Object(paging));
    }
    if let Rows::Computed { summary: Some(summary), .. } = &list.rows {
        answer.insert("summary".into(), summary.clone());
    } else if let (true, Some(total)) = (wants_total, window.total) {
        answer.insert("summary".into(), json!({ "total_count": total }));
    }
    Ok(Value::Object(answer))
}

#[expect(clippy::too_many_arguments, reason = "the parts of one request, used once")]
fn objects(
    scope: Scope<'_>,
    parent: u64,
    kind: ObjectKind,
    default: &[&str],
    from: &From,
    limit: usize,
    wants_total: bool,
    params: &Params,
    fields: Option<&[Field]>,
) -> Result<Window, GraphError> {
    if let Some(fields) = fields {
        read::check_fields(resolve::kind_of(kind), fields)?;
    }
    let children = scope.world.objects.children(parent, kind);
    let ids = &children.ids;
    let filter = Filter::from_params(params, resolve::kind_of(kind))?;
    let keeps = |id: u64| {
        scope.world.objects.get(id).is_some_and(|object| filter.keeps(&Subject::Object { scope, object }))
    };
    // Newest first: a page goes down the ids, the page before it goes up.
    let mut found: Vec<u64> = Vec::with_capacity(limit.min(ids.len()) + 1);
    let mut more_before = false;
    let mut more_after = false;
    match from {
        From::Start | From::After(_) => {
            let end = match from {
                From::After(key) => ids.partition_point(|id| id < key),
                _ => ids.len(),
            };
            found.extend(ids[..end].iter().rev().copied().filter(|id| keeps(*id)).take(limit + 1));
            more_after = found.len() > limit;
            found.truncate(limit);
            more_before = matches!(from, From::After(_));
        }
        From::Before(key) => {
            let start = ids.partition_point(|id| id <= key);
            found.extend(ids[start..].iter().copied().filter(|id| keeps(*id)).take(limit + 1));
            more_before = found.len() > limit || more_before;
            found.truncate(limit);
            found.reverse();
            more_after |= !found.is_empty();
        }
    }
    let total = wants_total.then(|| {
        if filter.is_default() { children.visible() } else { ids.iter().filter(|id| keeps(**id)).count() }
    });
    let rows = found
        .into_iter()
        .map(|id| {
            let node = Node::new(resolve::kind_of(kind), id.to_string());
            read::node_fields(scope, &node, fields, default).map(|row| (id, row))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Window { rows, more_after, more_before, total })
}

fn few(
    scope: Scope<'_>,
    rows: &[Row],
    default: &[&str],
    from: &From,
    limit: usize,
    params: &Params,
    fields: Option<&[Field]>,
) -> Result<Window, GraphError> {
    let kind = rows.iter().find_map(|row| match row {
        Row::Node(node) => Some(node.kind),
        Row::Plain(_) => None,
    });
    let filter = match kind {
        Some(kind) => Filter::from_params(params, kind)?,
        None => Filter::default(),
    };
    let kept: Vec<&Row> = rows
        .iter()
        .filter(|row| match row {
            Row::Node(node) => filter.keeps(&Subject::Node { scope, node }),
            Row::Plain(_) => true,
        })
        .collect();
    let (start, end) = span(kept.len(), from, limit);
    let rows = kept[start..end]
        .iter()
        .enumerate()
        .map(|(i, row)| {
            let value = match row {
                Row::Node(node) => read::node_fields(scope, node, fields, default)?,
                Row::Plain(value) => read::project(value.clone(), fields),
            };
            Ok(((start + i) as u64, value))
        })
        .collect::<Result<Vec<_>, GraphError>>()?;
    Ok(Window { rows, more_after: end < kept.len(), more_before: start > 0, total: Some(kept.len()) })
}

fn lead_rows(
    scope: Scope<'_>,
    query: &leads::Query,
    from: &From,
    limit: usize,
    wants_total: bool,
    fields: Option<&[Field]>,
) -> Result<Window, GraphError> {
    if let Some(fields) = fields {
        read::check_fields(Kind::Lead, fields)?;
    }
    let from = match from {
        From::Start => leads::From::Start,
        From::After(id) => leads::From::After(*id),
        From::Before(id) => leads::From::Before(*id),
    };
    let keeps = |id: u64| !scope.world.scenarios.lead_is_gone(id);
    let page = scope.world.leads.page(query, keeps, from, limit);
    let rows = page
        .ids
        .into_iter()
        .map(|id| {
            let node = Node::new(Kind::Lead, id.to_string());
            read::node_fields(scope, &node, fields, &[]).map(|row| (id, row))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let total = wants_total.then(|| {
        if scope.world.scenarios.some_leads_are_gone() {
            scope.world.leads.count_kept(query, keeps)
        } else {
            scope.world.leads.count(query)
        }
    });
    Ok(Window { rows, more_after: page.more_after, more_before: page.more_before, total })
}

fn computed_rows(
    count: usize,
    row: &dyn Fn(usize) -> Value,
    from: &From,
    limit: usize,
    fields: Option<&[Field]>,
) -> Window {
    let (start, end) = span(count, from, limit);
    let rows = (start..end).map(|index| (index as u64, insights_row(row(index), fields))).collect();
    Window { rows, more_after: end < count, more_before: start > 0, total: Some(count) }
}

/// Computed rows already hold just what was asked for; only aliases are left.
fn insights_row(row: Value, fields: Option<&[Field]>) -> Value {
    let (Value::Object(mut map), Some(fields)) = (row.clone(), fields) else { return row };
    for field in fields {
        if field.key() != field.name
            && let Some(value) = map.remove(&field.name)
        {
            map.insert(field.key().to_owned(), value);
        }
    }
    Value::Object(map)
}

fn span(count: usize, from: &From, limit: usize) -> (usize, usize) {
    let index = |key: &u64| usize::try_from(*key).unwrap_or(usize::MAX);
    match from {
        From::Start => (0, limit.min(count)),
        From::After(key) => {
            let start = index(key).saturating_add(1).min(count);
            (start, start.saturating_add(limit).min(count))
        }
        From::Before(key) => {
            let end = index(key).min(count);
            (end.saturating_sub(limit), end)
        }
    }
}

/// A whole URL that needs nothing added: clients follow it as it is.
fn link(
    scope: Scope<'_>,
    node: &Node,
    edge: &str,
    params: &Params,
    fields: Option<&[Field]>,
    limit: usize,
    (direction, cursor): (&str, &str),
) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("access_token", &scope.caller.token);
    for name in ["appsecret_proof", "appsecret_time"] {
        if let Some(text) = scope.call.params.text(name) {
            query.append_pair(name, &text);
        }
    }
    if let Some(fields) = fields {
        query.append_pair("fields", &fields::to_text(fields));
    }
    for name in params.0.keys() {
        let skip = matches!(
            name.as_str(),
            "fields"
                | "limit"
                | "after"
                | "before"
                | "as"
                | "method"
                | "appsecret_proof"
                | "appsecret_time"
                | "id"
        );
        if let (false, Some(text)) = (skip, params.text(name)) {
            query.append_pair(name, &text);
        }
    }
    query.append_pair("limit", &limit.to_string());
    query.append_pair(direction, cursor);
    format!("{}/{}/{}/{edge}?{}", scope.call.base_url, scope.version, node.id, query.finish())
}

/// The value a filter compares, for rows that are nodes.
pub fn value_of(scope: Scope<'_>, node: &Node, field: &str) -> Option<Value> {
    match read::cell(scope, node, field)? {
        Cell::Value(value) => Some(value),
        Cell::Node(node, _) => Some(node.id.into()),
    }
}
