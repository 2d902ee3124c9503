use adjoin_graph::{Access, Graph, Request, oauth};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Failed,
    assets::{self, Discovery},
    gaps,
};
use crate::{
    service::{
        Who,
        connections::{Assets, Gap, Subject, TokenKind},
    },
    time::Timestamp,
};

/// What a consent should have led to.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// With everything they need.
    pub permissions: &'a [String],
    /// Whether a system user's token was asked for.
    pub system_user: bool,
}

/// What Meta says of a token that works.
#[derive(Debug, Clone)]
pub struct Findings {
    pub app_id: String,
    pub kind: TokenKind,
    pub subject: Subject,
    pub expires_at: Option<Timestamp>,
    pub data_access_expires_at: Option<Timestamp>,
    pub granted: Vec<String>,
    pub declined: Vec<String>,
    pub assets: Assets,
    pub gaps: Vec<Gap>,
}

#[derive(Debug, Deserialize)]
struct Me {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    client_business_id: Option<String>,
}

/// Whose token it is. Meta's word decides; without one, what was asked for. `None` for a token of neither.
pub fn kind(info: &oauth::TokenInfo, asked_for_system_user: bool) -> Option<TokenKind> {
    match info.kind.as_deref() {
        Some("USER") => Some(TokenKind::User),
        Some("SYSTEM_USER") => Some(TokenKind::SystemUser),
        None => Some(if asked_for_system_user { TokenKind::SystemUser } else { TokenKind::User }),
        Some(_) => None,
    }
}

/// Checks that the token is alive and ours, and reads who consented, what was granted and what it reaches.
///
/// `info` is Meta's answer about the token: its caller has asked already.
pub async fn verify(
    graph: &Graph,
    app: &oauth::App,
    token: &SecretString,
    info: oauth::TokenInfo,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<Findings, Failed> {
    if !info.is_valid {
        return Err(dead(&info));
    }
    if info.app_id.as_deref() != Some(app.id.as_str()) {
        return Err(Failed::check(
            "The token belongs to another app",
            "Facebook's token was made for another Meta app than the one that is set up here.",
            Who::Partner,
            "Check the Client ID at Connectors > Facebook Marketing API > Setup, then start again.",
        ));
    }
    let Some(kind) = kind(&info, wanted.system_user) else {
        return Err(Failed::check(
            "The token is of the wrong kind",
            "Facebook's token stands neither for a person nor for a business.",
            Who::Partner,
            "Check the login configuration at Connectors > Facebook Marketing API > Setup.",
        ));
    };
    let access = Access::signed(token.clone(), app.secret.clone());
    let fields = match kind {
        TokenKind::User => "id,name",
        TokenKind::SystemUser => "id,name,client_business_id",
    };
    let me: Me =
        graph.send_with_retry(&Request::get("/me").param("fields", fields), &access).await?.parse()?;
    let subject = Subject {
        id: info.user_id.clone().unwrap_or(me.id),
        name: me.name,
        business_id: me.client_business_id.filter(|_| kind == TokenKind::SystemUser),
    };
    let declined = match kind {
        TokenKind::User => declined(graph, &access, &info.scopes).await?,
        TokenKind::SystemUser => Vec::new(),
    };
    let discovery = Discovery { graph, access: &access, info: &info, kind, subject: &subject };
    let (assets, unread) = assets::discover(&discovery).await?;
    let gaps = gaps::find(&gaps::Facts {
        wanted: wanted.permissions,
        granted: &info.scopes,
        declined: &declined,
        granular: &info.granular_scopes,
        kind,
        assets: &assets,
        unread,
        short_until: short_until(&info, kind, now),
    });
    Ok(Findings {
        app_id: app.id.clone(),
        kind,
        subject,
        expires_at: info.expires_at.map(Timestamp::from_unix),
        data_access_expires_at: info.data_access_expires_at.map(Timestamp::from_unix),
        granted: info.scopes,
        declined,
        assets,
        gaps,
    })
}

/// A person's token that was made to live for hours: Meta names the issue time of long-lived ones only.
fn short_until(info: &oauth::TokenInfo, kind: TokenKind, now: Timestamp) -> Option<Timestamp> {
    let until = Timestamp::from_unix(info.expires_at?);
    let is_short =
        kind == TokenKind::User && info.issued_at.is_none() && until < now.plus_seconds(SHORT_SECONDS);
    is_short.then_some(until)
}

/// No short-lived token lives this long.
const SHORT_SECONDS: i64 = 24 * 60 * 60;

/// What the person unticked. Meta keeps `declined` rows; one that was granted since is not counted.
async fn declined(graph: &Graph, access: &Access, granted: &[String]) -> Result<Vec<String>, Failed> {
    let mut declined: Vec<String> = oauth::permissions(graph, "me", access)
        .await?
        .into_iter()
        .filter(|row| row.status == "declined" && !granted.contains(&row.permission))
        .map(|row| row.permission)
        .collect();
    declined.sort_unstable();
    Ok(declined)
}

fn dead(info: &oauth::TokenInfo) -> Failed {
    let error = info.error.clone().unwrap_or_default();
    let code = error.code.unwrap_or(190);
    let known =
        adjoin_marketing::errors::explain(code, error.subcode, error.message.as_deref().unwrap_or_default());
    Failed::Refused(crate::service::connect_sessions::Refusal {
        code: Some(code),
        title: known.title.clone(),
        message: known.what.clone(),
        who: known.who,
        next_step: known.next_step.clone(),
    })
}
