//! What the API answers with.

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{MediaType, Operation, Response as Described, SchemaObject, StatusCode as Status},
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{service::Error, store::Page, web::problem::Problem};

/// An answer that is a problem. Boxed, since it is the rare one.
#[derive(Debug)]
pub struct Refused(pub Box<Problem>);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl OperationOutput for Refused {
    type Inner = Problem;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<Described> {
        Some(problem(context, "What went wrong, who can mend it, and the next step"))
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Status>, Described)> {
        Self::operation_response(context, operation).map(|response| (None, response)).into_iter().collect()
    }
}

/// The description of a problem answer.
pub fn problem(context: &mut GenContext, description: &str) -> Described {
    let json_schema = context.schema.subschema_for::<Problem>();
    let media = MediaType {
        schema: Some(SchemaObject { json_schema, example: None, external_docs: None }),
        ..MediaType::default()
    };
    Described {
        description: description.to_owned(),
        content: std::iter::once(("application/problem+json".to_owned(), media)).collect(),
        ..Described::default()
    }
}

/// Problems that an extractor may answer with.
pub fn early(context: &mut GenContext, problems: &[(u16, &str)]) -> Vec<(Option<Status>, Described)> {
    problems.iter().map(|(code, text)| (Some(Status::Code(*code)), problem(context, text))).collect()
}

/// Something was made: 201.
#[derive(Debug)]
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

impl<T: JsonSchema> OperationOutput for Created<T> {
    type Inner = T;

    fn operation_response(context: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        Json::<T>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Status>, Described)> {
        Self::operation_response(context, operation)
            .map(|response| (Some(Status::Code(201)), response))
            .into_iter()
            .collect()
    }
}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct List<T> {
    pub data: Vec<T>,
    /// Send it as `after` to read on; null on the last page.
    pub next: Option<String>,
}

impl<T> List<T> {
    pub fn from_page<R>(page: Page<R>, view: impl FnMut(R) -> T) -> Json<Self> {
        Json(Self { data: page.items.into_iter().map(view).collect(), next: page.next })
    }

    /// A list that is never long.
    pub fn whole(data: Vec<T>) -> Json<Self> {
        Json(Self { data, next: None })
    }
}
