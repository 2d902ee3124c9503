//! Who wants to hear of what, and what is on its way to them.
//!
//! A change is [raised](crate::World::raise) under the world's lock and put into the [`Queue`]; the sender of
//! [`crate::webhooks`] takes due deliveries out, sends them without the lock and tells how it went.

mod ads;
mod alert;
mod delivery;
mod event;
mod queue;
mod raise;
mod subscription;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::Notify;

pub use ads::level;
pub use alert::Alert;
pub use delivery::{Delivery, Outcome, Outgoing};
pub use event::Event;
pub use queue::{Batching, Counts, Logged, MAX_CHANGES, Queue};
pub use subscription::{AppSubscription, Challenge, fields_of, objects};

#[derive(Debug, Default)]
pub struct Webhooks {
    /// The first level, by app id and object (`page`, `ad_account`).
    apps: BTreeMap<(String, String), AppSubscription>,
    /// The second level, by Page id and app id: the fields.
    pages: BTreeMap<(String, String), Vec<String>>,
    /// Ad accounts (without `act_`) and the apps that are subscribed to them; the fields are those of the first level.
    accounts: BTreeSet<(u64, String)>,
    pub alerts: BTreeMap<u64, Alert>,
    /// Subscriptions that wait for their callback to prove itself; the server asks it outside the lock.
    pub challenges: Vec<Challenge>,
    pub queue: Queue,
    /// Rings when there is something to send.
    pub bell: Arc<Notify>,
}

impl Webhooks {
    pub fn app_subscription(&self, app_id: &str, object: &str) -> Option<&AppSubscription> {
        self.apps.get(&(app_id.to_owned(), object.to_owned()))
    }

    /// The subscriptions of an app, by object.
    pub fn of_app<'a>(&'a self, app_id: &'a str) -> impl Iterator<Item = (&'a str, &'a AppSubscription)> {
        self.apps
            .iter()
            .filter(move |((app, _), _)| app == app_id)
            .map(|((_, object), subscription)| (object.as_str(), subscription))
    }

    pub fn subscribe_app(&mut self, app_id: &str, object: &str, subscription: AppSubscription) {
        self.apps.insert((app_id.to_owned(), object.to_owned()), subscription);
    }

    /// Takes fields away from an app's subscription, or all of it when there are none named.
    pub fn unsubscribe_app(&mut self, app_id: &str, object: Option<&str>, fields: &[String]) {
        self.apps.retain(|(app, of), subscription| {
            if app != app_id || object.is_some_and(|object| object != of) {
                return true;
            }
            subscription.fields.retain(|field| !fields.is_empty() && !fields.contains(field));
            !subscription.fields.is_empty()
        });
    }

    /// The fields of a Page that an app is subscribed to; `None` when it is not.
    pub fn page_fields(&self, page_id: &str, app_id: &str) -> Option<&[String]> {
        self.pages.get(&(page_id.to_owned(), app_id.to_owned())).map(Vec::as_slice)
    }

    /// The apps that are subscribed to a Page, with their fields.
    pub fn apps_of_page<'a>(&'a self, page_id: &'a str) -> impl Iterator<Item = (&'a str, &'a [String])> {
        self.pages
            .iter()
            .filter(move |((page, _), _)| page == page_id)
            .map(|((_, app), fields)| (app.as_str(), fields.as_slice()))
    }

    pub fn subscribe_page(&mut self, page_id: &str, app_id: &str, fields: Vec<String>) {
        self.pages.insert((page_id.to_owned(), app_id.to_owned()), fields);
    }

    /// Whether it was subscribed.
    pub fn unsubscribe_page(&mut self, page_id: &str, app_id: &str) -> bool {
        self.pages.remove(&(page_id.to_owned(), app_id.to_owned())).is_some()
    }

    pub fn subscribe_account(&mut self, account: u64, app_id: &str) {
        self.accounts.insert((account, app_id.to_owned()));
    }

    pub fn unsubscribe_account(&mut self, account: u64, app_id: &str) -> bool {
        self.accounts.remove(&(account, app_id.to_owned()))
    }

    pub fn apps_of_account(&self, account: u64) -> impl Iterator<Item = &str> {
        self.accounts.iter().filter(move |(of, _)| *of == account).map(|(_, app)| app.as_str())
    }

    /// Whether anybody listens to an ad account.
    pub fn account_is_watched(&self, account: u64) -> bool {
        self.apps_of_account(account).next().is_some()
    }

    /// A world that begins anew keeps the bell its sender listens to, and numbers no delivery twice.
    pub fn succeed(&mut self, before: &Webhooks) {
        self.bell = Arc::clone(&before.bell);
        self.queue.succeed(&before.queue);
    }
}
