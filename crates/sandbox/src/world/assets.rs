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
    /// Ids of people and system users who may use it.
    pub users: Vec<String>,
    /// The default DSA beneficiary and payor, when the account has them.
    pub default_dsa_beneficiary: Option<String>,
    pub default_dsa_payor: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Page {
    pub id: String,
    pub name: String,
    pub category: String,
    pub business_id: Option<String>,
    /// Person id and their tasks: `MANAGE`, `ADVERTISE`, ...
    pub users: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone)]
pub struct Pixel {
    pub id: String,
    pub name: String,
    pub business_id: Option<String>,
    /// Ad accounts (without `act_`) it is shared with.
    pub ad_accounts: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Catalog {
    pub id: String,
    pub name: String,
    pub business_id: String,
    /// Product set id and name.
    pub product_sets: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub struct Assets {
    pub ad_accounts: BTreeMap<String, AdAccount>,
    pub pages: BTreeMap<String, Page>,
    pub pixels: BTreeMap<String, Pixel>,
    pub catalogs: BTreeMap<String, Catalog>,
}
