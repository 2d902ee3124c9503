//! Numbers for a Prometheus server, at `/metrics`. No label holds an id of anybody.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder as _, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

/// Bounds of the latency buckets, in seconds.
const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Bounds of the buckets for the age of an event when it arrives, in seconds: to the end of the retries.
const AGES: [f64; 12] =
    [0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 43_200.0, 86_400.0, 288_000.0];

const CALLS: &str = "adjoin_method_calls_total";
const LATENCY: &str = "adjoin_method_seconds";
const UNLOGGED: &str = "adjoin_calls_not_logged_total";
const WEBHOOKS: &str = "adjoin_webhooks_total";
const WEBHOOKS_WAITING: &str = "adjoin_webhooks_waiting";
const WEBHOOK_COMMITS: &str = "adjoin_webhook_commits_total";
const DELIVERIES: &str = "adjoin_delivery_attempts_total";
const DELIVERIES_WAITING: &str = "adjoin_deliveries_waiting";
const DELIVERY_AGE: &str = "adjoin_delivery_age_seconds";
const ERROR_SHARE: &str = "adjoin_meta_error_share";
const LEADS: &str = "adjoin_leads_read_total";
const CANARIES: &str = "adjoin_canaries_total";
const LEAD_AGE: &str = "adjoin_lead_age_at_reading_seconds";
const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// One app's numbers; there is no global recorder, so that apps in one process do not mix theirs.
pub struct Metrics {
    recorder: PrometheusRecorder,
    /// By method and outcome, so that a call need not look its numbers up by their labels.
    calls: Mutex<HashMap<(&'static str, &'static str), OfCalls>>,
}

/// How many calls, and how long each took.
struct OfCalls(Counter, Histogram);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let builder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full(DELIVERY_AGE.to_owned()), &AGES))
            .expect("there are buckets");
        let recorder = builder.build_recorder();
        let name = |text: &'static str| KeyName::from_const_str(text);
        recorder.describe_counter(name(CALLS), None, "Calls of methods, by method and how they ended".into());
        recorder.describe_histogram(
            name(LATENCY),
            Some(Unit::Seconds),
            "From the request to the answer, by method".into(),
        );
        recorder.describe_counter(
            name(UNLOGGED),
            None,
            "Calls missing in the call log: its queue was full or the database failed".into(),
        );
        recorder.describe_counter(name(WEBHOOKS), None, "Webhooks from Meta, by what became of them".into());
        recorder.describe_gauge(name(WEBHOOKS_WAITING), None, "Webhooks that wait to be stored".into());
        recorder.describe_counter(
            name(WEBHOOK_COMMITS),
            None,
            "Commits that stored webhooks; those that come at once share one".into(),
        );
        recorder.describe_counter(
            name(DELIVERIES),
            None,
            "Attempts to deliver an event, by how they ended".into(),
        );
        recorder.describe_gauge(name(DELIVERIES_WAITING), None, "Deliveries on their way".into());
        recorder.describe_histogram(
            name(DELIVERY_AGE),
            Some(Unit::Seconds),
            "From the event to its arrival at an endpoint".into(),
        );
        recorder.describe_counter(
            name(LEADS),
            None,
            "Tries to read a lead from Meta, by how they ended; those after `read` park it by that cause"
                .into(),
        );
        recorder.describe_counter(
            name(CANARIES),
            None,
            "Canaries that ended, by how: `passed`, or the step at which they were lost".into(),
        );
        recorder.describe_histogram(
            name(LEAD_AGE),
            Some(Unit::Seconds),
            "From the submission of a form until it was read after a webhook".into(),
        );
        recorder.describe_gauge(
            name(ERROR_SHARE),
            None,
            "Share of errors among the last 500 calls to Meta; 0.15 costs the Full access tier".into(),
        );
        Self { recorder, calls: Mutex::default() }
    }
}

impl Metrics {
    pub fn called(&self, method: &'static str, outcome: &'static str, took: Duration) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let OfCalls(count, latency) = calls.entry((method, outcome)).or_insert_with(|| {
            let method = Label::from_static_parts("method", method);
            let labels = vec![method.clone(), Label::from_static_parts("outcome", outcome)];
            OfCalls(
                self.recorder.register_counter(&Key::from_parts(CALLS, labels), &METADATA),
                self.recorder.register_histogram(&Key::from_parts(LATENCY, vec![method]), &METADATA),
            )
        });
        count.increment(1);
        latency.record(took.as_secs_f64());
    }

    pub fn not_logged(&self, calls: u64) {
        self.recorder.register_counter(&Key::from_static_name(UNLOGGED), &METADATA).increment(calls);
    }

    pub fn webhook(&self, outcome: &'static str) {
        let key = Key::from_parts(WEBHOOKS, vec![Label::from_static_parts("outcome", outcome)]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
    }

    /// A webhook waits to be stored.
    pub fn webhook_waits(&self) {
        self.webhooks_waiting().increment(1);
    }

    /// So many wait no more.
    pub fn webhooks_settled(&self, webhooks: u32) {
        self.webhooks_waiting().decrement(webhooks);
    }

    fn webhooks_waiting(&self) -> Gauge {
        self.recorder.register_gauge(&Key::from_static_name(WEBHOOKS_WAITING), &METADATA)
    }

    pub fn webhooks_committed(&self) {
        self.recorder.register_counter(&Key::from_static_name(WEBHOOK_COMMITS), &METADATA).increment(1);
    }

    /// An event arrived at an endpoint, so long after it happened.
    pub fn delivered(&self, age: Duration) {
        self.not_delivered("delivered");
        self.recorder
            .register_histogram(&Key::from_static_name(DELIVERY_AGE), &METADATA)
            .record(age.as_secs_f64());
    }

    /// An attempt ended otherwise.
    pub fn not_delivered(&self, outcome: &'static str) {
        let key = Key::from_parts(DELIVERIES, vec![Label::from_static_parts("outcome", outcome)]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
    }

    pub fn deliveries_waiting(&self, waiting: i64) {
        #[expect(clippy::cast_precision_loss, reason = "a number to look at")]
        self.recorder
            .register_gauge(&Key::from_static_name(DELIVERIES_WAITING), &METADATA)
            .set(waiting as f64);
    }

    /// Tries to read leads: `read`, `gone`, or the cause for which they are parked.
    pub fn leads(&self, outcome: &'static str, leads: u64) {
        let key = Key::from_parts(LEADS, vec![Label::from_static_parts("outcome", outcome)]);
        self.recorder.register_counter(&key, &METADATA).increment(leads);
    }

    /// A canary ended: `passed`, or the step at which it was lost.
    pub fn canary(&self, outcome: &'static str) {
        let key = Key::from_parts(CANARIES, vec![Label::from_static_parts("outcome", outcome)]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
    }

    /// How old a lead was when it was read.
    pub fn lead_read(&self, age: Duration) {
        self.recorder
            .register_histogram(&Key::from_static_name(LEAD_AGE), &METADATA)
            .record(age.as_secs_f64());
    }

    /// The text a Prometheus server reads.
    pub fn render(&self, error_share: f64) -> String {
        self.recorder.register_gauge(&Key::from_static_name(ERROR_SHARE), &METADATA).set(error_share);
        self.recorder.handle().render()
    }

    /// Folds what was recorded into its buckets; without it memory grows while nobody reads.
    pub fn upkeep(&self) {
        self.recorder.handle().run_upkeep();
    }
}
