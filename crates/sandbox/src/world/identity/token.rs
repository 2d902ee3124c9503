use std::collections::BTreeSet;

use super::{Reach, TokenDeath};

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    User {
        person_id: String,
    },
    /// `person_id` is the person or system user from whose token this one was derived.
    Page {
        page_id: String,
        person_id: String,
    },
    SystemUser {
        system_user_id: String,
        business_id: String,
    },
    App,
}

impl TokenKind {
    /// The person or system user behind the token; `None` for an app.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::User { person_id } | Self::Page { person_id, .. } => Some(person_id),
            Self::SystemUser { system_user_id, .. } => Some(system_user_id),
            Self::App => None,
        }
    }

    /// The `type` that `debug_token` answers.
    pub fn meta_name(&self) -> &'static str {
        match self {
            Self::User { .. } => "USER",
            Self::Page { .. } => "PAGE",
            Self::SystemUser { .. } => "SYSTEM_USER",
            Self::App => "APP",
        }
    }
}

/// How long a new token lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenLife {
    /// A user token fresh from the dialog.
    Short,
    /// About 60 days.
    Long,
    Never,
}

impl TokenLife {
    /// Seconds from issue to expiry. The long figure is the one Meta's own sample shows.
    pub fn seconds(self) -> Option<i64> {
        match self {
            Self::Short => Some(5_400),
            Self::Long => Some(5_183_944),
            Self::Never => None,
        }
    }
}

/// A token that was issued. Its permissions are those of the subject's grant at the time of each call.
#[derive(Debug, Clone)]
pub struct Token {
    pub serial: u64,
    pub app_id: String,
    pub kind: TokenKind,
    pub life: TokenLife,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds; `None` = never.
    pub expires_at: Option<i64>,
    /// Set on granular tokens: only a part of the grant.
    pub narrowing: Option<Narrowing>,
    pub auth_nonce: Option<String>,
    pub auth_type: Option<String>,
    pub death: Option<TokenDeath>,
}

/// The part of a grant that a granular token carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowing {
    /// `None` = every permission of the grant.
    pub permissions: Option<BTreeSet<String>>,
    pub assets: Reach,
}

/// A code from the dialog (or `oauth/client_code`), good for one exchange.
#[derive(Debug, Clone)]
pub struct Code {
    pub app_id: String,
    pub redirect_uri: String,
    pub kind: TokenKind,
    pub life: TokenLife,
    /// Unix seconds.
    pub issued_at: i64,
    pub used: bool,
    pub auth_nonce: Option<String>,
    pub auth_type: Option<String>,
}

impl Code {
    pub const LIFE_SECONDS: i64 = 600;
}
