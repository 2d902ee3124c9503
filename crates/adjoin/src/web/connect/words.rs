//! What is missing, in words for the account's person. A gap's own words are for the partner.

use adjoin_marketing::dialog;

use crate::service::connections::{Gap, GapKind};

use super::pages::why;

/// What to look at when Facebook never sends the browser back: what it refuses by a redirect it may also show on a page
/// of its own.
pub fn not_heard_back(redirect_uri: Option<&str>) -> Vec<String> {
    let refusals = dialog::to_look_at().map(|row| {
        let on_screen = row.on_screen.as_ref().map(|text| format!("\u{201c}{text}\u{201d}: "));
        let next_step = dialog::filled(&row.next_step, redirect_uri);
        format!("{}{}. {next_step}", on_screen.unwrap_or_default(), row.title)
    });
    let others = [
        "A login for business portfolios was opened on a phone; it works on a computer only.",
        "The window was closed, or Facebook asked for a password and was left.",
    ];
    refusals.chain(others.map(str::to_owned)).collect()
}

/// A gap as the person sees it.
#[derive(Debug)]
pub struct Told {
    pub message: String,
    pub next_step: String,
}

/// `again`: the page has the button that leads to Facebook once more.
pub fn gap(gap: &Gap, partner: &str, again: bool) -> Told {
    let go = if again { "Press the button below" } else { "Ask for a new link where you got this one" };
    let not_you =
        format!("{partner} has to change something in its Meta app. There is nothing for you to do.");
    let (message, next_step) = match &gap.kind {
        GapKind::PermissionDeclined { permission } => (
            format!("You did not allow this: {}", why(permission)),
            format!("{go}, and leave it ticked at Facebook."),
        ),
        GapKind::PermissionMissing { permission } => {
            (format!("Facebook did not grant this: {}", why(permission)), not_you)
        }
        GapKind::PermissionWithoutAssets { permission } => (
            format!("You allowed this for nothing at all: {}", why(permission)),
            format!("{go}, and where Facebook asks for which ones, pick at least one."),
        ),
        GapKind::NoAdAccounts => (
            "No ad account was shared.".to_owned(),
            format!(
                "{go}, and pick at least one ad account. If Facebook offers none, an admin of your business \
                 portfolio has to give you access to one first."
            ),
        ),
        GapKind::NoPages => (
            "No Page was shared.".to_owned(),
            format!(
                "{go}, and pick at least one Page. If Facebook offers none, an admin of the Page has to give you \
                 access first."
            ),
        ),
        GapKind::AdAccountNotActive { ad_account } => (
            format!("The ad account {ad_account} cannot run ads at the moment."),
            "Open it in Meta's Ads Manager and do what it asks for there.".to_owned(),
        ),
        GapKind::TechProvider => (
            format!("Facebook does not let {partner} see what you shared."),
            format!(
                "{partner} has to be verified by Meta as a Tech Provider first. There is nothing for you to do."
            ),
        ),
        GapKind::Refused { .. } => (
            format!("Facebook refused something that {partner} tried to do for you."),
            format!("Ask {partner} which permission or role is missing."),
        ),
        GapKind::ShortLived { until } => (
            format!("Facebook allowed this for a few hours only, until {}.", until.for_people()),
            "Ask for a new link before then; Facebook usually allows about 60 days.".to_owned(),
        ),
        GapKind::AssetsUnread => (
            "Facebook did not answer while your ad accounts and Pages were looked up.".to_owned(),
            format!("You need not allow anything again; {partner} can look once more in a few minutes."),
        ),
    };
    Told { message, next_step }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Who;

    #[test]
    fn when_nobody_came_back_every_refusal_is_to_be_looked_at() {
        let lines = not_heard_back(Some("https://connect.example/connector/callback"));
        for row in dialog::to_look_at() {
            assert!(lines.iter().any(|line| line.contains(&row.title)), "{}", row.title);
        }
        assert!(lines.iter().any(|line| line.contains("https://connect.example/connector/callback")));
        assert!(lines.iter().all(|line| !line.contains('{')), "{lines:?}");
    }

    #[test]
    fn the_person_is_told_what_to_do_and_nothing_of_the_partners_tools() {
        let permission = || "ads_management".to_owned();
        let kinds = [
            GapKind::PermissionDeclined { permission: permission() },
            GapKind::PermissionMissing { permission: permission() },
            GapKind::PermissionWithoutAssets { permission: permission() },
            GapKind::NoAdAccounts,
            GapKind::NoPages,
            GapKind::TechProvider,
            GapKind::AssetsUnread,
        ];
        for kind in kinds {
            let it = Gap {
                kind,
                message: "rerequest".to_owned(),
                who: Who::Account,
                next_step: "App Dashboard".to_owned(),
            };
            for again in [true, false] {
                let told = gap(&it, "Northwind", again);
                let text = format!("{} {}", told.message, told.next_step);
                for jargon in ["rerequest", "App Dashboard", "`", "ads_management", "connect session"] {
                    assert!(!text.contains(jargon), "{jargon}: {text}");
                }
                assert!(again || !text.contains("button"), "{text}");
            }
        }
    }
}
