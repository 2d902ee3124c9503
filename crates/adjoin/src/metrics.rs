//! Numbers for a Prometheus server, at `/metrics`. No label holds an id of anybody.

use std::time::Duration;

use metrics::{Key, KeyName, Label, Level, Metadata, Recorder as _, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

/// Bounds of the latency buckets, in seconds.
const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

const CALLS: &str = "adjoin_method_calls_total";
const LATENCY: &str = "adjoin_method_seconds";
const UNLOGGED: &str = "adjoin_calls_not_logged_total";
const WEBHOOKS: &str = "adjoin_webhooks_total";
const ERROR_SHARE: &str = "adjoin_meta_error_share";
const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// One app's numbers; there is no global recorder, so that apps in one process do not mix theirs.
pub struct Metrics(PrometheusRecorder);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS).expect("there are buckets");
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
        recorder.describe_gauge(
            name(ERROR_SHARE),
            None,
            "Share of errors among the last 500 calls to Meta; 0.15 costs the Full access tier".into(),
        );
        Self(recorder)
    }
}

impl Metrics {
    pub fn called(&self, method: &'static str, outcome: &'static str, took: Duration) {
        let method = Label::from_static_parts("method", method);
        let calls =
            Key::from_parts(CALLS, vec![method.clone(), Label::from_static_parts("outcome", outcome)]);
        self.0.register_counter(&calls, &METADATA).increment(1);
        self.0
            .register_histogram(&Key::from_parts(LATENCY, vec![method]), &METADATA)
            .record(took.as_secs_f64());
    }

    pub fn not_logged(&self, calls: u64) {
        self.0.register_counter(&Key::from_static_name(UNLOGGED), &METADATA).increment(calls);
    }

    pub fn webhook(&self, outcome: &'static str) {
        let key = Key::from_parts(WEBHOOKS, vec![Label::from_static_parts("outcome", outcome)]);
        self.0.register_counter(&key, &METADATA).increment(1);
    }

    /// The text a Prometheus server reads.
    pub fn render(&self, error_share: f64) -> String {
        self.0.register_gauge(&Key::from_static_name(ERROR_SHARE), &METADATA).set(error_share);
        self.0.handle().render()
    }

    /// Folds what was recorded into its buckets; without it memory grows while nobody reads.
    pub fn upkeep(&self) {
        self.0.handle().run_upkeep();
    }
}
