//! From something that happened to a change on its way, with what scenarios do to it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    Event, Outgoing,
    delivery::{self, Change},
};
use crate::{
    protocol::cursor::mix,
    world::{World, identity::AppMode},
};

impl World {
    /// Tells every app that is subscribed at both levels.
    pub fn raise(&mut self, event: &Event) {
        let apps: Vec<String> = self
            .identity
            .apps
            .keys()
            .filter(|app| event.app.as_ref().is_none_or(|only| only == *app))
            .filter(|app| self.hears(app, event))
            .cloned()
            .collect();
        let now = self.clock.now();
        let told = || json!({ "id": event.id, "field": event.arrives_as, "value": event.value });
        if apps.is_empty() {
            self.webhooks.queue.lose("unsubscribed", event.object, told(), now);
            return;
        }
        let faults = self.scenarios.webhook_faults();
        for app in apps {
            if faults.off || self.strikes(faults.loss) {
                self.webhooks.queue.lose("lost", event.object, told(), now);
                continue;
            }
            let instant = Instant::now();
            let change = Change {
                app,
                object: event.object.to_owned(),
                entry: event.id.clone(),
                field: event.arrives_as.to_owned(),
                value: event.value.clone(),
                since: instant,
                hold: instant + self.delay(faults.reorder),
            };
            let again = self
                .strikes(faults.duplicates)
                .then(|| Change { hold: instant + self.delay(faults.reorder), ..change.clone() });
            self.webhooks.queue.put(change, now);
            if let Some(change) = again {
                self.webhooks.queue.put_again(change);
            }
        }
        self.webhooks.bell.notify_one();
    }

    /// Sends a body as it stands to the callback of an app, as the dashboard's "Test" button does; whether there is one.
    pub fn raise_whole(&mut self, app_id: &str, object: &str, payload: &Value) -> bool {
        if self.webhooks.app_subscription(app_id, object).is_none() {
            return false;
        }
        let body = delivery::escaped(&payload.to_string());
        let now = self.clock.unix();
        self.webhooks.queue.put_whole(app_id, object, body, now);
        self.webhooks.bell.notify_one();
        true
    }

    /// Whether an app would be told of a lead of this Page.
    pub fn listens_to_leads(&self, app_id: &str, page_id: &str) -> bool {
        self.hears(app_id, &Event::of_page(page_id, "leadgen", Value::Null))
    }

    /// Whether an app is subscribed at both levels, is live, and is not switched off by the Page.
    fn hears(&self, app_id: &str, event: &Event) -> bool {
        let live = self.identity.apps.get(app_id).is_some_and(|app| app.mode == AppMode::Live)
            && !self.scenarios.app_in_development();
        let first = self
            .webhooks
            .app_subscription(app_id, event.object)
            .is_some_and(|subscription| subscription.fields.iter().any(|field| field == event.field));
        let second = match event.object {
            "ad_account" => {
                let account = event.id.parse().unwrap_or_default();
                self.webhooks.apps_of_account(account).any(|app| app == app_id)
            }
            _ => {
                !self.scenarios.page_disabled_app_platform()
                    && self
                        .webhooks
                        .page_fields(&event.id, app_id)
                        .is_some_and(|fields| fields.iter().any(|field| field == event.field))
            }
        };
        live && first && second
    }

    /// The next number that follows from the seed.
    pub fn draw(&mut self) -> u64 {
        mix(&mut self.dice)
    }

    /// Whether something that happens in so many of a hundred cases happens now.
    pub fn strikes(&mut self, percent: u32) -> bool {
        percent > 0 && self.draw() % 100 < u64::from(percent)
    }

    fn delay(&mut self, at_most: Duration) -> Duration {
        match u64::try_from(at_most.as_millis()).unwrap_or_default() {
            0 => Duration::ZERO,
            most => Duration::from_millis(self.draw() % (most + 1)),
        }
    }

    /// The POSTs to make now. What became of them is told to [`Queue::finish`](super::Queue::finish).
    pub fn take_webhooks(&mut self) -> Vec<Outgoing> {
        let faults = self.scenarios.webhook_faults();
        let now = self.clock.now();
        let webhooks = &mut self.webhooks;
        let apps = &webhooks.apps;
        let values = |app: &str, object: &str| {
            apps.get(&(app.to_owned(), object.to_owned())).is_none_or(|of| of.include_values)
        };
        webhooks.queue.gather(faults.batching, Instant::now(), now.as_second(), values);
        let mut outgoing = Vec::new();
        for id in webhooks.queue.start(now.as_second()) {
            let Some(delivery) = webhooks.queue.delivery(id) else { continue };
            let to = webhooks.apps.get(&(delivery.app.clone(), delivery.object.clone()));
            let secret = self.identity.apps.get(&delivery.app).map(|app| app.secret.clone());
            match (to, secret) {
                (Some(to), Some(secret)) => outgoing.push(Outgoing {
                    id,
                    url: to.callback_url.clone(),
                    body: delivery.body.clone(),
                    secret: if faults.bad_signature { format!("{secret} no more") } else { secret },
                }),
                _ => webhooks.queue.abandon(id, now),
            }
        }
        outgoing
    }
}
