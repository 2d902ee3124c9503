use adjoin_graph::{Graph, oauth};
use adjoin_marketing::dialog::{self, ExchangeFault};
use secrecy::SecretString;

use super::{Failed, Findings, Wanted, verify};
use crate::service::{
    MetaError, Who,
    connect_sessions::{Dialog, Refusal},
    connections::TokenKind,
};
use crate::time::Timestamp;

/// Exchanges Meta's code, makes a person's token long-lived, and verifies what came of it.
pub async fn redeem(
    graph: &Graph,
    app: &oauth::App,
    dialog: &Dialog,
    code: &SecretString,
    now: Timestamp,
) -> Result<(SecretString, Findings), Failed> {
    let grant = oauth::exchange_code(graph, app, Some(&dialog.redirect_uri), code)
        .await
        .map_err(|error| exchange_failed(&error, &dialog.redirect_uri))?;
    let first = oauth::debug_token(graph, &app.access(), &grant.access_token).await?;
    if let Some(nonce) = nonce(&first)
        && nonce != dialog.nonce
    {
        return Err(Failed::check(
            "The consent belongs to another visit",
            "Facebook's token was made in another visit to the dialog than the one that began here.",
            Who::Account,
            "Start again from the connect link, in one window.",
        ));
    }
    let wanted = Wanted { permissions: &dialog.wanted, system_user: dialog.system_user };
    let (token, info) = match verify::kind(&first, dialog.system_user) {
        Some(TokenKind::User) => lengthened(graph, app, grant.access_token, first).await,
        _ => (grant.access_token, first),
    };
    let findings = verify(graph, app, &token, info, &wanted, now).await?;
    Ok((token, findings))
}

/// A person's long-lived token, if Meta gives one that lives longer; otherwise the one there is.
async fn lengthened(
    graph: &Graph,
    app: &oauth::App,
    short: SecretString,
    before: oauth::TokenInfo,
) -> (SecretString, oauth::TokenInfo) {
    // Never expires already.
    if before.expires_at.is_none() {
        return (short, before);
    }
    let longer = async {
        let grant = oauth::exchange_long_lived(graph, app, &short).await?;
        let info = oauth::debug_token(graph, &app.access(), &grant.access_token).await?;
        Ok::<_, adjoin_graph::Error>((grant.access_token, info))
    };
    match longer.await {
        Ok((token, after)) if after.is_valid && lives_longer(&before, &after) => (token, after),
        Ok(_) => (short, before),
        Err(error) => {
            tracing::warn!(%error, "no long-lived token; the short one is kept");
            (short, before)
        }
    }
}

/// Only a real gain counts: Meta may answer with the same token and the same date.
fn lives_longer(before: &oauth::TokenInfo, after: &oauth::TokenInfo) -> bool {
    match (before.expires_at, after.expires_at) {
        (Some(before), Some(after)) => after > before,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn nonce(info: &oauth::TokenInfo) -> Option<&str> {
    info.metadata.as_ref()?.get("auth_nonce")?.as_str()
}

fn exchange_failed(error: &adjoin_graph::Error, redirect_uri: &str) -> Failed {
    match refused_exchange(error) {
        Some(fault) => Failed::Refused(Refusal {
            code: error.refusal().and_then(|refusal| refusal.code),
            title: fault.title.clone(),
            message: fault.what.clone(),
            who: fault.who,
            next_step: dialog::filled(&fault.next_step, Some(redirect_uri)),
        }),
        None => {
            Failed::Unreachable { error: Box::new(MetaError::explain(error)), unspent: error.is_unsent() }
        }
    }
}

/// Why the token endpoint refused; `None` when it did not answer, or failed itself. The table goes first: Meta says
/// a wrong secret with code 1, which elsewhere is a passing fault.
pub fn refused_exchange(error: &adjoin_graph::Error) -> Option<&'static ExchangeFault> {
    let refusal = error.refusal()?;
    let fault = dialog::explain_exchange(refusal.code.unwrap_or_default(), refusal.subcode, &refusal.message);
    (fault.code.is_some() || !error.is_passing()).then_some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_end_counts_as_longer() {
        let info = |expires_at| oauth::TokenInfo { expires_at, ..Default::default() };
        assert!(lives_longer(&info(Some(10)), &info(Some(11))));
        assert!(lives_longer(&info(Some(10)), &info(None)));
        assert!(!lives_longer(&info(Some(10)), &info(Some(10))));
        assert!(!lives_longer(&info(None), &info(Some(99))));
    }
}
