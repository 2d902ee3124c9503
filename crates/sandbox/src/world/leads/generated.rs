/// The leads of a filled form: numbers, from which each lead follows.
#[derive(Debug, Clone)]
pub struct Generated {
    pub form: String,
    pub count: u64,
    /// Unix seconds of the oldest and the newest.
    pub first: i64,
    pub last: i64,
    /// Every fifth lead is organic, the others come through these in turn.
    pub ads: Vec<u64>,
}

impl Generated {
    /// When a lead was sent; later ones are never older.
    pub fn created(&self, index: u64) -> i64 {
        let spread = i128::from(self.last - self.first);
        let steps = i128::from(self.count.saturating_sub(1).max(1));
        self.first + i64::try_from(spread * i128::from(index) / steps).unwrap_or_default()
    }

    /// How many are older than a moment.
    pub fn before(&self, moment: i64) -> u64 {
        partition(self.count, |index| self.created(index) < moment)
    }

    pub fn ad(&self, index: u64) -> Option<u64> {
        let count = u64::try_from(self.ads.len()).unwrap_or_default();
        if index % 5 == 4 || count == 0 {
            return None;
        }
        self.ads.get(usize::try_from((index - index / 5) % count).unwrap_or_default()).copied()
    }
}

/// The first index below `count` for which `before` does not hold; it must hold for all that come first.
fn partition(count: u64, before: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_are_spread_in_order() {
        let leads = Generated { form: String::new(), count: 10, first: 1_000, last: 1_900, ads: vec![7, 8] };
        assert_eq!((leads.created(0), leads.created(9)), (1_000, 1_900));
        assert_eq!((leads.before(1_000), leads.before(1_001), leads.before(9_999)), (0, 1, 10));
        let organic = (0..10).filter(|index| leads.ad(*index).is_none()).count();
        assert_eq!(organic, 2);
        assert!((0..10).filter_map(|index| leads.ad(index)).any(|ad| ad == 8));
    }
}
