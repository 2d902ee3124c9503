//! HTTP in, HTTP out: a request becomes a [`Call`], an [`Answer`] becomes a response.

use axum::{body::Body, extract::Request, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::{Answer, Call, FilePart, GraphError, Method, Params, version::Version};

/// Bodies that carry images, video chunks or a thousand events.
const UPLOAD_LIMIT: usize = 64 * 1024 * 1024;
/// All other bodies.
const BODY_LIMIT: usize = 1024 * 1024;
/// Parts of a multipart body.
const PART_LIMIT: usize = 200;

/// Reads a whole request.
pub async fn read(request: Request, public_url: &str) -> Result<Call, GraphError> {
    let (parts, body) = request.into_parts();
    let method = match parts.method.as_str() {
        "GET" | "HEAD" => Method::Get,
        "POST" | "PUT" => Method::Post,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        other => {
            return Err(GraphError::new(100, format!("Unsupported {} request.", other.to_lowercase()))
                .status(StatusCode::METHOD_NOT_ALLOWED));
        }
    };
    let content_type = text(&parts.headers, header::CONTENT_TYPE).unwrap_or_default();
    let uploads = content_type.starts_with("multipart/")
        || ["/adimages", "/advideos", "/events"]
            .iter()
            .any(|edge| parts.uri.path().trim_end_matches('/').ends_with(edge));
    let limit = if uploads { UPLOAD_LIMIT } else { BODY_LIMIT };
    let body = axum::body::to_bytes(body, limit).await.map_err(|_| {
        GraphError::new(1, format!("The request body is unreadable or larger than {limit} bytes."))
            .status(StatusCode::PAYLOAD_TOO_LARGE)
    })?;

    let mut params = Params::default();
    params.add_urlencoded(parts.uri.query().unwrap_or_default().as_bytes());
    let mut files = Vec::new();
    add_body(&mut params, &mut files, content_type, body).await?;
    let mut call = from_target(method, parts.uri.path(), params, files);
    call.token = call.token.or_else(|| authorization(&parts.headers));
    public_url.clone_into(&mut call.base_url);
    Ok(call)
}

/// A call from its path and merged parameters: takes out version, token and method override.
pub fn from_target(method: Method, path: &str, mut params: Params, files: Vec<FilePart>) -> Call {
    let mut path: Vec<String> =
        path.split('/').filter(|segment| !segment.is_empty()).map(percent_decode).collect();
    let version = path.first().filter(|first| Version::parse(first).is_some()).cloned();
    if version.is_some() {
        path.remove(0);
    }
    let token = params.take_text("access_token").filter(|token| !token.is_empty());
    let method = match (method, params.text("method").as_deref().map(str::to_ascii_lowercase).as_deref()) {
        (Method::Post, Some("delete")) => Method::Delete,
        (Method::Post, Some("patch")) => Method::Patch,
        (Method::Post, Some("get")) => Method::Get,
        (method, _) => method,
    };
    Call { method, version, path, params, files, token, base_url: String::new() }
}

fn percent_decode(segment: &str) -> String {
    // A path has no `+` for space, unlike a form.
    let protected = segment.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={}", protected.replace('&', "%26")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn authorization(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth"))
        .then(|| token.trim().to_owned())
        .filter(|token| !token.is_empty())
}

/// Where clients reach us: the operator's own answer, or the host they wrote.
pub fn base_url(headers: &HeaderMap, configured: Option<&str>, tls: bool) -> String {
    configured.map_or_else(
        || {
            let host = text(headers, header::HOST).unwrap_or("localhost");
            format!("{}://{host}", if tls { "https" } else { "http" })
        },
        |url| url.trim_end_matches('/').to_owned(),
    )
}

async fn add_body(
    params: &mut Params,
    files: &mut Vec<FilePart>,
    content_type: &str,
    body: Bytes,
) -> Result<(), GraphError> {
    if body.is_empty() {
        return Ok(());
    }
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "multipart/form-data" => add_multipart(params, files, content_type, body).await,
        "application/x-www-form-urlencoded" => {
            params.add_urlencoded(&body);
            Ok(())
        }
        _ => match serde_json::from_slice(&body) {
            Ok(Value::Object(map)) => {
                params.0.extend(map);
                Ok(())
            }
            Ok(_) if media == "application/json" => Ok(()),
            Err(_) if media == "application/json" => {
                Err(GraphError::new(100, "(#100) The request body is not valid JSON"))
            }
            // No media type, or one nobody expects: what is not JSON is read as a form.
            _ => {
                params.add_urlencoded(&body);
                Ok(())
            }
        },
    }
}

async fn add_multipart(
    params: &mut Params,
    files: &mut Vec<FilePart>,
    content_type: &str,
    body: Bytes,
) -> Result<(), GraphError> {
    let malformed = |_| GraphError::new(100, "(#100) The multipart body cannot be read");
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    let stream = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    let mut multipart = multer::Multipart::new(stream, boundary);
    for _ in 0..PART_LIMIT {
        let Some(field) = multipart.next_field().await.map_err(malformed)? else { return Ok(()) };
        let part_name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let is_text = file_name.is_none()
            && field.content_type().is_none_or(|mime| {
                mime.essence_str().starts_with("text/") || mime.essence_str() == "application/json"
            });
        let content = field.bytes().await.map_err(malformed)?;
        match std::str::from_utf8(&content) {
            Ok(text) if is_text => params.add_text(&part_name, text.to_owned()),
            _ => files.push(FilePart { part_name, file_name, content }),
        }
    }
    Err(GraphError::new(100, format!("(#100) A multipart body may have at most {PART_LIMIT} parts")))
}

/// Writes an answer; `jsonp` is the function name of a JSONP call.
pub fn write(answer: Answer, jsonp: Option<&str>) -> Response {
    let mut text = if answer.pretty {
        serde_json::to_string_pretty(&answer.body).unwrap_or_default()
    } else {
        answer.body.to_string()
    };
    let mut content_type = HeaderValue::from_static("application/json; charset=UTF-8");
    if let Some(callback) = jsonp.filter(|name| is_identifier(name)) {
        text = format!("/**/ {callback}({text});");
        content_type = HeaderValue::from_static("text/javascript; charset=UTF-8");
    }
    let body = if answer.status == StatusCode::NOT_MODIFIED { Body::empty() } else { Body::from(text) };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_version_and_slashes() {
        let call = from_target(Method::Get, "/v26.0/act_1/campaigns/", Params::default(), Vec::new());
        assert_eq!(call.version.as_deref(), Some("v26.0"));
        assert_eq!(call.path, ["act_1", "campaigns"]);
        let call = from_target(Method::Get, "//1%3Aab%2Bc/", Params::default(), Vec::new());
        assert_eq!((call.version, call.path), (None, vec!["1:ab+c".to_owned()]));
    }

    #[test]
    fn method_override_and_token() {
        let mut params = Params::default();
        params.add_urlencoded(b"method=DELETE&access_token=T");
        let call = from_target(Method::Post, "/1", params, Vec::new());
        assert_eq!(call.method, Method::Delete);
        assert_eq!(call.token.as_deref(), Some("T"));
        assert!(!call.params.has("access_token"));
    }
}
