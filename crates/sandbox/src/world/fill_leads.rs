//! Fills the first form with leads, and adds Pages with forms, the same ones for the same numbers.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    World,
    leads::Generated,
    objects::{Object, ObjectKind, Status},
    seed,
};

/// How much there is besides the seeded forms.
#[derive(Debug, Clone, Copy, Default)]
pub struct FillLeads {
    /// Leads of the first form.
    pub leads: u64,
    /// Pages besides the seeded ones.
    pub pages: usize,
    /// Lead forms of each of these Pages.
    pub forms: usize,
}

/// The ads through which filled leads come.
const ADS: usize = 3;
/// The oldest filled lead has this many days, so that a clock can run for a while before any expires.
const OLDEST_DAYS: i64 = 80;

/// Adds what was asked for. `account` is the ad account whose ads bring the leads.
pub fn fill(world: &mut World, account: u64, page_id: &str, form_id: &str, fill: FillLeads) {
    if fill.leads > 0 {
        let now = world.clock.unix();
        let ads = lead_ads(world, account, page_id, form_id);
        world.leads.fill(Generated {
            form: form_id.to_owned(),
            count: fill.leads,
            first: now - OLDEST_DAYS * 86_400,
            last: now - 60,
            ads,
        });
    }
    for number in 1..=fill.pages {
        let Some(first) = world.assets.pages.get(page_id) else { return };
        let mut page = first.clone();
        page.id = world.leads.make_id();
        page.name = format!("Page {number}");
        page.client_businesses.clear();
        for form in 1..=fill.forms.max(1) {
            let id = world.leads.make_id();
            let made =
                seed::usual_form(id, &page.id, &format!("Form {number}.{form}"), form, page.terms_accepted);
            world.leads.add_form(made);
        }
        world.assets.pages.insert(page.id.clone(), page);
    }
}

/// A campaign, an ad set and a few ads that open the form.
fn lead_ads(world: &mut World, account: u64, page_id: &str, form_id: &str) -> Vec<u64> {
    let created = world.clock.unix() - (OLDEST_DAYS + 1) * 86_400;
    let mut insert = |kind, parent, name: String, fields: &Arc<Map<String, Value>>| {
        world.objects.insert(Object {
            id: 0,
            kind,
            account,
            parent,
            status: Status::Active,
            created,
            updated: created,
            name,
            fields: Arc::clone(fields),
        })
    };
    let shared = |value: Value| match value {
        Value::Object(map) => Arc::new(map),
        _ => Arc::default(),
    };
    let campaign_fields = shared(json!({
        "objective": "OUTCOME_LEADS",
        "buying_type": "AUCTION",
        "special_ad_categories": [],
        "is_adset_budget_sharing_enabled": false,
    }));
    let campaign = insert(ObjectKind::Campaign, account, "Wholesale leads".to_owned(), &campaign_fields);
    let ad_set_fields = shared(json!({
        "daily_budget": "5000",
        "billing_event": "IMPRESSIONS",
        "optimization_goal": "LEAD_GENERATION",
        "destination_type": "ON_AD",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "promoted_object": { "page_id": page_id },
        "targeting": { "geo_locations": { "countries": ["US"] } },
        "start_time": crate::nodes::time(created),
    }));
    let ad_set = insert(ObjectKind::AdSet, campaign, "Cafés and restaurants".to_owned(), &ad_set_fields);
    let creative_fields = shared(json!({
        "object_story_spec": {
            "page_id": page_id,
            "link_data": {
                "link": "http://fb.me/",
                "message": "Beans for your café",
                "call_to_action": { "type": "SIGN_UP", "value": { "lead_gen_form_id": form_id } },
            },
        },
    }));
    let creative = insert(ObjectKind::AdCreative, account, "Lead creative".to_owned(), &creative_fields);
    let ad_fields = shared(json!({ "creative": { "creative_id": creative.to_string() } }));
    (1..=ADS).map(|ad| insert(ObjectKind::Ad, ad_set, format!("Lead ad {ad}"), &ad_fields)).collect()
}
