use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{service::Who, store, time::Timestamp};

/// What Meta sends webhooks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    Page,
    AdAccount,
}

impl Object {
    pub const ALL: [Self; 2] = [Self::Page, Self::AdAccount];

    /// As Meta spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::AdAccount => "ad_account",
        }
    }

    /// The fields we want to hear of. Sources: the fields of a Page in Meta's SDKs, ads-webhooks.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Page => &["leadgen", "leadgen_update"],
            Self::AdAccount => &[
                "with_issues_ad_objects",
                "in_process_ad_objects",
                "ad_recommendations",
                "creative_fatigue",
                "effective_status",
                "subscriptions",
            ],
        }
    }

    /// Those without which a subscription is of no use; Meta may not know the others.
    pub(super) const fn core_fields(self) -> &'static [&'static str] {
        match self {
            Self::Page => &["leadgen"],
            Self::AdAccount => &["with_issues_ad_objects", "in_process_ad_objects"],
        }
    }
}

impl FromStr for Object {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|object| object.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no object"))
    }
}

impl store::Column for Object {
    fn read(row: &store::Row, name: &str) -> store::Result<Self> {
        store::read_text(row, name)
    }
}

/// Where the subscription of a Page or an ad account stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
#[schemars(rename = "SubscriptionState")]
pub enum State {
    /// Not looked at yet.
    Pending,
    /// Subscribed, as Meta showed it at the last check.
    Active {
        /// What our app is subscribed to there, ours and others'. An ad account's are those of the app.
        fields: Vec<String>,
        /// When this was first seen to be so.
        since: Timestamp,
        /// What came of it. Null for an ad account, and until it has been subscribed for a while.
        arrivals: Option<Arrivals>,
    },
    /// Webhooks do not come, or what they announce cannot be read.
    Faulty {
        fault: SubscriptionFault,
        since: Timestamp,
        /// Since when it is subscribed all the same; null when it is not.
        subscribed_since: Option<Timestamp>,
        /// Whether an event told it; its end is told then as well.
        told: bool,
    },
    /// The connection no longer reaches it; what is ours is taken back at Meta.
    Leaving,
}

impl State {
    /// The state's name, as it stands in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active { .. } => "active",
            Self::Faulty { .. } => "faulty",
            Self::Leaving => "leaving",
        }
    }

    /// Since when webhooks are to be expected.
    pub const fn subscribed_since(&self) -> Option<Timestamp> {
        match self {
            Self::Active { since, .. } => Some(*since),
            Self::Faulty { subscribed_since, .. } => *subscribed_since,
            Self::Pending | Self::Leaving => None,
        }
    }

    pub const fn fault(&self) -> Option<&SubscriptionFault> {
        match self {
            Self::Faulty { fault, .. } => Some(fault),
            _ => None,
        }
    }
}

/// Leads of a Page that were submitted in the last 24 hours (but for the last quarter of an hour: Meta's webhooks may be
/// late), and how many of these the sweep alone found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Arrivals {
    pub leads: i64,
    /// Those that no webhook announced.
    pub unannounced: i64,
}

/// Where the app's own subscription to one type of object stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
#[schemars(rename = "AppSubscriptionState")]
pub enum AppState {
    /// Not looked at yet.
    Pending,
    /// Subscribed with our callback, as Meta showed it at the last check.
    Active {
        callback_url: String,
        fields: Vec<String>,
        since: Timestamp,
    },
    Faulty {
        fault: SubscriptionFault,
        since: Timestamp,
    },
}

impl AppState {
    /// The state's name, as it stands in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active { .. } => "active",
            Self::Faulty { .. } => "faulty",
        }
    }
}

/// Why webhooks do not come, or what they announce cannot be read; who can mend it and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionFault {
    #[serde(flatten)]
    pub cause: Cause,
    pub message: String,
    pub who: Who,
    pub next_step: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The connection has no token that works. Its own events tell more.
    TokenDead,
    /// Meta gives the connection no token for this Page.
    NoPageToken,
    PermissionMissing {
        permission: String,
    },
    /// The person has none of these tasks on the Page, or is no admin of the ad account.
    TaskMissing {
        any_of: Vec<String>,
    },
    /// `has_lead_access` of the Page says no, in Meta's words.
    LeadAccessRefused {
        reason: Option<String>,
        resolution: Option<String>,
    },
    /// The Page has not accepted the terms of lead ads.
    TermsNotAccepted,
    /// The Meta app is in development mode: leads of other people are not given out.
    DevelopmentMode,
    /// The sweep finds leads that no webhook announced, though Meta shows the subscription.
    WebhooksSilent {
        /// Leads of the last 24 hours.
        leads: i64,
        /// Those that no webhook announced.
        unannounced: i64,
        /// Whether webhooks of other Pages arrive.
        others_arrive: bool,
    },
    /// Meta took the subscription and does not show it.
    NotKept {
        missing: Vec<String>,
    },
    /// Nobody has said under which host the service is reached.
    NoServiceDomain,
    /// Meta cannot reach this host.
    HostNotPublic {
        callback_url: String,
    },
    /// Meta called the callback and did not get its challenge back.
    CallbackRefused {
        callback_url: String,
    },
    /// The app's webhooks go to another URL. It is not taken over unasked.
    OtherCallback {
        callback_url: String,
    },
    /// Meta refused for another reason.
    Refused {
        code: Option<i64>,
        subcode: Option<i64>,
    },
}

impl Cause {
    /// Whether an event of its own tells it. A dead token is told by its connection, once.
    pub(super) const fn is_told(&self) -> bool {
        !matches!(self, Self::TokenDead)
    }

    /// Whether it keeps Meta from giving leads out.
    pub const fn withholds_leads(&self) -> bool {
        matches!(
            self,
            Self::TokenDead
                | Self::NoPageToken
                | Self::PermissionMissing { .. }
                | Self::TaskMissing { .. }
                | Self::LeadAccessRefused { .. }
                | Self::TermsNotAccepted
                | Self::DevelopmentMode
        )
    }

    /// Whether leads can be read in spite of it, so that those that wait are worth another try.
    pub(super) const fn leaves_leads(&self) -> bool {
        matches!(self, Self::WebhooksSilent { .. } | Self::NotKept { .. })
    }

    /// Whether both are the same trouble, whatever the numbers in them.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::WebhooksSilent { .. }, Self::WebhooksSilent { .. }) => true,
            _ => self == other,
        }
    }
}
