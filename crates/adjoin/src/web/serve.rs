//! The server's loop: accepts connections and serves each on a task of its own.

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use axum::{Router, extract::ConnectInfo, http::Request, serve::Listener};
use futures_util::task::AtomicWaker;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use tokio::net::TcpListener;
use tower::Service as _;

/// Serves until `shutdown` ends, then lets requests under way finish. As `axum::serve`, but for [`promptly`].
pub async fn serve(mut listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut shutdown => break,
        };
        // An answer in two pieces must not wait until the first is acknowledged.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection without TCP_NODELAY");
        }
        let (router, watcher) = (router.clone(), connections.watcher());
        tokio::spawn(promptly(async move {
            let answer = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
                router.clone().call(request)
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = watcher.watch(connection).await {
                tracing::trace!(%error, "a connection ended early");
            }
        }));
    }
    drop(listener);
    connections.shutdown().await;
}

/// Runs a connection, and goes on at once when it has woken itself.
///
/// Whoever reads a request's body wakes the connection it came on, which is the very task that runs. tokio then puts
/// the task at the end of the queue and wakes another thread to take it: a method call would change threads halfway.
async fn promptly<F: Future>(connection: F) -> F::Output {
    let mut connection = pin!(connection);
    let own = Arc::new(Own::default());
    let waker = Waker::from(Arc::clone(&own));
    poll_fn(move |context| {
        own.task.register(context.waker());
        // Once more and not for ever: others want their turn.
        for _ in 0..2 {
            own.state.store(RUNS, Ordering::SeqCst);
            let polled = connection.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_ready() {
                return polled;
            }
            let rests = own.state.compare_exchange(RUNS, RESTS, Ordering::SeqCst, Ordering::SeqCst);
            if rests.is_ok() {
                return Poll::Pending;
            }
        }
        own.state.store(RESTS, Ordering::SeqCst);
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// Wakes the task while it rests, and only takes note while it runs.
#[derive(Default)]
struct Own {
    task: AtomicWaker,
    state: AtomicU8,
}

const RESTS: u8 = 0;
const RUNS: u8 = 1;
const WOKEN: u8 = 2;

impl Wake for Own {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let noted = self.state.compare_exchange(RUNS, WOKEN, Ordering::SeqCst, Ordering::SeqCst);
        if noted == Err(RESTS) {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_wakes_itself_goes_on_and_what_does_so_for_ever_lets_others_in() {
        let outside = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&outside));
        let mut context = Context::from_waker(&waker);
        let woken = || outside.0.load(Ordering::SeqCst);

        let mut polls = 0;
        let mut once = pin!(promptly(poll_fn(|context| {
            polls += 1;
            if polls == 1 {
                context.waker().wake_by_ref();
            }
            if polls == 3 { Poll::Ready(polls) } else { Poll::Pending }
        })));
        assert_eq!((once.as_mut().poll(&mut context), woken()), (Poll::Pending, 0));
        assert_eq!((once.as_mut().poll(&mut context), woken()), (Poll::Ready(3), 0));

        let mut for_ever = pin!(promptly(poll_fn(|context| -> Poll<()> {
            context.waker().wake_by_ref();
            Poll::Pending
        })));
        assert_eq!((for_ever.as_mut().poll(&mut context), woken()), (Poll::Pending, 1));
    }

    #[test]
    fn what_rests_is_woken_from_outside() {
        let outside = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&outside));
        let (tell, mut told) = tokio::sync::oneshot::channel();
        let mut waits = pin!(promptly(async move { (&mut told).await.unwrap() }));
        let mut context = Context::from_waker(&waker);
        assert_eq!(waits.as_mut().poll(&mut context), Poll::Pending);
        tell.send(7).unwrap();
        assert_eq!(outside.0.load(Ordering::SeqCst), 1);
        assert_eq!(waits.as_mut().poll(&mut context), Poll::Ready(7));
    }
}
