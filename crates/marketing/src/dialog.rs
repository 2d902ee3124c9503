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
    pub title: String,
    pub what: String,
    pub who: Who,
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
