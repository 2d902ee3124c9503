//! Ids that carry their kind: `acc_01890c...`. A UUID v7 behind the prefix, so that ids sort by time.

use std::{fmt, str::FromStr, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The text is not an id of this kind.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not an id of the form {prefix}…")]
pub struct InvalidId {
    prefix: &'static str,
    text: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String", extend("pattern" = concat!("^", $prefix, "[0-9a-f]{32}$")))]
        pub struct $name(Arc<str>);

        impl $name {
            /// Behind every id of this kind, in the order of bytes as in that of languages: where a list of the newest
            /// begins.
            pub const BEYOND: &str = concat!($prefix, "g");

            /// A new id, later in order than those made before it (to the millisecond).
            #[must_use]
            #[expect(clippy::new_without_default, reason = "an id is never a default")]
            pub fn new() -> Self {
                Self(format!(concat!($prefix, "{}"), uuid::Uuid::now_v7().simple()).into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let hex = text.strip_prefix($prefix).filter(|hex| {
                    hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
                });
                match hex {
                    Some(_) => Ok(Self(text.into())),
                    None => Err(InvalidId { prefix: $prefix, text: text.chars().take(64).collect() }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                (*id.0).to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&$name> for crate::store::Value {
            fn from(id: &$name) -> Self {
                Self::Text(Some((*id.0).to_owned()))
            }
        }

        impl From<Option<&$name>> for crate::store::Value {
            fn from(id: Option<&$name>) -> Self {
                Self::Text(id.map(|id| (*id.0).to_owned()))
            }
        }

        impl crate::store::Column for $name {
            fn read(row: &crate::store::Row, name: &str) -> crate::store::Result<Self> {
                crate::store::read_text(row, name)
            }
        }

        impl crate::store::Column for Option<$name> {
            fn read(row: &crate::store::Row, name: &str) -> crate::store::Result<Self> {
                crate::store::read_optional_text(row, name)
            }
        }
    )*};
}

ids! {
    /// A customer of the partner.
    AccountId = "acc_";
    /// A connector installed in an account.
    ConnectionId = "con_";
    /// The short-lived right to connect.
    ConnectSessionId = "ses_";
    /// A key for the JSON API.
    ApiKeyId = "key_";
    /// Somebody who signs in to the console.
    OperatorId = "op_";
    /// One call of a method, in the call log.
    CallId = "call_";
    /// A data key of the vault.
    DataKeyId = "dk_";
    /// A line of the audit log.
    AuditId = "aud_";
    /// A body that Meta posted, until its changes are sorted.
    WebhookId = "whk_";
    /// A change that nobody could use.
    QuarantineId = "qua_";
    /// A form submission, as one account has it.
    LeadId = "lead_";
    /// A stage of a lead that was told to Meta.
    LeadStageId = "stg_";
    /// A form as it stood at some time.
    FormVersionId = "frmv_";
    /// What happened, for the partner. It is the `webhook-id` of every delivery.
    EventId = "evt_";
    /// Where events are delivered.
    EndpointId = "ep_";
    /// One event on its way to one endpoint.
    DeliveryId = "dlv_";
    /// One try of a delivery.
    AttemptId = "att_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_round_trips_and_keeps_its_kind() {
        let id = AccountId::new();
        assert_eq!(id.to_string().parse::<AccountId>().unwrap(), id);
        assert!(id.to_string().parse::<ConnectionId>().is_err());
        assert!("acc_short".parse::<AccountId>().is_err());
    }
}
