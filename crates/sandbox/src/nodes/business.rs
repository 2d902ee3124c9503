//! Business portfolios. Source: marketing-api/reference/business.

use serde_json::json;

use super::{Cell, Kind, List, Node, Route, Scope, edge, node};
use crate::world::assets::{AdAccount, Page};

pub const ROUTES: &[Route] = &[
    node(Kind::Business),
    edge(Kind::Business, "owned_pages", |scope, node, _| {
        Ok(pages(scope, |page| page.business_id.as_ref() == Some(&node.id)))
    }),
    edge(Kind::Business, "client_pages", |scope, node, _| {
        Ok(pages(scope, |page| page.client_businesses.contains(&node.id)))
    }),
    edge(Kind::Business, "owned_ad_accounts", |scope, node, _| {
        Ok(ad_accounts(scope, |account| account.business_id.as_ref() == Some(&node.id)))
    }),
    edge(Kind::Business, "client_ad_accounts", |scope, node, _| {
        Ok(ad_accounts(scope, |account| account.client_businesses.contains(&node.id)))
    }),
    edge(Kind::Business, "adspixels", |scope, node, _| Ok(pixels(scope, node))),
    edge(Kind::Business, "owned_pixels", |scope, node, _| Ok(pixels(scope, node))),
    edge(Kind::Business, "owned_product_catalogs", |scope, node, _| {
        let catalogs = scope.world.assets.catalogs.values();
        Ok(List::nodes(
            catalogs
                .filter(|catalog| catalog.business_id == node.id)
                .map(|catalog| Node::new(Kind::Catalog, &catalog.id))
                .collect(),
        ))
    }),
    edge(Kind::Business, "client_product_catalogs", |_, _, _| Ok(List::nodes(Vec::new()))),
    edge(Kind::Business, "owned_apps", |scope, _, _| {
        Ok(List::nodes(
            scope.world.assets.applications.keys().map(|id| Node::new(Kind::Application, id)).collect(),
        )
        .with_default(&["name", "id"]))
    }),
    edge(Kind::Business, "business_users", |scope, node, _| {
        let admins =
            scope.world.identity.businesses.get(&node.id).map_or(&[][..], |business| &business.admins);
        let rows = admins
            .iter()
            .filter_map(|id| scope.world.identity.people.get(id))
            .map(|person| {
                json!({
                    "id": person.id,
                    "name": person.name,
                    "role": "ADMIN",
                    "business": { "id": node.id },
                })
            })
            .collect();
        Ok(List::plain(rows))
    }),
    edge(Kind::Business, "system_users", |scope, node, _| {
        let users = scope.world.identity.system_users.values();
        Ok(List::nodes(
            users
                .filter(|user| user.business_id == node.id)
                .map(|user| Node::new(Kind::SystemUser, &user.id))
                .collect(),
        )
        .with_default(&["id", "name", "role"]))
    }),
];

fn pages(scope: Scope<'_>, wanted: impl Fn(&Page) -> bool) -> List<'static> {
    let pages = scope.world.assets.pages.values().filter(|page| wanted(page));
    List::nodes(pages.map(|page| Node::new(Kind::Page, &page.id)).collect())
}

fn ad_accounts(scope: Scope<'_>, wanted: impl Fn(&AdAccount) -> bool) -> List<'static> {
    let accounts = scope.world.assets.ad_accounts.values().filter(|account| wanted(account));
    List::nodes(
        accounts.map(|account| Node::new(Kind::AdAccount, format!("act_{}", account.account_id))).collect(),
    )
}

fn pixels(scope: Scope<'_>, node: &Node) -> List<'static> {
    let pixels = scope.world.assets.pixels.values();
    List::nodes(
        pixels
            .filter(|pixel| pixel.business_id.as_ref() == Some(&node.id))
            .map(|pixel| Node::new(Kind::Pixel, &pixel.id))
            .collect(),
    )
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let business = scope.world.identity.businesses.get(&node.id)?;
    Some(match name {
        "name" => business.name.as_str().into(),
        "verification_status" => "verified".into(),
        "timezone_id" => 1.into(),
        "vertical" => "OTHER".into(),
        "is_hidden" => false.into(),
        _ => return None,
    })
}
