use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::{Stream, TryStreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{Access, Error, Graph, Request, Usage};

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// May be empty even though more pages follow.
    pub data: Vec<T>,
    /// Opaque, present on the last page too; not to be stored.
    pub after: Option<String>,
    /// Whether a further page exists: Meta says so by `paging.next`, never by the number of rows.
    pub has_next: bool,
    /// `summary.total_count`, when the request asked for it.
    pub total_count: Option<u64>,
    pub summary: Option<Value>,
    pub usage: Usage,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Envelope<T> {
    data: Vec<T>,
    #[serde(default)]
    paging: Option<Paging>,
    #[serde(default)]
    summary: Option<Value>,
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    cursors: Option<Cursors>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Cursors {
    #[serde(default)]
    after: Option<String>,
}

/// Parameters by which time and offset paging go on. The rest of a `next` URL, its token above all, is not taken.
const POSITION_PARAMS: [&str; 7] =
    ["after", "offset", "since", "until", "__paging_token", "__after_id", "pagination_token"];

impl Graph {
    /// The pages of a list, read one after the other as the stream is polled, each with retries.
    ///
    /// Cursor paging is followed by its `after` cursor, time and offset paging by their parameters in `next`.
    /// Ends after the first error, and with [`Error::PagingLoop`] if Meta's pages lead in a circle.
    pub fn pages<T: DeserializeOwned>(
        &self,
        request: Request,
        access: Access,
    ) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
        let walk = Walk { graph: self.clone(), access, request, position: Vec::new(), seen: HashSet::new() };
        stream::try_unfold(Some(walk), |walk| async {
            let Some(mut walk) = walk else { return Ok(None) };
            let page = walk.step().await?;
            let more = page.has_next.then_some(walk);
            Ok(Some((page, more)))
        })
    }

    /// The rows of all pages.
    pub fn items<T: DeserializeOwned + Send>(
        &self,
        request: Request,
        access: Access,
    ) -> impl Stream<Item = Result<T, Error>> + Send + use<T> {
        self.pages::<T>(request, access)
            .map_ok(|page| stream::iter(page.data.into_iter().map(Ok)))
            .try_flatten()
    }
}

struct Walk {
    graph: Graph,
    access: Access,
    request: Request,
    /// Parameters of the page to read; none for the first.
    position: Vec<(String, String)>,
    /// Hashes of the positions visited.
    seen: HashSet<u64>,
}

impl Walk {
    async fn step<T: DeserializeOwned>(&mut self) -> Result<Page<T>, Error> {
        let mut hasher = DefaultHasher::new();
        self.position.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return Err(Error::PagingLoop { path: self.request.path.clone() });
        }
        for (name, value) in self.position.drain(..) {
            self.request.set(name, value);
        }

        let answer = self.graph.send_with_retry(&self.request, &self.access).await?;
        let envelope: Envelope<T> = answer.parse()?;
        let (after, next) = match envelope.paging {
            Some(paging) => (paging.cursors.and_then(|cursors| cursors.after), paging.next),
            None => (None, None),
        };
        // A `next` that leads nowhere leaves the position empty, which counts as a circle back to the first page.
        self.position = match (&after, &next) {
            (Some(cursor), Some(_)) => vec![("after".to_owned(), cursor.clone())],
            (None, Some(next)) => position_in(next),
            (_, None) => Vec::new(),
        };
        Ok(Page {
            data: envelope.data,
            has_next: next.is_some(),
            total_count: envelope
                .summary
                .as_ref()
                .and_then(|it| it.get("total_count"))
                .and_then(Value::as_u64),
            summary: envelope.summary,
            usage: answer.usage,
            after,
        })
    }
}

fn position_in(next: &str) -> Vec<(String, String)> {
    let Ok(url) = Url::parse(next) else { return Vec::new() };
    url.query_pairs()
        .filter(|(name, _)| POSITION_PARAMS.contains(&name.as_ref()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::peer::{Peer, Reply};

    fn page(rows: &[u32], after: Option<&str>, next: Option<&str>) -> Reply {
        let mut paging = json!({"cursors": {"before": "b", "after": after}});
        if let Some(next) = next {
            paging["next"] = json!(next);
        }
        Reply::ok(&json!({"data": rows, "paging": paging}))
    }

    fn access() -> Access {
        Access::unsigned("EAABsecrettoken")
    }

    const NEXT: Option<&str> = Some("http://127.0.0.1:1/elsewhere?access_token=EAABother&after=ignored");

    #[tokio::test]
    async fn pages_are_followed_by_cursor_until_next_is_absent() {
        let replies =
            [page(&[1, 2], Some("c1"), NEXT), page(&[], Some("c2"), NEXT), page(&[3], Some("c3"), None)];
        let peer = Peer::start(replies).await;
        let request = Request::get("/act_1/ads").param("limit", 2);
        let rows: Vec<u32> = peer.graph().items::<u32>(request, access()).try_collect().await.unwrap();
        assert_eq!(rows, [1, 2, 3]);
        let seen = peer.seen();
        let cursors: Vec<_> = seen.iter().map(|seen| seen.in_query("after")).collect();
        assert_eq!(cursors, [None, Some("c1".to_owned()), Some("c2".to_owned())]);
        assert!(
            seen.iter().all(|seen| seen.path == "/v26.0/act_1/ads" && seen.in_query("limit").unwrap() == "2")
        );
        assert!(
            seen.iter().all(|seen| seen.bearer() == Some("EAABsecrettoken") && !seen.query.contains("EAAB"))
        );
    }

    #[tokio::test]
    async fn time_paging_takes_its_position_from_next_and_nothing_else() {
        let next =
            "https://evil.example/x?access_token=EAABother&until=100&__paging_token=p&limit=9999&fields=all";
        let replies =
            [Reply::ok(&json!({"data": [1], "paging": {"next": next}})), Reply::ok(&json!({"data": []}))];
        let peer = Peer::start(replies).await;
        let rows: Vec<u32> =
            peer.graph().items::<u32>(Request::get("/1/feed"), access()).try_collect().await.unwrap();
        assert_eq!(rows, [1]);
        assert_eq!(peer.seen()[1].query, "until=100&__paging_token=p");
    }

    #[tokio::test]
    async fn pages_in_a_circle_end_with_an_error_after_their_rows() {
        for after in [Some("c1"), None] {
            let replies = [page(&[1], Some("c1"), NEXT), page(&[2], after, Some("http://x/?fields=id"))];
            let peer = Peer::start(replies).await;
            let mut rows = std::pin::pin!(peer.graph().items::<u32>(Request::get("/1/ads"), access()));
            assert_eq!(rows.try_next().await.unwrap(), Some(1));
            assert_eq!(rows.try_next().await.unwrap(), Some(2));
            let error = rows.try_next().await.unwrap_err();
            assert!(matches!(error, Error::PagingLoop { .. }), "{error}");
            assert_eq!(rows.try_next().await.unwrap(), None);
            assert_eq!(peer.seen().len(), 2);
        }
    }

    #[tokio::test]
    async fn a_page_tells_its_summary_and_usage() {
        let body = json!({"data": [], "summary": {"total_count": 42}});
        let peer = Peer::start([Reply::ok(&body).header("x-app-usage", r#"{"call_count":5}"#)]).await;
        let pages: Vec<Page<Value>> =
            peer.graph().pages(Request::get("/1/ads"), access()).try_collect().await.unwrap();
        assert_eq!(pages.len(), 1);
        assert_eq!((pages[0].total_count, pages[0].has_next), (Some(42), false));
        assert_eq!(pages[0].usage.highest_percent(), Some(5.0));
    }

    #[tokio::test]
    async fn a_page_without_data_is_an_error_and_a_passing_fault_is_not() {
        let peer =
            Peer::start([Reply::text(503, "busy"), page(&[1], None, None), Reply::ok(&json!({"id": "1"}))])
                .await;
        let graph = peer.graph();
        let rows: Vec<u32> =
            graph.items::<u32>(Request::get("/1/ads"), access()).try_collect().await.unwrap();
        assert_eq!(rows, [1]);
        let error =
            graph.items::<u32>(Request::get("/1"), access()).try_collect::<Vec<_>>().await.unwrap_err();
        assert!(matches!(error, Error::Unreadable { status: 200, .. }), "{error}");
    }
}
