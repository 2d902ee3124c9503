use std::{
    collections::{HashMap, HashSet, VecDeque},
    pin::pin,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{Id, JoinSet},
};

use super::{
    claim::{CLAIMED_MAX, Claimed, claim},
    send::{Outcome, Sent, send},
    settle::{count, settle},
};
use crate::{
    id::EndpointId,
    service::{App, Result},
    store::deliveries as table,
};

/// Most attempts under way, in all and at one endpoint.
const SENDING_MAX: usize = 64;
const AT_ENDPOINT_MAX: usize = 8;
/// A claim that waited so long is handed back: with an attempt of 20 s it could outlive its lease.
const FRESH: Duration = Duration::from_secs(35);
/// How often it looks for what has become due, when nobody wakes it.
const LOOK: Duration = Duration::from_secs(1);
/// How long it waits after a failure: a database that is away comes back by itself.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Carries deliveries: claims, sends, settles. Slow endpoints hold up only themselves, as far as there is room.
#[derive(Debug, Default)]
pub struct Courier {
    /// Claimed, not under way yet.
    waiting: VecDeque<Claimed>,
    sending: JoinSet<Sent>,
    /// Whose the attempts under way are.
    at: HashMap<Id, EndpointId>,
    /// Ended, not settled yet. They outlive a failure of the database.
    ended: Vec<Sent>,
}

impl Courier {
    /// Does all that is due, and ends when nothing is under way.
    pub async fn until_idle(&mut self, app: &App) -> Result<()> {
        loop {
            let moved = self.turn(app, true).await?;
            if !self.sending.is_empty() {
                self.await_one().await;
            } else if !moved {
                return Ok(());
            }
        }
    }

    /// Settles what has ended, claims what is due, begins what there is room for. False when there was nothing to do.
    async fn turn(&mut self, app: &App, claims: bool) -> Result<bool> {
        while let Some(ended) = self.sending.try_join_next_with_id() {
            self.note(ended);
        }
        let room = CLAIMED_MAX.saturating_sub(self.waiting.len() + self.sending.len());
        let looks = claims && room > 0 && table::any_due(&app.db, app.clock.now()).await?;
        if self.ended.is_empty() && !looks {
            return Ok(self.begin(app));
        }
        let (ended, held) = (std::mem::take(&mut self.ended), self.held());
        let outcome = {
            let mut exchanged = pin!(exchange(app, &ended, if looks { room } else { 0 }, &held));
            // Attempts go on while others hold up the database.
            loop {
                tokio::select! {
                    outcome = &mut exchanged => break outcome,
                    Some(it) = self.sending.join_next_with_id() => {
                        self.note(it);
                        self.begin(app);
                    }
                }
            }
        };
        let (quiet, claimed) = match outcome {
            Ok(exchanged) => exchanged,
            Err(error) => {
                self.ended.extend(ended);
                return Err(error);
            }
        };
        let moved = !(ended.is_empty() && claimed.is_empty() && self.ended.is_empty());
        count(app, &ended);
        self.waiting.extend(claimed);
        self.hush(app, &quiet);
        Ok(self.begin(app) || moved)
    }

    /// Begins attempts, in the order of the claims, as far as there is room. Endpoints that have just said that they want
    /// nothing more for now get nothing.
    fn begin(&mut self, app: &App) -> bool {
        let quiet: HashSet<EndpointId> = self
            .ended
            .iter()
            .filter(|it| it.outcome.wants_quiet())
            .map(|it| it.claimed.endpoint.id.clone())
            .collect();
        let mut at_endpoint: HashMap<EndpointId, usize> = HashMap::new();
        for id in self.at.values() {
            *at_endpoint.entry(id.clone()).or_default() += 1;
        }
        let mut kept = VecDeque::with_capacity(self.waiting.len());
        let mut begun = false;
        for claimed in self.waiting.drain(..) {
            let id = claimed.endpoint.id.clone();
            let here = at_endpoint.entry(id.clone()).or_default();
            if claimed.since.elapsed() > FRESH {
                self.ended.push(handed_back(app, claimed));
                begun = true;
            } else if *here < AT_ENDPOINT_MAX && self.sending.len() < SENDING_MAX && !quiet.contains(&id) {
                *here += 1;
                let task = self.sending.spawn(send(app.clone(), claimed));
                self.at.insert(task.id(), id);
                begun = true;
            } else {
                kept.push_back(claimed);
            }
        }
        self.waiting = kept;
        begun
    }

    /// Hands back what waits for endpoints that want nothing more for now.
    fn hush(&mut self, app: &App, quiet: &HashSet<EndpointId>) {
        let (back, kept) = self.waiting.drain(..).partition(|it| quiet.contains(&it.endpoint.id));
        self.waiting = kept;
        let back: VecDeque<Claimed> = back;
        self.ended.extend(back.into_iter().map(|claimed| handed_back(app, claimed)));
    }

    /// How many of each endpoint are claimed.
    fn held(&self) -> HashMap<EndpointId, usize> {
        let waiting = self.waiting.iter().map(|it| &it.endpoint.id);
        waiting.chain(self.at.values()).fold(HashMap::new(), |mut held, id| {
            *held.entry(id.clone()).or_default() += 1;
            held
        })
    }

    async fn await_one(&mut self) {
        if let Some(ended) = self.sending.join_next_with_id().await {
            self.note(ended);
        }
    }

    fn note(&mut self, ended: std::result::Result<(Id, Sent), tokio::task::JoinError>) {
        match ended {
            Ok((id, sent)) => {
                self.at.remove(&id);
                self.ended.push(sent);
            }
            // Its lease ends, and it is tried again.
            Err(error) => {
                self.at.remove(&error.id());
                tracing::error!(%error, "an attempt of a delivery ended without an outcome");
            }
        }
    }
}

/// Writes down what has ended and claims as much as there is room for. Answers which endpoints want nothing more for now.
async fn exchange(
    app: &App,
    ended: &[Sent],
    room: usize,
    held: &HashMap<EndpointId, usize>,
) -> Result<(HashSet<EndpointId>, Vec<Claimed>)> {
    let mut tx = app.db.begin_apart().await?;
    let quiet = settle(app, &mut tx, ended).await?;
    let claimed = if room > 0 { claim(app, &mut tx, room, held).await? } else { Vec::new() };
    tx.commit().await?;
    Ok((quiet, claimed))
}

fn handed_back(app: &App, claimed: Claimed) -> Sent {
    Sent {
        claimed,
        event: None,
        outcome: Outcome::HandedBack { wait: 0 },
        at: app.clock.now(),
        took: Duration::ZERO,
    }
}

/// Delivers until it is stopped; then claims nothing more and ends with the attempts that are under way.
pub async fn run(app: App, mut stopped: watch::Receiver<bool>) {
    let mut courier = Courier::default();
    loop {
        let is_stopping = *stopped.borrow();
        if is_stopping {
            let back: Vec<Claimed> = courier.waiting.drain(..).collect();
            courier.ended.extend(back.into_iter().map(|claimed| handed_back(&app, claimed)));
        }
        let turned = courier.turn(&app, !is_stopping).await;
        // What ended while others were settled is settled first. When the database is away, leases end by themselves.
        if is_stopping && courier.sending.is_empty() && (courier.ended.is_empty() || turned.is_err()) {
            return;
        }
        let wait = match turned {
            Ok(true) if courier.sending.is_empty() || !courier.ended.is_empty() => continue,
            Ok(_) => LOOK,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "deliveries failed; they are tried again"
                );
                tokio::time::sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        tokio::select! {
            Some(ended) = courier.sending.join_next_with_id() => courier.note(ended),
            () = app.wakes.deliver.notified(), if !is_stopping => {}
            () = tokio::time::sleep(wait) => {}
            _ = stopped.changed(), if !is_stopping => {}
        }
    }
}
