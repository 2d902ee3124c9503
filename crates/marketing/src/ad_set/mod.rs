//! Is this ad set right? Checks what `POST /act_{id}/adsets` and `POST /{ad_set_id}` take, before Meta does.
//!
//! [`check`] reads a document and answers with a [`Report`]: every fault at once, each with its place, the rule, what to
//! do, Meta's own numbers where they are known, and the source. What is documented without contradiction is rejected;
//! what is inferred, contested or only seen in practice is a warning; a word nobody knows is passed with a note.

mod attribution;
mod billing;
mod countries;
mod document;
mod events;
mod findings;
mod input;
pub mod legacy;
mod mapping;
pub mod promoted_object;
mod read;
mod rules;

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::value::RawValue;

use document::Whole;
use read::{Oddity, Slot};

pub use attribution::{Row as AttributionRow, rows as attribution_rows, windows as attribution_windows};
pub use billing::{Row as BillingRow, billing_events, rows as billing_rows};
pub use countries::{
    Group, Known, Regional, Restricted, dsa, dsa_territories, known, needs_dsa, regional, restricted,
};
pub use document::Document;
pub use events::{
    Refusal as EventRefusal, Row as EventRow, events, refusals as event_refusals, rows as event_rows,
};
pub use findings::{Finding, Meta, Report, Rule, RuleRow, Segment, Severity, Verdict};
pub(crate) use findings::{Findings, at};
pub use input::InputError;
pub use mapping::{
    Alternative, Row as MappingRow, destinations_for, goals_for, promoted_object_sets, rows as mapping_rows,
};

/// Reads and checks one document:
/// `{"ad_set": {...}, "campaign": {...}?, "ad_account": {...}?, "existing": {...}?, "api_version": "v26.0"?}`.
///
/// With `existing`, the ad set as it stands, `ad_set` is an update. Otherwise a campaign is checked as a creation too.
/// If it has an `id` it is there already: then what it leaves out is not missed (but for the objective), an old
/// objective warns, and all else is checked the same.
pub fn check(input: &[u8], now: Timestamp) -> Result<Report, InputError> {
    parse(input).map(|document| validate(&document, now))
}

/// The same for text, which need not be looked through for broken UTF-8.
pub fn check_str(text: &str, now: Timestamp) -> Result<Report, InputError> {
    parse_str(text).map(|document| validate(&document, now))
}

/// The same for a document that is in memory already.
pub fn check_value(document: &serde_json::Value, now: Timestamp) -> Result<Report, InputError> {
    check_str(&document.to_string(), now)
}

/// Checks the creation of a campaign alone: `{"campaign": {...}, "ad_account": {...}?, "api_version": "v26.0"?}`.
///
/// The rules are those that [`check`] has for a campaign. An `ad_set` in the document is left aside.
pub fn check_campaign_value(document: &serde_json::Value, now: Timestamp) -> Result<Report, InputError> {
    let text = document.to_string();
    let mut whole = read(text.as_bytes(), serde_json::from_str(&text))?;
    let campaign = given(whole.campaign.take(), "campaign", &whole.odd, text.as_bytes())?;
    let document = Document {
        campaign: Some(campaign),
        ad_account: whole.ad_account,
        api_version: whole.api_version,
        odd: whole.odd,
        ..Document::default()
    };
    Ok(rules::check_campaign(&document, now))
}

/// What some editors write before the text.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads a document. Values of the wrong kind are no error here: [`validate`] reports them all.
///
/// A byte order mark before the document is skipped, and not counted in the place of a fault.
pub fn parse(input: &[u8]) -> Result<Document<'_>, InputError> {
    // Checked once for all, the text need not be checked string by string.
    if let Ok(text) = std::str::from_utf8(input) {
        return parse_str(text);
    }
    let input = input.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(input);
    from_whole(read(input, serde_json::from_slice(input))?, input)
}

/// The same for text.
pub fn parse_str(text: &str) -> Result<Document<'_>, InputError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    from_whole(read(text.as_bytes(), serde_json::from_str(text))?, text.as_bytes())
}

fn read<'a>(input: &[u8], read: Result<Slot<Whole<'a>>, serde_json::Error>) -> Result<Whole<'a>, InputError> {
    match read {
        Ok(Slot::Good(whole)) => Ok(whole),
        Ok(Slot::Null) => Err(not_a_document("null")),
        Ok(Slot::Bad(found)) => Err(not_a_document(found)),
        Err(error) => Err(locate(input, &error)),
    }
}

/// Checks a document at a moment, which decides about times and versions.
pub fn validate(document: &Document<'_>, now: Timestamp) -> Report {
    rules::check(document, now)
}

fn from_whole<'a>(mut whole: Whole<'a>, input: &[u8]) -> Result<Document<'a>, InputError> {
    let ad_set = given(whole.ad_set.take(), "ad_set", &whole.odd, input)?;
    Ok(Document {
        ad_set,
        campaign: whole.campaign,
        ad_account: whole.ad_account,
        existing: whole.existing,
        api_version: whole.api_version,
        odd: whole.odd,
    })
}

/// A part the document must have.
fn given<T>(part: Option<T>, name: &str, odd: &[Oddity<'_>], input: &[u8]) -> Result<T, InputError> {
    part.ok_or_else(|| {
        let found = odd.iter().find_map(|odd| match odd {
            Oddity::WrongType { key, found, .. } if key == name => Some(*found),
            _ => None,
        });
        let problem = match found {
            Some(found) => format!("{name} must be an object, and is {found}"),
            None => format!("the document has no {name}"),
        };
        let (line, column) = place_of(input, name);
        InputError { line, column, path: name.to_owned(), problem }
    })
}

/// Line and column of the value of a key at the root; the first of all, if it is not there. It reads again, slowly.
fn place_of(input: &[u8], key: &str) -> (usize, usize) {
    let values = serde_json::from_slice::<HashMap<String, &RawValue>>(input).unwrap_or_default();
    let Some(value) = values.get(key) else { return (1, 1) };
    let before = &input[..value.get().as_ptr().addr() - input.as_ptr().addr()];
    let mut lines = before.split(|byte| *byte == b'\n');
    let column = lines.next_back().map_or(0, <[u8]>::len) + 1;
    (lines.count() + 1, column)
}

fn not_a_document(found: &str) -> InputError {
    let problem = format!("a document is an object with an ad_set in it, and this is {found}");
    InputError { line: 1, column: 1, path: String::new(), problem }
}

/// Finds the path of a syntax error by reading again, slowly.
fn locate(input: &[u8], error: &serde_json::Error) -> InputError {
    let path = match std::str::from_utf8(input) {
        Ok(text) => {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            match serde_path_to_error::deserialize::<_, serde_json::Value>(&mut deserializer) {
                // A key that could not be read to its end has no name.
                Err(error) => error.path().to_string().trim_end_matches('?').trim_end_matches('.').to_owned(),
                Ok(_) => String::new(),
            }
        }
        Err(_) => String::new(),
    };
    let whole = error.to_string();
    let problem = whole.split_once(" at line ").map_or(whole.as_str(), |(problem, _)| problem).to_owned();
    InputError { line: error.line(), column: error.column(), path, problem }
}
