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
    wanted
        .iter()
        .filter(
            |name| if connection.granted.contains(name) { for_nothing(name, connection) } else { may_ask },
        )
        .cloned()
        .collect()
}

/// Whether the dialog has to be told to ask anew for this permission: Facebook never does so by itself for what was
/// declined, and lets people who agreed to everything pass without a stop at which they could pick assets.
pub fn wants_rerequest(name: &str, connection: &Connection) -> bool {
    connection.declined.iter().any(|declined| declined == name) || for_nothing(name, connection)
}

/// Whether the permission was granted, and nothing was picked for it.
fn for_nothing(name: &str, connection: &Connection) -> bool {
    connection.state.gaps().iter().any(|gap| match &gap.kind {
        GapKind::NoAdAccounts => is_of(name, AD_ACCOUNT_PERMISSIONS),
        GapKind::NoPages => is_of(name, PAGE_PERMISSIONS),
        GapKind::PermissionWithoutAssets { permission } => permission == name,
        _ => false,
    })
}
