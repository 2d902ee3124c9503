use std::collections::{BTreeMap, BTreeSet};

use crate::login::permissions::{self, AssetKind};

/// What was picked in the dialog, by kind of asset. A kind that is absent was picked whole.
pub type Picks = BTreeMap<AssetKind, Reach>;

const DATA_ACCESS_SECONDS: i64 = 90 * 24 * 3600;

/// What one subject (person or system user) said to one app. A later consent changes it in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub permissions: BTreeMap<String, PermissionState>,
    /// Unix seconds; after it, permissions that are subject to data access expiry stop working.
    pub data_access_until: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionState {
    Granted(Reach),
    Declined,
}

/// The assets a permission covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Whatever the subject can reach, now and later.
    All,
    /// Just these ids (ad accounts without `act_`).
    Only(BTreeSet<String>),
}

impl Reach {
    /// What both reach.
    #[must_use]
    pub fn intersection(&self, other: &Reach) -> Reach {
        match (self, other) {
            (Self::All, reach) | (reach, Self::All) => reach.clone(),
            (Self::Only(a), Self::Only(b)) => Self::Only(a.intersection(b).cloned().collect()),
        }
    }
}

impl Grant {
    pub fn new(now: i64) -> Self {
        Self { permissions: BTreeMap::new(), data_access_until: now + DATA_ACCESS_SECONDS }
    }

    /// Grants permissions, each for what was picked of its kind of asset.
    pub fn allow<'p>(&mut self, names: impl IntoIterator<Item = &'p str>, picks: &Picks) {
        for name in names {
            let reach = permissions::asset_kind(name).and_then(|kind| picks.get(&kind)).cloned();
            self.permissions.insert(name.to_owned(), PermissionState::Granted(reach.unwrap_or(Reach::All)));
        }
    }

    /// Starts the 90 days of data access again.
    pub fn renew_data_access(&mut self, now: i64) {
        self.data_access_until = now + DATA_ACCESS_SECONDS;
    }

    /// Granted permissions whose data access has not run out, with what they reach.
    pub fn live(&self, now: i64) -> impl Iterator<Item = (&str, &Reach)> {
        let expired = now >= self.data_access_until;
        self.permissions.iter().filter_map(move |(name, state)| match state {
            PermissionState::Granted(reach) if !expired || permissions::outlives_data_access(name) => {
                Some((name.as_str(), reach))
            }
            _ => None,
        })
    }
}
