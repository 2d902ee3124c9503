//! Somebody sends a lead form in.

use serde_json::{Map, Value};

use super::{
    World,
    leads::{Answer, Consent, Platform, Stored},
    webhooks::Event,
};

/// What is sent.
#[derive(Debug, Clone)]
pub struct Submission {
    pub form: String,
    pub answers: Vec<Answer>,
    pub consents: Vec<Consent>,
    /// `None` = organic.
    pub ad: Option<u64>,
    pub platform: Platform,
    /// Unix seconds; `None` = now.
    pub created: Option<i64>,
    pub test: bool,
    /// No webhook tells of it.
    pub silent: bool,
}

impl World {
    /// Keeps the lead, tells those who are subscribed to the Page, and gives the lead's id.
    pub fn submit(&mut self, submission: Submission) -> u64 {
        let created = submission.created.unwrap_or_else(|| self.clock.unix());
        let page = self.leads.form(&submission.form).map(|form| form.page_id.clone());
        let form = submission.form.clone();
        let (ad, silent) = (submission.ad, submission.silent);
        let id = self.leads.add(Stored {
            form: submission.form,
            created,
            ad,
            platform: submission.platform,
            answers: submission.answers,
            consents: submission.consents,
            test: submission.test,
        });
        if let Some(page) = page.filter(|_| !silent) {
            let value = self.leadgen(id, &page, &form, ad, created);
            self.raise(&Event::of_page(&page, "leadgen", value));
        }
        id
    }

    /// The value of a `leadgen` change. Source: webhooks-for-leadgen; ids come as numbers and as strings, and organic leads
    /// have ads of id 0 or none.
    fn leadgen(&mut self, lead: u64, page: &str, form: &str, ad: Option<u64>, created: i64) -> Value {
        let dice = self.draw();
        let as_number = dice.is_multiple_of(2);
        let id = |id: u64| if as_number { Value::from(id) } else { id.to_string().into() };
        let text = |id_text: &str| id_text.parse().map_or_else(|_| id_text.into(), id);
        let mut value = Map::new();
        value.insert("leadgen_id".into(), id(lead));
        value.insert("page_id".into(), text(page));
        value.insert("form_id".into(), text(form));
        if let Some(ad) = ad.or_else(|| (dice % 4 < 2).then_some(0)) {
            value.insert("adgroup_id".into(), id(ad));
            value.insert("ad_id".into(), id(ad));
        }
        value.insert("created_time".into(), created.into());
        Value::Object(value)
    }
}
