use adjoin_marketing::errors;
use serde_json::json;

use super::{Refusal, Stage, table};
use crate::{
    audit::Actor,
    id::ConnectionId,
    service::{Result, connections::Subject, departures::Person},
    store::{Tx, audit},
    time::Timestamp,
};

/// Ends the sessions in which a token waits to be accepted and the person stands on either side: nothing sealed and no
/// name stays in them. Answers the connections they were for.
pub async fn refuse_of_person(tx: &mut Tx, person: &Person, now: Timestamp) -> Result<Vec<ConnectionId>> {
    let is_person = |subject: &Subject| subject.business_id.is_none() && subject.id == person.id;
    let known = errors::explain(190, Some(458), "");
    let refused = Stage::Refused {
        refusal: Refusal {
            code: None,
            title: known.title.clone(),
            message: known.what.clone(),
            who: known.who,
            next_step: known.next_step.clone(),
        },
    };
    let mut connections = Vec::new();
    for row in table::with_other_identity(tx).await? {
        let Stage::OtherIdentity { before, now: after, .. } = &row.stage.0 else { continue };
        let of_app = row.dialog.0.as_ref().is_some_and(|dialog| dialog.client_id == person.app_id);
        if !of_app || !(is_person(before) || is_person(after)) {
            continue;
        }
        if table::advance(tx, &row.id, &row.stage.0, &refused).await? {
            let detail = json!({ "stage": refused.name(), "connection": row.connection_id });
            audit::insert(tx, &Actor::Meta, "connect_session.refused", row.id.as_str(), detail, now).await?;
            connections.push(row.connection_id);
        }
    }
    Ok(connections)
}
