//! `adjoin validate ad-set`: the offline rules over a file or standard input.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
};

use adjoin_marketing::ad_set::{self, Finding, InputError, Report, Severity, Verdict};
use clap::{Args, Subcommand};
use console::Style;
use serde_json::json;

use super::Outcome;

/// The largest document that is read, in bytes: whole, or one line of many.
const DOCUMENT_MAX: u64 = 16 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub enum Validate {
    /// Check an ad set: {"ad_set": {...}, "campaign"?, "ad_account"?, "existing"?, "api_version"?}
    ///
    /// With `existing`, `ad_set` is a change. Otherwise the campaign is checked as a creation too; if it has an id it is
    /// there already, and what it leaves out is not missed, but for the objective.
    ///
    /// Exit codes: 0 accepted (perhaps with warnings), 1 rejected, 2 the input cannot be read.
    AdSet(AdSet),
}

#[derive(Debug, Args)]
pub struct AdSet {
    /// The document; `-` or nothing reads standard input
    file: Option<PathBuf>,
    /// The result as one line of JSON on stdout
    #[arg(long)]
    json: bool,
    /// One document a line in, one result a line out on stdout, in order; an empty line stays an empty line
    #[arg(long)]
    jsonl: bool,
}

impl Validate {
    pub fn run(self) -> anyhow::Result<Outcome> {
        let Self::AdSet(command) = self;
        let input = match command.file.as_deref().filter(|path| *path != Path::new("-")) {
            None => Box::new(io::stdin().lock()) as Box<dyn BufRead>,
            Some(path) => match File::open(path) {
                Ok(file) => Box::new(BufReader::new(file)),
                Err(error) => return Ok(unreadable(path, &error, command.json || command.jsonl)),
            },
        };
        let name = command.file.as_deref().unwrap_or(Path::new("-"));
        if command.jsonl { lines(name, input) } else { one(name, input, command.json) }
    }
}

/// Nothing could be read at all: the file is not there, or is none.
fn unreadable(path: &Path, error: &io::Error, as_json: bool) -> Outcome {
    let name = if path == Path::new("-") { "standard input".into() } else { path.to_string_lossy() };
    let problem = format!("{name} cannot be read: {error}");
    if as_json {
        let error = InputError { line: 0, column: 0, path: String::new(), problem: problem.clone() };
        println!("{}", json!({ "error": error }));
    }
    eprintln!("adjoin: {problem}");
    Outcome::Unusable
}

fn one(name: &Path, input: impl BufRead, as_json: bool) -> anyhow::Result<Outcome> {
    let mut document = Vec::new();
    if let Err(error) = input.take(DOCUMENT_MAX + 1).read_to_end(&mut document) {
        return Ok(unreadable(name, &error, as_json));
    }
    match check(&document) {
        Ok(report) => {
            if as_json {
                println!("{}", serde_json::to_string(&report)?);
            } else {
                tell(&report);
            }
            Ok(if report.verdict == Verdict::Reject { Outcome::No } else { Outcome::Good })
        }
        Err(error) => {
            if as_json {
                println!("{}", json!({ "error": error }));
            }
            eprintln!("adjoin: the document cannot be read: {error}");
            Ok(Outcome::Unusable)
        }
    }
}

/// A line that cannot be read gets an error in its place and does not stop the others.
fn lines(name: &Path, mut input: impl BufRead) -> anyhow::Result<Outcome> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut outcome = Outcome::Good;
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let read = match (&mut input).take(DOCUMENT_MAX + 1).read_until(b'\n', &mut line) {
            Ok(read) => read,
            Err(error) => {
                output.flush()?;
                return Ok(unreadable(name, &error, true));
            }
        };
        if read == 0 {
            break;
        }
        number += 1;
        let whole = line.ends_with(b"\n");
        if line.iter().all(u8::is_ascii_whitespace) {
            // So that a result stands on the line of its document.
            output.write_all(b"\n")?;
            continue;
        }
        match check(&line) {
            Ok(report) => {
                if report.verdict == Verdict::Reject && outcome == Outcome::Good {
                    outcome = Outcome::No;
                }
                serde_json::to_writer(&mut output, &report)?;
            }
            Err(error) => {
                let error = InputError { line: number, ..error };
                eprintln!("adjoin: a document cannot be read: {error}");
                outcome = Outcome::Unusable;
                serde_json::to_writer(&mut output, &json!({ "error": error }))?;
            }
        }
        output.write_all(b"\n")?;
        if !whole && line.len() as u64 > DOCUMENT_MAX {
            skip_line(&mut input)?;
        }
    }
    output.flush()?;
    Ok(outcome)
}

/// Passes over what is left of a line that was too long to keep.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}

fn check(document: &[u8]) -> Result<Report, InputError> {
    if document.len() as u64 > DOCUMENT_MAX {
        let problem = format!("the document is larger than {} MiB", DOCUMENT_MAX / 1024 / 1024);
        return Err(InputError { line: 0, column: 0, path: String::new(), problem });
    }
    ad_set::check(document, jiff::Timestamp::now())
}

/// The report for people, gravest first.
fn tell(report: &Report) {
    for finding in &report.findings {
        let (word, tone) = match finding.severity {
            Severity::Reject => ("reject", Style::new().red().bold()),
            Severity::Warn => ("warn", Style::new().yellow().bold()),
            Severity::Note => ("note", Style::new().cyan().bold()),
        };
        eprintln!("{} {}", for_terminal(&tone, word), finding.dotted_path());
        eprintln!("  {}", finding.message);
        eprintln!("  {} {}", for_terminal(&Style::new().green(), "→"), finding.fix);
        eprintln!("  {}", for_terminal(&Style::new().dim(), &origin(finding)));
    }
    let (verdict, tone) = match report.verdict {
        Verdict::Accept => ("accept", Style::new().green().bold()),
        Verdict::Warn => ("accept, with warnings", Style::new().yellow().bold()),
        Verdict::Reject => ("reject", Style::new().red().bold()),
    };
    eprintln!("{}", for_terminal(&tone, verdict));
}

fn origin(finding: &Finding) -> String {
    let meta =
        finding.meta.map_or_else(String::new, |meta| format!("Meta: {}/{}, ", meta.code, meta.subcode));
    format!("{meta}source: {}", finding.source)
}

fn for_terminal(tone: &Style, text: &str) -> String {
    tone.clone().for_stderr().apply_to(text).to_string()
}
