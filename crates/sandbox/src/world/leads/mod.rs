//! Lead forms and what people sent with them.
//!
//! A form can hold a million leads. Those of a filled form are not kept at all: each follows from its number. Those
//! that were sent in are kept by number too, and a form's and an ad's list hold their numbers by age, so that a page of
//! an edge costs as much as the page is long.

pub mod draft;
mod form;
mod generated;
mod ids;
mod lead;
mod list;
pub mod sample;

use std::collections::{BTreeMap, HashMap, HashSet};

pub use form::{Checkbox, Form, Question};
pub use generated::Generated;
pub use lead::{Answer, Consent, Lead, Platform, Stored};
pub use list::{From, Of, Page, Query};

use crate::protocol::cursor::mix;
use lead::Body;

/// Leads are gone after ninety days.
pub const KEPT_SECONDS: i64 = 90 * 24 * 3600;

/// Where ids of forms begin that were not there at start. They are far from those of other assets.
const FIRST_FORM: u64 = 800_000_000_000_000;
/// Room between forms for the ids of questions and checkboxes.
const FORM_STRIDE: u64 = 1_000;

#[derive(Debug, Default)]
pub struct Leads {
    seed: u64,
    forms: BTreeMap<String, Form>,
    /// Form ids by Page, in the order of making.
    of_page: HashMap<String, Vec<String>>,
    made_ids: u64,
    generated: Option<Generated>,
    /// Leads that were sent in; their serials go on where those of the filled ones end.
    stored: Vec<Stored>,
    /// Serials of sent leads by form and by ad, ordered by age. Test leads are not among them.
    of_form: HashMap<String, Vec<u64>>,
    of_ad: HashMap<u64, Vec<u64>>,
    /// The one test lead a form can have.
    tests: HashMap<String, u64>,
    /// Serials of deleted leads.
    deleted: HashSet<u64>,
}

/// How many leads a form has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those that can be read.
    pub live: u64,
    /// Of these, the organic ones.
    pub organic: u64,
    /// Those that were too old.
    pub expired: u64,
}

impl Leads {
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms.get(id)
    }

    pub fn form_mut(&mut self, id: &str) -> Option<&mut Form> {
        self.forms.get_mut(id)
    }

    pub fn forms(&self) -> impl Iterator<Item = &Form> {
        self.forms.values()
    }

    /// The forms of a Page, in the order of making.
    pub fn forms_of(&self, page_id: &str) -> impl Iterator<Item = &Form> {
        self.of_page.get(page_id).into_iter().flatten().filter_map(|id| self.forms.get(id))
    }

    pub fn add_form(&mut self, form: Form) {
        self.of_page.entry(form.page_id.clone()).or_default().push(form.id.clone());
        self.forms.insert(form.id.clone(), form);
    }

    /// An id for a form or a Page that is made after the start.
    pub fn make_id(&mut self) -> String {
        let mut state = self.seed;
        self.made_ids += 1;
        (FIRST_FORM + mix(&mut state) % 1_000_000 * FORM_STRIDE + self.made_ids * FORM_STRIDE).to_string()
    }

    /// Fills a form. Only one can be, and only before the first lead is sent in.
    pub fn fill(&mut self, generated: Generated) {
        if self.stored.is_empty() && self.generated.is_none() && generated.count > 0 {
            self.generated = Some(generated);
        }
    }

    fn generated_count(&self) -> u64 {
        self.generated.as_ref().map_or(0, |generated| generated.count)
    }

    fn at(&self, serial: u64) -> Option<Lead<'_>> {
        let body = match (&self.generated, serial.checked_sub(self.generated_count())) {
            (Some(generated), None) => Body::Generated(generated, serial),
            (_, Some(index)) => Body::Stored(self.stored.get(usize::try_from(index).ok()?)?),
            (None, None) => return None,
        };
        Some(Lead { leads: self, serial, body })
    }

    /// A lead that was made and not deleted, however old.
    pub fn get(&self, id: u64) -> Option<Lead<'_>> {
        let serial = ids::serial(self.seed, id)?;
        self.at(serial).filter(|_| !self.deleted.contains(&serial))
    }

    /// Keeps a lead and gives its id.
    pub fn add(&mut self, lead: Stored) -> u64 {
        let serial = self.generated_count() + self.stored.len() as u64;
        let (form, ad, created, test) = (lead.form.clone(), lead.ad, lead.created, lead.test);
        self.stored.push(lead);
        if test {
            self.tests.insert(form, serial);
        } else {
            let base = self.generated_count();
            let stored = &self.stored;
            let put = |list: &mut Vec<u64>| {
                // Nearly always the end; a lead that is sent with a date of its own goes where it belongs.
                let at = list.partition_point(|other| {
                    let index = usize::try_from(other - base).unwrap_or_default();
                    stored.get(index).is_some_and(|other| other.created <= created)
                });
                list.insert(at, serial);
            };
            put(self.of_form.entry(form).or_default());
            if let Some(ad) = ad {
                put(self.of_ad.entry(ad).or_default());
            }
        }
        ids::id(self.seed, serial)
    }

    /// The test lead of a form, if it has one.
    pub fn test_lead(&self, form_id: &str) -> Option<Lead<'_>> {
        self.at(*self.tests.get(form_id)?)
    }

    /// Deletes a lead; whether there was one.
    pub fn delete(&mut self, id: u64) -> bool {
        let Some(lead) = self.get(id) else { return false };
        let (serial, test) = (lead.serial, lead.is_test());
        let form = lead.form_id().to_owned();
        if test {
            self.tests.remove(&form);
        }
        self.deleted.insert(serial)
    }

    /// About how many leads of the last ninety days a Page has; deleted ones count as well.
    pub fn live_of_page(&self, page_id: &str, now: i64) -> u64 {
        self.forms_of(page_id).map(|form| self.young(&form.id, now)).sum()
    }

    pub fn counts(&self, form_id: &str, now: i64) -> Counts {
        let oldest = now - KEPT_SECONDS + 1;
        let mut counts = Counts::default();
        if let Some(generated) = self.generated.as_ref().filter(|generated| generated.form == form_id) {
            let expired = generated.before(oldest);
            counts.expired = expired;
            counts.live = generated.count - expired;
            let organic_before = |index: u64| if generated.ads.is_empty() { index } else { index / 5 };
            counts.organic = organic_before(generated.count) - organic_before(expired);
            for serial in self.deleted.iter().filter(|serial| **serial < generated.count) {
                let gone = u64::from(*serial < expired);
                counts.expired -= gone;
                counts.live -= 1 - gone;
                counts.organic -= u64::from(gone == 0 && generated.ad(*serial).is_none());
            }
        }
        for serial in self.of_form.get(form_id).into_iter().flatten() {
            let Some(lead) = self.at(*serial).filter(|_| !self.deleted.contains(serial)) else { continue };
            if lead.created() < oldest {
                counts.expired += 1;
            } else {
                counts.live += 1;
                counts.organic += u64::from(lead.ad().is_none());
            }
        }
        counts
    }
}
