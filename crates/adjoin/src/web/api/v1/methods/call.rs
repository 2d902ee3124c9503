use aide::{
    OperationInput, OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as Described, StatusCode as Status},
    operation::{ParamLocation, add_parameters, parameters_from_schema},
    transform::TransformOperation,
};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request, State},
    http::{HeaderName, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    id::ConnectionId,
    service::{
        App, Error,
        methods::{self, Answer, Call, Shape},
    },
    web::{
        api::{
            Refused, Result,
            answer::early,
            caller::InAccount,
            describe as docs,
            input::{self, At, Query},
        },
        limits,
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct CallPath {
    /// The connection.
    connection_id: ConnectionId,
    /// The method, such as `ad_set.create`.
    method: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallQuery {
    /// For writes: only tell what would happen, by the rules and by Meta's own validation where it has one.
    #[serde(default)]
    pub preview: bool,
    /// For `ad_set.create` and `ad_set.update`: read the campaign, or the ad set as it stands, so that the rules can be
    /// certain. Without it an update is not checked here.
    #[serde(default = "yes")]
    pub look_up: bool,
}

const fn yes() -> bool {
    true
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<CallPath>,
    Query(query): Query<CallQuery>,
    key: IdempotencyKey,
    Arguments(arguments): Arguments,
) -> Result<Answered> {
    let call = Call {
        account_id: account.id,
        connection_id: Some(path.connection_id),
        method: path.method,
        arguments,
        preview: query.preview,
        look_up: query.look_up,
        idempotency_key: key.0,
    };
    Ok(Answered(methods::call(&app, call).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(operation, "methods.call", "Call a method", WHAT);
    docs::problems(operation, &PROBLEMS)
}

pub const WHAT: &str = "The body is the method's arguments, as `GET /v1/methods/{method}` describes them. Money is in minor \
    currency units; what is created is `PAUSED` unless the arguments say otherwise. A write is sent to Meta once: with \
    an `Idempotency-Key`, sending the same call again within a day answers what the first one did. Campaigns and ad sets are checked \
    against Meta's rules first, and what they reject is not sent.";

pub const PROBLEMS: [(u16, &str); 8] = [
    (403, "A permission is missing, here or by Meta's word"),
    (404, "No such account, connection or method, or not within the key's reach"),
    (409, "The connection cannot be used now, or the Idempotency-Key belongs to another call"),
    (
        422,
        "The arguments cannot be used (`faults`), the rules reject them (`findings`), or Meta does (`meta`)",
    ),
    (429, "Meta's limit is reached, or this key sends too many requests; `Retry-After` says when to go on"),
    (500, "Adjoin failed"),
    (502, "Meta failed, or a write's end is not known: look before sending it again"),
    (503, "Meta cannot be reached or cannot do it now"),
];

/// A method's arguments: a JSON object. No body at all is no arguments.
#[derive(Debug)]
pub struct Arguments(pub Map<String, Value>);

impl FromRequest<App> for Arguments {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        let headers = request.headers();
        let declared = headers.contains_key(header::CONTENT_TYPE).then(|| input::json_content(headers));
        let bytes = limits::body(request, app).await?;
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        declared.unwrap_or_else(|| input::json_content(&axum::http::HeaderMap::new()))?;
        input::parse(&bytes).map(Self)
    }
}

impl OperationInput for Arguments {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Json::<Map<String, Value>>::operation_input(context, operation);
    }

    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Status>, Described)> {
        early(context, &input::BODY_PROBLEMS)
    }
}

/// The `Idempotency-Key` header.
#[derive(Debug)]
pub struct IdempotencyKey(pub Option<String>);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refused> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(Self(None)) };
        let text = value.to_str().map_err(|_| {
            Error::invalid(
                "Idempotency-Key",
                "this cannot be a key",
                "visible ASCII characters, such as a UUID",
            )
        })?;
        Ok(Self(Some(text.to_owned())))
    }
}

impl OperationInput for IdempotencyKey {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        #[derive(JsonSchema)]
        struct Headers {
            /// For writes: 1 to 200 visible ASCII characters. The same key and the same call get the same answer for a
            /// day.
            #[serde(rename = "Idempotency-Key")]
            #[expect(dead_code, reason = "only described")]
            key: Option<String>,
        }
        let schema = <Headers as JsonSchema>::json_schema(&mut context.schema);
        let parameters = parameters_from_schema(context, schema, ParamLocation::Header);
        add_parameters(context, operation, parameters);
    }
}

/// A method's answer.
#[derive(Debug)]
pub struct Answered(pub Answer);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let mut response = ([(header::CONTENT_TYPE, JSON)], self.0.json).into_response();
        if self.0.replayed {
            response
                .headers_mut()
                .insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
        }
        response
    }
}

impl OperationOutput for Answered {
    type Inner = Shape<'static>;

    fn operation_response(context: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        Json::<Shape<'static>>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Status>, Described)> {
        Json::<Shape<'static>>::inferred_responses(context, operation)
    }
}
