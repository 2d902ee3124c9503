//! The permissions an app can ask for, and the assets each is given for.

use adjoin_marketing::permissions::{Permission, permission};

/// The assets a permission is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetKind {
    AdAccount,
    Page,
    Business,
    Catalog,
}

/// The permission of this name, when Meta has one.
pub fn find(name: &str) -> Option<&'static Permission> {
    permission(name)
}

/// What the dialog lets a person pick for a permission; `None` when there is nothing to pick.
pub fn asset_kind(name: &str) -> Option<AssetKind> {
    match find(name)?.name.as_str() {
        "ads_read" | "ads_management" => Some(AssetKind::AdAccount),
        "business_management" => Some(AssetKind::Business),
        "catalog_management" => Some(AssetKind::Catalog),
        "leads_retrieval" | "page_events" | "read_insights" => Some(AssetKind::Page),
        name if name.starts_with("pages_") => Some(AssetKind::Page),
        _ => None,
    }
}

/// Whether a permission stays usable 90 days after the person was last active.
pub fn outlives_data_access(name: &str) -> bool {
    name == "public_profile" || find(name).is_some_and(|p| p.outlives_90_days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_access_runs_out_for_leads_but_not_for_ads() {
        assert!(outlives_data_access("ads_management"));
        assert!(!outlives_data_access("leads_retrieval"));
        assert!(!outlives_data_access("email"));
    }

    #[test]
    fn permissions_are_given_for_assets() {
        for (name, kind) in [
            ("ads_read", Some(AssetKind::AdAccount)),
            ("pages_manage_ads", Some(AssetKind::Page)),
            ("leads_retrieval", Some(AssetKind::Page)),
            ("email", None),
            ("pages_unheard_of", None),
        ] {
            assert_eq!(asset_kind(name), kind, "{name}");
        }
    }
}
