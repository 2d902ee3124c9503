//! Money as the Marketing API counts it: whole numbers of minor units, with an offset by currency.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::{Mark, table};
use crate::vocabulary::Index;

/// A currency an ad account can have.
#[derive(Debug, Clone, Deserialize)]
pub struct Currency {
    /// ISO 4217 code.
    pub code: String,
    /// How many minor units make one whole unit in the API: 100, or 1 where amounts are whole units.
    pub offset: i64,
    pub mark: Mark,
    pub source: String,
}

#[derive(Deserialize)]
struct Table {
    currency: Vec<Currency>,
}

struct Currencies {
    rows: Vec<Currency>,
    index: Index,
}

static CURRENCIES: LazyLock<Currencies> = LazyLock::new(|| {
    let rows = table::<Table>("currencies.toml", include_str!("../data/currencies.toml")).currency;
    let index = Index::new(rows.iter().map(|currency| currency.code.as_str()));
    Currencies { rows, index }
});

/// All currencies, by code.
pub fn currencies() -> &'static [Currency] {
    &CURRENCIES.rows
}

/// The currency with this ISO 4217 code (upper case).
pub fn currency(code: &str) -> Option<&'static Currency> {
    CURRENCIES.index.find(code, |at| &CURRENCIES.rows[at].code).map(|at| &CURRENCIES.rows[at])
}

/// An amount in minor units as people read it: `12.34 USD`, `1234 JPY`.
///
/// A currency we do not know is taken to have an offset of 100, as nearly all have.
pub fn format_minor(minor: i64, code: &str) -> String {
    let offset = currency(code).map_or(100, |currency| currency.offset);
    if offset == 1 {
        return format!("{minor} {code}");
    }
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02} {code}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_code() {
        assert!(currencies().windows(2).all(|pair| pair[0].code < pair[1].code));
        for known in currencies() {
            assert!(matches!(known.offset, 1 | 100));
            assert_eq!(currency(&known.code).map(|found| &found.code), Some(&known.code));
        }
        assert_eq!(currency("JPY").map(|currency| currency.offset), Some(1));
        assert_eq!(currency("BHD").map(|currency| currency.offset), Some(100));
        assert!(currency("XXX").is_none());
    }

    #[test]
    fn formats_by_offset() {
        assert_eq!(format_minor(1234, "USD"), "12.34 USD");
        assert_eq!(format_minor(1234, "JPY"), "1234 JPY");
        assert_eq!(format_minor(-5, "EUR"), "-0.05 EUR");
        assert_eq!(format_minor(i64::MIN, "EUR"), "-92233720368547758.08 EUR");
    }
}
