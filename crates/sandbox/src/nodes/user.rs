//! People and system users, and what they can reach. Source: graph-api/reference/user.

use serde_json::json;

use super::{Cell, Kind, List, Node, Route, Scope, edge, node, page, resolve};
use crate::{
    login,
    protocol::{GraphError, Params},
};

pub const ROUTES: &[Route] = &[
    node(Kind::User),
    edge(Kind::User, "adaccounts", ad_accounts),
    edge(Kind::User, "assigned_ad_accounts", ad_accounts),
    edge(Kind::User, "accounts", |scope, node, _| Ok(accounts(scope, node))),
    edge(Kind::User, "assigned_pages", |scope, node, _| Ok(assigned_pages(scope, node))),
    edge(Kind::User, "businesses", |scope, node, _| {
        if !scope.caller.has("business_management") {
            return Err(GraphError::new(100, "(#100) Missing permissions"));
        }
        let businesses = scope.world.identity.businesses.values();
        Ok(List::nodes(
            businesses
                .filter(|business| business.admins.contains(&node.id))
                .map(|business| Node::new(Kind::Business, &business.id))
                .filter(|business| resolve::may_read(scope.world, scope.caller, business).is_ok())
                .collect(),
        ))
    }),
    node(Kind::SystemUser),
    edge(Kind::SystemUser, "adaccounts", ad_accounts),
    edge(Kind::SystemUser, "assigned_ad_accounts", ad_accounts),
    edge(Kind::SystemUser, "accounts", |scope, node, _| Ok(accounts(scope, node))),
    edge(Kind::SystemUser, "assigned_pages", |scope, node, _| Ok(assigned_pages(scope, node))),
];

/// The ad accounts of the node that the token reaches.
fn ad_accounts<'a>(scope: Scope<'a>, node: &Node, _params: &Params) -> Result<List<'a>, GraphError> {
    if !scope.caller.has("ads_read") && !scope.caller.has("ads_management") {
        return Err(GraphError::new(200, "(#200) Missing Permissions").status(http::StatusCode::FORBIDDEN));
    }
    let nodes = scope
        .world
        .assets
        .ad_accounts
        .values()
        .filter(|account| account.users.contains(&node.id))
        .map(|account| Node::new(Kind::AdAccount, format!("act_{}", account.account_id)))
        .filter(|account| resolve::may_read(scope.world, scope.caller, account).is_ok())
        .collect();
    Ok(List::nodes(nodes))
}

/// The Pages of `/me/accounts`. Those of a portfolio are left out unless `business_management` is granted.
fn accounts(scope: Scope<'_>, node: &Node) -> List<'static> {
    if !scope.caller.has("pages_show_list") {
        return List::nodes(Vec::new());
    }
    let with_portfolios = scope.caller.has("business_management");
    let nodes = scope
        .world
        .assets
        .pages
        .values()
        .filter(|page| page.users.contains_key(&node.id))
        .filter(|page| page.business_id.is_none() || with_portfolios)
        .filter(|page| scope.caller.reaches("pages_show_list", &page.id))
        .map(|page| Node::new(Kind::Page, &page.id))
        .collect();
    List::nodes(nodes).with_default(page::OF_A_PERSON)
}

fn assigned_pages(scope: Scope<'_>, node: &Node) -> List<'static> {
    let nodes = scope
        .world
        .assets
        .pages
        .values()
        .filter(|page| page.users.contains_key(&node.id))
        .map(|page| Node::new(Kind::Page, &page.id))
        .filter(|page| resolve::may_read(scope.world, scope.caller, page).is_ok())
        .collect();
    List::nodes(nodes).with_default(page::OF_A_PERSON)
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let identity = &scope.world.identity;
    if let Some(user) = identity.system_users.get(&node.id) {
        return match name {
            "name" => Some(user.name.as_str().into()),
            "role" => Some("EMPLOYEE".into()),
            "client_business_id" => login::client_business_id(scope.caller).map(Into::into),
            _ => None,
        };
    }
    let person = identity.people.get(&node.id)?;
    let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
    Some(match name {
        "name" => person.name.as_str().into(),
        "first_name" | "short_name" => first.into(),
        "last_name" => last.into(),
        "email" => scope.caller.has("email").then_some(person.email.as_str())?.into(),
        "installed" => true.into(),
        "locale" => "en_US".into(),
        "picture" => json!({ "data": { "is_silhouette": true } }).into(),
        _ => return None,
    })
}
