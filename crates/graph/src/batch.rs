use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::Secrets;
use crate::{Access, Answer, Error, Graph, Request};

/// Up to [`Batch::MAX_ITEMS`] calls sent in one. Every item counts as one call at Meta.
///
/// Independent items run side by side, in no order; an item that others name runs before them. For ads Meta
/// advises at most 10 items, and not several ad sets of one campaign.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub items: Vec<BatchItem>,
}

/// One call of a batch. Its parameters may hold `{result=name:$.id}`, which Meta fills from an earlier item.
#[derive(Debug, Clone)]
pub struct BatchItem {
    pub request: Request,
    /// By which other items refer to this one.
    pub name: Option<String>,
    /// The name of an item that must have succeeded first.
    pub depends_on: Option<String>,
    /// `None` leaves it to Meta, which leaves out the answer of a successful item that others refer to.
    pub omit_response_on_success: Option<bool>,
    /// An access of its own; else the batch's is used.
    pub access: Option<Access>,
}

/// What became of one item.
#[derive(Debug)]
pub enum BatchAnswer {
    Answered(Answer),
    Failed(Error),
    /// Meta sent `null`: the item succeeded and its answer was left out, or it timed out. It may have been carried
    /// out in either case, so look before sending it again.
    Absent,
}

impl From<Request> for BatchItem {
    fn from(request: Request) -> Self {
        Self { request, name: None, depends_on: None, omit_response_on_success: None, access: None }
    }
}

impl BatchItem {
    /// An item that others may refer to.
    pub fn named(name: impl Into<String>, request: Request) -> Self {
        Self { name: Some(name.into()), ..Self::from(request) }
    }
}

impl<I: Into<BatchItem>> FromIterator<I> for Batch {
    fn from_iter<T: IntoIterator<Item = I>>(items: T) -> Self {
        Self { items: items.into_iter().map(Into::into).collect() }
    }
}

#[derive(Deserialize)]
struct Part {
    code: u16,
    #[serde(default)]
    headers: Option<Vec<Header>>,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: Value,
}

impl Batch {
    /// Meta's limit.
    pub const MAX_ITEMS: usize = 50;

    /// Adds a call.
    #[must_use]
    pub fn with(mut self, item: impl Into<BatchItem>) -> Self {
        self.items.push(item.into());
        self
    }
}

impl Graph {
    /// Sends a batch once; the answers come in the order of the items.
    ///
    /// An `Err` is about the batch as a whole: after a timeout any of its writes may have been carried out.
    pub async fn send_batch(&self, batch: &Batch, access: &Access) -> Result<Vec<BatchAnswer>, Error> {
        if batch.items.is_empty() || batch.items.len() > Batch::MAX_ITEMS {
            return Err(Error::invalid(format!(
                "a batch has 1 to {} items, this one has {}",
                Batch::MAX_ITEMS,
                batch.items.len()
            )));
        }
        let items = batch.items.iter().map(|item| self.encode_item(item)).collect::<Result<Vec<_>, _>>()?;
        let request = Request::post("/").param("batch", items);

        let mut secrets = Secrets::of(&request, Some(access));
        for item in &batch.items {
            secrets.add_request(&item.request);
            if let Some(own) = &item.access {
                secrets.add_access(own);
            }
        }
        let answer = self.send_keeping(&request, Some(access), &secrets).await?;
        let parts: Vec<Option<Part>> = answer.parse()?;
        if parts.len() != batch.items.len() {
            return Err(Error::Unreadable {
                status: answer.status,
                reason: format!("{} answers came for {} items", parts.len(), batch.items.len()),
                trace_id: answer.trace_id,
            });
        }
        Ok(parts
            .into_iter()
            .map(|part| part.map_or(BatchAnswer::Absent, |part| part.judge(&secrets)))
            .collect())
    }

    fn encode_item(&self, item: &BatchItem) -> Result<Value, Error> {
        let (relative_url, body) = self.encode_inner(&item.request, item.access.as_ref())?;
        let mut object = Map::new();
        object.insert("method".to_owned(), json!(item.request.method.as_str()));
        object.insert("relative_url".to_owned(), relative_url.into());
        if let Some(body) = body {
            object.insert("body".to_owned(), body.into());
        }
        if let Some(name) = &item.name {
            object.insert("name".to_owned(), json!(name));
        }
        if let Some(name) = &item.depends_on {
            object.insert("depends_on".to_owned(), json!(name));
        }
        if let Some(omit) = item.omit_response_on_success {
            object.insert("omit_response_on_success".to_owned(), omit.into());
        }
        Ok(Value::Object(object))
    }
}

impl Part {
    fn judge(self, secrets: &Secrets<'_>) -> BatchAnswer {
        let mut headers = HeaderMap::new();
        for header in self.headers.into_iter().flatten() {
            let value = match header.value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(header.name), HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        let body = Bytes::from(self.body.unwrap_or_default());
        match Answer::judge(self.code, &headers, body, secrets) {
            Ok(answer) => BatchAnswer::Answered(answer),
            Err(error) => BatchAnswer::Failed(error),
        }
    }
}
