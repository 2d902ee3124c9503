//! Countries, by the rules that hold in them.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::{Mark, table};

/// Some countries, and where the list is from.
#[derive(Debug, Clone, Deserialize)]
pub struct Group {
    /// ISO 3166-1 alpha-2 codes.
    pub countries: Vec<String>,
    pub mark: Mark,
    pub source: String,
}

/// Where the restrictions for housing, employment and finance hold.
#[derive(Debug, Clone, Deserialize)]
pub struct Restricted {
    pub name: String,
    pub countries: Vec<String>,
    /// The smallest radius around a place.
    pub radius_km: f64,
    pub radius_miles: f64,
    pub mark: Mark,
    pub source: String,
}

/// A regional category.
#[derive(Debug, Clone, Deserialize)]
pub struct Regional {
    pub category: String,
    pub country: String,
    /// The identities it needs, as keys of `regional_regulation_identities`.
    pub beneficiary: String,
    pub payer: String,
    /// Asked of every ad in the country, not only of some industries.
    pub universal: bool,
    pub mark: Mark,
    pub source: String,
}

#[derive(Deserialize)]
struct Countries {
    dsa: Group,
    dsa_territories: Group,
    hec: Vec<Restricted>,
    regional: Vec<Regional>,
}

static COUNTRIES: LazyLock<Countries> =
    LazyLock::new(|| table("countries.toml", include_str!("../../data/countries.toml")));

/// Where ads must say who benefits and who pays.
pub fn dsa() -> &'static Group {
    &COUNTRIES.dsa
}

/// Where ads may have to say who benefits and who pays.
pub fn dsa_territories() -> &'static Group {
    &COUNTRIES.dsa_territories
}

/// Where the restrictions for housing, employment and finance hold.
pub fn restricted() -> &'static [Restricted] {
    &COUNTRIES.hec
}

/// Whether ads that reach this country must say who benefits and who pays.
pub fn needs_dsa(country: &str) -> bool {
    dsa().holds(country)
}

/// The regional categories.
pub fn regional() -> &'static [Regional] {
    &COUNTRIES.regional
}

impl Group {
    /// Whether the country is one of them.
    pub fn holds(&self, country: &str) -> bool {
        self.countries.iter().any(|code| code == country)
    }
}

impl Restricted {
    /// Whether the country is one of them.
    pub fn holds_in(&self, country: &str) -> bool {
        self.countries.iter().any(|code| code == country)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Kind, vocabulary};

    #[test]
    fn lists_are_whole() {
        assert_eq!(COUNTRIES.dsa.countries.len(), 27);
        assert!(needs_dsa("DE") && !needs_dsa("GB") && !needs_dsa("US"));
        for row in regional() {
            assert!(vocabulary(Kind::RegionalCategory).position(&row.category).is_some());
        }
    }
}
