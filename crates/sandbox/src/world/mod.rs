//! The state of the sandbox: who is there, what they own, what was created.

pub mod assets;
pub mod identity;

use std::sync::{Arc, RwLock};

use crate::{clock::Clock, scenarios::Scenarios};
use assets::Assets;
use identity::Identity;

pub type SharedWorld = Arc<RwLock<World>>;

/// The whole state. One lock guards it; a call holds the lock for as long as it computes, never across I/O.
#[derive(Debug, Default)]
pub struct World {
    pub clock: Clock,
    pub identity: Identity,
    pub assets: Assets,
    pub scenarios: Scenarios,
}
