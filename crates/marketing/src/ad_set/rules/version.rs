//! The version the call would go to.

use super::super::document::Document;
use super::super::findings::{Findings, Rule, at};
use super::case::Case;
use crate::versions::{self, Standing};

pub(super) fn check(document: &Document<'_>, case: &Case<'_>, out: &mut Findings) {
    if document.api_version.is_none() {
        return;
    }
    let version = case.version;
    let newest = versions::DEFAULT;
    match versions::standing(version, case.now) {
        Standing::Live => {}
        Standing::Ending { on, days } => {
            out.add(
                Rule::VersionEnding,
                at!["api_version"],
                format!("{version} of the Marketing API ends on {on}, in {days} days."),
                format!("Move to {newest}."),
            );
        }
        Standing::Ended { on, upgraded_to } => {
            out.add(
                Rule::VersionEnded,
                at!["api_version"],
                format!(
                    "{version} of the Marketing API ended on {on}: Meta answers such a call as {upgraded_to}, or refuses it \
                     where something changed."
                ),
                format!("Use {newest}."),
            );
        }
        Standing::Future | Standing::Unknown => {
            out.add(
                Rule::VersionUnknown,
                at!["api_version"],
                format!(
                    "{version} is not a version we know; the rules of {newest} or of its number are used."
                ),
                format!("Versions are written like {newest}."),
            );
        }
    }
}
