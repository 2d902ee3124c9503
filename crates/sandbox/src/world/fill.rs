//! Fills an ad account with campaigns, ad sets and ads, the same ones for the same numbers.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    World,
    objects::{Object, ObjectKind, Status},
};

/// How many of each. What has no parent cannot be: without campaigns there are no ad sets, without ad sets no ads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fill {
    pub campaigns: usize,
    pub ad_sets: usize,
    pub ads: usize,
}

impl Fill {
    /// The numbers with the parents that are needed: at least one campaign for ad sets, one ad set for ads.
    #[must_use]
    pub fn with_parents(self) -> Self {
        let ad_sets = if self.ads > 0 { self.ad_sets.max(1) } else { self.ad_sets };
        let campaigns = if ad_sets > 0 { self.campaigns.max(1) } else { self.campaigns };
        Self { campaigns, ad_sets, ads: self.ads }
    }
}

/// Objectives that alternate, with what an ad set under each is optimised for.
const OBJECTIVES: [(&str, &str, &str); 3] = [
    ("OUTCOME_TRAFFIC", "LINK_CLICKS", "WEBSITE"),
    ("OUTCOME_SALES", "OFFSITE_CONVERSIONS", "WEBSITE"),
    ("OUTCOME_LEADS", "LEAD_GENERATION", "ON_AD"),
];

/// Every fifth object is paused.
fn status(index: usize) -> Status {
    if index % 5 == 4 { Status::Paused } else { Status::Active }
}

/// Fills the account. Fields are shared between objects of a kind, so that a hundred thousand ads stay small.
pub fn fill(world: &mut World, account: u64, page_id: &str, pixel_id: &str, fill: Fill) {
    let fill = fill.with_parents();
    let now = world.clock.unix();
    // Spread over the sixty days before now, the oldest first.
    let total = i64::try_from(fill.campaigns.max(1)).unwrap_or(i64::MAX);
    let created = |campaign: usize| {
        let nth = i64::try_from(campaign).unwrap_or_default();
        now - 60 * 86_400 + nth * (59 * 86_400) / total
    };
    world.objects.reserve(fill.campaigns + fill.ad_sets + fill.ads + 1);
    let mut insert = |kind, parent, status, created, name, fields: &Arc<Map<String, Value>>| {
        world.objects.insert(Object {
            id: 0,
            kind,
            account,
            parent,
            status,
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

    let creative = insert(
        ObjectKind::AdCreative,
        account,
        Status::Active,
        created(0),
        "Filled creative".to_owned(),
        &shared(json!({
            "object_story_spec": {
                "page_id": page_id,
                "link_data": { "link": "https://example.com/", "message": "Fresh every morning" },
            },
        })),
    );

    let campaign_fields = OBJECTIVES.map(|(objective, _, _)| {
        shared(json!({
            "objective": objective,
            "buying_type": "AUCTION",
            "special_ad_categories": [],
            "is_adset_budget_sharing_enabled": false,
        }))
    });
    let ad_set_fields = OBJECTIVES.map(|(objective, goal, destination)| {
        let promoted = match objective {
            "OUTCOME_SALES" => json!({ "pixel_id": pixel_id, "custom_event_type": "PURCHASE" }),
            _ => json!({ "page_id": page_id }),
        };
        shared(json!({
            "daily_budget": "2000",
            "billing_event": "IMPRESSIONS",
            "optimization_goal": goal,
            "destination_type": destination,
            "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
            "promoted_object": promoted,
            "targeting": {
                "age_max": 65,
                "age_min": 18,
                "geo_locations": { "countries": ["US"], "location_types": ["home", "recent"] },
                "targeting_automation": { "advantage_audience": 1 },
            },
            "attribution_spec": [{ "event_type": "CLICK_THROUGH", "window_days": 1 }],
            "pacing_type": ["standard"],
            "start_time": crate::nodes::time(now - 60 * 86_400),
        }))
    });
    let ad_fields = shared(json!({ "creative": { "creative_id": creative.to_string() } }));

    let campaigns: Vec<u64> = (0..fill.campaigns)
        .map(|i| {
            let fields = &campaign_fields[i % OBJECTIVES.len()];
            insert(
                ObjectKind::Campaign,
                account,
                status(i),
                created(i),
                format!("Campaign {}", i + 1),
                fields,
            )
        })
        .collect();
    let ad_sets: Vec<(u64, i64)> = (0..fill.ad_sets)
        .map(|i| {
            let campaign = i % campaigns.len();
            let fields = &ad_set_fields[campaign % OBJECTIVES.len()];
            let at = created(campaign);
            (
                insert(
                    ObjectKind::AdSet,
                    campaigns[campaign],
                    status(i),
                    at,
                    format!("Ad set {}", i + 1),
                    fields,
                ),
                at,
            )
        })
        .collect();
    for i in 0..fill.ads {
        let (ad_set, at) = ad_sets[i % ad_sets.len()];
        insert(ObjectKind::Ad, ad_set, status(i), at, format!("Ad {}", i + 1), &ad_fields);
    }
}
