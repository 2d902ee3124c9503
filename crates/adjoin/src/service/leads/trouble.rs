//! What it means that a lead could not be read.

use adjoin_graph::Error as GraphError;
use adjoin_marketing::errors::Class;

use super::{Cause, State};
use crate::{
    service::{Error, MetaError, Result, Who},
    time::Timestamp,
};

/// Why a lead could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub kind: Kind,
    pub message: String,
    pub who: Who,
    pub next_step: String,
    pub code: Option<i64>,
    pub subcode: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The token is dead, or there is none.
    Token,
    /// Meta does not let us at it, or does not have it: the two look alike (100/33).
    Unseen,
    /// Meta does not let us at this lead.
    Refused,
    /// Known to be a matter of access, for all leads of the Page.
    Access,
    /// Meta's limit is used up; seconds to wait.
    Throttle { seconds: i64 },
    /// It passes by itself.
    Passing,
}

impl Trouble {
    /// What an answer of Meta's, or none, means.
    pub fn of_meta(error: &GraphError) -> Self {
        let explained = MetaError::explain(error);
        let refusal = error.refusal();
        Self {
            code: refusal.and_then(|refusal| refusal.code),
            subcode: refusal.and_then(|refusal| refusal.subcode),
            ..Self::explained(explained)
        }
    }

    fn explained(error: MetaError) -> Self {
        let kind = match error.class {
            Class::Throttled { pause_seconds, .. } => Kind::Throttle {
                seconds: error
                    .retry_after
                    .and_then(|wait| i64::try_from(wait).ok())
                    .unwrap_or_else(|| i64::from(pause_seconds)),
            },
            Class::Reconnect | Class::ActionOnFacebook => Kind::Token,
            Class::Gone => Kind::Unseen,
            Class::MissingPermission | Class::MissingRole | Class::Policy | Class::Configuration => {
                Kind::Refused
            }
            // What nobody knows is tried again, ever more seldom: never a reason to give a lead up.
            Class::Temporary
            | Class::BadParameter
            | Class::Internal
            | Class::TooMuchData
            | Class::VersionEnded
            | Class::Unknown => Kind::Passing,
        };
        // What a caller would be told to do, nobody has to do here.
        let (who, next_step) = match kind {
            Kind::Throttle { .. } => (Who::Meta, "it is read by itself when Meta's limit ends".to_owned()),
            Kind::Passing => (Who::Meta, "it is tried again by itself".to_owned()),
            _ => (error.who, error.next_step),
        };
        Self { kind, message: error.message, who, next_step, code: None, subcode: None }
    }

    /// Why there is no token for the Page. What failed here is an error.
    pub fn of_access(error: Error) -> Result<Self> {
        let told = |kind, message: String, who, next_step: String| Self {
            kind,
            message,
            who,
            next_step,
            code: None,
            subcode: None,
        };
        Ok(match error {
            Error::Store(_) | Error::Vault(_) => return Err(error),
            Error::NotReady { message, who, next_step } | Error::Broken { message, who, next_step } => {
                told(Kind::Token, message, who, next_step)
            }
            Error::Unpermitted { message, who, next_step } => told(Kind::Access, message, who, next_step),
            Error::Meta(error) => match Self::explained(*error) {
                // It is the Page that cannot be seen, so it is no matter of one lead.
                trouble @ Self { kind: Kind::Unseen | Kind::Refused, .. } => {
                    Self { kind: Kind::Access, ..trouble }
                }
                trouble => trouble,
            },
            other => told(
                Kind::Token,
                other.to_string(),
                Who::Account,
                "let somebody of the account who has a role on the Page connect again".to_owned(),
            ),
        })
    }

    /// Whether it keeps all leads of the Page from being read.
    pub const fn is_of_page(&self) -> bool {
        matches!(self.kind, Kind::Token | Kind::Access | Kind::Throttle { .. })
    }

    /// Whether it may be that Meta does not let us at the lead.
    pub const fn is_of_access(&self) -> bool {
        matches!(self.kind, Kind::Unseen | Kind::Refused)
    }

    /// The state of a lead that waits for its end.
    pub fn parked(&self, since: Timestamp) -> State {
        let cause = match self.kind {
            Kind::Token => Cause::Token,
            Kind::Unseen | Kind::Refused | Kind::Access => Cause::Access,
            Kind::Throttle { .. } => Cause::Throttle,
            Kind::Passing => Cause::Passing,
        };
        State::Parked {
            cause,
            message: self.message.clone(),
            who: self.who,
            next_step: self.next_step.clone(),
            code: self.code,
            subcode: self.subcode,
            since,
        }
    }
}

#[cfg(test)]
mod tests {
    use adjoin_graph::{BusinessUsage, GraphRefusal, Usage};
    use serde_json::json;

    use super::*;

    fn refused(code: i64, subcode: Option<i64>, minutes: u64) -> Trouble {
        let row = BusinessUsage { minutes_to_regain_access: minutes, ..BusinessUsage::default() };
        Trouble::of_meta(&GraphError::Refused(Box::new(GraphRefusal {
            status: 400,
            code: Some(code),
            subcode,
            kind: None,
            message: String::new(),
            user_title: None,
            user_msg: None,
            is_transient: false,
            blame_fields: Vec::new(),
            fbtrace_id: None,
            error_data: None,
            raw: json!({}),
            usage: Usage { business: vec![row], ..Usage::default() },
        })))
    }

    #[test]
    fn codes_seen_in_the_field_park_by_their_cause() {
        for (code, subcode, kind) in [
            (190, None, Kind::Token),
            (190, Some(460), Kind::Token),
            (190, Some(459), Kind::Token),
            (102, None, Kind::Token),
            (100, Some(33), Kind::Unseen),
            (10, None, Kind::Refused),
            (200, None, Kind::Refused),
            (190, Some(492), Kind::Refused),
            (100, None, Kind::Passing),
            (1, None, Kind::Passing),
            (2, None, Kind::Passing),
            (987_654, None, Kind::Passing),
        ] {
            assert_eq!(refused(code, subcode, 0).kind, kind, "{code}/{subcode:?}");
        }
        for code in [4, 17, 32, 341, 613, 80_001, 80_005] {
            assert!(matches!(refused(code, None, 0).kind, Kind::Throttle { .. }), "{code}");
            assert_eq!(refused(code, None, 7).kind, Kind::Throttle { seconds: 420 }, "{code}");
        }
        let unreachable = Trouble::of_meta(&GraphError::Timeout { sent: true });
        assert_eq!((unreachable.kind, unreachable.code), (Kind::Passing, None));
    }

    #[test]
    fn what_a_parked_lead_shows_is_what_was_refused() {
        let at = Timestamp::from_unix(1);
        let State::Parked { cause, code, subcode, since, who, .. } = refused(190, Some(460), 0).parked(at)
        else {
            panic!("it is parked")
        };
        assert_eq!(
            (cause, code, subcode, since, who),
            (Cause::Token, Some(190), Some(460), at, Who::Account)
        );
    }
}
