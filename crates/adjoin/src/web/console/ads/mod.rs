//! Creating campaigns and ad sets for a connection, with the rules shown beside the fields they are about.

pub mod ad_set;
pub mod campaign;
mod choices;
pub mod choose;
mod draft;
pub mod show;

use serde_json::{Map, Value};

use super::parts::Remark;
use crate::{
    service::{
        App, Result,
        accounts::Account,
        connections::Connection,
        methods::{self, Answer, Call},
    },
    web::console::{parts::Tone, words},
};
use adjoin_marketing::ad_set::{Finding, Severity};

/// Calls a method for the connection whose page this is.
async fn call(
    app: &App,
    account: &Account,
    connection: &Connection,
    method: &str,
    arguments: Map<String, Value>,
    idempotency_key: Option<&str>,
) -> Result<Answer> {
    let call = Call {
        account_id: account.id.clone(),
        connection_id: Some(connection.id.clone()),
        method: method.to_owned(),
        arguments,
        preview: false,
        look_up: true,
        idempotency_key: idempotency_key.filter(|key| !key.is_empty()).map(str::to_owned),
    };
    methods::call(app, call).await
}

/// What Meta answered to a call.
fn data(answer: &Answer) -> Value {
    answer.value().get_mut("data").map(Value::take).unwrap_or_default()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A finding of the rules, as a remark about a field.
fn remark(finding: &Finding) -> Remark {
    let tone = match finding.severity {
        Severity::Reject => Tone::Bad,
        Severity::Warn => Tone::Warn,
        Severity::Note => Tone::Note,
    };
    Remark { tone, message: words::sentence(&finding.message), fix: words::sentence(&finding.fix) }
}
