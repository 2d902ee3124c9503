use adjoin_graph::GraphRefusal;
use adjoin_marketing::errors::{Class, Explanation};
use serde_json::json;

use super::{Access, Gap, GapKind, State, Trouble, page_token::forget_if_dead, told};
use crate::{
    audit::Actor,
    service::{App, Result, meta},
    store::{Json, audit, connections as table},
    time::Timestamp,
};

/// Most refusals that are kept as gaps.
const MOST_REFUSALS: usize = 5;

/// Tells the connection that Meta refused a call made with this access. A dead token breaks the connection, a
/// missing permission becomes a gap; a throttle, a fault at Meta and a wrong call change nothing. A Page's token that is
/// dead is forgotten: whether the consent behind it is dead too shows when another one is asked for.
pub async fn report_refusal(app: &App, access: &Access, error: &adjoin_graph::Error) -> Result<()> {
    if forget_if_dead(app, access, error) {
        return Ok(());
    }
    let Some(refusal) = error.refusal() else { return Ok(()) };
    let known = meta::known(refusal);
    if !concerns_the_connection(known.class) {
        return Ok(());
    }
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let row = table::by_id_for_update(&mut tx, &access.account_id, &access.connection_id).await?;
    // A refusal of the token before says nothing about the one that is in use now.
    let Some(mut row) = row.filter(|row| row.connected_at == access.connected_at()) else { return Ok(()) };
    let Some(next) = after(&row.state.0, refusal, known, now) else { return Ok(()) };
    let before = std::mem::replace(&mut row.state, Json(next));
    row.updated_at = now;
    table::put(&mut tx, &row).await?;
    told::tell(&mut tx, &before.0, &row, now).await?;
    let detail = json!({ "state": row.state.0.name(), "code": refusal.code, "subcode": refusal.subcode });
    audit::insert(&mut tx, &Actor::System, "connection.refused", row.id.as_str(), detail, now).await?;
    tx.commit().await?;
    app.wakes.deliver.notify_one();
    Ok(())
}

fn concerns_the_connection(class: Class) -> bool {
    matches!(
        class,
        Class::Reconnect | Class::ActionOnFacebook | Class::MissingPermission | Class::MissingRole
    )
}

/// The state after a refusal; `None` when it stays as it is.
fn after(state: &State, refusal: &GraphRefusal, known: &Explanation, now: Timestamp) -> Option<State> {
    let trouble = || trouble(known, refusal.code, refusal.subcode, now);
    match (known.class, state) {
        (
            Class::Reconnect,
            State::Connected | State::ConnectedWithGaps { .. } | State::ActionNeeded { .. },
        ) => Some(State::Broken { trouble: trouble() }),
        (Class::ActionOnFacebook, State::Connected | State::ConnectedWithGaps { .. }) => {
            Some(State::ActionNeeded { trouble: trouble() })
        }
        (
            Class::MissingPermission | Class::MissingRole,
            State::Connected | State::ConnectedWithGaps { .. },
        ) => {
            let kind = GapKind::Refused { code: refusal.code.unwrap_or_default(), subcode: refusal.subcode };
            let mut gaps = state.gaps().to_vec();
            let refusals = gaps.iter().filter(|gap| matches!(gap.kind, GapKind::Refused { .. })).count();
            if gaps.iter().any(|gap| gap.kind == kind) || refusals >= MOST_REFUSALS {
                return None;
            }
            gaps.push(Gap {
                kind,
                message: format!("{}. {}", known.title, known.what),
                who: known.who,
                next_step: known.next_step.clone(),
            });
            Some(State::ConnectedWithGaps { gaps })
        }
        _ => None,
    }
}

pub(super) fn trouble(
    known: &Explanation,
    code: Option<i64>,
    subcode: Option<i64>,
    since: Timestamp,
) -> Trouble {
    Trouble {
        title: known.title.clone(),
        message: known.what.clone(),
        who: known.who,
        next_step: known.next_step.clone(),
        code,
        subcode,
        since,
    }
}

#[cfg(test)]
mod tests {
    use adjoin_marketing::errors;

    use super::*;

    fn refusal(code: i64, subcode: Option<i64>) -> GraphRefusal {
        GraphRefusal {
            status: 400,
            code: Some(code),
            subcode,
            kind: None,
            message: String::new(),
            user_title: None,
            user_msg: None,
            is_transient: false,
            blame_fields: Vec::new(),
            fbtrace_id: None,
            error_data: None,
            raw: json!({}),
            usage: adjoin_graph::Usage::default(),
        }
    }

    fn next(state: &State, code: i64, subcode: Option<i64>) -> Option<State> {
        let refusal = refusal(code, subcode);
        after(state, &refusal, errors::explain(code, subcode, ""), Timestamp::from_unix(0))
    }

    #[test]
    fn a_dead_token_breaks_and_a_checkpoint_asks_for_action() {
        assert!(matches!(next(&State::Connected, 190, Some(463)), Some(State::Broken { .. })));
        assert!(matches!(next(&State::Connected, 190, None), Some(State::Broken { .. })));
        for subcode in [459, 464] {
            let next = next(&State::Connected, 190, Some(subcode));
            assert!(matches!(next, Some(State::ActionNeeded { .. })), "{subcode}");
        }
        assert!(next(&State::Disconnected, 190, None).is_none());
    }

    #[test]
    fn a_missing_permission_is_a_gap_and_is_noted_once() {
        let gaps = next(&State::Connected, 200, None).unwrap();
        assert_eq!(gaps.gaps().len(), 1);
        assert!(next(&gaps, 200, None).is_none());
        assert_eq!(next(&gaps, 10, None).unwrap().gaps().len(), 2);
    }

    #[test]
    fn throttles_faults_and_wrong_calls_change_nothing() {
        for (code, subcode) in [
            (4, None),
            (17, None),
            (32, None),
            (613, None),
            (80_004, None),
            (1, None),
            (2, None),
            (100, None),
            (368, None),
        ] {
            assert!(next(&State::Connected, code, subcode).is_none(), "{code}");
        }
    }
}
