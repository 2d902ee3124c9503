//! From a call to its answer: version, token, meters, node, headers. Batch items take the same way.

use std::time::Duration;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{HeaderName, StatusCode, header};
use serde_json::{Map, Value};

use super::{
    Call, Caller, GraphError, Method, batch,
    version::{self, Settled, Version},
};
use crate::{login, meters::Usage, nodes, scenarios::Circumstances, world::World};

/// An answer before it is written to the wire or into a batch.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, String)>,
    pub body: Value,
    /// Only the legacy protocol indents.
    pub pretty: bool,
    /// How long the answer is held back.
    pub delay: Duration,
}

/// Answers one request.
pub fn answer(world: &mut World, call: &Call) -> Answer {
    if call.method == Method::Post && (call.params.has("batch") || call.params.has("asyncbatch")) {
        return batch::answer(world, call);
    }
    single(world, call)
}

/// Answers one request that is no batch, or one item of a batch.
pub fn single(world: &mut World, call: &Call) -> Answer {
    let trace = Trace::next(world);
    let mut usage = Usage::default();
    let caller = login::authenticate(world, call);
    let mut state = world.seed ^ world.calls.wrapping_mul(0x9e6c_63d0_876a_68ee);
    let about = Circumstances {
        now: world.clock.now(),
        leads_of: nodes::page_of_leads(world, call),
        dice: [super::cursor::mix(&mut state), super::cursor::mix(&mut state)],
    };
    let mut effect = world.scenarios.intercept(call, caller.as_ref().ok(), &about);
    if let Some(limit) = effect.rate_limit {
        let asset = nodes::metered_asset(world, call);
        effect.error = effect.error.and_then(|error| asset.refusal(limit, error));
    }
    let (settled, result) = match settle(world, call) {
        Ok(settled) => {
            let result = match effect.error {
                None => execute(world, call, caller, &settled, &mut usage),
                Some(error) => {
                    usage.exhaust(
                        effect.rate_limit,
                        &nodes::metered_asset(world, call),
                        world.scenarios.tier(),
                    );
                    usage.exhaust_leads(effect.leads_exhausted);
                    Err(error)
                }
            };
            (Some(settled), result)
        }
        Err(error) => (None, Err(error)),
    };
    let answer = finish(world, call, settled.as_ref(), result, &usage, &trace);
    Answer { delay: effect.delay, ..answer }
}

/// The answer to a request that could not be read at all.
pub fn refusal(error: GraphError, trace: &Trace) -> Answer {
    envelope(Err(error), Vec::new(), trace)
}

pub fn settle(world: &World, call: &Call) -> Result<Settled, GraphError> {
    version::settle(
        call.version.as_deref(),
        nodes::is_marketing(world, call),
        world.protocol.strict_versions,
        world.clock.now(),
    )
}

/// The outer call of a batch is no Marketing call, whatever its items are.
pub fn settle_batch(world: &World, call: &Call) -> Result<Settled, GraphError> {
    version::settle(call.version.as_deref(), false, false, world.clock.now())
}

fn execute(
    world: &mut World,
    call: &Call,
    caller: Result<Caller, GraphError>,
    settled: &Settled,
    usage: &mut Usage,
) -> Result<Value, GraphError> {
    if let Some(answer) = login::graph(world, call) {
        return answer;
    }
    let legacy = settled.version.keeps_legacy_protocol(world.protocol.legacy);
    removed_features(call, legacy)?;
    let caller = caller?;
    let version = settled.version.to_string();
    let account = nodes::metered_account(world, call);
    match world.meters.admit(world.clock.unix(), world.scenarios.tier().into(), &caller.app_id, account, call)
    {
        Ok(counted) => *usage = counted,
        Err(throttled) => {
            *usage = throttled.usage;
            return Err(throttled.error);
        }
    }
    if let Some(page) = nodes::page_of_leads(world, call) {
        let leads = world.leads.live_of_page(&page, world.clock.unix());
        let tier = world.scenarios.tier().into();
        world.meters.admit_leads(world.clock.unix(), tier, &caller.app_id, &page, leads, usage)?;
    }
    if call.path.is_empty() && call.params.has("ids") {
        return by_ids(world, &caller, call, &version);
    }
    let value = nodes::execute(world, &caller, call, &version)?;
    if legacy && let Some(format) = call.params.text("date_format") {
        return Ok(with_date_format(value, &format));
    }
    Ok(value)
}

/// What was taken away on 27 October 2026 and is refused rather than ignored.
fn removed_features(call: &Call, legacy: bool) -> Result<(), GraphError> {
    if legacy {
        return Ok(());
    }
    if call.params.has("date_format") {
        return Err(GraphError::new(100, "(#100) The parameter date_format is no longer supported."));
    }
    if call.path.is_empty() && call.params.has("ids") {
        return Err(GraphError::new(
            100,
            "(#100) The parameter ids is no longer supported. Read the objects one by one, or in a batch.",
        ));
    }
    Ok(())
}

/// `GET /?ids=1,2`, of the legacy protocol: the objects by id.
fn by_ids(world: &mut World, caller: &Caller, call: &Call, version: &str) -> Result<Value, GraphError> {
    let mut answer = Map::new();
    for id in call.params.list("ids").unwrap_or_default().into_iter().take(50) {
        let mut single = call.clone();
        single.path = vec![id.clone()];
        single.params.0.remove("ids");
        answer.insert(id, nodes::execute(world, caller, &single, version)?);
    }
    Ok(Value::Object(answer))
}

/// Every time of an answer in a format of PHP's `date`, of the legacy protocol.
fn with_date_format(value: Value, format: &str) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (key, with_date_format(value, format))).collect()
        }
        Value::Array(items) => items.into_iter().map(|item| with_date_format(item, format)).collect(),
        Value::String(text) => match jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", &text) {
            Ok(time) if format == "U" => time.as_second().into(),
            Ok(time) => php_date(time, format).into(),
            Err(_) => text.into(),
        },
        other => other,
    }
}

fn php_date(time: jiff::Timestamp, format: &str) -> String {
    let pattern: String = format
        .chars()
        .map(|c| match c {
            'Y' => "%Y".into(),
            'm' => "%m".into(),
            'd' => "%d".into(),
            'H' => "%H".into(),
            'i' => "%M".into(),
            's' => "%S".into(),
            'U' => "%s".into(),
            'O' => "+0000".into(),
            'P' => "+00:00".into(),
            'c' => "%Y-%m-%dT%H:%M:%S+00:00".into(),
            '%' => "%%".to_owned(),
            other => other.to_string(),
        })
        .collect();
    time.strftime(&pattern).to_string()
}

/// Puts headers and envelope around a result.
pub fn finish(
    world: &World,
    call: &Call,
    settled: Option<&Settled>,
    result: Result<Value, GraphError>,
    usage: &Usage,
    trace: &Trace,
) -> Answer {
    let legacy = settled.is_some_and(|s| s.version.keeps_legacy_protocol(world.protocol.legacy));
    let mut headers = usage.headers();
    if let Some(settled) = settled {
        headers.push((HeaderName::from_static("facebook-api-version"), settled.version.to_string()));
        if let Some(warning) = &settled.warning {
            headers.push((HeaderName::from_static("x-ad-api-version-warning"), warning.clone()));
        }
    }
    let mut answer = envelope(result, headers, trace);
    if legacy && call.params.text("debug").is_some_and(|level| level == "all") && answer.body.is_object() {
        answer.body["__debug__"] = serde_json::json!({ "messages": [] });
    }
    answer.pretty = legacy && call.params.bool("pretty") == Some(true);
    answer
}

fn envelope(
    result: Result<Value, GraphError>,
    mut headers: Vec<(HeaderName, String)>,
    trace: &Trace,
) -> Answer {
    headers.extend([
        (HeaderName::from_static("x-fb-request-id"), trace.request_id.clone()),
        (HeaderName::from_static("x-fb-trace-id"), trace.trace_id.clone()),
        (HeaderName::from_static("x-fb-rev"), REVISION.to_owned()),
        (HeaderName::from_static("x-fb-debug"), trace.debug.clone()),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*".to_owned()),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=15552000; preload".to_owned()),
        (header::VARY, "Accept-Encoding".to_owned()),
        (header::PRAGMA, "no-cache".to_owned()),
        (header::EXPIRES, "Sat, 01 Jan 2000 00:00:00 GMT".to_owned()),
    ]);
    let (status, body) = match result {
        Ok(value) => {
            headers.push((header::CACHE_CONTROL, "private, no-cache, no-store, must-revalidate".to_owned()));
            (StatusCode::OK, value)
        }
        Err(error) => {
            headers.push((header::CACHE_CONTROL, "no-store".to_owned()));
            headers.push((header::WWW_AUTHENTICATE, challenge(&error)));
            (error.status, error.to_json(&trace.request_id))
        }
    };
    Answer { status, headers, body, pretty: false, delay: Duration::ZERO }
}

const REVISION: &str = "1030123456";

fn challenge(error: &GraphError) -> String {
    let kind = match error.code {
        102 | 190 | 463 | 467 => "invalid_token",
        _ if error.message.contains("verification code") => "invalid_code",
        _ => "invalid_request",
    };
    // A header holds no line breaks, and the message stands between quotes.
    let message: String = error
        .message
        .chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .collect::<String>()
        .replace('"', "'");
    format!("OAuth \"Facebook Platform\" \"{kind}\" \"{message}\"")
}

/// The ids that let Meta (and a log of ours) find a call again.
#[derive(Debug)]
pub struct Trace {
    /// `x-fb-request-id` and `fbtrace_id`.
    pub request_id: String,
    pub trace_id: String,
    pub debug: String,
}

impl Trace {
    /// The next call's ids: they follow from the seed and the count of calls.
    pub fn next(world: &mut World) -> Self {
        let mut state = world.seed ^ world.calls.wrapping_mul(0x2545_f491_4f6c_dd1d);
        world.calls += 1;
        let mut bytes = [0_u8; 64];
        for part in bytes.chunks_exact_mut(8) {
            part.copy_from_slice(&super::cursor::mix(&mut state).to_le_bytes());
        }
        Self {
            request_id: format!("A{}", URL_SAFE_NO_PAD.encode(&bytes[..16])),
            trace_id: URL_SAFE_NO_PAD.encode(&bytes[16..24]),
            debug: STANDARD.encode(bytes),
        }
    }
}

/// `ETag` and 304, of the legacy protocol: a hash of the whole body.
pub fn conditional(mut answer: Answer, legacy: bool, if_none_match: Option<&str>) -> Answer {
    if !legacy || answer.status != StatusCode::OK {
        return answer;
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, answer.body.to_string().as_bytes());
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest.as_ref()[..20]));
    if if_none_match == Some(tag.as_str()) {
        answer.status = StatusCode::NOT_MODIFIED;
        answer.body = Value::Null;
    }
    answer.headers.push((header::ETAG, tag));
    answer
}

/// Whether the legacy protocol answers this call.
pub fn is_legacy(world: &World, call: &Call) -> bool {
    call.version.as_deref().and_then(Version::parse).is_none_or(|version| version.keeps_legacy_protocol(true))
        && world.protocol.legacy
}
