//! What people and businesses own.

use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub struct AdAccount {
    /// Without `act_`.
    pub account_id: String,
    pub name: String,
    pub currency: String,
    pub timezone_name: String,
    pub business_id: Option<String>,
    /// Businesses it is shared with.
    pub client_businesses: Vec<String>,
    /// Ids of people and system users who may use it.
    pub users: Vec<String>,
    /// The default DSA beneficiary and payor, when the account has them.
    pub default_dsa_beneficiary: Option<String>,
    pub default_dsa_payor: Option<String>,
    /// Minor units; `None` = no cap.
    pub spend_cap: Option<u64>,
    pub created: i64,
}

#[derive(Debug, Clone)]
pub struct Page {
    pub id: String,
    pub name: String,
    pub category: String,
    pub business_id: Option<String>,
    /// Businesses it is shared with.
    pub client_businesses: Vec<String>,
    /// Person id and their tasks: `MANAGE`, `ADVERTISE`, ...
    pub users: BTreeMap<String, Vec<String>>,
    /// When the Lead Ads terms were accepted (Unix seconds).
    pub terms_accepted: i64,
}

#[derive(Debug, Clone)]
pub struct Pixel {
    pub id: String,
    pub name: String,
    pub business_id: Option<String>,
    /// Ad accounts (without `act_`) it is shared with.
    pub ad_accounts: Vec<String>,
    pub created: i64,
}

#[derive(Debug, Clone)]
pub struct Catalog {
    pub id: String,
    pub name: String,
    pub business_id: String,
    /// Product set id and name.
    pub product_sets: BTreeMap<String, String>,
}

/// What an app is to advertisers: the thing a mobile app campaign promotes.
#[derive(Debug, Clone)]
pub struct Application {
    pub id: String,
    pub name: String,
    pub category: String,
    /// Store name (`google_play`, `itunes`) and URL.
    pub store_urls: BTreeMap<String, String>,
    /// In development mode no ad may promote it.
    pub in_development: bool,
}

#[derive(Debug, Default)]
pub struct Assets {
    pub ad_accounts: BTreeMap<String, AdAccount>,
    pub pages: BTreeMap<String, Page>,
    pub pixels: BTreeMap<String, Pixel>,
    pub catalogs: BTreeMap<String, Catalog>,
    pub applications: BTreeMap<String, Application>,
}

impl Assets {
    /// The catalog that holds a product set.
    pub fn catalog_of_set(&self, product_set_id: &str) -> Option<&Catalog> {
        self.catalogs.values().find(|catalog| catalog.product_sets.contains_key(product_set_id))
    }
}
