use std::time::Duration;

use adjoin_graph::webhook_signature;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    service::{
        App,
        webhooks::{self, Refused},
    },
    web::limits::BODY_TIMEOUT,
};

/// Largest body, in bytes. Meta puts up to 1000 updates into one: of a lead some 300 bytes each, of an ad with issues, and
/// their messages, some thousand.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// What is read of any body; as much as a thousand leads take. Who sends it is known at its end alone, and whoever sends much
/// and never ends must not keep out what Meta sends.
const SMALL: usize = 256 * 1024;
/// Most bytes beyond that of all bodies that are being read: a permit a byte. Beyond it Meta is told to come again.
static ROOM: Semaphore = Semaphore::const_new(64 * 1024 * 1024);
const LIMITS: Limits = Limits { room: &ROOM, time: BODY_TIMEOUT };

/// What the reading of a body may take.
#[derive(Clone, Copy)]
struct Limits {
    room: &'static Semaphore,
    time: Duration,
}

/// Takes a webhook. 200 means that it is on disk; a 5xx makes Meta send it again. Who is not Meta learns nothing.
pub async fn take(State(app): State<App>, headers: HeaderMap, body: Body) -> StatusCode {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_MAX) {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let Some(signature) = headers.get(webhook_signature::HEADER).and_then(|it| it.to_str().ok()) else {
        app.metrics.webhook("unsigned");
        return StatusCode::FORBIDDEN;
    };
    let body = match read(body, length.unwrap_or_default(), LIMITS).await {
        Ok(body) => body,
        Err(status) => {
            app.metrics.webhook("not_read");
            return status;
        }
    };
    let (outcome, status) = match webhooks::take(&app, signature, body).await {
        Ok(()) => ("stored", StatusCode::OK),
        Err(Refused::Unsigned(_)) => ("unsigned", StatusCode::FORBIDDEN),
        // Once the connector is set up, Meta's next try is believed.
        Err(Refused::NotSetUp) => ("not_set_up", StatusCode::SERVICE_UNAVAILABLE),
        Err(Refused::NotStored(_)) => ("not_stored", StatusCode::SERVICE_UNAVAILABLE),
        Err(Refused::Failed(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a webhook could not be checked");
            ("not_stored", StatusCode::SERVICE_UNAVAILABLE)
        }
    };
    app.metrics.webhook(outcome);
    status
}

/// Reads a body of at most [`BODY_MAX`] bytes, as far as there is time and room.
async fn read(body: Body, length: usize, limits: Limits) -> Result<Vec<u8>, StatusCode> {
    let read = tokio::time::timeout(limits.time, gather(body, length, limits.room)).await;
    read.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

async fn gather(body: Body, length: usize, room: &'static Semaphore) -> Result<Vec<u8>, StatusCode> {
    let mut taken: Option<SemaphorePermit<'_>> = None;
    let mut read = Vec::with_capacity(length.min(SMALL));
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST)?;
        let until = read.len() + chunk.len();
        if until > BODY_MAX {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let beyond = until.saturating_sub(read.len().max(SMALL));
        let more = u32::try_from(beyond).ok().and_then(|beyond| room.try_acquire_many(beyond).ok());
        let more = more.ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
        match &mut taken {
            Some(taken) => taken.merge(more),
            None => taken = Some(more),
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Bytes;
    use futures_util::stream;
    use tokio::sync::oneshot;

    use super::*;

    /// A body of which so many bytes come, and whose end comes when it is let go.
    fn held(bytes: usize) -> (Body, oneshot::Sender<()>) {
        let (go, gone) = oneshot::channel();
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![b'x'; bytes]))]);
        let end = stream::once(async {
            let _ = gone.await;
            Ok(Bytes::new())
        });
        (Body::from_stream(first.chain(end)), go)
    }

    #[tokio::test]
    async fn large_bodies_that_are_being_read_share_their_room_and_small_ones_need_none() {
        static ROOM: Semaphore = Semaphore::const_new(1000);
        let limits = Limits { room: &ROOM, ..LIMITS };
        let (large, go) = held(SMALL + 900);
        let first = tokio::spawn(read(large, 0, limits));
        while ROOM.available_permits() == 1000 {
            tokio::task::yield_now().await;
        }
        let (second, _) = held(SMALL + 101);
        assert_eq!(read(second, 0, limits).await, Err(StatusCode::SERVICE_UNAVAILABLE));
        let small = Body::from(vec![b'x'; SMALL]);
        assert_eq!(read(small, 0, limits).await.map(|read| read.len()), Ok(SMALL));
        go.send(()).unwrap();
        assert_eq!(first.await.unwrap().map(|read| read.len()), Ok(SMALL + 900));
        assert_eq!(ROOM.available_permits(), 1000);
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_refused_however_it_comes() {
        let chunks = (0..9).map(|_| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 1024 * 1024])));
        let body = Body::from_stream(stream::iter(chunks));
        assert_eq!(read(body, 0, LIMITS).await, Err(StatusCode::PAYLOAD_TOO_LARGE));
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_not_waited_for() {
        let (body, _go) = held(9);
        let limits = Limits { time: Duration::from_millis(20), ..LIMITS };
        assert_eq!(read(body, 0, limits).await, Err(StatusCode::REQUEST_TIMEOUT));
    }
}
