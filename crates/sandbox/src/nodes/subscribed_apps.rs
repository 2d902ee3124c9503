//! The second level of webhooks: apps on a Page, and apps on an ad account.
//! Sources: graph-api/reference/page/subscribed_apps, ads-webhooks/setup/get-started.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Kind, List, Node, Request, Route, Scope, create, delete, edge, write};
use crate::{
    login,
    protocol::{Caller, GraphError, Params},
    world::{World, identity::TokenKind, webhooks},
};

pub const ROUTES: &[Route] = &[
    edge(Kind::Page, "subscribed_apps", apps_of_page),
    create(Kind::Page, "subscribed_apps", subscribe_page),
    delete(Kind::Page, Some("subscribed_apps"), |world, request, page| {
        may_subscribe(world, request.caller, page)?;
        world.webhooks.unsubscribe_page(&page.id, &request.caller.app_id);
        Ok(json!({ "success": true }))
    }),
    edge(Kind::AdAccount, "subscribed_apps", |scope, account, _| {
        let apps = scope.world.webhooks.apps_of_account(account.number());
        Ok(List::plain(
            // The guide shows `name` and `id`, the SDK's type the other two.
            apps.map(|app| {
                let name = app_name(scope.world, app);
                json!({ "name": name, "id": app, "app_id": app, "app_name": name })
            })
            .collect(),
        ))
    }),
    create(Kind::AdAccount, "subscribed_apps", |world, request, account| {
        let app = app_for_account(world, request)?;
        world.webhooks.subscribe_account(account.number(), &app);
        Ok(json!({ "success": true }))
    }),
    delete(Kind::AdAccount, Some("subscribed_apps"), |world, request, account| {
        let app = app_for_account(world, request)?;
        world.webhooks.unsubscribe_account(account.number(), &app);
        Ok(json!({ "success": true }))
    }),
];

fn app_name<'w>(world: &'w World, app: &str) -> &'w str {
    world.identity.apps.get(app).map_or("", |app| &app.name)
}

fn apps_of_page<'a>(scope: Scope<'a>, page: &Node, _params: &Params) -> Result<List<'a>, GraphError> {
    if !scope.caller.is_page(&page.id) {
        return Err(page_token_required());
    }
    let apps = scope.world.webhooks.apps_of_page(&page.id);
    let rows = apps
        .map(|(app, fields)| {
            json!({
                "category": "Business",
                "link": format!("https://www.facebook.com/games/?app_id={app}"),
                "name": app_name(scope.world, app),
                "id": app,
                "subscribed_fields": fields,
            })
        })
        .collect();
    Ok(List::plain(rows))
}

fn subscribe_page(world: &mut World, request: &Request<'_>, page: &Node) -> Result<Value, GraphError> {
    may_subscribe(world, request.caller, page)?;
    let mut fields = request
        .params()
        .list("subscribed_fields")
        .filter(|fields| !fields.is_empty())
        .ok_or_else(|| write::required("subscribed_fields"))?;
    let known = webhooks::fields_of("page");
    if let Some(unknown) = fields.iter().find(|field| !known.is_some_and(|known| known.contains(*field))) {
        let names: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
        return Err(write::not_one_of("subscribed_fields[0]", &names, unknown));
    }
    // Whoever may not read leads may not be told of them.
    let may_read =
        request.caller.reaches("leads_retrieval", &page.id) && !world.scenarios.leads_permission_missing();
    if let Some(field) = fields.iter().find(|field| field.starts_with("leadgen") && !may_read) {
        return Err(GraphError::new(
            200,
            format!("(#200) To subscribe to the {field} field, one of these permissions is needed: leads_retrieval"),
        )
        .status(StatusCode::FORBIDDEN));
    }
    let app = &request.caller.app_id;
    if world.scenarios.subscribed_apps_merge() {
        let before = world.webhooks.page_fields(&page.id, app).unwrap_or_default();
        let kept: Vec<String> = before.iter().filter(|field| !fields.contains(field)).cloned().collect();
        fields.splice(0..0, kept);
    }
    world.webhooks.subscribe_page(&page.id, app, fields);
    Ok(json!({ "success": true }))
}

fn page_token_required() -> GraphError {
    GraphError::new(210, "(#210) A page access token is required to request this resource.")
}

fn may_subscribe(world: &World, caller: &Caller, page: &Node) -> Result<(), GraphError> {
    if !caller.is_page(&page.id) {
        return Err(page_token_required());
    }
    let forbidden = |message: &str| Err(GraphError::new(200, message).status(StatusCode::FORBIDDEN));
    if !caller.has("pages_manage_metadata") {
        return forbidden("(#200) Requires pages_manage_metadata permission to manage the object");
    }
    if !login::has_task(world, &page.id, caller.kind.subject(), &["CREATE_CONTENT", "MANAGE", "MODERATE"]) {
        return forbidden(
            "(#200) User does not have sufficient administrative permission for this action on this page.",
        );
    }
    Ok(())
}

/// The app to subscribe: the caller's own. It takes a person or a system user; the older way also names the app.
fn app_for_account(world: &World, request: &Request<'_>) -> Result<String, GraphError> {
    if !matches!(request.caller.kind, TokenKind::User { .. } | TokenKind::SystemUser { .. }) {
        return Err(GraphError::new(200, "(#200) An admin of the ad account must make this call.")
            .status(StatusCode::FORBIDDEN));
    }
    match request.params().text("app_id") {
        Some(app) if app != request.caller.app_id || !world.identity.apps.contains_key(&app) => {
            Err(GraphError::new(100, "(#100) Param app_id must be the app that calls").blame(&["app_id"]))
        }
        _ => Ok(request.caller.app_id.clone()),
    }
}
