//! The first level of webhooks: what an app hears of, and where. Source: graph-api/reference/application/subscriptions.

use serde_json::{Value, json};
use url::{Host, Url};

use super::{Kind, List, Node, Request, Route, create, delete, edge, write};
use crate::{
    protocol::{Caller, GraphError},
    world::{
        World,
        identity::TokenKind,
        webhooks::{self, AppSubscription, Challenge},
    },
};

pub const ROUTES: &[Route] = &[
    edge(Kind::Application, "subscriptions", |scope, app, _| {
        the_app_itself(scope.caller, app)?;
        let rows = scope
            .world
            .webhooks
            .of_app(&app.id)
            .map(|(object, subscription)| {
                let fields: Vec<Value> = subscription
                    .fields
                    .iter()
                    .map(|field| json!({ "name": field, "version": subscription.version }))
                    .collect();
                json!({
                    "object": object,
                    "callback_url": subscription.callback_url,
                    "active": true,
                    "include_values": subscription.include_values,
                    "fields": fields,
                })
            })
            .collect();
        Ok(List::plain(rows))
    }),
    create(Kind::Application, "subscriptions", subscribe),
    delete(Kind::Application, Some("subscriptions"), |world, request, app| {
        the_app_itself(request.caller, app)?;
        let object = request.params().text("object");
        let fields = request.params().list("fields").unwrap_or_default();
        world.webhooks.unsubscribe_app(&app.id, object.as_deref(), &fields);
        Ok(json!({ "success": true }))
    }),
];

fn the_app_itself(caller: &Caller, app: &Node) -> Result<(), GraphError> {
    if caller.kind != TokenKind::App {
        return Err(GraphError::new(15, "(#15) This method must be called with an app access_token."));
    }
    if caller.app_id != app.id {
        return Err(GraphError::unsupported_get(&app.id));
    }
    Ok(())
}

/// Leaves the subscription to the server, which asks the callback before it counts.
fn subscribe(world: &mut World, request: &Request<'_>, app: &Node) -> Result<Value, GraphError> {
    the_app_itself(request.caller, app)?;
    let params = request.params();
    let object = params.text("object").ok_or_else(|| write::required("object"))?;
    let Some(known) = webhooks::fields_of(&object) else {
        let names: Vec<&str> = webhooks::objects().collect();
        return Err(write::not_one_of("object", &names, &object));
    };
    let before = world.webhooks.app_subscription(&app.id, &object);
    let fields = params
        .list("fields")
        .or_else(|| before.map(|before| before.fields.clone()))
        .filter(|fields| !fields.is_empty())
        .ok_or_else(|| write::required("fields"))?;
    if let Some(unknown) = fields.iter().find(|field| !known.contains(*field)) {
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        return Err(write::not_one_of("fields[0]", &names, unknown));
    }
    let callback_url = params
        .text("callback_url")
        .or_else(|| before.map(|before| before.callback_url.clone()))
        .ok_or_else(|| write::required("callback_url"))?;
    let verify_token = params.text("verify_token").ok_or_else(|| write::required("verify_token"))?;
    on_this_machine(&callback_url)?;
    let subscription = AppSubscription {
        callback_url,
        fields,
        include_values: params.bool("include_values").unwrap_or(false),
        version: request.version.to_owned(),
    };
    let text = (world.draw() % 1_000_000_000).to_string();
    let challenge = Challenge { app_id: app.id.clone(), object, verify_token, text, subscription };
    world.webhooks.challenges.push(challenge);
    Ok(json!({ "success": true }))
}

/// Nothing leaves this machine.
fn on_this_machine(callback_url: &str) -> Result<(), GraphError> {
    let url =
        Url::parse(callback_url).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(
            || GraphError::new(100, "(#100) Param callback_url must be a valid URL").blame(&["callback_url"]),
        )?;
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    if local {
        return Ok(());
    }
    Err(GraphError::new(
        2200,
        "(#2200) Callback verification failed: the adjoin sandbox calls back on this machine only (localhost, 127.0.0.1, [::1]).",
    ))
}
