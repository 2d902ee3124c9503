pub mod list;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{id::CallId, service::calls, time::Timestamp};

/// One call of a method. Neither arguments nor answers are kept.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Call {
    pub id: CallId,
    pub method: String,
    /// `ok`; ended here: `invalid`, `rejected` (by the rules), `unpermitted`, `parked` (Meta's limit), `not_connected`,
    /// `conflict`, `failed`; at Meta: `refused`, `unreachable`, and `unknown` for a write
    /// that may have been carried out or not.
    pub outcome: String,
    /// Meta's code, when Meta refused.
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    /// Why it did not succeed.
    pub message: Option<String>,
    /// What Meta's support asks for.
    pub trace_id: Option<String>,
    /// From the request to the answer, in microseconds.
    pub duration_us: i64,
    pub at: Timestamp,
}

impl From<calls::Call> for Call {
    fn from(call: calls::Call) -> Self {
        Self {
            id: call.id,
            method: call.method,
            outcome: call.outcome,
            code: call.code,
            subcode: call.subcode,
            message: call.message,
            trace_id: call.trace_id,
            duration_us: call.duration_us,
            at: call.at,
        }
    }
}
