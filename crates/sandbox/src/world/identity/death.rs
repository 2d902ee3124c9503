use std::{fmt, str::FromStr};

use jiff::{Timestamp, tz::TimeZone};

use crate::protocol::GraphError;

/// Why a token no longer works. Each is one row of code, subcode and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenDeath {
    /// 190 without a subcode.
    Invalid,
    /// 102: the session behind the token is gone.
    SessionKey,
    /// 458: the app was removed.
    NotAuthorized,
    /// 459: a checkpoint at facebook.com; the token may come back to life.
    Checkpoint,
    /// 460: password changed, or reset for security.
    PasswordChanged,
    /// 461: the app was removed and added again.
    Reinstalled,
    /// 462: replaced by a newer session.
    Stale,
    /// 463: past its date.
    Expired,
    /// 464: the person is not confirmed; the token may come back to life.
    Unconfirmed,
    /// 465: the person is not valid any more.
    UserInvalid,
    /// 466: ended by an API call.
    InvalidatedByApi,
    /// 467: logged out.
    LoggedOut,
    /// 468: not used for too long.
    Unused,
    /// 492: the person lost the role on the Page.
    NoPageRole,
}

impl TokenDeath {
    pub const ALL: [Self; 14] = [
        Self::Invalid,
        Self::SessionKey,
        Self::NotAuthorized,
        Self::Checkpoint,
        Self::PasswordChanged,
        Self::Reinstalled,
        Self::Stale,
        Self::Expired,
        Self::Unconfirmed,
        Self::UserInvalid,
        Self::InvalidatedByApi,
        Self::LoggedOut,
        Self::Unused,
        Self::NoPageRole,
    ];

    pub fn subcode(self) -> Option<i64> {
        match self {
            Self::Invalid | Self::SessionKey => None,
            Self::NotAuthorized => Some(458),
            Self::Checkpoint => Some(459),
            Self::PasswordChanged => Some(460),
            Self::Reinstalled => Some(461),
            Self::Stale => Some(462),
            Self::Expired => Some(463),
            Self::Unconfirmed => Some(464),
            Self::UserInvalid => Some(465),
            Self::InvalidatedByApi => Some(466),
            Self::LoggedOut => Some(467),
            Self::Unused => Some(468),
            Self::NoPageRole => Some(492),
        }
    }

    /// In a few words, for the list of scenarios.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::SessionKey => "session gone",
            Self::NotAuthorized => "app removed",
            Self::Checkpoint => "checkpoint at facebook.com",
            Self::PasswordChanged => "password changed",
            Self::Reinstalled => "app added again",
            Self::Stale => "replaced by a newer session",
            Self::Expired => "expired",
            Self::Unconfirmed => "person not confirmed",
            Self::UserInvalid => "person not valid",
            Self::InvalidatedByApi => "ended by an API call",
            Self::LoggedOut => "logged out",
            Self::Unused => "unused for long",
            Self::NoPageRole => "no role on the Page",
        }
    }

    /// The error a call with such a token gets. `expired_at` (Unix seconds) is named in the text of 463.
    pub fn error(self, app_id: &str, expired_at: i64, now: i64) -> GraphError {
        let reason = match self {
            Self::Invalid => return GraphError::new(190, "Invalid OAuth access token."),
            Self::SessionKey => return GraphError::new(102, "Session key invalid or no longer valid"),
            Self::NotAuthorized => format!("The user has not authorized application {app_id}."),
            Self::Checkpoint => {
                "You cannot access the app till you log in to www.facebook.com and follow the instructions given."
                    .to_owned()
            }
            Self::PasswordChanged => "The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.".to_owned(),
            Self::Reinstalled => "The session is invalid because the user has installed the application again.".to_owned(),
            Self::Stale => "The session was replaced by a newer one.".to_owned(),
            Self::Expired => format!(
                "Session has expired on {}. The current time is {}.",
                pacific(expired_at),
                pacific(now)
            ),
            Self::Unconfirmed => {
                "Sessions for the user are not allowed because the user is not a confirmed user.".to_owned()
            }
            Self::UserInvalid => "The user of the session is not valid.".to_owned(),
            Self::InvalidatedByApi => "The session was invalidated explicitly using an API call.".to_owned(),
            Self::LoggedOut => "The session is invalid because the user logged out.".to_owned(),
            Self::Unused => "The session has not been used for too long.".to_owned(),
            Self::NoPageRole => {
                "The user must be an administrator of the page in order to impersonate it.".to_owned()
            }
        };
        let error = GraphError::new(190, format!("Error validating access token: {reason}"));
        match self.subcode() {
            Some(subcode) => error.subcode(subcode),
            None => error,
        }
    }
}

/// Meta writes session times as `Tuesday, 24-Nov-26 02:15:00 PST`.
fn pacific(unix: i64) -> String {
    let zone = TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC);
    let time = Timestamp::from_second(unix).unwrap_or_default().to_zoned_datetime(zone);
    time.strftime("%A, %d-%b-%y %H:%M:%S %Z").to_string()
}

impl fmt::Display for TokenDeath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("190"),
            Self::SessionKey => f.write_str("102"),
            other => write!(f, "{}", other.subcode().unwrap_or_default()),
        }
    }
}

impl FromStr for TokenDeath {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|death| death.to_string() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_death_reads_back_and_carries_its_subcode() {
        for death in TokenDeath::ALL {
            assert_eq!(death.to_string().parse(), Ok(death));
            let error = death.error("123", 0, 60);
            assert_eq!(error.subcode, death.subcode());
            assert_eq!(error.code, if death == TokenDeath::SessionKey { 102 } else { 190 });
        }
        assert!("470".parse::<TokenDeath>().is_err());
    }

    #[test]
    fn expiry_is_told_in_pacific_time() {
        let error = TokenDeath::Expired.error("1", 1_795_514_100, 1_795_514_160);
        assert!(error.message.contains("Session has expired on Tuesday, 24-Nov-26 01:"), "{}", error.message);
        assert!(error.message.contains(" PST. The current time is "), "{}", error.message);
    }
}
