//! `adjoin forward`: events of a running service, as JSON Lines.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use url::Url;

use super::{
    Outcome,
    serve::shutdown_signal,
    service::{self, Service},
};
use crate::service::events::Pattern;

/// How long one request waits for an event, in seconds.
const WAIT: u64 = 20;
/// How long it waits for a service that is away.
const AWAY: Duration = Duration::from_secs(2);
/// How far back the last line of a file is looked for, in bytes. One event is far smaller.
const TAIL: u64 = 4 * 1024 * 1024;

#[derive(Debug, Args)]
#[command(
    after_help = "The API key comes from ADJOIN_API_KEY, or from the file that --api-key-file names.\n\n\
    Beside FILE stands FILE.seq with the number of the last event that was written, so that the next run goes on from\n\
    there. Lines are on the disk before their number is."
)]
pub struct Forward {
    /// Where the lines go: a file, which is added to, or `-` for stdout
    #[arg(long, value_name = "FILE|-")]
    to: PathBuf,
    /// Types of events, or families of them
    #[arg(long, value_name = "TYPE", value_delimiter = ',', default_value = "lead.*")]
    types: Vec<Pattern>,
    /// Only events of this account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Begin behind this number, whatever was written before
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// End when all that is there was written
    #[arg(long)]
    once: bool,
    /// The service
    #[arg(long, env = "ADJOIN_URL", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// File with the API key
    #[arg(long, env = "ADJOIN_API_KEY_FILE", value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

impl Forward {
    pub async fn run(self) -> anyhow::Result<Outcome> {
        let forwarded = async { service::told(self.forward().await) };
        tokio::select! {
            outcome = forwarded => outcome,
            // What was written is on the disk.
            () = shutdown_signal() => Ok(Outcome::Good),
        }
    }

    async fn forward(&self) -> anyhow::Result<Outcome> {
        let service = Service::new(self.url.clone(), self.api_key_file.as_deref())?;
        let mut sink = Sink::open(&self.to)?;
        let mut after = match self.after {
            Some(after) => i64::try_from(after).unwrap_or(i64::MAX),
            None => sink.place()?,
        };
        loop {
            let (status, answer) = match self.read(&service, after).await {
                Err(error) if !self.once && error.is::<reqwest::Error>() => {
                    eprintln!("adjoin: {error:#}; trying again");
                    tokio::time::sleep(AWAY).await;
                    continue;
                }
                answer => answer?,
            };
            if !status.is_success() {
                let outcome = service::explain(status, &answer);
                let is_away = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
                if self.once || !is_away {
                    return Ok(outcome);
                }
                tokio::time::sleep(AWAY).await;
                continue;
            }
            let events = answer["data"].as_array().map_or(&[][..], Vec::as_slice);
            let next = answer["next"].as_i64().context("the service does not say where to go on")?;
            // Also without a line: what others were told of is not looked through again.
            if next != after {
                sink.write(events, next)?;
            }
            after = next;
            if self.once && answer["more"] != true {
                return Ok(Outcome::Good);
            }
        }
    }

    async fn read(&self, service: &Service, after: i64) -> anyhow::Result<(StatusCode, Value)> {
        let types: Vec<&str> = self.types.iter().map(Pattern::as_str).collect();
        let mut request = service.request(Method::GET, &["events".to_owned()])?.query(&[
            ("after", after.to_string()),
            ("types", types.join(",")),
            ("limit", "100".to_owned()),
            ("wait", if self.once { 0 } else { WAIT }.to_string()),
        ]);
        if let Some(account) = &self.account {
            request = request.query(&[("account_id", account)]);
        }
        service.send(request).await
    }
}

/// Where the lines go.
enum Sink {
    Stdout,
    File { file: File, place: PathBuf },
}

impl Sink {
    fn open(to: &Path) -> anyhow::Result<Self> {
        if to == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        // People's answers are in it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(to).with_context(|| format!("cannot write to {}", to.display()))?;
        let mut place = to.as_os_str().to_owned();
        place.push(".seq");
        Ok(Self::File { file, place: place.into() })
    }

    /// The number to go on from: the one that was noted, or that of the last line, when there was no time to note it. A
    /// line that was not written to its end is taken away: its event comes again.
    fn place(&mut self) -> anyhow::Result<i64> {
        let Self::File { file, place } = self else { return Ok(0) };
        let noted = match std::fs::read_to_string(&*place) {
            Ok(text) => text.trim().parse().with_context(|| {
                format!("{} does not hold a number; name one with --after", place.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", place.display())),
        };
        let len = file.metadata()?.len();
        let from = len.saturating_sub(TAIL);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.read_to_end(&mut tail)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < tail.len() && (whole > 0 || from == 0) {
            file.set_len(from + whole as u64)?;
            file.sync_data()?;
        }
        let lines = &tail[..whole.saturating_sub(1)];
        let last = lines.iter().rposition(|byte| *byte == b'\n').map_or(lines, |at| &lines[at + 1..]);
        let last: Value = serde_json::from_slice(last).unwrap_or_default();
        Ok(last["seq"].as_i64().unwrap_or_default().max(noted))
    }

    /// Writes the lines, and then, when they are on the disk, the place.
    fn write(&mut self, events: &[Value], next: i64) -> anyhow::Result<()> {
        let mut lines = String::new();
        for event in events {
            lines.push_str(&event.to_string());
            lines.push('\n');
        }
        match self {
            Self::Stdout => {
                let mut out = std::io::stdout().lock();
                out.write_all(lines.as_bytes()).and_then(|()| out.flush()).context("cannot write to stdout")
            }
            Self::File { file, place } => {
                file.write_all(lines.as_bytes())
                    .and_then(|()| file.sync_data())
                    .context("cannot write the lines")?;
                note(place, next).with_context(|| format!("cannot write {}", place.display()))
            }
        }
    }
}

/// Replaces the noted place as a whole, so that a crash leaves the old or the new one.
fn note(place: &Path, next: i64) -> std::io::Result<()> {
    let mut new = place.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let mut file = File::create(&new)?;
    writeln!(file, "{next}")?;
    file.sync_data()?;
    std::fs::rename(new, place)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_crash_between_line_and_place_or_within_a_line_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("leads.jsonl");
        let place = || Sink::open(&to).unwrap().place().unwrap();
        assert_eq!(place(), 0);
        Sink::open(&to).unwrap().write(&[json!({ "seq": 3 }), json!({ "seq": 5 })], 5).unwrap();
        assert_eq!(place(), 5);
        let add = |text: &str| {
            OpenOptions::new().append(true).open(&to).unwrap().write_all(text.as_bytes()).unwrap();
        };
        // The line is there, its place not yet.
        add("{\"seq\":8}\n");
        assert_eq!(place(), 8);
        // Half a line.
        add("{\"seq\":9,\"da");
        assert_eq!(place(), 8);
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "{\"seq\":3}\n{\"seq\":5}\n{\"seq\":8}\n");
        // The place is ahead of the lines when others were not asked for.
        std::fs::write(folder.path().join("leads.jsonl.seq"), "12\n").unwrap();
        assert_eq!(place(), 12);
        std::fs::write(&to, "{\"seq\":1").unwrap();
        assert_eq!((place(), std::fs::read_to_string(&to).unwrap().as_str()), (12, ""));
    }
}
