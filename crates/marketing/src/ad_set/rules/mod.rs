//! The rules, one file a family. Each looks at the case and adds what it finds; none stops at the first fault.

mod app;
mod attribution;
mod basics;
mod bidding;
mod billing;
mod budget;
mod campaign;
mod case;
mod combination;
mod event;
mod frequency;
mod placements;
mod promoted;
mod reading;
mod regulation;
mod schedule;
mod special_category;
mod targeting;
mod update;
mod version;

use jiff::Timestamp;

use super::document::Document;
use super::findings::{Findings, Report};
use case::Case;

/// Checks a campaign on its own: what the rules say of it without an ad set.
pub(super) fn check_campaign(document: &Document<'_>, now: Timestamp) -> Report {
    let mut out = Findings::default();
    let case = Case::new(document, now);
    reading::check_campaign(document, &case, &mut out);
    version::check(document, &case, &mut out);
    campaign::check(&case, &mut out);
    bidding::levels(&case, &mut out);
    special_category::check(&case, &mut out);
    out.into_report()
}

pub(super) fn check(document: &Document<'_>, now: Timestamp) -> Report {
    let mut out = Findings::default();
    let case = Case::new(document, now);
    reading::check(document, &case, &mut out);
    version::check(document, &case, &mut out);
    basics::check(&case, &mut out);
    campaign::check(&case, &mut out);
    let missing = combination::check(&case, &mut out);
    promoted::check(&case, missing, &mut out);
    event::check(&case, &mut out);
    billing::check(&case, &mut out);
    bidding::check(&case, &mut out);
    budget::check(&case, &mut out);
    schedule::check(&case, &mut out);
    frequency::check(&case, &mut out);
    attribution::check(&case, &mut out);
    targeting::check(&case, &mut out);
    placements::check(&case, &mut out);
    app::check(&case, &mut out);
    special_category::check(&case, &mut out);
    regulation::check(&case, &mut out);
    update::check(&case, &mut out);
    out.into_report()
}
