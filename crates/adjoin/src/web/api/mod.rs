//! The JSON API, version 1: one folder a resource, one file a verb. Each file has its handler and its part of the
//! OpenAPI document; the routes are listed here.

mod answer;
mod caller;
mod describe;
mod input;
mod v1;

use std::sync::Arc;

use aide::{
    axum::{
        ApiRouter,
        routing::{delete_with, get_with, patch_with, post_with, put_with},
    },
    generate,
    openapi::{Info, OpenApi, SecurityScheme},
};
use axum::{
    Json, Router,
    http::{Method, StatusCode},
    response::IntoResponse,
    routing::{any, get},
};
use schemars::generate::{SchemaGenerator, SchemaSettings};

use crate::{
    service::{App, Who},
    web::problem::Problem,
};

pub use answer::Refused;
pub use caller::RateLimits;

use v1::{
    accounts, api_keys, app_subscriptions, calls, connect_sessions, connections, deliveries, endpoints,
    events, forms, leads, methods, quarantine, settings, setup, subscriptions,
};

type Result<T, E = Refused> = std::result::Result<T, E>;

/// One verb of a resource: `verb!(get accounts::list)`.
macro_rules! verb {
    ($with:ident $resource:ident :: $verb:ident) => {
        $with($resource::$verb::handle, $resource::$verb::describe)
    };
}

fn routes() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route("/v1/settings", verb!(get_with settings::get).merge(verb!(patch_with settings::change)))
        .api_route("/v1/setup", verb!(get_with setup::get).merge(verb!(put_with setup::save)))
        .api_route("/v1/api-keys", verb!(get_with api_keys::list).merge(verb!(post_with api_keys::create)))
        .api_route("/v1/api-keys/{api_key_id}", verb!(delete_with api_keys::revoke))
        .api_route("/v1/accounts", verb!(get_with accounts::list).merge(verb!(post_with accounts::create)))
        .api_route(
            "/v1/accounts/{account_id}",
            verb!(get_with accounts::get)
                .merge(verb!(patch_with accounts::rename))
                .merge(verb!(delete_with accounts::delete)),
        )
        .api_route("/v1/accounts/{account_id}/connect-sessions", verb!(post_with connect_sessions::create))
        .api_route(
            "/v1/accounts/{account_id}/connect-sessions/{connect_session_id}",
            verb!(get_with connect_sessions::get),
        )
        .api_route(
            "/v1/accounts/{account_id}/connect-sessions/{connect_session_id}/complete",
            verb!(post_with connect_sessions::complete),
        )
        .api_route(
            "/v1/accounts/{account_id}/connect-sessions/{connect_session_id}/accept-identity",
            verb!(post_with connect_sessions::accept_identity),
        )
        .api_route(
            "/v1/accounts/{account_id}/connect-sessions/{connect_session_id}/cancel",
            verb!(post_with connect_sessions::cancel),
        )
        .api_route("/v1/connections", verb!(get_with connections::list_all))
        .api_route(
            "/v1/accounts/{account_id}/connections",
            verb!(get_with connections::list).merge(verb!(post_with connections::install)),
        )
        .api_route("/v1/accounts/{account_id}/connections/{connection_id}", verb!(get_with connections::get))
        .api_route(
            "/v1/accounts/{account_id}/connections/{connection_id}/test",
            verb!(post_with connections::test),
        )
        .api_route(
            "/v1/accounts/{account_id}/connections/{connection_id}/reconnect",
            verb!(post_with connections::reconnect),
        )
        .api_route(
            "/v1/accounts/{account_id}/connections/{connection_id}/disconnect",
            verb!(post_with connections::disconnect),
        )
        .api_route("/v1/accounts/{account_id}/connections/{connection_id}/calls", verb!(get_with calls::list))
        .api_route(
            "/v1/accounts/{account_id}/connections/{connection_id}/methods/{method}",
            verb!(post_with methods::call),
        )
        .api_route("/v1/accounts/{account_id}/methods/{method}", verb!(post_with methods::call_of_account))
        .api_route("/v1/accounts/{account_id}/forms", verb!(get_with forms::list))
        .api_route("/v1/accounts/{account_id}/forms/sweep", verb!(post_with forms::sweep))
        .api_route("/v1/accounts/{account_id}/forms/{form_id}", verb!(get_with forms::get))
        .api_route("/v1/accounts/{account_id}/forms/{form_id}/backfill", verb!(post_with forms::backfill))
        .api_route(
            "/v1/accounts/{account_id}/forms/{form_id}/canary",
            verb!(post_with forms::canary_run).merge(verb!(put_with forms::canary_daily)),
        )
        .api_route("/v1/accounts/{account_id}/leads", verb!(get_with leads::list))
        .api_route("/v1/accounts/{account_id}/leads/erase", verb!(post_with leads::erase_person))
        .api_route("/v1/accounts/{account_id}/leads/retry", verb!(post_with leads::retry_all))
        .api_route(
            "/v1/accounts/{account_id}/leads/{lead_id}",
            verb!(get_with leads::get).merge(verb!(delete_with leads::erase)),
        )
        .api_route("/v1/accounts/{account_id}/leads/{lead_id}/retry", verb!(post_with leads::retry))
        .api_route("/v1/quarantine", verb!(get_with quarantine::list))
        .api_route("/v1/accounts/{account_id}/subscriptions", verb!(get_with subscriptions::list))
        .api_route("/v1/accounts/{account_id}/subscriptions/check", verb!(post_with subscriptions::check))
        .api_route("/v1/app-subscriptions", verb!(get_with app_subscriptions::list))
        .api_route("/v1/app-subscriptions/{object}/take-over", verb!(post_with app_subscriptions::take_over))
        .api_route("/v1/endpoints", verb!(get_with endpoints::list).merge(verb!(post_with endpoints::create)))
        .api_route(
            "/v1/endpoints/{endpoint_id}",
            verb!(get_with endpoints::get)
                .merge(verb!(patch_with endpoints::change))
                .merge(verb!(delete_with endpoints::delete)),
        )
        .api_route("/v1/endpoints/{endpoint_id}/rotate-secret", verb!(post_with endpoints::rotate_secret))
        .api_route("/v1/endpoints/{endpoint_id}/test", verb!(post_with endpoints::test))
        .api_route("/v1/endpoints/{endpoint_id}/recover", verb!(post_with endpoints::recover))
        .api_route("/v1/endpoints/{endpoint_id}/replay", verb!(post_with endpoints::replay))
        .api_route("/v1/endpoints/{endpoint_id}/deliveries", verb!(get_with endpoints::deliveries))
        .api_route("/v1/deliveries/{delivery_id}", verb!(get_with deliveries::get))
        .api_route("/v1/deliveries/{delivery_id}/replay", verb!(post_with deliveries::replay))
        .api_route("/v1/events", verb!(get_with events::list))
        .api_route("/v1/methods", verb!(get_with methods::list))
        .api_route(
            "/v1/methods/{method}",
            verb!(get_with methods::get).merge(verb!(post_with methods::call_local)),
        )
}

/// The API's routes, its document, and problems for paths and verbs that are not there.
pub fn router() -> Router<App> {
    let (router, document) = build();
    let document = Arc::new(document);
    router
        .route("/v1/openapi.json", get(async move || Json(&*document).into_response()))
        .route("/v1/{*path}", any(no_such_path))
        .method_not_allowed_fallback(wrong_verb)
}

/// The OpenAPI 3.1 document, as `/v1/openapi.json` serves it.
pub fn document() -> OpenApi {
    build().1
}

fn build() -> (Router<App>, OpenApi) {
    generate::in_context(|context| {
        context.schema = SchemaGenerator::new(
            SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = "/components/schemas".into()),
        );
    });
    let mut document = OpenApi {
        info: Info {
            title: "Adjoin".to_owned(),
            description: Some(
                "Connect the Facebook marketing assets of your customers (accounts), and call the Marketing API for \
                 them. Times are RFC 3339 in UTC, money is in minor currency units, ids are opaque text. Lists \
                 answer `data` and, when there is more, `next`: send it as `after`. What goes wrong is answered as \
                 `application/problem+json` with who can mend it and the next step."
                    .to_owned(),
            ),
            version: "1".to_owned(),
            ..Info::default()
        },
        ..OpenApi::default()
    };
    let router = routes().finish_api_with(&mut document, |api| {
        api.security_scheme("api_key", SecurityScheme::Http {
            scheme: "bearer".to_owned(),
            bearer_format: Some("adj_...".to_owned()),
            description: Some(
                "A key made at Settings > API keys. A key that is bound to one account sees only that account."
                    .to_owned(),
            ),
            extensions: OpenApi::default().extensions,
        })
        .security_requirement("api_key")
    });
    (router, document)
}

async fn no_such_path() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-such-path",
        "Nothing is here",
        "the API has no such path",
        Who::Partner,
        "see /v1/openapi.json for the paths there are",
    )
}

async fn wrong_verb(method: Method) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-verb",
        "The path does not take this verb",
        format!("the path is there, and it does not take {method}"),
        Who::Partner,
        "see /v1/openapi.json; the Allow header names the verbs it takes",
    )
}
