//! Idempotency keys: the same key and the same call get the same answer, for a day. A key that belongs to another
//! call, or to one that is under way, is a conflict.

use adjoin_graph::GraphRefusal;
use adjoin_marketing::catalogue::Method;
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::Answer;
use crate::{
    id::{AccountId, ConnectionId},
    service::{App, Error, MetaError, Result},
    store::idempotency as table,
    time::Timestamp,
};

/// Longest key, in bytes.
const KEY_MAX: usize = 200;
/// No call takes this long; one that has no answer by then has been cut off.
const CUT_OFF_SECONDS: i64 = 600;

/// A call under its key.
pub struct Keyed<'a> {
    account: &'a AccountId,
    key: &'a str,
    hash: Vec<u8>,
}

pub enum Claim {
    /// The answer of the call that came first.
    Replay(Box<Result<Answer>>),
    Ours(Ours),
}

/// The right to make the call.
pub struct Ours {
    account: AccountId,
    key: String,
}

/// What is kept of a call that reached Meta.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Answered(Box<RawValue>),
    Refused(Box<MetaError>),
}

impl<'a> Keyed<'a> {
    pub fn new(
        account: &'a AccountId,
        key: &'a str,
        connection: &ConnectionId,
        method: &Method,
        arguments: &Map<String, Value>,
    ) -> Result<Self> {
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid(
                "Idempotency-Key",
                "this cannot be a key",
                format!("1 to {KEY_MAX} visible ASCII characters without spaces, such as a UUID"),
            ));
        }
        Ok(Self { account, key, hash: hash(connection, method, arguments) })
    }

    /// What the call that came first was answered; `None` when there was none.
    pub async fn kept(&self, app: &App) -> Result<Option<Box<Result<Answer>>>> {
        let Some(first) = table::get(&app.db, self.account, self.key).await? else { return Ok(None) };
        if first.request_hash != self.hash {
            return Err(Error::Conflict {
                message: "this Idempotency-Key was used for another call".to_owned(),
                next_step: "use a new key for a new call".to_owned(),
            });
        }
        replay(first.answer.as_deref(), first.created_at, app.clock.now()).map(Some)
    }

    pub async fn claim(self, app: &App) -> Result<Claim> {
        let mut tx = app.db.begin_apart().await?;
        let taken = table::take(&mut tx, self.account, self.key, &self.hash, app.clock.now()).await?;
        tx.commit().await?;
        if taken {
            return Ok(Claim::Ours(Ours { account: self.account.clone(), key: self.key.to_owned() }));
        }
        match self.kept(app).await? {
            Some(kept) => Ok(Claim::Replay(kept)),
            None => Err(under_way("it was given back this moment", "send it again")),
        }
    }
}

fn replay(answer: Option<&str>, since: Timestamp, now: Timestamp) -> Result<Box<Result<Answer>>> {
    let Some(answer) = answer else {
        return Err(if since.plus_seconds(CUT_OFF_SECONDS) <= now {
            under_way(
                "it was cut off, and whether the change was made is not known",
                "look whether it was made; to make it again, use a new key",
            )
        } else {
            under_way("it is under way", "wait a moment and send it again with the same key")
        });
    };
    let kept: Kept = serde_json::from_str(answer)
        .map_err(|_| under_way("its answer cannot be read", "look whether the change was made"))?;
    Ok(Box::new(match kept {
        Kept::Answered(json) => Ok(Answer { json: json.get().to_owned(), replayed: true }),
        Kept::Refused(error) => Err(Error::Meta(error)),
    }))
}

fn under_way(how: &str, next_step: &str) -> Error {
    Error::Conflict {
        message: format!("a call with this Idempotency-Key came first: {how}"),
        next_step: next_step.to_owned(),
    }
}

impl Ours {
    /// Keeps the answer, or gives the key back when Meta certainly did nothing and the same call may well succeed later.
    pub async fn settle(
        self,
        app: &App,
        outcome: &Result<Answer>,
        error: Option<&adjoin_graph::Error>,
    ) -> Result<()> {
        let may_be_sent_again =
            error.is_some_and(|it| it.is_unsent() || it.refusal().is_some_and(GraphRefusal::is_throttle));
        let kept = match outcome {
            Ok(answer) => RawValue::from_string(answer.json.clone()).ok().map(Kept::Answered),
            Err(Error::Meta(error)) if !may_be_sent_again => Some(Kept::Refused(error.clone())),
            Err(_) => None,
        };
        let mut tx = app.db.begin_apart().await?;
        match kept {
            Some(kept) => {
                let text = serde_json::to_string(&kept).expect("what is kept is JSON");
                table::keep(&mut tx, &self.account, &self.key, &text).await?;
            }
            None => table::give_back(&mut tx, &self.account, &self.key).await?,
        }
        tx.commit().await?;
        Ok(())
    }
}

/// SHA-256 of the call; the order of members does not count.
fn hash(connection: &ConnectionId, method: &Method, arguments: &Map<String, Value>) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    context.update(connection.as_str().as_bytes());
    context.update(method.id.as_bytes());
    feed_object(&mut context, arguments);
    context.finish().as_ref().to_vec()
}

fn feed(context: &mut Context, value: &Value) {
    match value {
        Value::Object(map) => feed_object(context, map),
        Value::Array(items) => {
            context.update(b"[");
            for item in items {
                feed(context, item);
            }
            context.update(b"]");
        }
        scalar => {
            context.update(scalar.to_string().as_bytes());
            context.update(b",");
        }
    }
}

fn feed_object(context: &mut Context, map: &Map<String, Value>) {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    context.update(b"{");
    for (name, value) in members {
        feed(context, &Value::from(name.as_str()));
        feed(context, value);
    }
    context.update(b"}");
}

#[cfg(test)]
mod tests {
    use adjoin_marketing::catalogue::method;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_members_does_not_count_and_everything_else_does() {
        let connection = ConnectionId::new();
        let of = |id: &str, value: Value| hash(&connection, method(id).unwrap(), value.as_object().unwrap());
        let base = of("ad_set.create", json!({"a": 1, "b": {"c": [1, 2], "d": "x"}}));
        assert_eq!(base, of("ad_set.create", json!({"b": {"d": "x", "c": [1, 2]}, "a": 1})));
        for (id, other) in [
            ("ad_set.update", json!({"a": 1, "b": {"c": [1, 2], "d": "x"}})),
            ("ad_set.create", json!({"a": "1", "b": {"c": [1, 2], "d": "x"}})),
            ("ad_set.create", json!({"a": 1, "b": {"c": [2, 1], "d": "x"}})),
            ("ad_set.create", json!({"a": 1, "b": {"c": [12], "d": "x"}})),
        ] {
            assert_ne!(base, of(id, other.clone()), "{other}");
        }
    }
}
