//! Small words for the OpenAPI document.

use aide::{generate::in_context, openapi::ReferenceOr, openapi::StatusCode, transform::TransformOperation};

use super::answer;

/// Id (`accounts.create`), one line, and the rest in Markdown.
pub fn operation<'t>(
    operation: TransformOperation<'t>,
    id: &str,
    summary: &str,
    description: &str,
) -> TransformOperation<'t> {
    let resource = id.split_once('.').map_or(id, |(resource, _)| resource);
    operation.id(id).tag(resource).summary(summary).description(description)
}

/// Problems this operation may answer with, beyond those its extractors name.
pub fn problems<'t>(
    mut operation: TransformOperation<'t>,
    problems: &[(u16, &str)],
) -> TransformOperation<'t> {
    for (code, text) in problems {
        let response = in_context(|context| answer::problem(context, text));
        let responses = operation.inner_mut().responses.get_or_insert_default();
        responses.responses.insert(StatusCode::Code(*code), ReferenceOr::Item(response));
    }
    operation
}
