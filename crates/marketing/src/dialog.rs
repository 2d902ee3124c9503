//! What Facebook's login dialog sends back instead of a code, and why a code could not be exchanged.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::facts::{Mark, Who, table};

/// What became of the consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The person said no. Nothing is broken, and a connection stays as it was.
    Declined,
    /// Something in the Meta app has to be changed first.
    Misconfigured,
    /// Facebook cannot do it now; it may pass.
    Unavailable,
    /// A reason we have no row for.
    Unknown,
}

/// Why the dialog sent the person back without a code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refusal {
    /// The OAuth `error` parameter, where Meta sends one.
    pub error: Option<String>,
    /// The `error_code` parameter of the redirect.
    pub error_code: Option<i64>,
    pub outcome: Outcome,
    /// How Meta's own page begins, where it shows one and sends nobody back. In English.
    pub on_screen: Option<String>,
    pub title: String,
    pub what: String,
    pub who: Who,
    /// For people by [`filled`].
    pub next_step: String,
    pub mark: Mark,
    pub source: String,
}

/// Why the code exchange was refused. None of these can be retried with the same code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExchangeFault {
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    /// A part of Meta's message, in lower case, where the code alone does not tell.
    pub contains: Option<String>,
    /// The field of the partner's setup that is wrong, where it is one.
    pub field: Option<String>,
    pub title: String,
    pub what: String,
    pub who: Who,
    /// For people by [`filled`].
    pub next_step: String,
    pub mark: Mark,
    pub source: String,
}

#[derive(Deserialize)]
struct Table {
    refusal: Vec<Refusal>,
    exchange: Vec<ExchangeFault>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| table("dialog.toml", include_str!("../data/dialog.toml")));

/// A next step with the redirect URI in it, character by character as it was sent; without one, where it is to be found.
pub fn filled(next_step: &str, redirect_uri: Option<&str>) -> String {
    next_step.replace("{redirect_uri}", redirect_uri.unwrap_or("the redirect URI that Setup shows"))
}

/// What to look at in the Meta app when the dialog refused, and when nobody came back from it.
pub fn to_look_at() -> impl Iterator<Item = &'static Refusal> {
    refusals().iter().filter(|row| {
        row.error_code.is_some() && matches!(row.outcome, Outcome::Misconfigured | Outcome::Unavailable)
    })
}

/// All refusals of the dialog; the last stands for those we do not know.
pub fn refusals() -> &'static [Refusal] {
    &TABLE.refusal
}

/// Explains a redirect that carries `error` or `error_code` instead of a code.
///
/// The number decides, since Meta often sends it without `error`.
pub fn explain(error: Option<&str>, error_code: Option<i64>) -> &'static Refusal {
    let rows = refusals();
    let by_code = error_code.and_then(|code| rows.iter().find(|row| row.error_code == Some(code)));
    let by_error = || error.and_then(|error| rows.iter().find(|row| row.error.as_deref() == Some(error)));
    by_code.or_else(by_error).unwrap_or(&rows[rows.len() - 1])
}

/// Explains an error of the code exchange (`oauth/access_token`).
pub fn explain_exchange(code: i64, subcode: Option<i64>, message: &str) -> &'static ExchangeFault {
    let message = message.to_lowercase();
    let rows = &TABLE.exchange;
    rows.iter()
        .find(|row| {
            row.code == Some(code)
                && row.subcode.is_none_or(|wanted| subcode == Some(wanted))
                && row.contains.as_deref().is_none_or(|part| message.contains(part))
        })
        .unwrap_or(&rows[rows.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_is_declined_in_both_shapes() {
        assert_eq!(explain(Some("access_denied"), None).outcome, Outcome::Declined);
        assert_eq!(explain(None, Some(200)).outcome, Outcome::Declined);
    }

    #[test]
    fn the_number_decides() {
        let refusal = explain(Some("access_denied"), Some(1_349_168));
        assert_eq!((refusal.outcome, refusal.who), (Outcome::Misconfigured, Who::Partner));
        assert_eq!(explain(None, Some(1)).outcome, Outcome::Unknown);
        assert_eq!(explain(Some("access_denied"), Some(1)).outcome, Outcome::Declined);
        assert_eq!(explain(None, None).outcome, Outcome::Unknown);
    }

    #[test]
    fn what_meta_failed_at_is_not_blamed_on_the_app() {
        for error in ["server_error", "temporarily_unavailable"] {
            let refusal = explain(Some(error), None);
            assert_eq!((refusal.outcome, refusal.who), (Outcome::Unavailable, Who::Meta), "{error}");
        }
    }

    #[test]
    fn every_refusal_of_the_app_or_the_tester_is_looked_at_when_nobody_comes_back() {
        let codes: Vec<_> = to_look_at().filter_map(|row| row.error_code).collect();
        assert_eq!(codes, [1_349_048, 1_349_168, 191, 1_349_126, 1_349_186, 1_349_220, 1_349_245]);
    }

    #[test]
    fn who_has_to_register_the_redirect_uri_reads_it() {
        let uri = "https://connect.example/connector/callback";
        let exchange = explain_exchange(191, None, "");
        for next_step in [
            &explain(None, Some(1_349_168)).next_step,
            &explain(None, Some(191)).next_step,
            &exchange.next_step,
        ] {
            assert!(filled(next_step, Some(uri)).contains(uri), "{next_step}");
            assert!(!filled(next_step, None).contains('{'), "{next_step}");
            assert!(next_step.contains("Facebook Login for Business"), "{next_step}");
        }
    }

    #[test]
    fn exchange_goes_by_subcode_then_text() {
        assert!(
            explain_exchange(100, Some(36009), "This authorization code has expired.").title.contains("used")
        );
        assert!(
            explain_exchange(100, None, "Invalid verification code format.").title.contains("not a code")
        );
        assert_eq!(explain_exchange(1, None, "Error validating client secret.").who, Who::Partner);
        assert!(explain_exchange(9999, None, "").title.contains("could not"));
    }
}
