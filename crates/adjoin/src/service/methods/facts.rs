//! Campaigns and ad accounts as they were read a moment ago, so that a row of ad sets under one campaign reads each once.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value};

use crate::{id::ConnectionId, time::Timestamp};

/// How long an object is taken as it was read.
const SECONDS: i64 = 60;
const REMEMBERED: usize = 1000;

type Known = HashMap<(ConnectionId, String), (Timestamp, Value)>;

/// What was read, by connection and the id of the object.
#[derive(Debug, Default)]
pub struct Facts(Mutex<Known>);

impl Facts {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, connection: &ConnectionId, id: &str, now: Timestamp) -> Option<Value> {
        let known = self.known();
        let (read_at, facts) = known.get(&(connection.clone(), id.to_owned()))?;
        (read_at.plus_seconds(SECONDS) > now).then(|| facts.clone())
    }

    pub fn put(&self, connection: &ConnectionId, id: &str, facts: Value, now: Timestamp) {
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.retain(|_, (read_at, _)| read_at.plus_seconds(SECONDS) > now);
        }
        if known.len() < REMEMBERED {
            known.insert((connection.clone(), id.to_owned()), (now, facts));
        }
    }

    /// After a write: what it names is read anew.
    pub fn forget(&self, connection: &ConnectionId, arguments: &Map<String, Value>) {
        if let Some(campaign) = arguments.get("campaign_id").and_then(super::rules::id_text) {
            self.known().remove(&(connection.clone(), campaign));
        }
    }
}
