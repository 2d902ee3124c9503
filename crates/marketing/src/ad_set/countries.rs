//! Countries, by the rules that hold in them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::{Mark, table};
use crate::nearest::nearest;

/// Some countries, and where the list is from.
#[derive(Debug, Clone, Deserialize)]
pub struct Group {
    /// ISO 3166-1 alpha-2 codes.
    pub countries: Vec<String>,
    pub mark: Mark,
    pub source: String,
}

/// All countries.
#[derive(Debug, Clone, Deserialize)]
pub struct Known {
    /// English names by ISO 3166-1 alpha-2 code.
    pub names: BTreeMap<String, String>,
    /// What people write instead, in upper case, and the code that is meant.
    pub misspelt: BTreeMap<String, String>,
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
    known: Known,
    regional: Vec<Regional>,
}

static COUNTRIES: LazyLock<Countries> =
    LazyLock::new(|| table("countries.toml", include_str!("../../data/countries.toml")));

/// What is known of one country and asked for in it, as bits, so that a targeting with many countries is looked through quickly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Asked(u16);

impl Asked {
    const DSA: u16 = 1;
    const DSA_TERRITORY: u16 = 2;
    /// The first bit of the regional categories, in the order of [`regional`].
    const REGIONAL: u32 = 2;
    const KNOWN: u16 = 1 << 15;

    pub(crate) fn is_known(self) -> bool {
        self.0 & Self::KNOWN != 0
    }

    pub(crate) fn dsa(self) -> bool {
        self.0 & Self::DSA != 0
    }

    pub(crate) fn dsa_perhaps(self) -> bool {
        self.0 & Self::DSA_TERRITORY != 0
    }

    /// The regional categories that are for this country.
    pub(crate) fn regional(self) -> impl Iterator<Item = &'static Regional> {
        regional()
            .iter()
            .enumerate()
            .filter(move |(at, _)| ((self.0 & !Self::KNOWN) >> Self::REGIONAL) & (1 << at) != 0)
            .map(|(_, row)| row)
    }

    pub(crate) fn is_nothing(self) -> bool {
        self.0 & !Self::KNOWN == 0
    }
}

/// By the two letters of the code.
static ASKED: LazyLock<Vec<Asked>> = LazyLock::new(|| {
    let mut asked = vec![Asked::default(); 26 * 26];
    let mut add = |code: &str, bit: u16| {
        let at = letters(code)
            .unwrap_or_else(|| panic!("data/countries.toml has the country {code}, which is none"));
        asked[at].0 |= bit;
    };
    dsa().countries.iter().for_each(|code| add(code, Asked::DSA));
    dsa_territories().countries.iter().for_each(|code| add(code, Asked::DSA_TERRITORY));
    COUNTRIES.known.names.keys().for_each(|code| add(code, Asked::KNOWN));
    for (at, row) in regional().iter().enumerate() {
        add(&row.country, 1 << (Asked::REGIONAL as usize + at));
    }
    asked
});

/// The place of a code in a table by its two letters; case does not count.
fn letters(code: &str) -> Option<usize> {
    let place = |letter: u8| match letter.to_ascii_uppercase() {
        upper @ b'A'..=b'Z' => Some(usize::from(upper - b'A')),
        _ => None,
    };
    match code.as_bytes() {
        [one, two] => Some(place(*one)? * 26 + place(*two)?),
        _ => None,
    }
}

/// The code that was probably meant by a text that is none, with the country's name.
pub(crate) fn meant_by(text: &str) -> Option<(&'static str, &'static str)> {
    let Known { names, misspelt, .. } = &COUNTRIES.known;
    let (code, name) = if let Some(code) = misspelt.get(&text.trim().to_ascii_uppercase()) {
        names.get_key_value(code)?
    } else {
        let near = nearest(text, names.values().map(String::as_str))?;
        names.iter().find(|(_, name)| *name == near)?
    };
    Some((code, name))
}

/// All countries, and what people write instead of their codes.
pub fn known() -> &'static Known {
    &COUNTRIES.known
}

/// What is asked for in a country; case does not count.
pub(crate) fn asked_in(country: &str) -> Asked {
    letters(country).map_or(Asked::default(), |at| ASKED[at])
}

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
    asked_in(country).dsa()
}

/// The regional categories.
pub fn regional() -> &'static [Regional] {
    &COUNTRIES.regional
}

impl Group {
    /// Whether the country is one of them.
    pub fn holds(&self, country: &str) -> bool {
        self.countries.iter().any(|code| code.eq_ignore_ascii_case(country))
    }
}

impl Restricted {
    /// Whether the country is one of them.
    pub fn holds_in(&self, country: &str) -> bool {
        self.countries.iter().any(|code| code.eq_ignore_ascii_case(country))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Kind, vocabulary};

    #[test]
    fn lists_are_whole() {
        assert_eq!(COUNTRIES.dsa.countries.len(), 27);
        assert_eq!(COUNTRIES.known.names.len(), 250);
        assert!(COUNTRIES.known.misspelt.values().all(|code| asked_in(code).is_known()));
        let lists = [&dsa().countries, &dsa_territories().countries];
        let listed = lists.into_iter().chain(restricted().iter().map(|region| &region.countries)).flatten();
        assert!(
            listed.chain(regional().iter().map(|row| &row.country)).all(|code| asked_in(code).is_known())
        );
        assert!(regional().len() < 13, "the highest bit says that a country is known");
        assert!(needs_dsa("de") && needs_dsa("DE") && !needs_dsa("GB") && !needs_dsa("US"));
        for row in regional() {
            assert!(vocabulary(Kind::RegionalCategory).position(&row.category).is_some());
        }
    }

    #[test]
    fn what_was_meant_is_found() {
        assert_eq!(meant_by("GERMANY"), Some(("DE", "Germany")));
        assert_eq!(meant_by("uk"), Some(("GB", "United Kingdom")));
        assert_eq!(meant_by("Untied States"), Some(("US", "United States")));
        assert_eq!(meant_by("ZZ"), None);
    }
}
