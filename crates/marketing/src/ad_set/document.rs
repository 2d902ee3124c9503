//! The document a check reads: an ad set, and what is known around it.

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess};

use super::promoted_object::PromotedObject;
use super::read::{
    Filled, Id, Inspect, Key, List, Moment, Oddity, Read, Slot, Text, Told, from_json_text, is_unreadable,
    object,
};
use crate::vocabulary::{Kind, vocabulary};

/// An ad set to check, and what is known around it. Fields are named as Meta names them.
///
/// Made by [`super::parse`]; it borrows from the text it was read from.
#[derive(Debug, Clone, Default)]
pub struct Document<'a> {
    pub(crate) ad_set: Box<AdSet<'a>>,
    pub(crate) campaign: Option<Box<Campaign<'a>>>,
    pub(crate) ad_account: Option<AdAccount<'a>>,
    /// The ad set as it stands; then `ad_set` is an update.
    pub(crate) existing: Option<Box<AdSet<'a>>>,
    pub(crate) api_version: Option<Text<'a>>,
    pub(crate) odd: Vec<Oddity<'a>>,
}

fn skip_all(_: &str) -> bool {
    true
}

fn skip_none(_: &str) -> bool {
    false
}

object! {
    /// The document as it is read, before it is known whether an ad set is in it.
    Whole {
        "ad_set" => ad_set: Box<AdSet<'a>>,
        "campaign" => campaign: Box<Campaign<'a>>,
        "ad_account" => ad_account: AdAccount<'a>,
        "existing" => existing: Box<AdSet<'a>>,
        "api_version" => api_version: Text<'a>,
    }
    skip skip_none
}

object! {
    AdSet {
        "name" => name: Text<'a>,
        "campaign_id" => campaign_id: Id<'a>,
        "status" => status: Text<'a>,
        "optimization_goal" => optimization_goal: Text<'a>,
        "billing_event" => billing_event: Text<'a>,
        "destination_type" => destination_type: Text<'a>,
        "daily_budget" => daily_budget: i64,
        "lifetime_budget" => lifetime_budget: i64,
        "bid_strategy" => bid_strategy: Text<'a>,
        "bid_amount" => bid_amount: i64,
        "start_time" | "time_start" => start_time: Moment<'a>,
        "end_time" | "time_stop" => end_time: Moment<'a>,
        "promoted_object" => promoted_object: PromotedObject<'a>,
        "targeting" => targeting: Box<Targeting<'a>>,
        "attribution_spec" => attribution_spec: List<'a, Attribution<'a>>,
        "dsa_beneficiary" => dsa_beneficiary: Told<Text<'a>>,
        "dsa_payor" => dsa_payor: Told<Text<'a>>,
        "pacing_type" => pacing_type: List<'a, Text<'a>>,
        "frequency_control_specs" => frequency_control_specs: List<'a, FrequencyControl<'a>>,
        "adset_schedule" => adset_schedule: List<'a, Hours<'a>>,
        "is_dynamic_creative" => is_dynamic_creative: bool,
        "bid_constraints" => bid_constraints: BidConstraints<'a>,
        "daily_min_spend_target" => daily_min_spend_target: i64,
        "daily_spend_cap" => daily_spend_cap: i64,
        "lifetime_min_spend_target" => lifetime_min_spend_target: i64,
        "lifetime_spend_cap" => lifetime_spend_cap: i64,
        "daily_imps" => daily_imps: i64,
        "lifetime_imps" => lifetime_imps: i64,
        "regional_regulated_categories" => regional_regulated_categories: List<'a, Text<'a>>,
        "regional_regulation_identities" => regional_regulation_identities: Identities<'a>,
        "execution_options" => execution_options: List<'a, Text<'a>>,
        "tune_for_category" => tune_for_category: Text<'a>,
        "is_sac_cfca_terms_certified" => is_sac_cfca_terms_certified: bool,
        "multi_optimization_goal_weight" => multi_optimization_goal_weight: Text<'a>,
        "optimization_sub_event" => optimization_sub_event: Text<'a>,
        "existing_customer_budget_percentage" => existing_customer_budget_percentage: Filled,
        "date_format" => date_format: Text<'a>,
        "rf_prediction_id" => rf_prediction_id: Id<'a>,
        "campaign_spec" => campaign_spec: Box<Campaign<'a>>,
        "configured_status" => configured_status: Text<'a>,
        "effective_status" => effective_status: Text<'a>,
        "budget_remaining" => budget_remaining: i64,
    }
    skip |key| vocabulary(Kind::AdSetParameter).position(key).is_some()
}

object! {
    Campaign {
        "id" => id: Id<'a>,
        "name" => name: Text<'a>,
        "objective" => objective: Text<'a>,
        "status" => status: Text<'a>,
        "special_ad_categories" => special_ad_categories: List<'a, Text<'a>>,
        "special_ad_category" => special_ad_category: Text<'a>,
        "special_ad_category_country" => special_ad_category_country: List<'a, Text<'a>>,
        "buying_type" => buying_type: Told<Text<'a>>,
        "daily_budget" => daily_budget: Told<i64>,
        "lifetime_budget" => lifetime_budget: Told<i64>,
        "bid_strategy" => bid_strategy: Told<Text<'a>>,
        "is_adset_budget_sharing_enabled" => is_adset_budget_sharing_enabled: bool,
        "spend_cap" => spend_cap: i64,
        "promoted_object" => promoted_object: PromotedObject<'a>,
        "is_skadnetwork_attribution" => is_skadnetwork_attribution: bool,
        "smart_promotion_type" => smart_promotion_type: Text<'a>,
        "pacing_type" => pacing_type: List<'a, Text<'a>>,
        "execution_options" => execution_options: List<'a, Text<'a>>,
    }
    skip |key| vocabulary(Kind::CampaignParameter).position(key).is_some()
}

object! {
    AdAccount {
        "currency" => currency: Text<'a>,
        "default_dsa_payor" => default_dsa_payor: Told<Text<'a>>,
        "default_dsa_beneficiary" => default_dsa_beneficiary: Told<Text<'a>>,
        "min_daily_budget" => min_daily_budget: i64,
    }
    skip skip_all
}

object! {
    BidConstraints {
        "roas_average_floor" => roas_average_floor: i64,
    }
    skip skip_none
}

object! {
    Attribution {
        "event_type" => event_type: Text<'a>,
        "window_days" => window_days: i64,
        "weight" => weight: i64,
    }
    skip skip_none
}

object! {
    FrequencyControl {
        "event" => event: Text<'a>,
        "interval_days" => interval_days: i64,
        "max_frequency" => max_frequency: i64,
        "type" => kind: Text<'a>,
    }
    skip skip_none
}

object! {
    /// Hours of the week, in minutes of the day.
    Hours {
        "start_minute" => start_minute: i64,
        "end_minute" => end_minute: i64,
        "days" => days: List<'a, i64>,
        "timezone_type" => timezone_type: Text<'a>,
    }
    skip |key| key == "pacing_type"
}

object! {
    #[expect(clippy::struct_field_names, reason = "fields are named as Meta names them")]
    Targeting {
        "geo_locations" => geo_locations: Box<Geo<'a>>,
        "excluded_geo_locations" => excluded_geo_locations: Box<Geo<'a>>,
        "age_min" => age_min: i64,
        "age_max" => age_max: i64,
        "genders" => genders: List<'a, i64>,
        "targeting_automation" => targeting_automation: Automation<'a>,
        "publisher_platforms" => publisher_platforms: List<'a, Text<'a>>,
        "facebook_positions" => facebook_positions: List<'a, Text<'a>>,
        "instagram_positions" => instagram_positions: List<'a, Text<'a>>,
        "messenger_positions" => messenger_positions: List<'a, Text<'a>>,
        "audience_network_positions" => audience_network_positions: List<'a, Text<'a>>,
        "threads_positions" => threads_positions: List<'a, Text<'a>>,
        "whatsapp_positions" => whatsapp_positions: List<'a, Text<'a>>,
        "device_platforms" => device_platforms: List<'a, Text<'a>>,
        "user_os" => user_os: List<'a, Text<'a>>,
        "flexible_spec" => flexible_spec: Filled,
        "interests" => interests: Filled,
        "behaviors" => behaviors: Filled,
        "demographics" => demographics: Filled,
        "life_events" => life_events: Filled,
        "exclusions" => exclusions: Filled,
        "custom_audiences" => custom_audiences: Filled,
        "excluded_custom_audiences" => excluded_custom_audiences: Filled,
        "connections" => connections: Filled,
        "excluded_connections" => excluded_connections: Filled,
        "friends_of_connections" => friends_of_connections: Filled,
    }
    skip skip_all
}

object! {
    Automation {
        "advantage_audience" => advantage_audience: i64,
    }
    skip skip_all
}

object! {
    #[expect(clippy::struct_field_names, reason = "fields are named as Meta names them")]
    Geo {
        "countries" => countries: List<'a, Text<'a>>,
        "country_groups" => country_groups: List<'a, Text<'a>>,
        "regions" => regions: List<'a, Place<'a>>,
        "cities" => cities: List<'a, Place<'a>>,
        "custom_locations" => custom_locations: List<'a, Place<'a>>,
        "places" => places: List<'a, Place<'a>>,
        "zips" => zips: List<'a, Place<'a>>,
        "geo_markets" => geo_markets: Filled,
        "metro_areas" => metro_areas: Filled,
        "neighborhoods" => neighborhoods: Filled,
        "subneighborhoods" => subneighborhoods: Filled,
        "subcities" => subcities: Filled,
        "small_geo_areas" => small_geo_areas: Filled,
        "medium_geo_areas" => medium_geo_areas: Filled,
        "large_geo_areas" => large_geo_areas: Filled,
        "electoral_districts" => electoral_districts: Filled,
        "political_districts" => political_districts: Filled,
        "location_cluster_ids" => location_cluster_ids: Filled,
        "location_types" => location_types: Filled,
    }
    skip skip_all
}

object! {
    /// A place: a region, a city, a pin, a postal code.
    Place {
        "key" => key: Text<'a>,
        "country" => country: Text<'a>,
        "radius" => radius: f64,
        "distance_unit" => distance_unit: Text<'a>,
    }
    skip skip_all
}

/// Who benefits and who pays, by regional category: only which names are filled in counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identities<'a> {
    pub(crate) given: Vec<Cow<'a, str>>,
}

impl<'a> Read<'a> for Identities<'a> {
    const EXPECTED: &'static str = "an object";

    fn object<A: MapAccess<'a>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut read = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            if let Slot::Good(Filled(true)) = object.next_value()? {
                read.given.push(key);
            }
        }
        Ok(Some(read))
    }

    fn text(text: Cow<'a, str>) -> Option<Self> {
        from_json_text(&text)
    }
}

impl Inspect for Identities<'_> {}

/// The two ways to give a budget.
pub(crate) const BUDGETS: [&str; 2] = ["daily_budget", "lifetime_budget"];

impl Campaign<'_> {
    pub(crate) fn daily_budget(&self) -> Option<i64> {
        self.daily_budget.and_then(|told| told.0)
    }

    pub(crate) fn lifetime_budget(&self) -> Option<i64> {
        self.lifetime_budget.and_then(|told| told.0)
    }

    pub(crate) fn bid_strategy(&self) -> Option<&str> {
        self.bid_strategy.as_ref().and_then(Told::value).map(|text| &**text)
    }

    pub(crate) fn buying_type(&self) -> Option<&str> {
        self.buying_type.as_ref().and_then(Told::value).map(|text| &**text)
    }

    /// Whether a budget is given, if only one that cannot be read.
    pub(crate) fn names_a_budget(&self) -> bool {
        self.daily_budget().is_some()
            || self.lifetime_budget().is_some()
            || is_unreadable(&self.odd, &BUDGETS)
    }

    /// Whether it is known to have no budget that it does not name.
    pub(crate) fn tells_of_budgets(&self) -> bool {
        self.tells_of(self.daily_budget.is_some()) && self.tells_of(self.lifetime_budget.is_some())
    }

    /// Whether it is known to have no more than it says in a field: a campaign that is to be created has not; of one
    /// that is there already, only what is `shown`, if as `null`, is known.
    pub(crate) fn tells_of(&self, shown: bool) -> bool {
        shown || self.id.is_none()
    }
}

impl AdSet<'_> {
    /// Whether a budget is given, if only one that cannot be read.
    pub(crate) fn names_a_budget(&self) -> bool {
        self.daily_budget.is_some() || self.lifetime_budget.is_some() || is_unreadable(&self.odd, &BUDGETS)
    }

    /// Whether it says anything but a name. What has no effect on a closed ad set is not counted.
    pub(crate) fn changes_more_than_name(&self) -> bool {
        let texts = [
            &self.status,
            &self.optimization_goal,
            &self.billing_event,
            &self.destination_type,
            &self.bid_strategy,
        ];
        let numbers = [
            self.daily_budget,
            self.lifetime_budget,
            self.bid_amount,
            self.daily_spend_cap,
            self.lifetime_spend_cap,
        ];
        let moments = [&self.start_time, &self.end_time];
        texts.into_iter().any(Option::is_some)
            || numbers.iter().any(Option::is_some)
            || moments.into_iter().any(Option::is_some)
            || self.promoted_object.is_some()
            || self.targeting.is_some()
            || self.attribution_spec.is_some()
            || self.frequency_control_specs.is_some()
            || self.adset_schedule.is_some()
            || self.bid_constraints.is_some()
    }
}

impl Geo<'_> {
    /// Whether it names any place at all, if only one that cannot be read.
    pub(crate) fn names_a_place(&self) -> bool {
        let texts = [&self.countries, &self.country_groups];
        let places = [&self.regions, &self.cities, &self.custom_locations, &self.places, &self.zips];
        texts.into_iter().flatten().any(|list| !list.items.is_empty())
            || places.into_iter().flatten().any(|list| !list.items.is_empty())
            || self.areas().any(|filled| filled)
            || self.is_odd()
    }

    /// The kinds of area of which only the presence is read.
    fn areas(&self) -> impl Iterator<Item = bool> {
        [
            self.geo_markets,
            self.metro_areas,
            self.neighborhoods,
            self.subneighborhoods,
            self.subcities,
            self.small_geo_areas,
            self.medium_geo_areas,
            self.large_geo_areas,
            self.electoral_districts,
            self.political_districts,
            self.location_cluster_ids,
        ]
        .into_iter()
        .map(|area| area == Some(Filled(true)))
    }

    /// All countries it touches, as far as it says: those it names, and those of its places.
    pub(crate) fn touched_countries(&self) -> impl Iterator<Item = &str> {
        let named = self.countries.iter().flat_map(|list| list.items.iter().map(|code| &**code));
        let inner = self.has_inner_places().then(|| self.inner_places()).into_iter().flatten();
        named.chain(inner.filter_map(|(_, _, place)| place.country.as_deref()))
    }

    fn has_inner_places(&self) -> bool {
        let lists = [&self.regions, &self.cities, &self.custom_locations, &self.places, &self.zips];
        lists.into_iter().any(Option::is_some)
    }

    /// The places inside countries, with the name of their list and their place in it.
    pub(crate) fn inner_places(&self) -> impl Iterator<Item = (&'static str, usize, &Place<'_>)> {
        let lists = [
            ("regions", &self.regions),
            ("cities", &self.cities),
            ("custom_locations", &self.custom_locations),
            ("places", &self.places),
            ("zips", &self.zips),
        ];
        lists.into_iter().flat_map(|(name, list)| {
            list.iter()
                .flat_map(move |list| list.items.iter().enumerate().map(move |(at, place)| (name, at, place)))
        })
    }
}
