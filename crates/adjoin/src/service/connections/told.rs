//! What the partner is told when a connection's state changes: an event in the transaction of the change.

use serde_json::json;

use super::State;
use crate::{
    service::{
        Result,
        events::{self, Kind, NewEvent},
    },
    store::{Tx, connections::Stored},
    time::Timestamp,
};

/// Records that the connection went from `before` to what it is now, if that is worth telling. Wake `deliver` after the
/// commit.
pub async fn tell(tx: &mut Tx, before: &State, row: &Stored, now: Timestamp) -> Result<()> {
    match change(before, &row.state.0) {
        Some(kind) => record(tx, kind, row, now).await,
        None => Ok(()),
    }
}

/// Records that the consent was taken back.
pub async fn tell_revoked(tx: &mut Tx, row: &Stored, now: Timestamp) -> Result<()> {
    record(tx, Kind::ConnectionRevoked, row, now).await
}

/// Records the state in which a new consent left the connection, also when it is the same as before.
pub async fn tell_connected(tx: &mut Tx, row: &Stored, now: Timestamp) -> Result<()> {
    match change(&State::Installed, &row.state.0) {
        Some(kind) => record(tx, kind, row, now).await,
        None => Ok(()),
    }
}

async fn record(tx: &mut Tx, kind: Kind, row: &Stored, now: Timestamp) -> Result<()> {
    let state = &row.state.0;
    let data = json!({
        "connection_id": row.id, "state": state.name(), "gaps": state.gaps(), "trouble": state.trouble(),
    });
    let event = NewEvent::new(Some(row.account_id.clone()), kind, row.id.as_str(), data);
    events::record(tx, event, now).await?;
    Ok(())
}

/// The event of a change; `None` when nothing that matters changed.
fn change(before: &State, after: &State) -> Option<Kind> {
    if is_same(before, after) {
        return None;
    }
    match after {
        State::Installed => None,
        State::Connected => Some(Kind::ConnectionConnected),
        State::ConnectedWithGaps { .. } => Some(Kind::ConnectionDegraded),
        State::NothingShared { .. } | State::ActionNeeded { .. } | State::Broken { .. } => {
            Some(Kind::ConnectionBroken)
        }
        State::Disconnected => Some(Kind::ConnectionRevoked),
    }
}

fn is_same(before: &State, after: &State) -> bool {
    match (before, after) {
        (State::ConnectedWithGaps { gaps: before }, State::ConnectedWithGaps { gaps: after }) => {
            before.len() == after.len()
                && after.iter().all(|gap| before.iter().any(|known| known.kind == gap.kind))
        }
        // There was no consent to take back.
        (State::Installed, State::Disconnected) => true,
        _ => before.name() == after.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{
        Who,
        connections::{Gap, GapKind, Trouble},
    };

    #[test]
    fn a_change_that_matters_has_an_event_and_the_same_again_has_none() {
        let gaps = |permission: &str| State::ConnectedWithGaps {
            gaps: vec![Gap {
                kind: GapKind::PermissionMissing { permission: permission.to_owned() },
                message: String::new(),
                who: Who::Account,
                next_step: String::new(),
            }],
        };
        let nothing = || State::NothingShared { gaps: gaps("a").gaps().to_vec() };
        let broken = |since: i64| State::Broken {
            trouble: Trouble {
                title: String::new(),
                message: String::new(),
                who: Who::Account,
                next_step: String::new(),
                code: None,
                subcode: None,
                since: Timestamp::from_unix(since),
            },
        };
        for (before, after, kind) in [
            (State::Installed, State::Connected, Some(Kind::ConnectionConnected)),
            (State::Connected, State::Connected, None),
            (State::Connected, gaps("a"), Some(Kind::ConnectionDegraded)),
            (gaps("a"), gaps("a"), None),
            (gaps("a"), gaps("b"), Some(Kind::ConnectionDegraded)),
            (gaps("a"), State::Connected, Some(Kind::ConnectionConnected)),
            (State::Installed, nothing(), Some(Kind::ConnectionBroken)),
            (gaps("a"), nothing(), Some(Kind::ConnectionBroken)),
            (nothing(), nothing(), None),
            (nothing(), gaps("a"), Some(Kind::ConnectionDegraded)),
            (gaps("a"), broken(1), Some(Kind::ConnectionBroken)),
            (broken(1), broken(2), None),
            (broken(1), State::Connected, Some(Kind::ConnectionConnected)),
            (broken(1), State::Disconnected, Some(Kind::ConnectionRevoked)),
            (State::Installed, State::Disconnected, None),
            (State::Disconnected, State::Disconnected, None),
        ] {
            assert_eq!(change(&before, &after), kind, "{before:?} -> {after:?}");
        }
    }
}
