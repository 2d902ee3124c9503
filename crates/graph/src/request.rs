use std::borrow::Cow;
use std::fmt;

use http::HeaderValue;
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::Error;

/// The HTTP methods of the Graph API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether repeating the call changes nothing at Meta.
    pub fn is_read(self) -> bool {
        self == Self::Get
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One call, before it is sent: no token, no host, no version.
///
/// `GET` and `DELETE` carry their parameters in the query, `POST` in a form body, in which lists and objects travel as
/// JSON text; `PATCH` has a body of JSON, as Meta documents it. `null` is left out. `Debug` shows the parameters' names only.
#[derive(Clone, PartialEq)]
pub struct Request {
    pub method: Method,
    /// Path under the version, written plainly (`/act_1/campaigns`); each segment is escaped when sent.
    pub path: String,
    /// In the order they are sent; names are unique.
    pub params: Vec<(Cow<'static, str>, Value)>,
}

impl Request {
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), params: Vec::new() }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path)
    }

    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::Post, path)
    }

    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::Patch, path)
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::Delete, path)
    }

    /// Sets a parameter; one of the same name is replaced.
    #[must_use]
    pub fn param(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets every member of a JSON object as a parameter.
    #[must_use]
    pub fn params(mut self, params: Map<String, Value>) -> Self {
        for (name, value) in params {
            self.set(name, value);
        }
        self
    }

    /// As [`Request::param`], in place.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.params.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.params.push((name, value)),
        }
    }

    /// The URL under `base` with `extra` parameters (proofs), and the body if the method has one.
    pub(crate) fn encode(&self, base: &Url, extra: &[(&str, &str)]) -> Result<(Url, Option<Body>), Error> {
        let mut url = base.clone();
        {
            let mut segments =
                url.path_segments_mut().map_err(|()| Error::invalid("the Graph URL cannot have a path"))?;
            segments.pop_if_empty();
            for segment in self.path.split('/').filter(|segment| !segment.is_empty()) {
                if segment == "." || segment == ".." {
                    return Err(Error::invalid("a path may not have '.' or '..' as a segment"));
                }
                segments.push(segment);
            }
        }
        match self.method {
            Method::Post => Ok((url, Some(Body::Form(self.form(extra))))),
            Method::Patch => {
                if !extra.is_empty() {
                    url.query_pairs_mut().extend_pairs(extra);
                }
                let given = self.params.iter().filter(|(_, value)| !value.is_null());
                let object: Map<_, _> =
                    given.map(|(name, value)| (name.clone().into_owned(), value.clone())).collect();
                Ok((url, Some(Body::Json(Value::Object(object).to_string()))))
            }
            Method::Get | Method::Delete => {
                if !self.params.is_empty() || !extra.is_empty() {
                    let mut query = url.query_pairs_mut();
                    self.write_pairs(extra, |name, text| {
                        query.append_pair(name, text);
                    });
                }
                Ok((url, None))
            }
        }
    }

    /// The parameters as a form.
    pub(crate) fn form(&self, extra: &[(&str, &str)]) -> String {
        let mut body = Serializer::new(String::new());
        self.write_pairs(extra, |name, text| {
            body.append_pair(name, text);
        });
        body.finish()
    }

    fn write_pairs(&self, extra: &[(&str, &str)], mut write: impl FnMut(&str, &str)) {
        for (name, value) in &self.params {
            match value {
                Value::Null => {}
                Value::String(text) => write(name, text),
                other => write(name, &other.to_string()),
            }
        }
        for (name, text) in extra {
            write(name, text);
        }
    }

    /// The values of parameters that are secret by their name.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.params
            .iter()
            .filter(|(name, _)| SECRET_PARAMS.contains(&name.as_ref()))
            .filter_map(|(_, value)| value.as_str())
    }
}

/// What a request carries besides its URL.
#[derive(Debug)]
pub(crate) enum Body {
    Form(String),
    Json(String),
}

impl Body {
    pub(crate) fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Form(_) => "application/x-www-form-urlencoded",
            Self::Json(_) => "application/json",
        })
    }

    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Form(text) | Self::Json(text) => text,
        }
    }
}

const SECRET_PARAMS: [&str; 8] = [
    "access_token",
    "appsecret_proof",
    "client_secret",
    "code",
    "fb_exchange_token",
    "input_token",
    "revoke_token",
    "verify_token",
];

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.params.iter().map(|(name, _)| name.as_ref()).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("params", &names)
            .finish()
    }
}
