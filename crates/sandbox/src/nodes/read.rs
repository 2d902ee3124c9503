//! Reading a node: the requested fields, nested as deep as asked.

use serde_json::{Map, Value, json};

use super::{
    Action, Cell, Kind, Node, Scope, ad, ad_account, ad_creative, ad_image, ad_set, ad_video, application,
    business, campaign, catalog, find, lead, lead_form, list, page, pixel, report_run, resolve, table, user,
};
use crate::protocol::{
    GraphError, Method, Params,
    fields::{self, Field},
};

/// The answer to `GET /{node}`.
pub fn top(
    scope: Scope<'_>,
    node: &Node,
    params: &Params,
    fields: Option<&[Field]>,
) -> Result<Value, GraphError> {
    let mut value = node_fields(scope, node, fields, &[])?;
    if params.bool("metadata") == Some(true) {
        value["metadata"] = metadata(scope, node);
    }
    Ok(value)
}

/// The fields of a node. Without `fields`, those of `default`, and if that is empty those of its kind.
pub fn node_fields(
    scope: Scope<'_>,
    node: &Node,
    fields: Option<&[Field]>,
    default: &[&str],
) -> Result<Value, GraphError> {
    scope.room.take()?;
    let plain;
    let fields = if let Some(fields) = fields {
        fields
    } else {
        plain = if default.is_empty() {
            fields::plain(table::of(node.kind).default.iter().map(String::as_str))
        } else {
            fields::plain(default.iter().copied())
        };
        &plain
    };
    let mut map = Map::new();
    for field in fields {
        if let Some(value) = read_field(scope, node, field)? {
            map.insert(field.key().to_owned(), value);
        }
    }
    // Meta always tells the id, at the end when nobody asked.
    if !map.contains_key("id") {
        map.insert("id".into(), node.id.clone().into());
    }
    Ok(Value::Object(map))
}

/// Refuses fields the kind does not have, for lists that may have no row to find out with.
pub fn check_fields(kind: Kind, fields: &[Field]) -> Result<(), GraphError> {
    fields.iter().try_for_each(|field| {
        let known = field.name == "id"
            || table::of(kind).has_field(&field.name)
            || find(Method::Get, kind, Some(&field.name)).is_some();
        if known { Ok(()) } else { Err(nonexisting(kind, &field.name)) }
    })
}

fn nonexisting(kind: Kind, field: &str) -> GraphError {
    GraphError::new(
        100,
        format!("(#100) Tried accessing nonexisting field ({field}) on node type ({})", kind.type_name()),
    )
}

fn read_field(scope: Scope<'_>, node: &Node, field: &Field) -> Result<Option<Value>, GraphError> {
    if field.name == "id" {
        return Ok(Some(node.id.clone().into()));
    }
    let known = table::of(node.kind).has_field(&field.name);
    if !known {
        return match find(Method::Get, node.kind, Some(&field.name)) {
            Some(Action::List(list)) => {
                let mut params = Params::default();
                for (name, argument) in &field.modifiers {
                    params.add_text(name, argument.clone());
                }
                let list = list(scope, node, &params)?;
                list::page(scope, &list, node, &field.name, &params, field.sub.as_deref()).map(Some)
            }
            _ => Err(nonexisting(node.kind, &field.name)),
        };
    }
    match cell(scope, node, &field.name) {
        None | Some(Cell::Value(Value::Null)) => Ok(None),
        Some(Cell::Value(value)) => Ok(Some(project(value, field.sub.as_deref()))),
        Some(Cell::Node(other, default)) => {
            if resolve::may_read(scope.world, scope.caller, &other).is_ok() {
                node_fields(scope, &other, field.sub.as_deref(), default).map(Some)
            } else {
                // The link shows, what is behind it does not.
                Ok(Some(json!({ "id": other.id })))
            }
        }
    }
}

/// The raw value of a field; `None` when it has none.
pub fn cell(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    match node.kind {
        Kind::AdAccount => ad_account::field(scope, node, name),
        Kind::Campaign => campaign::field(scope, node, name),
        Kind::AdSet => ad_set::field(scope, node, name),
        Kind::Ad => ad::field(scope, node, name),
        Kind::AdCreative => ad_creative::field(scope, node, name),
        Kind::AdImage => ad_image::field(scope, node, name),
        Kind::AdVideo => ad_video::field(scope, node, name),
        Kind::Pixel => pixel::field(scope, node, name),
        Kind::Page => page::field(scope, node, name),
        Kind::LeadForm => lead_form::field(scope, node, name),
        Kind::Lead => lead::field(scope, node, name),
        Kind::Catalog => catalog::field(scope, node, name),
        Kind::ProductSet => catalog::product_set_field(scope, node, name),
        Kind::Business => business::field(scope, node, name),
        Kind::User | Kind::SystemUser => user::field(scope, node, name),
        Kind::Application => application::field(scope, node, name),
        Kind::ReportRun => report_run::field(scope, node, name),
    }
}

/// Sub-fields of a plain value: `targeting{geo_locations}`.
pub fn project(value: Value, sub: Option<&[Field]>) -> Value {
    let Some(sub) = sub else { return value };
    match value {
        Value::Object(mut map) => Value::Object(
            sub.iter()
                .filter_map(|field| {
                    let value = map.remove(&field.name)?;
                    Some((field.key().to_owned(), project(value, field.sub.as_deref())))
                })
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(|item| project(item, Some(sub))).collect(),
        other => other,
    }
}

fn metadata(scope: Scope<'_>, node: &Node) -> Value {
    let fields: Vec<Value> = table::of(node.kind).fields().map(|name| json!({ "name": name })).collect();
    let connections: Map<String, Value> = super::ROUTES
        .iter()
        .flat_map(|routes| routes.iter())
        .filter(|route| route.kind == node.kind && matches!(route.action, Action::List(_)))
        .filter_map(|route| {
            let edge = route.edge?;
            Some((
                edge.to_owned(),
                format!("{}/{}/{}/{edge}", scope.call.base_url, scope.version, node.id).into(),
            ))
        })
        .collect();
    json!({ "type": node.kind.type_name().to_lowercase(), "fields": fields, "connections": connections })
}
