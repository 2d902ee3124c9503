//! A connection's state, permissions and history, in words.

use crate::{
    service::{
        Who,
        connections::{CheckOutcome, Connection, State, TokenKind},
    },
    web::console::parts::{Badge, Tone},
};

/// The states by name, in the order in which somebody should look at them.
pub const STATES: &[&str] = &[
    "broken",
    "action_needed",
    "nothing_shared",
    "connected_with_gaps",
    "connected",
    "installed",
    "disconnected",
];

/// Mark and word of a state's name; `None` stands for an account without the connector.
pub fn badge(state: Option<&str>) -> Badge {
    match state {
        Some("connected") => Badge::new(Tone::Ok, "Connected"),
        Some("connected_with_gaps") => Badge::new(Tone::Warn, "Connected with gaps"),
        Some("nothing_shared") => Badge::new(Tone::Bad, "Nothing shared"),
        Some("action_needed") => Badge::new(Tone::Warn, "Action needed"),
        Some("broken") => Badge::new(Tone::Bad, "Broken"),
        Some("disconnected") => Badge::new(Tone::Off, "Disconnected"),
        Some(_) => Badge::new(Tone::Note, "Waiting for consent"),
        None => Badge::new(Tone::Off, "Not installed"),
    }
}

/// What the state means for whoever looks at the page.
pub fn meaning(state: &State) -> &'static str {
    match state {
        State::Installed => {
            "Nobody has consented yet. Create a connect link and send it to the customer, or start from your product."
        }
        State::Connected => "Meta has verified the token, and everything that was asked for is there.",
        State::ConnectedWithGaps { .. } => {
            "The token works. Something that was asked for is missing; see below."
        }
        State::NothingShared { .. } => {
            "Somebody went through the consent, and it opens nothing that was asked for. No call can be made until \
             something is shared."
        }
        State::ActionNeeded { .. } => {
            "The person has to do something at Facebook before calls work again. The consent itself still stands."
        }
        State::Broken { .. } => "The token does not work any more. Somebody has to consent again.",
        State::Disconnected => "The connection was taken back here, and our copy of the token is erased.",
    }
}

pub fn who(who: Who) -> &'static str {
    match who {
        Who::Partner => "You",
        Who::Account => "The account",
        Who::Meta => "Meta",
    }
}

pub fn token_kind(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::User => "the person's own",
        TokenKind::SystemUser => "a system user of the business portfolio",
    }
}

pub fn check(outcome: CheckOutcome) -> Badge {
    match outcome {
        CheckOutcome::Passed => Badge::new(Tone::Ok, "Passed"),
        CheckOutcome::Warned => Badge::new(Tone::Warn, "Look after it"),
        CheckOutcome::Failed => Badge::new(Tone::Bad, "Failed"),
        CheckOutcome::Skipped => Badge::new(Tone::Off, "Skipped"),
    }
}

/// How a permission stands in a connection.
#[derive(Debug)]
pub struct Permission {
    pub name: String,
    pub badge: Badge,
    /// What it opens, when we know it.
    pub what: &'static str,
}

/// Whether ad sets can be created: the connection works, and has the permission and an ad account for it.
pub fn can_create(connection: &Connection) -> bool {
    connection.state.is_usable()
        && connection.granted.iter().any(|name| name == "ads_management")
        && !connection.assets.ad_accounts.is_empty()
}

/// Longer texts are folded.
const LONG: usize = 120;

/// The beginning of a text that is too long for a list; `None` when it is not.
pub fn beginning(text: &str) -> Option<String> {
    let (end, _) = text.char_indices().nth(LONG)?;
    let cut = text[..end].rfind(' ').unwrap_or(end);
    Some(format!("{} …", &text[..cut]))
}

/// All permissions that were asked for or granted: what is missing first.
pub fn permissions(connection: &Connection) -> Vec<Permission> {
    // What a token that does not work was granted is history.
    let works = connection.state.is_usable() || matches!(connection.state, State::NothingShared { .. });
    let granted =
        if works { Badge::new(Tone::Ok, "Granted") } else { Badge::new(Tone::Off, "Granted before") };
    let mut all: Vec<(u8, Badge, &String)> = Vec::new();
    for name in &connection.wanted {
        let (rank, badge) = if connection.granted.contains(name) {
            (2, granted.clone())
        } else if connection.declined.contains(name) {
            (0, Badge::new(Tone::Bad, "Declined"))
        } else {
            (1, Badge::new(Tone::Warn, "Missing"))
        };
        all.push((rank, badge, name));
    }
    let unasked = connection.granted.iter().filter(|name| !connection.wanted.contains(name));
    all.extend(unasked.map(|name| match name.as_str() {
        "public_profile" => (3, Badge::new(Tone::Off, "Always comes along"), name),
        _ => (3, Badge::new(Tone::Note, "Granted, not asked for"), name),
    }));
    all.sort_by_key(|(rank, _, name)| (*rank, *name));
    all.into_iter()
        .map(|(_, badge, name)| Permission {
            name: name.clone(),
            badge,
            what: adjoin_marketing::permissions::permission(name).map_or("", |it| &it.what),
        })
        .collect()
}

/// An ad account's number of state, as Meta documents it.
pub fn ad_account_status(status: Option<i64>) -> Badge {
    match status {
        Some(1) => Badge::new(Tone::Ok, "Active"),
        Some(2) => Badge::new(Tone::Bad, "Disabled"),
        Some(3) => Badge::new(Tone::Warn, "Unsettled bills"),
        Some(7) => Badge::new(Tone::Warn, "Risk review"),
        Some(8) => Badge::new(Tone::Warn, "Settlement pending"),
        Some(9) => Badge::new(Tone::Warn, "In grace period"),
        Some(100) => Badge::new(Tone::Warn, "Closure pending"),
        Some(101) => Badge::new(Tone::Bad, "Closed"),
        Some(other) => Badge::new(Tone::Note, format!("State {other}")),
        None => Badge::new(Tone::Off, "State unknown"),
    }
}

/// How a call of a method ended.
pub fn outcome(outcome: &str) -> Badge {
    match outcome {
        "ok" | "replayed" => Badge::new(Tone::Ok, "Done"),
        "invalid" => Badge::new(Tone::Warn, "Arguments refused here"),
        "rejected" => Badge::new(Tone::Warn, "Refused by the rules"),
        "unpermitted" => Badge::new(Tone::Warn, "Permission missing"),
        "parked" => Badge::new(Tone::Warn, "Waits for Meta's limit"),
        "not_connected" => Badge::new(Tone::Warn, "Not connected"),
        "refused" => Badge::new(Tone::Bad, "Refused by Meta"),
        "unreachable" => Badge::new(Tone::Bad, "Meta not reached"),
        // Whether it was carried out is not known.
        "unknown" => Badge::new(Tone::Warn, "No answer"),
        other => Badge::new(Tone::Bad, other.replace('_', " ")),
    }
}

/// A line of the audit log; what we have no words for is shown by its name.
pub fn action(action: &str) -> String {
    match action {
        "account.created" => "created the account",
        "account.renamed" => "renamed the account",
        "connection.installed" => "installed the connector",
        "connection.connected" => "connected it",
        "connection.tested" => "tested it",
        "connection.disconnected" => "disconnected it",
        "connection.refused" => "saw Meta refuse a call",
        "connection.deauthorized" => "said that the person removed the app",
        "connection.person_erased" => "had the person's data deleted",
        "connect_session.created" => "created a connect link or session",
        "connect_session.sent_to_facebook" => "went to Facebook",
        "connect_session.consented" => "agreed at Facebook",
        "connect_session.refused" => "saw the consent refused",
        "connect_session.other_identity" => "found that somebody else than before consented",
        "connect_session.cancelled" => "ended a connect link or session",
        "callback.refused" => "came back from Facebook in another browser, and was turned away",
        "endpoint.created" => "made the endpoint",
        "endpoint.changed" => "changed it",
        "endpoint.tested" => "sent a test event",
        "endpoint.secret_rotated" => "rotated its secret",
        "endpoint.replayed" => "sent events again",
        "endpoint.recovered" => "tried what waited",
        "forms.sweep_asked" => "had all forms swept",
        "subscriptions.check_asked" => "had the webhooks checked",
        "setup.saved" => "saved the setup",
        other => return other.replace(['.', '_'], " "),
    }
    .to_owned()
}
