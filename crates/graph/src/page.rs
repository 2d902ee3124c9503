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
        let walk = Walk { graph: self.clone(), access, request, seen: HashSet::new() };
        stream::try_unfold(Some(walk), |walk| async {
            let Some(mut walk) = walk else { return Ok(None) };
            let (page, more) = walk.step().await?;
            Ok(Some((page, more.then_some(walk))))
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
    /// Hashes of the positions visited.
    seen: HashSet<u64>,
}

impl Walk {
    async fn step<T: DeserializeOwned>(&mut self) -> Result<(Page<T>, bool), Error> {
        let answer = self.graph.send_with_retry(&self.request, &self.access).await?;
        let envelope: Envelope<T> = answer.parse()?;
        let (after, next) = match envelope.paging {
            Some(paging) => (paging.cursors.and_then(|cursors| cursors.after), paging.next),
            None => (None, None),
        };
        let page = Page {
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
        };
        let Some(next) = next else { return Ok((page, false)) };
        self.go_on(page.after.as_deref(), &next)?;
        Ok((page, true))
    }

    fn go_on(&mut self, after: Option<&str>, next: &str) -> Result<(), Error> {
        let position = match after {
            Some(cursor) => vec![("after".to_owned(), cursor.to_owned())],
            None => position_in(next),
        };
        let mut hasher = DefaultHasher::new();
        position.hash(&mut hasher);
        if position.is_empty() || !self.seen.insert(hasher.finish()) {
            return Err(Error::PagingLoop { path: self.request.path.clone() });
        }
        for (name, value) in position {
            self.request.set(name, value);
        }
        Ok(())
    }
}

fn position_in(next: &str) -> Vec<(String, String)> {
    let Ok(url) = Url::parse(next) else { return Vec::new() };
    url.query_pairs()
        .filter(|(name, _)| POSITION_PARAMS.contains(&name.as_ref()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}
