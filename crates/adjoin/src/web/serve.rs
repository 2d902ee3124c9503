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
    time::Duration,
};

use axum::{Router, extract::ConnectInfo, http::Request, serve::Listener};
use futures_util::task::AtomicWaker;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::TcpListener;
use tower::Service as _;

/// How long clients are waited for.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// For the whole header of a request, and so for the next request of a connection that is kept. Longer than proxies
    /// and clients keep one that nobody uses: whoever ends it first must not be we, at the moment a request comes on it.
    header: Duration,
    /// For requests under way, when the service ends.
    end: Duration,
}

const PATIENCE: Patience = Patience { header: Duration::from_secs(100), end: Duration::from_secs(30) };

/// Serves until `shutdown` ends, then lets requests under way finish, as far as they do soon. As `axum::serve`, but for
/// [`promptly`].
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_with(PATIENCE, listener, router, shutdown).await;
}

async fn serve_with(
    patience: Patience,
    mut listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
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
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(patience.header)
                .serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = watcher.watch(connection).await {
                tracing::trace!(%error, "a connection ended early");
            }
        }));
    }
    drop(listener);
    if tokio::time::timeout(patience.end, connections.shutdown()).await.is_err() {
        tracing::warn!("requests that were under way at the end are cut off");
    }
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
    use std::{future::pending, sync::atomic::AtomicUsize};

    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        sync::{Notify, oneshot},
        task::JoinHandle,
    };

    use super::*;

    const LONG: Duration = Duration::from_hours(1);
    const SHORT: Duration = Duration::from_millis(50);
    const HALF: &[u8] = b"GET / HTTP/1.1\r\nhos";

    /// A service that answers "here", and at `/slow` nothing, ever.
    struct Served {
        address: SocketAddr,
        /// Somebody waits for `/slow`.
        waits: Arc<Notify>,
        stop: oneshot::Sender<()>,
        server: JoinHandle<()>,
    }

    impl Served {
        async fn with(patience: Patience) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let waits = Arc::new(Notify::new());
            let slow = {
                let waits = Arc::clone(&waits);
                async move || {
                    waits.notify_one();
                    pending::<()>().await;
                }
            };
            let router = Router::new().route("/", get("here")).route("/slow", get(slow));
            let (stop, stopped) = oneshot::channel::<()>();
            let server = tokio::spawn(serve_with(patience, listener, router, async {
                let _ = stopped.await;
            }));
            Self { address, waits, stop, server }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        async fn end(self) {
            self.stop.send(()).unwrap();
            self.server.await.unwrap();
        }
    }

    /// Asks for the page and reads the answer to its end.
    async fn ask(stream: &mut TcpStream) {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "it ended");
        }
    }

    #[tokio::test]
    async fn a_header_that_does_not_come_whole_ends_its_connection() {
        let served = Served::with(Patience { header: SHORT, end: LONG }).await;
        let mut stream = served.connect().await;
        ask(&mut stream).await;
        stream.write_all(HALF).await.unwrap();
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_connection_is_kept_for_the_next_request_and_holds_up_no_end() {
        let served = Served::with(Patience { header: LONG, end: LONG }).await;
        let mut stream = served.connect().await;
        for _ in 0..3 {
            ask(&mut stream).await;
        }
        served.end().await;
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn neither_half_a_header_nor_a_request_without_end_holds_up_the_end() {
        let patience = Patience { header: LONG, end: SHORT };
        let served = Served::with(patience).await;
        let mut half = served.connect().await;
        half.write_all(HALF).await.unwrap();
        // Whoever came before is served by then.
        ask(&mut served.connect().await).await;
        served.end().await;

        let served = Served::with(patience).await;
        let mut slow = served.connect().await;
        slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        served.waits.notified().await;
        served.end().await;
    }

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
