//! The demo's progress: one line a step, for people on stderr or as JSON on stdout.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// What a step has to show.
pub struct Shown<T> {
    pub value: T,
    /// One line that says what came of it.
    pub detail: String,
}

pub fn shown<T>(value: T, detail: impl Into<String>) -> Shown<T> {
    Shown { value, detail: detail.into() }
}

pub struct Steps {
    json: bool,
    count: usize,
}

#[derive(Serialize)]
struct Line<'a> {
    step: &'a str,
    ok: bool,
    detail: &'a str,
}

impl Steps {
    pub fn new(json: bool) -> Self {
        Self { json, count: 0 }
    }

    /// Runs a step and tells how it went; the first that fails ends the demo.
    pub async fn run<T>(
        &mut self,
        step: &'static str,
        title: &str,
        work: impl Future<Output = anyhow::Result<Shown<T>>>,
    ) -> anyhow::Result<T> {
        self.count += 1;
        let spinner = self.spinner(title);
        let started = Instant::now();
        let result = work.await;
        spinner.finish_and_clear();
        let (ok, detail) = match &result {
            Ok(shown) => (true, shown.detail.clone()),
            Err(error) => (false, format!("{error:#}")),
        };
        if self.json {
            println!("{}", serde_json::to_string(&Line { step, ok, detail: &detail })?);
        } else {
            self.line(ok, title, &detail, started.elapsed());
        }
        result.map(|shown| shown.value).with_context(|| format!("the step {step:?} did not hold"))
    }

    fn spinner(&self, title: &str) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner();
        spinner.set_style(
            ProgressStyle::with_template("   {spinner} {msg}").expect("a fixed template is well formed"),
        );
        spinner.set_message(title.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(80));
        spinner
    }

    fn line(&self, ok: bool, title: &str, detail: &str, took: Duration) {
        let mark = if ok { console::style("✓").green() } else { console::style("✗").red() };
        let number = console::style(format!("{:>2}", self.count)).dim();
        let took = console::style(format!("{} ms", took.as_millis())).dim();
        eprintln!(" {number} {mark} {}  {took}", console::style(title).bold());
        for line in detail.lines() {
            eprintln!("      {line}");
        }
    }
}
