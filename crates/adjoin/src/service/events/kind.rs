use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kinds of events there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// A form submission was read from Meta.
    #[serde(rename = "lead.created")]
    LeadCreated,
    /// Meta changed something about a lead; `value` is what it said. Of a lead that is not read yet it is told before
    /// `lead.created`, under the same `lead_id`, and `is_test` is null.
    #[serde(rename = "lead.updated")]
    LeadUpdated,
    /// Meta forgets a lead within a week, and it could not be read yet; `cause`, `who` and `next_step` tell what to do. Once a
    /// lead.
    #[serde(rename = "lead.expiring")]
    LeadExpiring,
    #[serde(rename = "connection.connected")]
    ConnectionConnected,
    /// It works, and something that was wanted is missing.
    #[serde(rename = "connection.degraded")]
    ConnectionDegraded,
    /// It does not work: the token is dead, or nothing was shared.
    #[serde(rename = "connection.broken")]
    ConnectionBroken,
    /// Taken back, here or at Facebook.
    #[serde(rename = "connection.revoked")]
    ConnectionRevoked,
    /// Webhooks of a Page or an ad account do not come, with the cause; without an account: those of all of them.
    #[serde(rename = "subscription.faulty")]
    SubscriptionFaulty,
    #[serde(rename = "subscription.restored")]
    SubscriptionRestored,
    /// A canary, the test lead that Adjoin sends through a form, did not arrive: `step` says where it was lost, and `next_step`
    /// what to do. Told once, until the canary is lost elsewhere or arrives.
    #[serde(rename = "canary.failed")]
    CanaryFailed,
    /// A canary arrived, after one that did not.
    #[serde(rename = "canary.passed")]
    CanaryPassed,
    /// An ad, ad set or campaign has an issue.
    #[serde(rename = "ad.issue")]
    AdIssue,
    /// The effective status of an ad, ad set or campaign changed. Meta says only whose (`object_id`), not to what: read the
    /// object, as with `ad.get`.
    #[serde(rename = "ad.status_changed")]
    AdStatusChanged,
    /// An ad, ad set or campaign is no longer in process.
    #[serde(rename = "ad.processed")]
    AdProcessed,
    #[serde(rename = "ad.recommendation")]
    AdRecommendation,
    #[serde(rename = "ad.creative_fatigue")]
    AdCreativeFatigue,
    /// A threshold that was set was crossed.
    #[serde(rename = "ad.alert")]
    AdAlert,
    /// Another endpoint gets nothing any more, with the cause: it said 410, nothing arrived for days, or somebody wanted it.
    #[serde(rename = "endpoint.disabled")]
    EndpointDisabled,
    /// A delivery was given up after its last attempt: the event did not reach this endpoint. It can be replayed.
    #[serde(rename = "endpoint.delivery_dead")]
    EndpointDeliveryDead,
    /// A try of an endpoint, asked for by an operator or the partner.
    #[serde(rename = "endpoint.test")]
    EndpointTest,
}

impl Kind {
    pub const ALL: [Self; 20] = [
        Self::LeadCreated,
        Self::LeadUpdated,
        Self::LeadExpiring,
        Self::ConnectionConnected,
        Self::ConnectionDegraded,
        Self::ConnectionBroken,
        Self::ConnectionRevoked,
        Self::SubscriptionFaulty,
        Self::SubscriptionRestored,
        Self::CanaryFailed,
        Self::CanaryPassed,
        Self::AdIssue,
        Self::AdStatusChanged,
        Self::AdProcessed,
        Self::AdRecommendation,
        Self::AdCreativeFatigue,
        Self::AdAlert,
        Self::EndpointDisabled,
        Self::EndpointDeliveryDead,
        Self::EndpointTest,
    ];

    /// As it stands in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeadCreated => "lead.created",
            Self::LeadUpdated => "lead.updated",
            Self::LeadExpiring => "lead.expiring",
            Self::ConnectionConnected => "connection.connected",
            Self::ConnectionDegraded => "connection.degraded",
            Self::ConnectionBroken => "connection.broken",
            Self::ConnectionRevoked => "connection.revoked",
            Self::SubscriptionFaulty => "subscription.faulty",
            Self::SubscriptionRestored => "subscription.restored",
            Self::CanaryFailed => "canary.failed",
            Self::CanaryPassed => "canary.passed",
            Self::AdIssue => "ad.issue",
            Self::AdStatusChanged => "ad.status_changed",
            Self::AdProcessed => "ad.processed",
            Self::AdRecommendation => "ad.recommendation",
            Self::AdCreativeFatigue => "ad.creative_fatigue",
            Self::AdAlert => "ad.alert",
            Self::EndpointDisabled => "endpoint.disabled",
            Self::EndpointDeliveryDead => "endpoint.delivery_dead",
            Self::EndpointTest => "endpoint.test",
        }
    }
}

/// No kind has this name.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no type of events")]
pub struct UnknownKind(String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

impl crate::store::Column for Kind {
    fn read(row: &crate::store::Row, name: &str) -> crate::store::Result<Self> {
        crate::store::read_text(row, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name_everywhere() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
