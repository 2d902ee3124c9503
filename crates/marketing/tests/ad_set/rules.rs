//! Each rule, by an example that breaks it.

use std::collections::BTreeSet;

use adjoin_marketing::ad_set::{Rule, Severity};
use serde_json::{Value, json};

use crate::support::{assert_accepts, check, document, sale};

/// Lays a patch over a document: objects merge, `null` takes away, anything else replaces.
fn patched(document: &Value, patch: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (document, patch) else { return patch.clone() };
    let mut merged = old.clone();
    for (key, value) in new {
        if value.is_null() {
            merged.remove(key);
        } else {
            let old = merged.get(key).cloned().unwrap_or(Value::Null);
            merged.insert(key.clone(), patched(&old, value));
        }
    }
    // A patch over nothing must not keep its own nulls.
    Value::Object(merged)
}

fn app() -> Value {
    let object =
        json!({"application_id": "1", "object_store_url": "https://play.google.com/store/apps/details?id=a"});
    let app = document("OUTCOME_APP_PROMOTION", None, Some("APP_INSTALLS"), object);
    patched(&app, &json!({"ad_set": {"targeting": {"user_os": ["Android"], "device_platforms": ["mobile"]}}}))
}

fn reach() -> Value {
    document("OUTCOME_AWARENESS", None, Some("REACH"), json!({"page_id": "1"}))
}

fn traffic() -> Value {
    document("OUTCOME_TRAFFIC", Some("WEBSITE"), Some("LINK_CLICKS"), json!({}))
}

fn post() -> Value {
    document("OUTCOME_ENGAGEMENT", Some("ON_POST"), Some("POST_ENGAGEMENT"), json!({"page_id": "1"}))
}

fn lead() -> Value {
    document("OUTCOME_LEADS", Some("ON_AD"), Some("LEAD_GENERATION"), json!({"page_id": "1"}))
}

fn quality_lead() -> Value {
    document("OUTCOME_LEADS", Some("ON_AD"), Some("QUALITY_LEAD"), json!({"page_id": "1", "pixel_id": "2"}))
}

fn conversations(objective: &str, destination: &str) -> Value {
    document(objective, Some(destination), Some("CONVERSATIONS"), json!({"page_id": "1"}))
}

fn housing() -> Value {
    patched(
        &lead(),
        &json!({"campaign": {"special_ad_categories": ["HOUSING"], "special_ad_category_country": ["US"]}}),
    )
}

/// The ad account shows that it has no default beneficiary and payer.
fn no_defaults() -> Value {
    let mut document = sale();
    document["ad_account"]["default_dsa_beneficiary"] = "".into();
    document["ad_account"]["default_dsa_payor"] = Value::Null;
    document
}

fn lifetime() -> Value {
    let run = json!({"ad_set": {"daily_budget": null, "lifetime_budget": 20000, "end_time": "2026-12-24T08:00:00+0000"}});
    patched(&sale(), &run)
}

fn update() -> Value {
    let mut document = sale();
    let mut standing = document["ad_set"].clone();
    standing["optimization_goal"] = "OFFSITE_CONVERSIONS".into();
    document["existing"] = standing;
    document["ad_set"] = json!({"name": "Winter"});
    document
}

#[test]
fn what_is_right_is_accepted() {
    for document in [
        sale(),
        app(),
        reach(),
        traffic(),
        post(),
        lead(),
        quality_lead(),
        conversations("OUTCOME_ENGAGEMENT", "MESSENGER"),
        housing(),
        lifetime(),
        update(),
    ] {
        assert_accepts(&document);
    }
    let accepts = |document: Value, patch: Value| assert_accepts(&patched(&document, &patch));
    // A campaign that is there already may have been read in part.
    accepts(
        sale(),
        json!({"campaign": {"id": "120210000000000001", "name": null, "special_ad_categories": null,
            "is_adset_budget_sharing_enabled": null}}),
    );
    accepts(sale(), json!({"campaign": {"spend_cap": 10_000}, "ad_account": {"currency": "USD"}}));
    accepts(
        app(),
        json!({"campaign": {"is_skadnetwork_attribution": true}, "ad_set": {
            "bid_strategy": "COST_CAP", "bid_amount": 500,
            "start_time": "2026-12-01T08:00:00+0000", "end_time": "2026-12-04T08:00:00+0000"}}),
    );
    accepts(
        sale(),
        json!({"ad_set": {"promoted_object": {"value_semantic_type": "MARGIN", "variation": "PRODUCT_SET_AND_WEBSITE"}}}),
    );
    accepts(
        sale(),
        json!({"ad_set": {"promoted_object": {"pixel_id": null, "custom_event_type": null,
            "omnichannel_object": {"app": [{"application_id": "1"}],
                "pixel": [{"pixel_id": "1", "custom_event_type": "PURCHASE"}]}}}}),
    );
    accepts(
        conversations("OUTCOME_TRAFFIC", "MESSENGER"),
        json!({"ad_set": {"promoted_object": {"custom_event_type": "PURCHASE"}}}),
    );
    accepts(
        update(),
        json!({"ad_set": {"lifetime_budget": 21_000}, "existing": {"daily_budget": null,
            "lifetime_budget": 20_000, "budget_remaining": "10000", "end_time": "2026-12-24T08:00:00+0000"}}),
    );
}

struct Breach {
    rule: Rule,
    severity: Severity,
    path: &'static str,
    document: Value,
}

#[expect(clippy::needless_pass_by_value, reason = "a row a breach reads better without ampersands")]
fn breach(rule: Rule, severity: Severity, path: &'static str, document: Value, change: Value) -> Breach {
    Breach { rule, severity, path, document: patched(&document, &change) }
}

fn breaches() -> Vec<Breach> {
    use Rule::*;
    use Severity::{Note, Reject, Warn};
    let ad_set = |patch: Value| json!({"ad_set": patch});
    let campaign = |patch: Value| json!({"campaign": patch});
    let object = |patch: Value| json!({"ad_set": {"promoted_object": patch}});
    let targeting = |patch: Value| json!({"ad_set": {"targeting": patch}});
    let geo = |patch: Value| json!({"ad_set": {"targeting": {"geo_locations": patch}}});
    let hours = |patch: Value| {
        let whole = json!({"start_minute": 60, "end_minute": 120, "days": [1]});
        json!({"ad_set": {"pacing_type": ["day_parting"], "adset_schedule": [patched(&whole, &patch)]}})
    };
    let many = "x".repeat(513);
    vec![
        breach(WrongType, Reject, "ad_set.daily_budget", sale(), ad_set(json!({"daily_budget": [5]}))),
        breach(WrongType, Reject, "ad_set.pacing_type.0", sale(), ad_set(json!({"pacing_type": [{}]}))),
        breach(TextTooLong, Reject, "ad_set.dsa_payor", sale(), ad_set(json!({"dsa_payor": many}))),
        breach(UnknownParameter, Note, "ad_set.dayly_budget", sale(), ad_set(json!({"dayly_budget": 5}))),
        breach(
            UnknownParameter,
            Note,
            "ad_set.promoted_object.pixle_id",
            sale(),
            object(json!({"pixle_id": "5"})),
        ),
        breach(
            UnknownValue,
            Note,
            "ad_set.billing_event",
            sale(),
            ad_set(json!({"billing_event": "BY_SMILE"})),
        ),
        breach(
            UnknownValue,
            Note,
            "ad_set.optimization_goal",
            sale(),
            ad_set(json!({"optimization_goal": "SMILES"})),
        ),
        breach(
            ContestedValue,
            Warn,
            "ad_set.destination_type",
            lead(),
            ad_set(json!({"destination_type": "PHONE_CALL", "optimization_goal": "QUALITY_CALL"})),
        ),
        breach(
            MisspeltValue,
            Warn,
            "ad_set.promoted_object.custom_event_type",
            sale(),
            object(json!({"custom_event_type": "VIEW_CONTENT"})),
        ),
        breach(
            MisspeltValue,
            Warn,
            "ad_set.bid_strategy",
            sale(),
            ad_set(json!({"bid_strategy": "LOWEST_COST"})),
        ),
        breach(MisspeltValue, Warn, "campaign.objective", sale(), campaign(json!({"objective": "SALES"}))),
        breach(VersionEnded, Warn, "api_version", sale(), json!({"api_version": "v24.0"})),
        breach(VersionUnknown, Note, "api_version", sale(), json!({"api_version": "v99.0"})),
        breach(NameMissing, Reject, "ad_set.name", sale(), ad_set(json!({"name": null}))),
        breach(NameMissing, Reject, "ad_set.name", update(), ad_set(json!({"name": " "}))),
        breach(CampaignMissing, Warn, "campaign", sale(), json!({"campaign": null})),
        breach(
            CampaignMissing,
            Reject,
            "ad_set.campaign_id",
            sale(),
            json!({"campaign": null, "ad_set": {"campaign_id": null}}),
        ),
        breach(
            CampaignMissing,
            Reject,
            "ad_set.campaign_id",
            sale(),
            json!({"campaign": {"id": "5"}, "ad_set": {"campaign_id": null}}),
        ),
        breach(CampaignMissing, Warn, "ad_set.campaign_id", sale(), ad_set(json!({"campaign_id": null}))),
        breach(CampaignMismatch, Warn, "ad_set.campaign_id", sale(), campaign(json!({"id": "5"}))),
        breach(
            GoalMissing,
            Warn,
            "ad_set.optimization_goal",
            sale(),
            ad_set(json!({"optimization_goal": null})),
        ),
        breach(
            BillingEventMissing,
            Reject,
            "ad_set.billing_event",
            sale(),
            ad_set(json!({"billing_event": null})),
        ),
        breach(StatusAtCreation, Reject, "ad_set.status", sale(), ad_set(json!({"status": "ARCHIVED"}))),
        breach(StatusLeftOut, Note, "ad_set.status", sale(), ad_set(json!({"status": null}))),
        breach(
            ExecutionOptions,
            Reject,
            "ad_set.execution_options",
            sale(),
            ad_set(json!({"execution_options": ["include_recommendations"]})),
        ),
        breach(
            LegacyObjective,
            Reject,
            "campaign.objective",
            sale(),
            campaign(json!({"objective": "CONVERSIONS"})),
        ),
        breach(
            LegacyCampaign,
            Warn,
            "campaign.objective",
            sale(),
            campaign(json!({"objective": "CONVERSIONS", "id": "1"})),
        ),
        breach(
            LegacyName,
            Note,
            "campaign.objective",
            update(),
            campaign(json!({"objective": "CONVERSIONS"})),
        ),
        breach(
            ObjectiveAsGoal,
            Warn,
            "ad_set.optimization_goal",
            sale(),
            ad_set(json!({"optimization_goal": "CONVERSIONS"})),
        ),
        breach(
            GoalNotForObjective,
            Reject,
            "ad_set.optimization_goal",
            sale(),
            ad_set(json!({"optimization_goal": "PAGE_LIKES"})),
        ),
        breach(
            GoalNotForDestination,
            Reject,
            "ad_set.optimization_goal",
            lead(),
            ad_set(json!({"optimization_goal": "LINK_CLICKS"})),
        ),
        breach(
            GoalNotForDestination,
            Warn,
            "ad_set.optimization_goal",
            sale(),
            ad_set(json!({"optimization_goal": "CONVERSATIONS"})),
        ),
        breach(
            GoalRemoved,
            Reject,
            "ad_set.optimization_goal",
            post(),
            ad_set(json!({"optimization_goal": "IMPRESSIONS"})),
        ),
        breach(
            DestinationNotForObjective,
            Reject,
            "ad_set.destination_type",
            sale(),
            ad_set(json!({"destination_type": "ON_AD"})),
        ),
        breach(
            DestinationNotForObjective,
            Warn,
            "ad_set.destination_type",
            reach(),
            ad_set(json!({"destination_type": "APP"})),
        ),
        breach(
            CombinationContested,
            Warn,
            "ad_set.optimization_goal",
            sale(),
            ad_set(json!({"optimization_goal": "LANDING_PAGE_VIEWS"})),
        ),
        breach(
            CombinationUnknown,
            Note,
            "ad_set.optimization_goal",
            sale(),
            ad_set(json!({"optimization_goal": "SUBSCRIBERS"})),
        ),
        breach(
            CombinationUnknown,
            Note,
            "ad_set.destination_type",
            sale(),
            ad_set(json!({"destination_type": "IMAGINE"})),
        ),
        breach(
            PromotedObjectMissing,
            Reject,
            "ad_set.promoted_object",
            lead(),
            ad_set(json!({"promoted_object": null})),
        ),
        breach(
            PromotedObjectMissing,
            Reject,
            "ad_set.promoted_object.pixel_id",
            sale(),
            ad_set(json!({"promoted_object": {"pixel_id": null, "custom_event_type": null, "pixel": "1"}})),
        ),
        breach(
            PromotedObjectIncomplete,
            Reject,
            "ad_set.promoted_object.custom_event_type",
            sale(),
            object(json!({"custom_event_type": null})),
        ),
        breach(
            PromotedObjectAmbiguous,
            Reject,
            "ad_set.promoted_object",
            sale(),
            object(json!({"application_id": "1"})),
        ),
        breach(
            PromotedObjectAmbiguous,
            Reject,
            "ad_set.promoted_object",
            lead(),
            object(json!({"application_id": "1", "object_store_url": "https://apps.apple.com/app/id1"})),
        ),
        breach(
            PromotedObjectAmbiguous,
            Reject,
            "ad_set.promoted_object",
            sale(),
            object(json!({"event_id": "1"})),
        ),
        breach(
            PromotedObjectAmbiguous,
            Warn,
            "ad_set.promoted_object",
            sale(),
            object(json!({"offline_conversion_data_set_id": "1"})),
        ),
        breach(
            OmnichannelNeedsPixel,
            Reject,
            "ad_set.promoted_object.omnichannel_object.pixel",
            sale(),
            ad_set(json!({"promoted_object": {"pixel_id": null, "custom_event_type": null,
                "omnichannel_object": {"app": [{"application_id": "1"}]}}})),
        ),
        breach(
            EventNotForObjective,
            Reject,
            "ad_set.promoted_object.omnichannel_object.pixel.0.custom_event_type",
            sale(),
            ad_set(json!({"promoted_object": {"pixel_id": null, "custom_event_type": null,
                "omnichannel_object": {"pixel": [{"pixel_id": "1", "custom_event_type": "LEAD"}]}}})),
        ),
        breach(
            MisspeltValue,
            Warn,
            "ad_set.promoted_object.omnichannel_object.pixel.0.custom_event_type",
            sale(),
            ad_set(json!({"promoted_object": {"pixel_id": null, "custom_event_type": null,
                "omnichannel_object": {"pixel": [{"pixel_id": "1", "custom_event_type": "VIEW_CONTENT"}]}}})),
        ),
        breach(
            QualityLeadPixelRule,
            Reject,
            "ad_set.promoted_object.pixel_rule",
            quality_lead(),
            object(json!({"pixel_rule": "{}"})),
        ),
        breach(
            CombinationContested,
            Warn,
            "ad_set.optimization_goal",
            quality_lead(),
            object(json!({"pixel_id": null})),
        ),
        breach(
            EventRefused,
            Warn,
            "ad_set.promoted_object.custom_event_type",
            conversations("OUTCOME_ENGAGEMENT", "MESSENGER"),
            object(json!({"custom_event_type": "PURCHASE"})),
        ),
        breach(
            EventRefused,
            Warn,
            "ad_set.promoted_object.custom_event_type",
            conversations("OUTCOME_LEADS", "WHATSAPP"),
            object(json!({"custom_event_type": "PURCHASE"})),
        ),
        breach(
            UnknownValue,
            Note,
            "ad_set.promoted_object.value_semantic_type",
            sale(),
            object(json!({"value_semantic_type": "PROFIT"})),
        ),
        breach(
            UnknownValue,
            Note,
            "ad_set.promoted_object.variation",
            sale(),
            object(json!({"variation": "PRODUCT_SET_AND_MOON"})),
        ),
        breach(UnknownValue, Note, "ad_account.currency", sale(), json!({"ad_account": {"currency": "XXQ"}})),
        breach(
            PromotedObjectIncomplete,
            Reject,
            "ad_set.promoted_object.object_store_url",
            document("LINK_CLICKS", None, Some("LINK_CLICKS"), json!({"application_id": "1"})),
            json!({"campaign": {"id": "120210000000000001"}}),
        ),
        breach(
            PromotedObjectMissing,
            Warn,
            "ad_set.promoted_object",
            document("OUTCOME_SALES", Some("WEBSITE"), Some("LINK_CLICKS"), json!({})),
            campaign(json!({"promoted_object": null})),
        ),
        breach(
            SkanTooShort,
            Reject,
            "ad_set.end_time",
            app(),
            json!({"campaign": {"is_skadnetwork_attribution": true}, "ad_set": {
                "bid_strategy": "COST_CAP", "bid_amount": 500,
                "start_time": "2026-12-01T08:00:00+0000", "end_time": "2026-12-03T08:00:00+0000"}}),
        ),
        breach(
            BudgetBelowSpent,
            Reject,
            "ad_set.lifetime_budget",
            update(),
            json!({"ad_set": {"lifetime_budget": 10_999}, "existing": {"daily_budget": null,
                "lifetime_budget": 20_000, "budget_remaining": "10000", "end_time": "2026-12-24T08:00:00+0000"}}),
        ),
        breach(
            BudgetBelowMinimum,
            Reject,
            "campaign.daily_budget",
            sale(),
            json!({"campaign": {"daily_budget": 1}, "ad_set": {"daily_budget": null, "bid_strategy": null}}),
        ),
        breach(
            LegacyName,
            Warn,
            "campaign.objective",
            sale(),
            campaign(json!({"objective": "OFFSITE_CONVERSIONS"})),
        ),
        breach(
            CampaignStatus,
            Reject,
            "campaign.status",
            sale(),
            campaign(json!({"status": "ARCHIVED", "id": "120210000000000001"})),
        ),
        breach(
            CampaignObjectiveMissing,
            Warn,
            "campaign.objective",
            sale(),
            campaign(json!({"objective": null, "id": "120210000000000001"})),
        ),
        breach(
            BudgetDailyAndLifetime,
            Reject,
            "campaign.lifetime_budget",
            sale(),
            campaign(json!({"id": "120210000000000001", "daily_budget": 500, "lifetime_budget": 900})),
        ),
        breach(
            BidStrategyUnstated,
            Warn,
            "campaign.bid_strategy",
            sale(),
            json!({"campaign": {"daily_budget": 5000}, "ad_set": {"daily_budget": null, "bid_strategy": null}}),
        ),
        breach(
            SpendCapTooLow,
            Reject,
            "campaign.spend_cap",
            sale(),
            json!({"campaign": {"spend_cap": 2999, "id": "120210000000000001"}, "ad_account": {"currency": "EUR"}}),
        ),
        breach(
            PromotedObjectPage,
            Warn,
            "ad_set.promoted_object.page_id",
            post(),
            ad_set(json!({"promoted_object": null})),
        ),
        breach(
            PromotedObjectId,
            Reject,
            "ad_set.promoted_object.pixel_id",
            sale(),
            object(json!({"pixel_id": "my pixel"})),
        ),
        breach(
            PromotedObjectField,
            Warn,
            "ad_set.promoted_object.custom_conversion_id",
            sale(),
            object(json!({"custom_conversion_id": "1"})),
        ),
        breach(
            StoreUrlNeedsApplication,
            Reject,
            "ad_set.promoted_object.application_id",
            traffic(),
            object(json!({"object_store_url": "https://apps.apple.com/app/id1"})),
        ),
        breach(
            StoreUrlNotAStore,
            Warn,
            "ad_set.promoted_object.object_store_url",
            app(),
            object(json!({"object_store_url": "https://example.com/app"})),
        ),
        breach(
            PixelNeedsEvent,
            Reject,
            "ad_set.promoted_object.custom_event_type",
            traffic(),
            object(json!({"pixel_id": "1"})),
        ),
        breach(
            CustomEventStrNeedsOther,
            Reject,
            "ad_set.promoted_object.custom_event_str",
            sale(),
            object(json!({"custom_event_str": "x"})),
        ),
        breach(
            OtherNeedsCustomEventStr,
            Warn,
            "ad_set.promoted_object.custom_event_str",
            sale(),
            object(json!({"custom_event_type": "OTHER"})),
        ),
        breach(
            ProductCatalogOnCampaign,
            Warn,
            "ad_set.promoted_object.product_catalog_id",
            sale(),
            object(json!({"product_catalog_id": "1"})),
        ),
        breach(
            OfflineSetEvent,
            Reject,
            "ad_set.promoted_object.custom_event_type",
            sale(),
            object(
                json!({"pixel_id": null, "offline_conversion_data_set_id": "1", "custom_event_type": "ADD_TO_CART"}),
            ),
        ),
        breach(
            BoostedSetNeedsProductSet,
            Reject,
            "ad_set.promoted_object.product_set_id",
            sale(),
            object(json!({"boosted_product_set_id": "1"})),
        ),
        breach(
            EventNotForObjective,
            Reject,
            "ad_set.promoted_object.custom_event_type",
            sale(),
            object(json!({"custom_event_type": "LEAD"})),
        ),
        breach(
            EventMeasured,
            Warn,
            "ad_set.promoted_object.custom_event_type",
            sale(),
            object(json!({"custom_event_type": "SEARCH"})),
        ),
        breach(
            BillingNotForGoal,
            Reject,
            "ad_set.billing_event",
            sale(),
            ad_set(json!({"billing_event": "LINK_CLICKS"})),
        ),
        breach(
            BillingInstall,
            Reject,
            "ad_set.billing_event",
            app(),
            ad_set(json!({"billing_event": "APP_INSTALLS"})),
        ),
        breach(
            BillingNotForBuyingType,
            Reject,
            "ad_set.billing_event",
            traffic(),
            json!({"campaign": {"buying_type": "RESERVED"}, "ad_set": {"billing_event": "LINK_CLICKS"}}),
        ),
        breach(
            BillingLinkClicksNeedsButton,
            Note,
            "ad_set.billing_event",
            traffic(),
            ad_set(json!({"billing_event": "LINK_CLICKS"})),
        ),
        breach(
            BidAmountMissing,
            Reject,
            "ad_set.bid_amount",
            sale(),
            ad_set(json!({"bid_strategy": "COST_CAP"})),
        ),
        breach(
            BidAmountForbidden,
            Reject,
            "ad_set.bid_amount",
            sale(),
            ad_set(json!({"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS", "bid_amount": 5})),
        ),
        breach(BidAmountWithoutCap, Warn, "ad_set.bid_amount", sale(), ad_set(json!({"bid_amount": 5}))),
        breach(
            BidAmountTooLow,
            Reject,
            "ad_set.bid_amount",
            sale(),
            ad_set(json!({"bid_strategy": "COST_CAP", "bid_amount": 0})),
        ),
        breach(
            BidStrategyUnstated,
            Warn,
            "ad_set.bid_strategy",
            sale(),
            ad_set(json!({"bid_strategy": null})),
        ),
        breach(
            BidStrategyNeedsBudget,
            Warn,
            "campaign.bid_strategy",
            sale(),
            campaign(json!({"bid_strategy": "COST_CAP"})),
        ),
        breach(
            BidStrategyLevel,
            Warn,
            "ad_set.bid_strategy",
            sale(),
            campaign(json!({"daily_budget": 5000})),
        ),
        breach(
            BidStrategyConflict,
            Warn,
            "ad_set.bid_strategy",
            sale(),
            campaign(json!({"daily_budget": 5000, "bid_strategy": "COST_CAP"})),
        ),
        breach(
            CostCapBilling,
            Reject,
            "ad_set.billing_event",
            traffic(),
            ad_set(json!({"bid_strategy": "COST_CAP", "bid_amount": 5, "billing_event": "LINK_CLICKS"})),
        ),
        breach(
            CostCapPacing,
            Reject,
            "ad_set.pacing_type",
            sale(),
            ad_set(json!({"bid_strategy": "COST_CAP", "bid_amount": 5, "pacing_type": ["no_pacing"]})),
        ),
        breach(
            CostCapGoal,
            Warn,
            "ad_set.bid_strategy",
            reach(),
            ad_set(json!({"bid_strategy": "COST_CAP", "bid_amount": 5})),
        ),
        breach(
            MinRoasFloorMissing,
            Reject,
            "ad_set.bid_constraints.roas_average_floor",
            sale(),
            ad_set(json!({"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS"})),
        ),
        breach(
            MinRoasFloorRange,
            Reject,
            "ad_set.bid_constraints.roas_average_floor",
            sale(),
            ad_set(
                json!({"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS", "bid_constraints": {"roas_average_floor": 99}}),
            ),
        ),
        breach(
            MinRoasGoal,
            Reject,
            "ad_set.optimization_goal",
            sale(),
            ad_set(json!({"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS"})),
        ),
        breach(
            BudgetOnBothLevels,
            Reject,
            "ad_set.daily_budget",
            sale(),
            campaign(json!({"daily_budget": 5000})),
        ),
        breach(BudgetMissing, Reject, "ad_set.daily_budget", sale(), ad_set(json!({"daily_budget": null}))),
        breach(
            BudgetMissing,
            Warn,
            "ad_set.daily_budget",
            sale(),
            json!({"campaign": null, "ad_set": {"daily_budget": null}}),
        ),
        breach(
            BudgetDailyAndLifetime,
            Reject,
            "ad_set.lifetime_budget",
            lifetime(),
            ad_set(json!({"daily_budget": 500})),
        ),
        breach(
            BudgetNotPositive,
            Reject,
            "ad_set.daily_budget",
            sale(),
            ad_set(json!({"daily_budget": "0"})),
        ),
        breach(
            UnknownCountry,
            Warn,
            "ad_set.targeting.geo_locations.countries.1",
            sale(),
            geo(json!({"countries": ["US", "ZZ"]})),
        ),
        breach(
            UnknownCountry,
            Warn,
            "ad_set.targeting.excluded_geo_locations.countries.0",
            sale(),
            targeting(json!({"excluded_geo_locations": {"countries": ["GERMANY"]}})),
        ),
        breach(
            UnknownCountry,
            Warn,
            "campaign.special_ad_category_country.0",
            housing(),
            campaign(json!({"special_ad_category_country": ["U.S."]})),
        ),
        breach(
            MisspeltValue,
            Warn,
            "ad_set.targeting.geo_locations.countries.0",
            sale(),
            geo(json!({"countries": ["us"]})),
        ),
        breach(DsaPayorMissing, Reject, "ad_set.dsa_payor", no_defaults(), geo(json!({"countries": ["de"]}))),
        breach(DsaPayorMissing, Warn, "ad_set.dsa_payor", sale(), geo(json!({"countries": ["de"]}))),
        breach(
            BudgetBelowMinimum,
            Reject,
            "ad_set.daily_budget",
            sale(),
            ad_set(json!({"daily_budget": 99})),
        ),
        breach(
            BudgetBelowMinimum,
            Warn,
            "ad_set.daily_budget",
            sale(),
            json!({"ad_account": {"min_daily_budget": null}, "ad_set": {"daily_budget": 49}}),
        ),
        breach(
            BudgetBelowMinimum,
            Warn,
            "ad_set.lifetime_budget",
            lifetime(),
            ad_set(json!({"lifetime_budget": 99})),
        ),
        breach(
            BudgetBelowMinimum,
            Reject,
            "ad_set.daily_budget",
            update(),
            ad_set(json!({"daily_budget": 1})),
        ),
        breach(
            AccountUnknown,
            Warn,
            "ad_account",
            sale(),
            json!({"ad_account": null, "ad_set": {"daily_budget": 1}}),
        ),
        breach(
            AccountUnknown,
            Warn,
            "ad_account.min_daily_budget",
            lifetime(),
            json!({"ad_account": {"currency": "EUR", "min_daily_budget": null}}),
        ),
        breach(
            AccountUnknown,
            Warn,
            "ad_account",
            update(),
            json!({"ad_account": null, "ad_set": {"daily_budget": 3000}}),
        ),
        breach(
            AccountUnknown,
            Warn,
            "ad_account",
            sale(),
            json!({"ad_account": null, "campaign": {"daily_budget": 900}, "ad_set": {"daily_budget": null}}),
        ),
        breach(
            BudgetInWholeUnits,
            Note,
            "ad_set.daily_budget",
            sale(),
            json!({"ad_account": {"currency": "JPY"}}),
        ),
        breach(
            LifetimeBudgetNeedsEnd,
            Reject,
            "ad_set.end_time",
            lifetime(),
            ad_set(json!({"end_time": null})),
        ),
        breach(LifetimeBudgetNeedsEnd, Reject, "ad_set.end_time", lifetime(), ad_set(json!({"end_time": 0}))),
        breach(
            DailyBudgetNeedsADay,
            Reject,
            "ad_set.end_time",
            sale(),
            ad_set(json!({"end_time": "2026-11-25T07:00:00Z"})),
        ),
        breach(
            BudgetSharingUnstated,
            Reject,
            "campaign.is_adset_budget_sharing_enabled",
            sale(),
            campaign(json!({"is_adset_budget_sharing_enabled": null})),
        ),
        breach(
            BudgetSharingWithBudget,
            Reject,
            "campaign.is_adset_budget_sharing_enabled",
            sale(),
            campaign(json!({"is_adset_budget_sharing_enabled": true, "daily_budget": 5})),
        ),
        breach(
            BudgetSharingNeedsStrategy,
            Reject,
            "campaign.bid_strategy",
            sale(),
            campaign(json!({"is_adset_budget_sharing_enabled": true})),
        ),
        breach(SpendCapTooLow, Reject, "campaign.spend_cap", sale(), campaign(json!({"spend_cap": 9999}))),
        breach(
            SpendTargetNeedsCampaignBudget,
            Reject,
            "ad_set.daily_spend_cap",
            sale(),
            ad_set(json!({"daily_spend_cap": 500})),
        ),
        breach(
            SpendTargetNeedsCampaignBudget,
            Warn,
            "ad_set.daily_spend_cap",
            sale(),
            json!({"campaign": null, "ad_set": {"daily_spend_cap": 500}}),
        ),
        breach(
            SpendTargetAboveCap,
            Warn,
            "ad_set.daily_min_spend_target",
            sale(),
            ad_set(json!({"daily_spend_cap": 500, "daily_min_spend_target": 501})),
        ),
        breach(
            ImpressionsNeedFixedCpm,
            Reject,
            "ad_set.daily_imps",
            sale(),
            ad_set(json!({"daily_imps": 5})),
        ),
        breach(EndInThePast, Reject, "ad_set.end_time", sale(), ad_set(json!({"end_time": 1_700_000_000}))),
        breach(
            EndBeforeStart,
            Reject,
            "ad_set.end_time",
            sale(),
            ad_set(json!({"start_time": "2026-12-24T08:00:00+0100", "end_time": "2026-12-23T08:00:00+0100"})),
        ),
        breach(
            TimeWithoutOffset,
            Warn,
            "ad_set.start_time",
            sale(),
            ad_set(json!({"start_time": "2026-12-24T08:00:00"})),
        ),
        breach(WrongType, Warn, "ad_set.start_time", sale(), ad_set(json!({"start_time": "next Monday"}))),
        breach(ScheduleNeedsLifetimeBudget, Reject, "ad_set.adset_schedule", sale(), hours(json!({}))),
        breach(
            ScheduleNeedsDayParting,
            Reject,
            "ad_set.pacing_type",
            lifetime(),
            patched(&hours(json!({})), &json!({"ad_set": {"pacing_type": ["standard"]}})),
        ),
        breach(
            DayPartingNeedsSchedule,
            Warn,
            "ad_set.pacing_type",
            lifetime(),
            ad_set(json!({"pacing_type": ["day_parting"]})),
        ),
        breach(
            ScheduleHours,
            Reject,
            "ad_set.adset_schedule.0.start_minute",
            lifetime(),
            hours(json!({"start_minute": 61})),
        ),
        breach(
            ScheduleHours,
            Reject,
            "ad_set.adset_schedule.0.end_minute",
            lifetime(),
            hours(json!({"end_minute": 60})),
        ),
        breach(ScheduleDays, Reject, "ad_set.adset_schedule.0.days", lifetime(), hours(json!({"days": [7]}))),
        breach(
            FrequencyGoal,
            Reject,
            "ad_set.frequency_control_specs",
            sale(),
            ad_set(
                json!({"frequency_control_specs": [{"event": "IMPRESSIONS", "interval_days": 7, "max_frequency": 2}]}),
            ),
        ),
        breach(
            FrequencyRange,
            Reject,
            "ad_set.frequency_control_specs.0.interval_days",
            reach(),
            ad_set(
                json!({"frequency_control_specs": [{"event": "IMPRESSIONS", "interval_days": 91, "max_frequency": 2}]}),
            ),
        ),
        breach(
            AttributionWindow,
            Warn,
            "ad_set.attribution_spec",
            sale(),
            ad_set(json!({"attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 28}]})),
        ),
        breach(
            AttributionWindowLegacy,
            Reject,
            "ad_set.attribution_spec",
            sale(),
            json!({"campaign": {"objective": "CONVERSIONS", "id": "1"}, "ad_set": {"attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 28}]}}),
        ),
        breach(TargetingMissing, Reject, "ad_set.targeting", sale(), ad_set(json!({"targeting": null}))),
        breach(
            LocationMissing,
            Warn,
            "ad_set.targeting.geo_locations",
            sale(),
            targeting(json!({"geo_locations": {"countries": []}})),
        ),
        breach(
            LocationTypes,
            Reject,
            "ad_set.targeting.geo_locations.location_types",
            sale(),
            geo(json!({"location_types": ["home"]})),
        ),
        breach(
            LocationOverlap,
            Warn,
            "ad_set.targeting.geo_locations.cities.0",
            sale(),
            geo(json!({"cities": [{"key": "1", "country": "US"}]})),
        ),
        breach(
            LocationRadius,
            Warn,
            "ad_set.targeting.geo_locations.regions.0.radius",
            sale(),
            geo(json!({"regions": [{"key": "1", "radius": 10}]})),
        ),
        breach(
            AdvantageAudienceUnstated,
            Warn,
            "ad_set.targeting.targeting_automation.advantage_audience",
            sale(),
            targeting(json!({"targeting_automation": null})),
        ),
        breach(
            AdvantageAudienceValue,
            Reject,
            "ad_set.targeting.targeting_automation.advantage_audience",
            sale(),
            targeting(json!({"targeting_automation": {"advantage_audience": 2}})),
        ),
        breach(
            AdvantageAudienceAgeMin,
            Warn,
            "ad_set.targeting.age_min",
            sale(),
            targeting(json!({"age_min": 26, "targeting_automation": {"advantage_audience": 1}})),
        ),
        breach(
            AdvantageAudienceAgeMax,
            Warn,
            "ad_set.targeting.age_max",
            sale(),
            targeting(json!({"age_max": 64, "targeting_automation": {"advantage_audience": 1}})),
        ),
        breach(
            AgeOrder,
            Warn,
            "ad_set.targeting.age_min",
            sale(),
            targeting(json!({"age_min": 40, "age_max": 30})),
        ),
        breach(AgeBounds, Warn, "ad_set.targeting.age_max", sale(), targeting(json!({"age_max": 70}))),
        breach(
            Minors,
            Reject,
            "ad_set.targeting.flexible_spec",
            sale(),
            targeting(json!({"age_min": 16, "flexible_spec": [{"interests": [{"id": 1}]}]})),
        ),
        breach(
            Minors,
            Reject,
            "ad_set.targeting.genders",
            sale(),
            targeting(json!({"age_min": 19, "genders": [1], "geo_locations": {"countries": ["TH"]}})),
        ),
        breach(
            MinorsLocation,
            Reject,
            "ad_set.targeting.geo_locations.zips",
            sale(),
            targeting(json!({"age_min": 16, "geo_locations": {"zips": [{"key": "US:1"}]}})),
        ),
        breach(
            Connections,
            Reject,
            "ad_set.targeting.connections",
            sale(),
            targeting(json!({"connections": [{"id": "1"}]})),
        ),
        breach(
            DetailedExclusions,
            Reject,
            "ad_set.targeting.exclusions",
            sale(),
            targeting(json!({"exclusions": {"interests": [{"id": 1}]}})),
        ),
        breach(
            PositionNeedsPlatform,
            Reject,
            "ad_set.targeting.instagram_positions",
            sale(),
            targeting(json!({"publisher_platforms": ["facebook"], "instagram_positions": ["stream"]})),
        ),
        breach(
            PositionNeedsFeed,
            Reject,
            "ad_set.targeting.facebook_positions",
            sale(),
            targeting(json!({"publisher_platforms": ["facebook"], "facebook_positions": ["marketplace"]})),
        ),
        breach(
            PositionNeedsFeed,
            Reject,
            "ad_set.targeting.threads_positions",
            sale(),
            targeting(
                json!({"publisher_platforms": ["threads", "instagram"], "threads_positions": ["threads_stream"]}),
            ),
        ),
        breach(
            AudienceNetworkAlone,
            Reject,
            "ad_set.targeting.publisher_platforms",
            sale(),
            targeting(json!({"publisher_platforms": ["audience_network"]})),
        ),
        breach(
            InstagramDesktop,
            Reject,
            "ad_set.targeting.device_platforms",
            sale(),
            targeting(json!({"publisher_platforms": ["instagram"], "device_platforms": ["desktop"]})),
        ),
        breach(
            VideoFeeds,
            Reject,
            "ad_set.targeting.facebook_positions",
            sale(),
            targeting(json!({"facebook_positions": ["feed", "video_feeds"]})),
        ),
        breach(
            InstagramExplore,
            Warn,
            "ad_set.targeting.instagram_positions",
            sale(),
            targeting(json!({"instagram_positions": ["explore"]})),
        ),
        breach(
            MessengerStory,
            Warn,
            "ad_set.targeting.messenger_positions",
            sale(),
            targeting(json!({"messenger_positions": ["story"]})),
        ),
        breach(
            AppSystemMismatch,
            Reject,
            "ad_set.targeting.user_os",
            app(),
            targeting(json!({"user_os": ["iOS"]})),
        ),
        breach(
            AppSystemUnstated,
            Warn,
            "ad_set.targeting.user_os",
            app(),
            targeting(json!({"user_os": null})),
        ),
        breach(
            AppDevicePlatforms,
            Warn,
            "ad_set.targeting.device_platforms",
            app(),
            targeting(json!({"device_platforms": ["mobile", "desktop"]})),
        ),
        breach(
            DynamicCreativeOnWhatsapp,
            Warn,
            "ad_set.is_dynamic_creative",
            lead(),
            ad_set(json!({"destination_type": "WHATSAPP", "is_dynamic_creative": true})),
        ),
        breach(
            MessengerLeadAds,
            Warn,
            "ad_set.destination_type",
            lead(),
            ad_set(json!({"destination_type": "MESSENGER"})),
        ),
        breach(
            SpecialCategoriesMissing,
            Reject,
            "campaign.special_ad_categories",
            sale(),
            campaign(json!({"special_ad_categories": null})),
        ),
        breach(
            SpecialCategoryNoneWithOthers,
            Warn,
            "campaign.special_ad_categories",
            housing(),
            campaign(json!({"special_ad_categories": ["NONE", "HOUSING"]})),
        ),
        breach(
            SpecialCategoryCredit,
            Warn,
            "campaign.special_ad_categories",
            housing(),
            campaign(json!({"special_ad_categories": ["CREDIT"]})),
        ),
        breach(
            SpecialCategoryCountryMissing,
            Reject,
            "campaign.special_ad_category_country",
            sale(),
            campaign(json!({"special_ad_categories": ["ONLINE_GAMBLING_AND_GAMING"]})),
        ),
        breach(
            SpecialCategoryCountryMissing,
            Warn,
            "campaign.special_ad_category_country",
            housing(),
            campaign(json!({"special_ad_category_country": null})),
        ),
        breach(
            SpecialCategoryAge,
            Reject,
            "ad_set.targeting.age_min",
            housing(),
            targeting(json!({"age_min": 25})),
        ),
        breach(
            SpecialCategoryGender,
            Reject,
            "ad_set.targeting.genders",
            housing(),
            targeting(json!({"genders": [2]})),
        ),
        breach(
            SpecialCategoryLocationExclusion,
            Reject,
            "ad_set.targeting.excluded_geo_locations",
            housing(),
            targeting(json!({"excluded_geo_locations": {"countries": ["CA"]}})),
        ),
        breach(
            SpecialCategoryRadius,
            Reject,
            "ad_set.targeting.geo_locations.cities.0.radius",
            housing(),
            geo(json!({"countries": [], "cities": [{"key": "1", "country": "US", "radius": 10}]})),
        ),
        breach(
            SpecialCategorySmallAreas,
            Reject,
            "ad_set.targeting.geo_locations.zips",
            housing(),
            geo(json!({"countries": [], "zips": [{"key": "US:1"}]})),
        ),
        breach(
            SpecialCategoryDetailedTargeting,
            Reject,
            "ad_set.targeting.behaviors",
            housing(),
            targeting(json!({"behaviors": [{"id": 1}]})),
        ),
        breach(
            SpecialCategoryReserved,
            Reject,
            "campaign.buying_type",
            housing(),
            campaign(json!({"buying_type": "RESERVED"})),
        ),
        breach(
            SpecialCategoryAdvantageAudience,
            Reject,
            "ad_set.targeting.targeting_automation.advantage_audience",
            housing(),
            targeting(json!({"targeting_automation": null})),
        ),
        breach(
            SpecialCategoryCustomerList,
            Note,
            "ad_set.is_sac_cfca_terms_certified",
            housing(),
            targeting(json!({"custom_audiences": [{"id": "1"}]})),
        ),
        breach(
            SpecialCategoryPoliticsInEu,
            Reject,
            "campaign.special_ad_categories",
            sale(),
            campaign(
                json!({"special_ad_categories": ["ISSUES_ELECTIONS_POLITICS"], "special_ad_category_country": ["FR"]}),
            ),
        ),
        breach(
            DsaBeneficiaryMissing,
            Reject,
            "ad_set.dsa_beneficiary",
            no_defaults(),
            geo(json!({"countries": ["DE"]})),
        ),
        breach(
            DsaPayorMissing,
            Reject,
            "ad_set.dsa_payor",
            no_defaults(),
            geo(json!({"country_groups": ["europe"]})),
        ),
        breach(
            DsaPayorMissing,
            Warn,
            "ad_set.dsa_payor",
            sale(),
            json!({"ad_account": null, "ad_set": {"targeting": {"geo_locations": {"countries": ["DE"]}}}}),
        ),
        breach(DsaTerritory, Warn, "ad_set.dsa_payor", sale(), geo(json!({"countries": ["NO"]}))),
        breach(
            RegionalIdentityMissing,
            Reject,
            "ad_set.regional_regulation_identities.australia_finserv_payer",
            sale(),
            ad_set(
                json!({"regional_regulated_categories": ["AUSTRALIA_FINSERV"], "regional_regulation_identities": {"australia_finserv_beneficiary": "1"}}),
            ),
        ),
        breach(
            RegionalTaiwanBoth,
            Reject,
            "ad_set.regional_regulated_categories",
            sale(),
            ad_set(json!({"regional_regulated_categories": ["TAIWAN_FINSERV"]})),
        ),
        breach(
            RegionalCategoryMissing,
            Warn,
            "ad_set.regional_regulated_categories",
            sale(),
            geo(json!({"countries": ["SG"]})),
        ),
        breach(CampaignNameMissing, Warn, "campaign.name", sale(), campaign(json!({"name": null}))),
        breach(
            CampaignObjectiveMissing,
            Warn,
            "campaign.objective",
            sale(),
            campaign(json!({"objective": null})),
        ),
        breach(CampaignStatus, Reject, "campaign.status", sale(), campaign(json!({"status": "DELETED"}))),
        breach(
            CampaignSmartPromotion,
            Reject,
            "campaign.smart_promotion_type",
            sale(),
            campaign(json!({"smart_promotion_type": "AUTOMATED_SHOPPING_ADS"})),
        ),
        breach(
            CampaignCatalogMissing,
            Warn,
            "campaign.promoted_object",
            sale(),
            json!({"campaign": {"promoted_object": null}, "ad_set": {"promoted_object": {"product_set_id": "1"}}}),
        ),
        breach(
            ObjectDeleted,
            Reject,
            "ad_set",
            update(),
            json!({"existing": {"status": "DELETED"}, "ad_set": {"status": "ACTIVE"}}),
        ),
        breach(
            ObjectArchived,
            Reject,
            "ad_set",
            update(),
            json!({"existing": {"status": "ARCHIVED"}, "ad_set": {"daily_budget": 500}}),
        ),
        breach(
            FixedPromotedObjectPublished,
            Warn,
            "ad_set.promoted_object.pixel_id",
            update(),
            object(json!({"pixel_id": "99"})),
        ),
        breach(
            FixedPromotedObject,
            Reject,
            "ad_set.promoted_object.pixel_id",
            update(),
            patched(
                &object(json!({"pixel_id": "99", "custom_event_type": "PURCHASE"})),
                &json!({"existing": {"optimization_goal": "VALUE"}}),
            ),
        ),
        breach(
            FixedPromotedObject,
            Reject,
            "ad_set.promoted_object.page_id",
            update(),
            object(json!({"page_id": "99"})),
        ),
        breach(
            FixedPromotedObjectPublished,
            Warn,
            "ad_set.promoted_object.pixel_id",
            update(),
            patched(
                &object(json!({"pixel_id": "99", "custom_event_type": "PURCHASE"})),
                &campaign(json!({"objective": "CONVERSIONS"})),
            ),
        ),
        breach(
            FixedPromotedObjectAbsent,
            Reject,
            "ad_set.promoted_object",
            update(),
            json!({"existing": {"promoted_object": null}, "ad_set": {"promoted_object": {"pixel_id": "1", "custom_event_type": "PURCHASE"}}}),
        ),
        breach(
            FixedGoalPublished,
            Warn,
            "ad_set.optimization_goal",
            update(),
            ad_set(json!({"optimization_goal": "LINK_CLICKS"})),
        ),
        breach(
            FixedAttribution,
            Warn,
            "ad_set.attribution_spec",
            update(),
            ad_set(json!({"attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 1}]})),
        ),
        breach(
            FixedFrequency,
            Warn,
            "ad_set.frequency_control_specs",
            update(),
            ad_set(
                json!({"frequency_control_specs": [{"event": "IMPRESSIONS", "interval_days": 7, "max_frequency": 2}]}),
            ),
        ),
        breach(
            FixedDynamicCreative,
            Warn,
            "ad_set.is_dynamic_creative",
            update(),
            ad_set(json!({"is_dynamic_creative": true})),
        ),
        breach(FixedCampaign, Warn, "ad_set.campaign_id", update(), ad_set(json!({"campaign_id": "5"}))),
        breach(
            FixedDestination,
            Warn,
            "ad_set.destination_type",
            update(),
            ad_set(json!({"destination_type": "SHOP_AUTOMATIC"})),
        ),
        breach(BudgetLowered, Note, "ad_set.daily_budget", update(), ad_set(json!({"daily_budget": 1000}))),
        breach(
            ExistingCustomerBudget,
            Warn,
            "ad_set.existing_customer_budget_percentage",
            sale(),
            ad_set(json!({"existing_customer_budget_percentage": 20})),
        ),
        breach(DateFormat, Warn, "ad_set.date_format", sale(), ad_set(json!({"date_format": "U"}))),
    ]
}

#[test]
fn each_breach_is_found_where_it_is() {
    for Breach { rule, severity, path, document } in breaches() {
        let report = check(&document);
        let finding =
            report.findings.iter().find(|finding| finding.rule == rule && finding.dotted_path() == path);
        let finding =
            finding.unwrap_or_else(|| panic!("{rule:?} at {path} is not in {report:#?}\n{document:#}"));
        assert_eq!(finding.severity, severity, "{finding:#?}");
        assert!(
            !finding.message.is_empty() && !finding.fix.is_empty() && !finding.source.is_empty(),
            "{finding:#?}"
        );
    }
}

#[test]
fn every_rule_has_an_example() {
    let shown: BTreeSet<Rule> = breaches().into_iter().map(|breach| breach.rule).collect();
    // Lead forms and alerts are looked at beside their rules.
    let of_ad_sets = |rule: &Rule| {
        let name = format!("{rule:?}");
        !name.starts_with("Form") && !name.starts_with("Alert")
    };
    let rules = Rule::all().iter().map(|row| row.rule).filter(of_ad_sets);
    let without: Vec<Rule> = rules.filter(|rule| !shown.contains(rule)).collect();
    // This one depends on the clock; the versions have a test of their own.
    assert_eq!(without, [Rule::VersionEnding]);
}

#[test]
fn all_faults_are_told_at_once() {
    let report = check(&json!({
        "ad_set": {
            "optimization_goal": "OFFSITE_CONVERSIONS",
            "destination_type": "WEBSITE",
            "daily_budget": -5,
            "promoted_object": {"pixel_id": "abc", "custom_event_type": "LEAD"},
            "targeting": {"geo_locations": {"location_types": ["home"], "countries": ["FR"]}},
        },
        "campaign": {"objective": "OUTCOME_SALES", "daily_budget": 100},
    }));
    let rejected: BTreeSet<Rule> = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Reject)
        .map(|finding| finding.rule)
        .collect();
    let expected = [
        Rule::NameMissing,
        Rule::BillingEventMissing,
        Rule::PromotedObjectId,
        Rule::EventNotForObjective,
        Rule::BudgetOnBothLevels,
        Rule::BudgetNotPositive,
        Rule::LocationTypes,
        Rule::SpecialCategoriesMissing,
    ];
    for rule in expected {
        assert!(rejected.contains(&rule), "{rule:?} {rejected:?}");
    }
}

/// What was not read is not known to be empty: the same document rejects with `null` in its place.
#[test]
fn unread_facts_warn_and_empty_ones_reject() {
    let german =
        || patched(&sale(), &json!({"ad_set": {"targeting": {"geo_locations": {"countries": ["DE"]}}}}));
    let in_campaign = |fields: Value, ad_set: Value| {
        let mut document = patched(&sale(), &json!({"ad_set": ad_set}));
        document["campaign"] = json!({"id": "120210000000000001", "objective": "OUTCOME_SALES"});
        for (field, value) in fields.as_object().unwrap() {
            document["campaign"][field] = value.clone();
        }
        document
    };
    let account = |ad_account: Value| {
        let mut document = german();
        document["ad_account"] = ad_account;
        document
    };
    let no_budget = || json!({"daily_budget": null});
    let hours = || {
        json!({"pacing_type": ["day_parting"],
            "adset_schedule": [{"start_minute": 0, "end_minute": 600, "days": [1]}]})
    };
    let strategy = || json!({"bid_strategy": null});
    let cases = [
        (Rule::DsaPayorMissing, account(json!({})), account(json!({"default_dsa_payor": null}))),
        (
            Rule::DsaBeneficiaryMissing,
            account(json!({"currency": "USD"})),
            account(json!({"default_dsa_beneficiary": " "})),
        ),
        (
            Rule::BudgetMissing,
            in_campaign(json!({"daily_budget": null}), no_budget()),
            in_campaign(json!({"daily_budget": null, "lifetime_budget": null}), no_budget()),
        ),
        (
            Rule::SpendTargetNeedsCampaignBudget,
            in_campaign(json!({}), json!({"daily_spend_cap": 500})),
            in_campaign(json!({"daily_budget": null}), json!({"daily_spend_cap": 500})),
        ),
        (
            Rule::ScheduleNeedsLifetimeBudget,
            in_campaign(json!({}), hours()),
            in_campaign(json!({"lifetime_budget": null}), hours()),
        ),
        (
            Rule::ImpressionsNeedFixedCpm,
            in_campaign(json!({}), json!({"daily_imps": 500})),
            in_campaign(json!({"buying_type": null}), json!({"daily_imps": 500})),
        ),
        (
            Rule::BudgetSharingNeedsStrategy,
            in_campaign(json!({"is_adset_budget_sharing_enabled": true}), strategy()),
            in_campaign(json!({"is_adset_budget_sharing_enabled": true, "bid_strategy": null}), strategy()),
        ),
    ];
    for (rule, unread, empty) in cases {
        for (document, severity) in [(unread, Severity::Warn), (empty, Severity::Reject)] {
            let report = check(&document);
            let finding =
                crate::support::found(&report, rule).unwrap_or_else(|| panic!("{rule:?} {report:#?}"));
            assert_eq!(finding.severity, severity, "{document:#} {finding:#?}");
        }
    }
    // Each is filled from its own default only.
    let defaults =
        account(json!({"currency": "USD", "default_dsa_payor": "A", "default_dsa_beneficiary": "B"}));
    assert_accepts(&defaults);
    // The ad set as it stands may have been read in part, too.
    let mut changed = update();
    changed["ad_account"] = no_defaults()["ad_account"].clone();
    changed["ad_set"] = german()["ad_set"]["targeting"].clone();
    changed["ad_set"] = json!({"targeting": changed["ad_set"]});
    let severity =
        |document: &Value| crate::support::found(&check(document), Rule::DsaPayorMissing).unwrap().severity;
    assert_eq!(severity(&changed), Severity::Warn);
    changed["existing"]["dsa_payor"] = Value::Null;
    assert_eq!(severity(&changed), Severity::Reject);
}

#[test]
fn a_goal_needs_its_promoted_object_even_without_a_destination() {
    for (objective, goal) in [("OUTCOME_ENGAGEMENT", "PAGE_LIKES"), ("OUTCOME_LEADS", "LEAD_GENERATION")] {
        let report = check(&document(objective, None, Some(goal), json!({})));
        assert_eq!(crate::support::rejects(&report), ["PromotedObjectMissing at ad_set.promoted_object"]);
        let report = check(&document(objective, None, Some(goal), json!({"page_id": "1"})));
        assert_eq!(
            crate::support::told(&report, Severity::Warn),
            ["GoalNotForDestination at ad_set.optimization_goal"]
        );
    }
}

#[test]
fn the_choices_are_named() {
    let mut wrong = sale();
    wrong["ad_set"]["promoted_object"]["custom_event_type"] = "LEAD".into();
    let report = check(&wrong);
    let fix = &report.findings[0].fix;
    assert!(fix.contains("PURCHASE") && fix.contains("LEAD goes with OUTCOME_LEADS"), "{fix}");
    wrong["ad_set"]["promoted_object"]["custom_event_type"] = "VIEW_CONTENT".into();
    assert_eq!(check(&wrong).findings[0].fix, "Did you mean CONTENT_VIEW?");
}

#[test]
fn meta_answers_are_told() {
    let mut wrong = sale();
    wrong["ad_set"]["promoted_object"]["custom_event_type"] = "LEAD".into();
    let meta = check(&wrong).findings[0].meta.unwrap();
    assert_eq!((meta.code, meta.subcode), (100, 2_446_814));
}

#[test]
fn of_what_cannot_be_read_nothing_else_is_said() {
    let cases = [
        (json!({"ad_set": {"daily_budget": 50.5}}), "ad_set.daily_budget", "a number with a fraction"),
        (json!({"ad_set": {"daily_budget": "50.00"}}), "ad_set.daily_budget", "a number with a fraction"),
        (json!({"ad_set": {"daily_budget": 1e30}}), "ad_set.daily_budget", "a number that is too large"),
        (
            json!({"ad_set": {"daily_budget": null, "lifetime_budget": "much"}}),
            "ad_set.lifetime_budget",
            "a text",
        ),
        (json!({"ad_set": {"promoted_object": "pixel"}}), "ad_set.promoted_object", "a text"),
        (json!({"ad_set": {"promoted_object": 5}}), "ad_set.promoted_object", "a number"),
        (json!({"ad_set": {"targeting": "US"}}), "ad_set.targeting", "a text"),
        (
            json!({"ad_set": {"targeting": {"geo_locations": {"countries": "US"}}}}),
            "ad_set.targeting.geo_locations.countries",
            "a text",
        ),
        (json!({"ad_set": {"optimization_goal": []}}), "ad_set.optimization_goal", "a list"),
        (json!({"campaign": {"special_ad_categories": "NONE"}}), "campaign.special_ad_categories", "a text"),
        (
            json!({"ad_set": {"daily_budget": null, "bid_strategy": null}, "campaign": {"daily_budget": 0.5, "bid_strategy": "LOWEST_COST_WITHOUT_CAP", "is_adset_budget_sharing_enabled": null}}),
            "campaign.daily_budget",
            "a number with a fraction",
        ),
    ];
    for (patch, path, found) in cases {
        let report = check(&patched(&sale(), &patch));
        assert_eq!(crate::support::told(&report, Severity::Warn), [format!("WrongType at {path}")]);
        assert!(report.findings[0].message.ends_with(&format!("and is {found}.")), "{report:#?}");
    }
}

#[test]
fn the_first_documented_promoted_object_is_asked_for_and_all_are_named() {
    let mut document = sale();
    document["ad_set"].as_object_mut().unwrap().remove("promoted_object");
    let report = check(&document);
    let [finding] = &report.findings[..] else { panic!("{report:#?}") };
    assert_eq!(finding.dotted_path(), "ad_set.promoted_object");
    assert!(finding.fix.contains("pixel_id and custom_event_type"), "{finding:?}");
    for choice in ["pixel_id + custom_event_type", "product_set_id", "omnichannel_object"] {
        assert!(finding.message.contains(choice), "{finding:?}");
    }

    document["ad_set"]["promoted_object"] = json!({"pixel": "1", "custom_event": "PURCHASE"});
    let report = check(&document);
    assert_eq!(
        crate::support::rejects(&report),
        [
            "PromotedObjectMissing at ad_set.promoted_object.pixel_id",
            "PromotedObjectMissing at ad_set.promoted_object.custom_event_type"
        ]
    );
    for (wrong, right) in [("pixel", "pixel_id"), ("custom_event", "custom_event_type")] {
        let path = format!("ad_set.promoted_object.{wrong}");
        let finding = report.findings.iter().find(|finding| finding.dotted_path() == path).unwrap();
        assert!(finding.fix.starts_with(&format!("Did you mean {right}?")), "{finding:?}");
    }

    // What was begun is to be finished.
    document["ad_set"]["promoted_object"] = json!({"custom_event_type": "PURCHASE"});
    assert_eq!(
        crate::support::rejects(&check(&document)),
        ["PromotedObjectIncomplete at ad_set.promoted_object.pixel_id"]
    );
}

#[test]
fn what_was_taken_away_is_named() {
    let old = |object| {
        let mut document = document("CONVERSIONS", None, Some("OFFSITE_CONVERSIONS"), object);
        document["campaign"]["id"] = "120210000000000001".into();
        check(&document)
    };
    let named = |report: &adjoin_marketing::ad_set::Report| crate::support::rejects(report);
    assert_eq!(
        named(&old(json!({"application_id": "1", "custom_event_type": "PURCHASE"}))),
        ["PromotedObjectIncomplete at ad_set.promoted_object.object_store_url"]
    );
    let alone = old(json!({"custom_event_type": "PURCHASE"}));
    assert_eq!(named(&alone), ["PromotedObjectIncomplete at ad_set.promoted_object.pixel_id"]);
    for way in ["pixel_id", "event_id", "application_id + object_store_url", "offline_conversion_data_set_id"]
    {
        assert!(alone.findings[0].fix.contains(way), "{alone:#?}");
    }
}

#[test]
fn a_pixel_comes_before_a_catalog_where_none_is_sold() {
    let sale = document("OUTCOME_SALES", Some("WEBSITE"), Some("LINK_CLICKS"), json!({}));
    let report = check(&patched(&sale, &json!({"campaign": {"promoted_object": null}})));
    assert_eq!(report.findings[0].fix, "Add promoted_object with pixel_id and custom_event_type.");
    // With the catalog on the campaign, it is documented what is missing.
    let report = check(&sale);
    assert_eq!(report.findings[0].severity, Severity::Reject);
    assert!(report.findings[0].fix.contains("product_set_id"), "{report:#?}");
}

#[test]
fn a_published_ad_set_refuses_with_its_own_number() {
    for (objective, goal) in [("OUTCOME_SALES", "OFFSITE_CONVERSIONS"), ("OUTCOME_TRAFFIC", "LINK_CLICKS")] {
        let mut document = update();
        document["campaign"]["objective"] = objective.into();
        document["existing"]["optimization_goal"] = goal.into();
        document["existing"]["status"] = "ACTIVE".into();
        document["ad_set"]["promoted_object"] =
            json!({"pixel_id": "1234567890", "custom_event_type": "ADD_TO_CART"});
        let report = check(&document);
        let path = "ad_set.promoted_object.custom_event_type";
        let finding = report.findings.iter().find(|finding| finding.dotted_path() == path).unwrap();
        assert_eq!(finding.meta.map(|meta| meta.subcode), Some(3_260_011), "{report:#?}");
    }
}

#[test]
fn a_bare_id_is_told_to_be_a_pages() {
    for (bare, found) in [(json!("123"), "a number written as a text"), (json!(123), "a number")] {
        let report = check(&patched(&lead(), &json!({"ad_set": {"promoted_object": bare}})));
        let finding = &report.findings[0];
        assert_eq!(finding.message, format!("promoted_object must be an object, and is {found}."));
        assert!(finding.fix.contains("{\"page_id\": ...}"), "{finding:?}");
    }
}

#[test]
fn a_goal_that_is_gone_is_told_once() {
    let mut document = post();
    document["ad_set"]["optimization_goal"] = "IMPRESSIONS".into();
    assert_eq!(crate::support::rejects(&check(&document)), ["GoalRemoved at ad_set.optimization_goal"]);
}

#[test]
fn a_list_of_wrong_countries_is_told_in_part() {
    let mut document = sale();
    document["ad_set"]["targeting"]["geo_locations"]["countries"] = json!(vec!["GERMANY"; 500]);
    let report = check(&document);
    assert_eq!(report.findings.len(), 10);
    assert_eq!(report.findings[0].fix, "Did you mean DE (Germany)?");
}
