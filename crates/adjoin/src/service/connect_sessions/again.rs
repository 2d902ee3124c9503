use crate::service::{
    connections::{Connection, GapKind},
    consent::{AD_ACCOUNT_PERMISSIONS, PAGE_PERMISSIONS, is_of},
    setup::Login,
};

/// The permissions a session that has completed may ask for in one more dialog: those that are missing, and those that
/// were granted for nothing. Empty when there is nothing to ask for.
///
/// Permissions are asked for once more only (`asked_again`), and only where people may leave single ones out: with
/// Login for Business they grant all or none. Which assets, people may be asked until they pick some.
pub fn again(login: &Login, wanted: &[String], connection: &Connection, asked_again: bool) -> Vec<String> {
    let may_ask = *login == Login::Facebook && !asked_again;
    let picked_nothing = |name: &str| {
        connection.state.gaps().iter().any(|gap| match &gap.kind {
            GapKind::NoAdAccounts => is_of(name, AD_ACCOUNT_PERMISSIONS),
            GapKind::NoPages => is_of(name, PAGE_PERMISSIONS),
            GapKind::PermissionWithoutAssets { permission } => permission == name,
            _ => false,
        })
    };
    wanted
        .iter()
        .filter(|name| if connection.granted.contains(name) { picked_nothing(name) } else { may_ask })
        .cloned()
        .collect()
}
