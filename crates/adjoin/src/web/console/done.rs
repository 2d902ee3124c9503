//! What a form has done, said on the page it leads to. The address carries a code; the words are ours.

use axum::response::Redirect;

macro_rules! done {
    ($($variant:ident = $code:literal, $words:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Done {
            $($variant),*
        }

        impl Done {
            const ALL: &[Self] = &[$(Self::$variant),*];

            fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code),*
                }
            }

            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words),*
                }
            }
        }
    };
}

done! {
    Welcome = "welcome", "Your operator account is ready.";
    SettingsSaved = "settings-saved", "The settings are saved.";
    KeyRevoked = "key-revoked", "The API key is revoked. Calls with it are refused from now on.";
    SetupSaved = "setup-saved", "Meta accepted id and secret, and the setup is saved.";
    AccountCreated = "account-created", "The account is created.";
    AccountRenamed = "account-renamed", "The account has its new name.";
    Installed = "installed", "The connector is installed. Create a connect link, or start from your product.";
    CampaignCreated = "campaign-created", "The campaign is created, paused. This is how Meta reads it back.";
    AdSetCreated = "ad-set-created", "The ad set is created, paused. This is how Meta reads it back.";
    IdentityAccepted = "identity-accepted", "The connection goes on as the person who consented now.";
    Disconnected = "disconnected", "The connection is taken back.";
    DisconnectedAtMeta = "disconnected-at-meta", "Our copy of the token is erased, and the consent is taken back at Meta.";
    DisconnectedHereOnly = "disconnected-here", "Our copy of the token is erased. At Meta the consent stays, because the same person connected another account.";
    DisconnectedNotAtMeta = "disconnected-not-at-meta", "Our copy of the token is erased. Meta did not take the consent back; the person can remove the app at Facebook under Business Integrations.";
    SweepAsked = "sweep-asked", "All forms are being swept. What was missing appears in the inbox.";
    BackfillAsked = "backfill-asked", "The backfill is under way. What is missing is taken in and delivered.";
    CanaryAsked = "canary-asked", "The canary is on its way.";
    CanaryDaily = "canary-daily", "A canary is sent every day.";
    CanaryNotDaily = "canary-not-daily", "No canary is sent by itself any more.";
    CheckAsked = "check-asked", "The subscriptions are being checked at Meta.";
    TakenOver = "taken-over", "The webhooks come here now. Meta has confirmed it.";
    LeadsRetried = "leads-retried", "The leads that wait are being read from Meta.";
    LeadRetried = "lead-retried", "It is being read from Meta.";
    LeadErased = "lead-erased", "What the person sent is erased.";
    EndpointChanged = "endpoint-changed", "The endpoint is changed. What is sent from now on follows it.";
    EndpointEnabled = "endpoint-enabled", "The endpoint is enabled, and what was held is on its way.";
    EndpointDisabled = "endpoint-disabled", "The endpoint is disabled. What is for it is held.";
    EndpointDeleted = "endpoint-deleted", "The endpoint and its deliveries are deleted.";
    TestSent = "test-sent", "A test event is on its way. Its attempt appears below.";
    Replayed = "replayed", "It is sent again, with the same id.";
    AccountDeleted = "account-deleted", "The account and everything stored for it are deleted.";
}

impl Done {
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|done| done.code() == code)
    }

    /// Leads to a page that says it.
    pub fn at(self, path: &str) -> Redirect {
        Redirect::to(&format!("{path}?done={}", self.code()))
    }
}
