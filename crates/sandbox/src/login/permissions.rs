//! The permissions an app can ask for, as the dialog and the tokens need to know them.

/// The assets a permission is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetKind {
    AdAccount,
    Page,
    Business,
    Catalog,
}

/// One permission. Source: Meta's permissions reference.
#[derive(Debug)]
pub struct Permission {
    pub name: &'static str,
    /// What the dialog tells the person.
    pub about: &'static str,
    pub asset: Option<AssetKind>,
    /// Whether a business integration system user can hold it (Login for Business, token comparison).
    pub for_system_user: bool,
    /// Exempt from the 90 days of data access (facebook-login/auth-vs-data).
    pub outlives_data_access: bool,
}

const fn row(
    name: &'static str,
    about: &'static str,
    asset: Option<AssetKind>,
    outlives_data_access: bool,
) -> Permission {
    Permission { name, about, asset, for_system_user: true, outlives_data_access }
}

const fn personal(name: &'static str, about: &'static str) -> Permission {
    Permission { name, about, asset: None, for_system_user: false, outlives_data_access: false }
}

use AssetKind::{AdAccount, Business, Catalog, Page};

pub const PERMISSIONS: &[Permission] = &[
    personal("public_profile", "Your name and picture"),
    personal("email", "Your e-mail address"),
    row("ads_read", "See the ads and results of your ad accounts", Some(AdAccount), true),
    row("ads_management", "Create and change ads in your ad accounts", Some(AdAccount), true),
    row("business_management", "Manage your business portfolios", Some(Business), true),
    row("catalog_management", "Create and change product catalogs", Some(Catalog), false),
    row("leads_retrieval", "Read the leads that people sent through your Pages' forms", Some(Page), false),
    row("pages_show_list", "See the list of your Pages", Some(Page), true),
    row("pages_read_engagement", "Read posts and followers of your Pages", Some(Page), true),
    row("pages_manage_metadata", "Change settings and subscriptions of your Pages", Some(Page), true),
    row("pages_manage_ads", "Manage ads and lead forms of your Pages", Some(Page), true),
    row("pages_read_user_content", "Read what visitors post on your Pages", Some(Page), true),
    row("pages_manage_engagement", "Write and delete comments on your Pages", Some(Page), true),
    row("pages_manage_posts", "Write and delete posts on your Pages", Some(Page), true),
    row("pages_messaging", "Answer messages sent to your Pages", Some(Page), true),
    row("page_events", "Log events of your Pages", Some(Page), false),
    row("read_insights", "Read the insights of your Pages", Some(Page), true),
    row("instagram_basic", "See your Instagram business profile", None, false),
    row("instagram_manage_insights", "Read the insights of your Instagram profile", None, false),
    row("instagram_manage_messages", "Answer messages to your Instagram profile", None, false),
    row("instagram_shopping_tag_products", "Tag products on your Instagram profile", None, false),
    row("instagram_manage_events", "Log events of your Instagram profile", None, false),
    row("whatsapp_business_management", "Manage your WhatsApp business accounts", None, false),
    row("whatsapp_business_messaging", "Send WhatsApp messages for your business", None, false),
    personal("attribution_read", "Read attribution reports"),
];

pub fn find(name: &str) -> Option<&'static Permission> {
    PERMISSIONS.iter().find(|p| p.name == name)
}

pub fn asset_kind(name: &str) -> Option<AssetKind> {
    find(name)?.asset
}

pub fn outlives_data_access(name: &str) -> bool {
    name == "public_profile" || find(name).is_some_and(|p| p.outlives_data_access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = PERMISSIONS.iter().map(|p| p.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PERMISSIONS.len());
    }

    #[test]
    fn data_access_runs_out_for_leads_but_not_for_ads() {
        assert!(outlives_data_access("ads_management"));
        assert!(!outlives_data_access("leads_retrieval"));
        assert!(!outlives_data_access("email"));
    }
}
