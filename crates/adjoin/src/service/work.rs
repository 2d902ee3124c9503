//! The work behind the requests: a loop for each kind. It does what is due, then waits until it is woken or until its
//! next look; what is due stands in the database, so nothing is lost with the process.

use std::time::Duration;

use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use super::{App, Result, canaries, connect_sessions, deliveries, forms, leads, subscriptions, webhooks};
use crate::store::leases;

/// One `Notify` a kind. A wake before the loop waits is kept, so none is missed.
#[derive(Debug, Default)]
pub struct Wakes {
    /// A webhook is stored.
    pub sort: Notify,
    /// A lead is to be read from Meta.
    pub hydrate: Notify,
    /// A form is to be swept, or a Page's forms are to be listed.
    pub sweep: Notify,
    /// A subscription is to be checked.
    pub watch: Notify,
    /// A canary was asked for.
    pub canary: Notify,
    /// An event is to be delivered.
    pub deliver: Notify,
}

/// The kinds of work.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Sort,
    Hydrate,
    Sweep,
    Watch,
    Canary,
    Tidy,
}

/// How long a kind that failed waits: a database that is away comes back by itself.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

impl Kind {
    const ALL: [Self; 6] = [Self::Sort, Self::Hydrate, Self::Sweep, Self::Watch, Self::Canary, Self::Tidy];

    /// Does what is due now. True when there is more to do at once.
    async fn step(self, app: &App) -> Result<bool> {
        match self {
            Self::Sort => webhooks::step(app).await,
            Self::Hydrate => leads::step(app).await,
            Self::Sweep => forms::step(app).await,
            Self::Watch => subscriptions::step(app).await,
            Self::Canary => canaries::step(app).await,
            Self::Tidy => tidy(app).await,
        }
    }

    /// How long to wait when nobody wakes it: other processes work on the same database, and time makes things due.
    const fn every(self) -> Duration {
        match self {
            Self::Sort | Self::Hydrate => Duration::from_secs(1),
            Self::Sweep | Self::Watch | Self::Canary => Duration::from_secs(5),
            Self::Tidy => Duration::from_secs(30),
        }
    }

    async fn woken(self, wakes: &Wakes) {
        match self {
            Self::Sort => wakes.sort.notified().await,
            Self::Hydrate => wakes.hydrate.notified().await,
            Self::Sweep => wakes.sweep.notified().await,
            Self::Watch => wakes.watch.notified().await,
            Self::Canary => wakes.canary.notified().await,
            Self::Tidy => std::future::pending().await,
        }
    }
}

/// Forgets what has had its time, tells of leads whose time is nearly over, and takes out of the quarantine whose time has come.
async fn tidy(app: &App) -> Result<bool> {
    let sessions = connect_sessions::sweep(app).await?;
    let leads = leads::tidy(app).await?;
    let expiring = leads::tell_expiring(app).await?;
    let deliveries = deliveries::tidy(app).await?;
    let released = webhooks::release_known(app).await?;
    Ok(sessions || leads || expiring || deliveries || released)
}

/// Does this to its end, on a task of its own: a caller that hangs up, or that is told that it took too long, only ends
/// the waiting. For what must not stop halfway: what Meta was asked to do, and what becomes of it here.
pub fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> {
    // Begun at once, so that who waits does not have to hold it.
    let begun = tokio::spawn(work);
    async { begun.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())) }
}

/// Works until `shutdown` ends, and then to the end of the steps that are under way.
pub async fn run(app: App, shutdown: impl Future<Output = ()>) {
    let at_work = leases::begin_work(&app.db, app.clock.now()).await.unwrap_or_else(|error| {
        // They end by themselves.
        tracing::warn!(error = &error as &dyn std::error::Error, "leases of a process before are waited for");
        None
    });
    let (stop, stopped) = watch::channel(false);
    let mut loops = JoinSet::new();
    for kind in Kind::ALL {
        loops.spawn(keep(app.clone(), kind, stopped.clone()));
    }
    // Its own loop: it goes on with other endpoints while one takes its time.
    loops.spawn(deliveries::run(app, stopped));
    shutdown.await;
    let _ = stop.send(true);
    loops.join_all().await;
    if let Some(at_work) = at_work {
        at_work.end().await;
    }
}

async fn keep(app: App, kind: Kind, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let wait = match kind.step(&app).await {
            Ok(true) => continue,
            Ok(false) => kind.every(),
            Err(error) => {
                tracing::error!(
                    ?kind,
                    error = &error as &dyn std::error::Error,
                    "work failed; it is tried again"
                );
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = kind.woken(&app.wakes) => {}
            () = tokio::time::sleep(wait) => {}
            _ = stopped.changed() => {}
        }
    }
}
