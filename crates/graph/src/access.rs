use secrecy::{ExposeSecret, SecretString};

/// In whose name a call is made: an access token, and the app secret when calls are to be signed.
///
/// Every kind of token fits: user, Page, system user, app. `Debug` shows neither token nor secret.
#[derive(Debug, Clone)]
pub struct Access {
    pub(crate) token: SecretString,
    pub(crate) app_secret: Option<SecretString>,
}

impl Access {
    /// Calls without a proof. Refused by Meta when the app has *Require App Secret* switched on.
    pub fn unsigned(token: impl Into<SecretString>) -> Self {
        Self { token: token.into(), app_secret: None }
    }

    /// Calls signed with a fresh `appsecret_proof`. The secret must be that of the app the token was made for.
    pub fn signed(token: impl Into<SecretString>, app_secret: impl Into<SecretString>) -> Self {
        Self { token: token.into(), app_secret: Some(app_secret.into()) }
    }

    /// The app itself: its token is `{app id}|{app secret}`. Signed as well, since *Require App Secret* asks for a
    /// proof on every call.
    pub fn app(app_id: &str, app_secret: &SecretString) -> Self {
        Self::signed(format!("{app_id}|{}", app_secret.expose_secret()), app_secret.clone())
    }

    /// The same app's access with another token, such as that of a Page.
    #[must_use]
    pub fn with_token(&self, token: SecretString) -> Self {
        Self { token, app_secret: self.app_secret.clone() }
    }

    /// The token, for a caller that must store or exchange it.
    pub fn token(&self) -> &SecretString {
        &self.token
    }
}
