//! The figures of an ad on a day, and their parts.

use std::ops::AddAssign;

use jiff::civil::Date;

use crate::protocol::cursor::mix;

/// Figures that add up.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sums {
    pub impressions: u64,
    pub clicks: u64,
    pub link_clicks: u64,
    /// Minor units.
    pub spend: u64,
    pub video_plays: u64,
    pub purchases: u64,
    /// Minor units.
    pub purchase_value: u64,
    pub leads: u64,
}

/// What an ad is for, as far as figures go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    Sales,
    Leads,
    Other,
}

/// One ad on one day.
pub fn of_day(ad: u64, day: Date, aim: Aim) -> Sums {
    let serial = u64::from(day.year().unsigned_abs()) * 400 + u64::from(day.day_of_year().unsigned_abs());
    let mut state = ad ^ (serial << 32);
    let chance = mix(&mut state);
    let more = mix(&mut state);
    let impressions = 200 + chance % 1800;
    let clicks = impressions * (5 + (chance >> 20) % 30) / 1000;
    let spend = impressions * (300 + (chance >> 40) % 900) / 1000;
    let link_clicks = clicks * 4 / 5;
    let results = link_clicks * (more % 20) / 100;
    let purchases = if aim == Aim::Sales { results } else { 0 };
    Sums {
        impressions,
        clicks,
        link_clicks,
        spend,
        video_plays: impressions * (100 + (more >> 20) % 200) / 1000,
        purchases,
        purchase_value: purchases * (1_500 + (more >> 40) % 6_000),
        leads: if aim == Aim::Leads { results } else { 0 },
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.impressions += other.impressions;
        self.clicks += other.clicks;
        self.link_clicks += other.link_clicks;
        self.spend += other.spend;
        self.video_plays += other.video_plays;
        self.purchases += other.purchases;
        self.purchase_value += other.purchase_value;
        self.leads += other.leads;
    }
}

/// A share of a whole, by weight: from where to where, of how much.
#[derive(Clone, Copy)]
pub struct Share {
    pub from: u64,
    pub to: u64,
    pub of: u64,
}

impl Share {
    /// The share of a number. The shares of all parts add up to it.
    fn of(self, number: u64) -> u64 {
        number * self.to / self.of - number * self.from / self.of
    }
}

impl Sums {
    pub fn share(self, share: Share) -> Self {
        let part = |number| share.of(number);
        Self {
            impressions: part(self.impressions),
            clicks: part(self.clicks),
            link_clicks: part(self.link_clicks),
            spend: part(self.spend),
            video_plays: part(self.video_plays),
            purchases: part(self.purchases),
            purchase_value: part(self.purchase_value),
            leads: part(self.leads),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        let whole = of_day(120_230_000_000_000_007, "2026-11-20".parse().unwrap(), Aim::Sales);
        let mut sum = Sums::default();
        for (from, to) in [(0, 20), (20, 21), (21, 60), (60, 97)] {
            sum += whole.share(Share { from, to, of: 97 });
        }
        assert_eq!(sum, whole);
    }
}
