//! What was wanted and is not there, each with who can mend it and how, in words for the partner. The connect page has
//! words of its own for the account's person.

use adjoin_graph::oauth::GranularScope;
use adjoin_marketing::permissions;

use super::assets::Unread;
use crate::{
    service::{
        Who,
        connections::{Assets, Gap, GapKind, TokenKind},
    },
    time::Timestamp,
};

/// What the gaps are found from.
#[derive(Debug)]
pub struct Facts<'a> {
    pub wanted: &'a [String],
    pub granted: &'a [String],
    pub declined: &'a [String],
    pub granular: &'a [GranularScope],
    pub kind: TokenKind,
    pub assets: &'a Assets,
    pub unread: Unread,
    /// When a person's token ends that Meta did not make long-lived.
    pub short_until: Option<Timestamp>,
}

pub fn find(facts: &Facts<'_>) -> Vec<Gap> {
    let missing: Vec<&String> = facts.wanted.iter().filter(|name| !facts.granted.contains(name)).collect();
    let mut gaps: Vec<Gap> = missing
        .iter()
        .map(
            |name| if facts.declined.contains(name) { declined(name) } else { not_granted(name, facts.kind) },
        )
        .collect();
    let wants = |prefixes: &[&str]| {
        facts.granted.iter().any(|name| facts.wanted.contains(name) && is_of(name, prefixes))
    };
    if facts.unread.hidden {
        gaps.push(tech_provider());
    } else if facts.unread.unanswered {
        gaps.push(unread());
    }
    // When Meta hid or did not answer, an empty list says nothing about what was picked.
    let is_told = !facts.unread.hidden && !facts.unread.unanswered;
    let lacks_ad_accounts = is_told && facts.assets.ad_accounts.is_empty() && wants(AD_ACCOUNT_PERMISSIONS);
    let lacks_pages = is_told && facts.assets.pages.is_empty() && wants(PAGE_PERMISSIONS);
    if lacks_ad_accounts {
        gaps.push(no_ad_accounts());
    }
    if lacks_pages {
        gaps.push(no_pages());
    }
    // That no asset at all was picked is said once, not once more for each permission.
    let is_said = |name: &str| {
        lacks_ad_accounts && is_of(name, AD_ACCOUNT_PERMISSIONS)
            || lacks_pages && is_of(name, PAGE_PERMISSIONS)
    };
    gaps.extend(
        facts
            .granular
            .iter()
            .filter(|row| facts.wanted.contains(&row.scope) && !is_said(&row.scope))
            .filter(|row| row.target_ids.as_ref().is_some_and(Vec::is_empty))
            .map(|row| without_assets(&row.scope)),
    );
    gaps.extend(
        facts
            .assets
            .ad_accounts
            .iter()
            .filter(|account| account.account_status.is_some_and(|status| status != ACTIVE))
            .map(|account| not_active(&account.id, account.account_status.unwrap_or_default())),
    );
    gaps.extend(facts.short_until.map(short_lived));
    gaps
}

/// How the names of the permissions begin that are granted for ad accounts.
pub const AD_ACCOUNT_PERMISSIONS: &[&str] = &["ads_"];
/// How the names of the permissions begin that are granted for Pages.
pub const PAGE_PERMISSIONS: &[&str] = &["pages_", "leads_"];

/// Whether a permission's name begins with one of these.
pub fn is_of(permission: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| permission.starts_with(prefix))
}

/// Meta's `account_status` of an account that may run ads.
const ACTIVE: i64 = 1;

fn what_for(permission: &str) -> String {
    permissions::permission(permission).map_or_else(String::new, |it| format!(" It is for this: {}", it.what))
}

fn declined(permission: &str) -> Gap {
    Gap {
        message: format!("The person did not allow {permission}.{}", what_for(permission)),
        kind: GapKind::PermissionDeclined { permission: permission.to_owned() },
        who: Who::Account,
        next_step:
            "Let the person connect again, by a new connect link or from your product, and allow it at Facebook, which is \
             told to ask for it once more."
                .to_owned(),
    }
}

fn not_granted(permission: &str, kind: TokenKind) -> Gap {
    let next_step = match kind {
        TokenKind::User => {
            "In the App Dashboard, check that the permission is added to the app and has Advanced Access; without it \
             only people with a role on the app can grant it. Then connect again."
        }
        TokenKind::SystemUser => {
            "Check that the login configuration holds this permission and that the app has Advanced Access to it: \
             with Standard Access, Meta leaves it out of a system user's token without a word. Then connect again."
        }
    };
    Gap {
        message: format!("Facebook did not grant {permission}.{}", what_for(permission)),
        kind: GapKind::PermissionMissing { permission: permission.to_owned() },
        who: Who::Partner,
        next_step: next_step.to_owned(),
    }
}

fn without_assets(permission: &str) -> Gap {
    Gap {
        message: format!("{permission} was granted, but for no asset at all."),
        kind: GapKind::PermissionWithoutAssets { permission: permission.to_owned() },
        who: Who::Account,
        next_step: "Connect again, and at Facebook's question which ones, pick at least one.".to_owned(),
    }
}

fn no_ad_accounts() -> Gap {
    Gap {
        kind: GapKind::NoAdAccounts,
        message: "No ad account was shared.".to_owned(),
        who: Who::Account,
        next_step:
            "Connect again and pick at least one ad account. If none is offered, an admin of the business \
                    portfolio has to give the person access to one first."
                .to_owned(),
    }
}

fn no_pages() -> Gap {
    Gap {
        kind: GapKind::NoPages,
        message: "No Page was shared.".to_owned(),
        who: Who::Account,
        next_step:
            "Connect again and pick at least one Page. If none is offered, an admin of the Page has to give \
                    the person access first."
                .to_owned(),
    }
}

fn not_active(ad_account: &str, status: i64) -> Gap {
    let why = match status {
        2 => "it is disabled",
        3 => "a bill is unpaid",
        7 => "Meta is reviewing it",
        8 => "a payment is being settled",
        9 => "it is in its grace period",
        100 | 101 => "it is being closed, or is closed",
        _ => "it is not active",
    };
    Gap {
        kind: GapKind::AdAccountNotActive { ad_account: ad_account.to_owned() },
        message: format!("Ad account {ad_account} cannot run ads: {why} (account_status {status})."),
        who: Who::Account,
        next_step: "Open the account in Meta's Ads Manager and do what it asks for there.".to_owned(),
    }
}

fn tech_provider() -> Gap {
    Gap {
        kind: GapKind::TechProvider,
        message:
            "Everything was granted, and yet Meta answers as if shared assets did not exist. Most often the \
                  partner's business is not verified as a Tech Provider."
                .to_owned(),
        who: Who::Partner,
        next_step:
            "In the App Dashboard, open Basics > Verifications and complete Access Verification as Tech \
                    Provider (about five days), then press Test."
                .to_owned(),
    }
}

fn unread() -> Gap {
    Gap {
        kind: GapKind::AssetsUnread,
        message: "Meta did not answer while ad accounts and Pages were looked up.".to_owned(),
        who: Who::Meta,
        next_step: "Press Test in a few minutes; nothing has to be granted again.".to_owned(),
    }
}

fn short_lived(until: Timestamp) -> Gap {
    Gap {
        kind: GapKind::ShortLived { until },
        message: format!("Meta gave a token for a few hours only, until {}.", until.for_people()),
        who: Who::Account,
        next_step: "Connect again before then; Meta usually gives one of about 60 days.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::connections::{AdAccount, PageAsset};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn kinds(facts: &Facts<'_>) -> Vec<GapKind> {
        find(facts).into_iter().map(|gap| gap.kind).collect()
    }

    fn one_of_each() -> Assets {
        Assets {
            ad_accounts: vec![AdAccount {
                id: "act_1".to_owned(),
                name: None,
                currency: None,
                account_status: Some(1),
            }],
            pages: vec![PageAsset { id: "2".to_owned(), name: None, tasks: Vec::new() }],
            ..Assets::default()
        }
    }

    #[test]
    fn nothing_is_missing_when_all_is_there() {
        let wanted = names(&["ads_read", "pages_show_list"]);
        let assets = one_of_each();
        let facts = Facts {
            wanted: &wanted,
            granted: &wanted,
            declined: &[],
            granular: &[],
            kind: TokenKind::User,
            assets: &assets,
            unread: Unread::default(),
            short_until: None,
        };
        assert_eq!(kinds(&facts), []);

        let none = Assets::default();
        let empty = Facts { assets: &none, ..facts };
        assert_eq!(kinds(&empty), [GapKind::NoAdAccounts, GapKind::NoPages]);
        let hidden = Facts { unread: Unread { hidden: true, unanswered: false }, ..empty };
        assert_eq!(kinds(&hidden), [GapKind::TechProvider]);
        let silent = Facts { unread: Unread { hidden: false, unanswered: true }, ..hidden };
        assert_eq!(kinds(&silent), [GapKind::AssetsUnread]);
    }

    #[test]
    fn nothing_picked_is_said_once_for_all_its_permissions() {
        let wanted = names(&["ads_management", "ads_read", "business_management"]);
        let none = || Some(Vec::new());
        let granular: Vec<GranularScope> =
            wanted.iter().map(|name| GranularScope { scope: name.clone(), target_ids: none() }).collect();
        let assets = Assets::default();
        let facts = Facts {
            wanted: &wanted,
            granted: &wanted,
            declined: &[],
            granular: &granular,
            kind: TokenKind::User,
            assets: &assets,
            unread: Unread::default(),
            short_until: None,
        };
        let business = "business_management".to_owned();
        assert_eq!(
            kinds(&facts),
            [GapKind::NoAdAccounts, GapKind::PermissionWithoutAssets { permission: business }]
        );
    }

    #[test]
    fn declined_and_withheld_permissions_are_told_apart() {
        let (wanted, granted, declined) = (
            names(&["ads_management", "ads_read", "pages_show_list"]),
            names(&["ads_read"]),
            names(&["ads_management"]),
        );
        let granular = [GranularScope { scope: "ads_read".to_owned(), target_ids: Some(Vec::new()) }];
        let assets = one_of_each();
        let facts = Facts {
            wanted: &wanted,
            granted: &granted,
            declined: &declined,
            granular: &granular,
            kind: TokenKind::User,
            assets: &assets,
            unread: Unread::default(),
            short_until: None,
        };
        assert_eq!(
            kinds(&facts),
            [
                GapKind::PermissionDeclined { permission: "ads_management".to_owned() },
                GapKind::PermissionMissing { permission: "pages_show_list".to_owned() },
                GapKind::PermissionWithoutAssets { permission: "ads_read".to_owned() },
            ]
        );
        let gaps = find(&facts);
        assert_eq!((gaps[0].who, gaps[1].who), (Who::Account, Who::Partner));
    }
}
