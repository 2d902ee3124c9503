//! The state of the sandbox: who is there, what they own, what was created.

pub mod assets;
pub mod events;
pub mod fill;
pub mod fill_leads;
pub mod identity;
pub mod leads;
pub mod objects;
pub mod seed;
mod submit;
pub mod webhooks;

use std::sync::{Arc, RwLock};

use crate::{clock::Clock, meters::Meters, scenarios::Scenarios};
use assets::Assets;
use events::Events;
use identity::Identity;
use leads::Leads;
use objects::Objects;
pub use submit::Submission;
use webhooks::Webhooks;

pub type SharedWorld = Arc<RwLock<World>>;

/// The whole state. One lock guards it; a call holds the lock for as long as it computes, never across I/O.
#[derive(Debug, Default)]
pub struct World {
    pub clock: Clock,
    pub identity: Identity,
    pub assets: Assets,
    pub objects: Objects,
    pub leads: Leads,
    pub webhooks: Webhooks,
    pub events: Events,
    pub meters: Meters,
    pub scenarios: Scenarios,
    pub protocol: Protocol,
    /// Trace ids follow from the seed and the count of calls.
    pub seed: u64,
    pub calls: u64,
    /// What chance does here follows from the seed too; see [`World::draw`].
    pub dice: u64,
}

/// How strictly the sandbox speaks today's protocol.
#[derive(Debug, Clone, Copy, Default)]
pub struct Protocol {
    /// Ended versions are refused with 2635 instead of being upgraded.
    pub strict_versions: bool,
    /// The protocol as it was before 27 October 2026: `ETag`, `?ids=`, `pretty`, `debug`, `date_format`.
    pub legacy: bool,
}
