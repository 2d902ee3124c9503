//! What the API takes: JSON bodies, query and path. Whatever cannot be used becomes a problem that names the place.

use std::{fmt, str::FromStr};

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{Operation, Response, StatusCode as Status},
    operation::{ParamLocation, add_parameters, parameters_from_schema},
};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, StatusCode, request::Parts},
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use super::answer::{Refused, early};
use crate::{
    service::{App, Error, Who},
    web::{fields, limits, problem::Problem},
};

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        json_content(request.headers())?;
        let bytes = limits::body(request, app).await?;
        parse(&bytes).map(Self)
    }
}

pub fn json_content(headers: &HeaderMap) -> Result<(), Refused> {
    let media = limits::media_type(headers);
    let is_json = media.eq_ignore_ascii_case("application/json")
        || (media.len() > 5
            && media.to_ascii_lowercase().starts_with("application/")
            && media.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    let found =
        if media.is_empty() { "it has no Content-Type".to_owned() } else { format!("it is {media:?}") };
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-json",
        "The body must be JSON",
        format!("the body must be JSON, and {found}"),
        Who::Partner,
        "send `Content-Type: application/json`",
    )
    .into())
}

/// Reads JSON text as a `T`: a syntax error is answered with its line and column, a value that does not fit with its
/// path and what would fit.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    if let Some(fault) = fields::nul_in_json(bytes) {
        return Err(Error::Invalid(vec![fault]).into());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            Error::Invalid(vec![fields::misfit(&path, &inner.to_string())]).into()
        } else {
            malformed(&inner.to_string())
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error.to_string()))?;
    Ok(value)
}

fn malformed(reason: &str) -> Refused {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed-json",
        "The body is not JSON",
        format!("the body cannot be read: {reason}"),
        Who::Partner,
        "mend the body at the place named and send it again; nothing was done",
    )
    .into()
}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(context, operation);
    }

    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Status>, Response)> {
        early(context, &BODY_PROBLEMS)
    }
}

pub const BODY_PROBLEMS: [(u16, &str); 4] = [
    (400, "The body is not JSON; the detail names line and column"),
    (413, "The body is larger than 1 MiB"),
    (415, "The body is not declared as JSON"),
    (422, "The input cannot be used; `faults` names each field"),
];

/// Query parameters.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refused> {
        fields::from_pairs(parts.uri.query().unwrap_or_default().as_bytes())
            .map(Self)
            .map_err(|fault| Error::Invalid(vec![fault]).into())
    }
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = context.schema.subschema_for::<T>();
        let parameters = parameters_from_schema(context, schema, ParamLocation::Query);
        add_parameters(context, operation, parameters);
    }

    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Status>, Response)> {
        early(context, &[(422, "The input cannot be used; `faults` names each field")])
    }
}

/// Most entries a page has, 1 to 100.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "u64", inline, extend("minimum" = 1, "maximum" = 100, "default" = 25))]
pub struct Limit(pub usize);

impl Default for Limit {
    fn default() -> Self {
        Self(25)
    }
}

impl TryFrom<String> for Limit {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = text.parse().ok().filter(|number| (1..=100).contains(number));
        // What stands behind "expected" becomes the fix.
        number.map(Self).ok_or("it is not a number within the limits, expected 1 to 100")
    }
}

/// `next` of the page before: the last id there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String", bound(deserialize = "Id: FromStr"))]
#[schemars(with = "String", inline)]
pub struct Cursor<Id>(Id);

impl<Id: FromStr> TryFrom<String> for Cursor<Id> {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| "it is no cursor of this list, expected `next` of the page before")
    }
}

impl<Id: fmt::Display> Cursor<Id> {
    pub fn text(cursor: Option<&Self>) -> Option<String> {
        cursor.map(|cursor| cursor.0.to_string())
    }
}

/// Path parameters. An id that is none is *not found*, as one that is not there.
#[derive(Debug)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for At<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        match Path::from_request_parts(parts, app).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(Error::NotFound { what: "what the path names" }.into()),
        }
    }
}

impl<T: JsonSchema> OperationInput for At<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = context.schema.subschema_for::<T>();
        let parameters = parameters_from_schema(context, schema, ParamLocation::Path);
        add_parameters(context, operation, parameters);
    }

    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Status>, Response)> {
        early(context, &[(404, "Not there, or not within the key's reach")])
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;
    use crate::service::Fault;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its name matters")]
        name: String,
        #[expect(dead_code, reason = "only its name matters")]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its name matters")]
        count: u32,
    }

    fn fault(text: &str) -> Fault {
        let problem = parse::<Sample>(text.as_bytes()).unwrap_err().0;
        assert_eq!(problem.status, 422, "{problem:?}");
        problem.faults[0].clone()
    }

    #[test]
    fn a_misfit_names_its_place_and_what_would_fit() {
        let unknown = fault(r#"{"nane":"x"}"#);
        assert_eq!((unknown.field.as_str(), unknown.fix.as_str()), ("nane", "did you mean name?"));
        assert_eq!(fault(r#"{"inner":{"cuont":1}}"#).field, "inner.cuont");
        assert_eq!(fault(r#"{"inner":{}}"#).field, "inner.count");
        assert_eq!(fault(r#"{"inner":{"count":"x"}}"#).field, "inner.count");
        assert_eq!(fault("{}").field, "name");
    }

    #[test]
    fn a_nul_is_named_where_it_stands() {
        assert_eq!(fault(r#"{"name":"a\u0000b"}"#), Fault::nul("name"));
        assert_eq!(fault(r#"{"name":"a","inner":{"count":[1,"\u0000"]}}"#), Fault::nul("inner.count[1]"));
        assert_eq!(fault(r#"{"na\u0000me":"a"}"#), Fault::nul("na\u{2400}me"));
        assert!(parse::<Sample>(br#"{"name":"a backslash and u0000: \\u0000"}"#).is_ok());
    }

    #[test]
    fn malformed_json_is_answered_with_line_and_column() {
        for text in ["{\n  \"name\": }", "{\"name\":\"x\"", "{\"name\":\"x\"} x", ""] {
            let problem = parse::<Sample>(text.as_bytes()).unwrap_err().0;
            assert_eq!(problem.status, 400, "{text}");
            assert!(
                problem.detail.contains("line") && problem.detail.contains("column"),
                "{}",
                problem.detail
            );
        }
    }

    #[test]
    fn json_is_told_by_its_type() {
        let accepts = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            json_content(&headers).is_ok()
        };
        assert!(accepts("application/json; charset=utf-8") && accepts("application/merge-patch+json"));
        assert!(!accepts("text/plain") && !accepts("application/x-www-form-urlencoded") && !accepts("+json"));
    }
}
