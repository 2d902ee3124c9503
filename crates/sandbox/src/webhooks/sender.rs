use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use http::header;
use reqwest::Client;

use super::{
    challenge::reason,
    signature::{LEGACY_SIGNATURE, SIGNATURE, legacy_signature, signature},
};
use crate::world::{
    SharedWorld,
    webhooks::{Outcome, Outgoing},
};

/// How often the world is looked at while something waits for its time: the virtual clock rings no bell.
const GLANCE: Duration = Duration::from_millis(50);

/// Sends what is due until the end of the sandbox. The lock is held to take POSTs out and to note how they went, never
/// while they are under way.
pub async fn run(world: SharedWorld, client: Client) {
    let mut under_way = FuturesUnordered::new();
    loop {
        let (outgoing, idle, bell) = {
            let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
            let outgoing = world.take_webhooks();
            (outgoing, world.webhooks.queue.is_idle(), Arc::clone(&world.webhooks.bell))
        };
        for post in outgoing {
            under_way.push(send(client.clone(), post));
        }
        tokio::select! {
            Some((id, outcome)) = under_way.next(), if !under_way.is_empty() => {
                let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
                let now = world.clock.now();
                world.webhooks.queue.finish(id, &outcome, now);
            }
            () = bell.notified() => {}
            () = tokio::time::sleep(GLANCE), if !idle => {}
        }
    }
}

async fn send(client: Client, post: Outgoing) -> (u64, Outcome) {
    let request = client
        .post(&post.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(SIGNATURE, signature(&post.secret, &post.body))
        .header(LEGACY_SIGNATURE, legacy_signature(&post.secret, &post.body))
        .body(post.body);
    let outcome = match request.send().await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) => Err(reason(&error).to_owned()),
    };
    tracing::debug!(?outcome, "webhook");
    (post.id, outcome)
}
