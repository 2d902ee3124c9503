//! The machine a benchmark runs on.

/// How busy the machine is with all that runs on it: runnable processes, averaged over a minute.
pub fn load() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| text.split(' ').next().map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned())
}
