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
        let (mut relative_url, mut body) = self.encode_inner(&item.request, item.access.as_ref())?;
        for reference in references(&item.request) {
            unescape(&mut relative_url, &reference);
            if let Some(body) = &mut body {
                unescape(body, &reference);
            }
        }
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

/// Every `{result=...}` in the path and the parameters.
fn references(request: &Request) -> Vec<String> {
    let texts = request.params.iter().map(|(_, value)| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    texts
        .chain([request.path.clone()])
        .flat_map(|text| {
            let starts = text.match_indices("{result=").map(|(start, _)| start);
            let found =
                starts.filter_map(|start| Some(text[start..=start + text[start..].find('}')?].to_owned()));
            found.collect::<Vec<_>>()
        })
        .collect()
}

/// Meta looks for references before it unescapes, so they have to stand as they are.
fn unescape(text: &mut String, reference: &str) {
    let in_form: String = url::form_urlencoded::byte_serialize(reference.as_bytes()).collect();
    let in_path = reference.replace('{', "%7B").replace('}', "%7D");
    *text = text.replace(&in_form, reference).replace(&in_path, reference);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{NOW, Peer, Reply};
    use crate::proof;

    const TOKEN: &str = "EAABsecrettoken";

    fn access() -> Access {
        Access::signed(TOKEN, "app-secret-0123")
    }

    #[tokio::test]
    async fn items_go_out_as_meta_reads_them() {
        let peer = Peer::start([Reply::ok(&json!([null, null, null, null]))]).await;
        let own = Access::signed("EAABpagetoken", "app-secret-0123");
        let batch = Batch::default()
            .with(BatchItem {
                omit_response_on_success: Some(false),
                ..BatchItem::named("campaign", Request::post("/act_1/campaigns").param("name", "A & B"))
            })
            .with(BatchItem {
                depends_on: Some("campaign".to_owned()),
                ..Request::post("/act_1/adsets")
                    .param("spec", json!({"campaign_id": "{result=campaign:$.id}"}))
                    .into()
            })
            .with(BatchItem {
                access: Some(own),
                ..Request::get("/{result=campaign:$.id}").param("fields", "id,name").into()
            })
            .with(Request::patch("/act_1/subscriptions/2").param("status", "DISABLED"));
        peer.graph().send_batch(&batch, &access()).await.unwrap();

        let seen = &peer.seen()[0];
        assert_eq!((seen.method.as_str(), seen.path.trim_end_matches('/')), ("POST", "/v26.0"));
        assert_eq!(seen.bearer(), Some(TOKEN));
        assert!(seen.in_form("appsecret_proof").is_some());
        let items: Value = serde_json::from_str(&seen.in_form("batch").unwrap()).unwrap();
        assert_eq!(
            items[0],
            json!({"method": "POST", "relative_url": "act_1/campaigns", "body": "name=A+%26+B", "name": "campaign", "omit_response_on_success": false})
        );
        assert_eq!(items[1]["depends_on"], "campaign");
        assert_eq!(items[1]["body"], "spec=%7B%22campaign_id%22%3A%22{result=campaign:$.id}%22%7D");
        let page_proof = proof::timed(&"EAABpagetoken".into(), &"app-secret-0123".into(), NOW);
        assert_eq!(
            items[2]["relative_url"],
            format!(
                "{{result=campaign:$.id}}?fields=id%2Cname&appsecret_proof={page_proof}&appsecret_time={NOW}&access_token=EAABpagetoken"
            )
        );
        assert_eq!(items[2].get("body"), None);
        assert_eq!(
            items[3],
            json!({"method": "PATCH", "relative_url": "act_1/subscriptions/2", "body": "status=DISABLED"})
        );
    }

    #[tokio::test]
    async fn answers_come_in_order_each_for_itself() {
        let refused = json!({"error": {"message": format!("(#100) no {TOKEN}"), "code": 100}}).to_string();
        let parts = json!([
            {"code": 200, "headers": [{"name": "X-App-Usage", "value": "{\"call_count\":3}"}, {"name": "facebook-api-version", "value": "v26.0"}], "body": "{\"id\":\"1\"}"},
            {"code": 400, "headers": [], "body": refused},
            null,
            {"code": 500, "body": null},
            {"code": 200, "body": "{\"success\":false}"},
        ]);
        let peer = Peer::start([Reply::ok(&parts)]).await;
        let batch: Batch = (0..5).map(|n| Request::get(format!("/{n}"))).collect();
        let answers = peer.graph().send_batch(&batch, &access()).await.unwrap();
        let BatchAnswer::Answered(first) = &answers[0] else { panic!("{answers:?}") };
        assert_eq!((first.json().unwrap(), first.version.as_deref()), (json!({"id": "1"}), Some("v26.0")));
        assert_eq!(first.usage.highest_percent(), Some(3.0));
        let BatchAnswer::Failed(Error::Refused(second)) = &answers[1] else { panic!("{answers:?}") };
        assert_eq!((second.code, second.message.as_str()), (Some(100), "(#100) no [redacted]"));
        assert!(matches!(answers[2], BatchAnswer::Absent));
        assert!(matches!(answers[3], BatchAnswer::Failed(Error::Unreadable { status: 500, .. })));
        assert!(matches!(answers[4], BatchAnswer::Failed(Error::Refused(_))));
        assert_eq!(peer.seen().len(), 1);
    }

    #[tokio::test]
    async fn a_batch_that_is_empty_too_long_or_answered_in_part_is_an_error() {
        let peer = Peer::start([
            Reply::ok(&json!([null])),
            Reply::json(400, &json!({"error": {"message": "m", "code": 190}})),
        ])
        .await;
        let graph = peer.graph();
        let batch = |items: usize| (0..items).map(|_| Request::get("/me")).collect::<Batch>();
        for items in [0, 51] {
            let error = graph.send_batch(&batch(items), &access()).await.unwrap_err();
            assert!(matches!(error, Error::Invalid { .. }), "{error}");
        }
        let error = graph.send_batch(&batch(2), &access()).await.unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }) && error.is_outcome_unknown(), "{error}");
        let error = graph.send_batch(&batch(2), &access()).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().code, Some(190));
    }
}
