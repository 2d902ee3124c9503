use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Assets;
use crate::{service::Who, time::Timestamp};

/// Where a connection stands. Only a verified token with everything that was wanted is `Connected`, and only one that
/// opens something is with gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Nobody has consented yet.
    Installed,
    Connected,
    /// The token works, and something that was wanted is missing.
    ConnectedWithGaps {
        gaps: Vec<Gap>,
    },
    /// Somebody went through the consent, and it opens nothing: no permission that was asked for, or neither an ad
    /// account nor a Page. No method can be called.
    NothingShared {
        gaps: Vec<Gap>,
    },
    /// The person has to do something at Facebook; the token may come back to life without a new consent.
    ActionNeeded {
        trouble: Trouble,
    },
    /// The token is dead: somebody has to consent again.
    Broken {
        trouble: Trouble,
    },
    /// Taken back here; our copy of the token is erased.
    Disconnected,
}

impl State {
    /// The state's name, as it stands in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Connected => "connected",
            Self::ConnectedWithGaps { .. } => "connected_with_gaps",
            Self::NothingShared { .. } => "nothing_shared",
            Self::ActionNeeded { .. } => "action_needed",
            Self::Broken { .. } => "broken",
            Self::Disconnected => "disconnected",
        }
    }

    /// What a token that works amounts to, by what is missing and what it reaches.
    pub fn of(gaps: Vec<Gap>, assets: &Assets) -> Self {
        // Where Meta hid what was shared, or did not answer, a list that is empty says nothing.
        let is_told =
            !gaps.iter().any(|gap| matches!(gap.kind, GapKind::TechProvider | GapKind::AssetsUnread));
        if gaps.is_empty() {
            Self::Connected
        } else if is_told && assets.ad_accounts.is_empty() && assets.pages.is_empty() {
            Self::NothingShared { gaps }
        } else {
            Self::ConnectedWithGaps { gaps }
        }
    }

    pub fn gaps(&self) -> &[Gap] {
        match self {
            Self::ConnectedWithGaps { gaps } | Self::NothingShared { gaps } => gaps,
            _ => &[],
        }
    }

    /// Why the token does not work, when it does not.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::ActionNeeded { trouble } | Self::Broken { trouble } => Some(trouble),
            _ => None,
        }
    }

    /// Whether methods may be called.
    pub const fn is_usable(&self) -> bool {
        matches!(self, Self::Connected | Self::ConnectedWithGaps { .. })
    }
}

/// Something that was wanted and is not there, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    #[serde(flatten)]
    pub kind: GapKind,
    pub message: String,
    pub who: Who,
    pub next_step: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "gap", rename_all = "snake_case")]
pub enum GapKind {
    /// The person unticked it in the dialog.
    PermissionDeclined { permission: String },
    /// It was asked for, and neither granted nor declined.
    PermissionMissing { permission: String },
    /// It was granted, for no asset at all.
    PermissionWithoutAssets { permission: String },
    /// No ad account can be reached.
    NoAdAccounts,
    /// No Page can be reached, though a permission for Pages was asked for.
    NoPages,
    /// An ad account was shared that Meta has disabled or that has unpaid bills.
    AdAccountNotActive { ad_account: String },
    /// Everything was granted, and yet Meta answers as if nothing existed.
    TechProvider,
    /// Meta refused a call for want of a permission or a role.
    Refused { code: i64, subcode: Option<i64> },
    /// Meta gave a token of hours, not of weeks.
    ShortLived { until: Timestamp },
    /// Meta did not answer while the assets were looked up.
    AssetsUnread,
}

/// Why a token does not work, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trouble {
    pub title: String,
    pub message: String,
    pub who: Who,
    pub next_step: String,
    /// Meta's code and subcode, when Meta said so.
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub since: Timestamp,
}
