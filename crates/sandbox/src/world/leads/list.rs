//! A page of a form's or an ad's leads, newest first, at the cost of the page.

use super::{Lead, Leads, ids};

/// Whose leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    Form(String),
    Ad(u64),
}

/// Which leads: those made within these moments (Unix seconds, both included).
#[derive(Debug, Clone)]
pub struct Query {
    pub of: Of,
    pub from: i64,
    pub until: i64,
}

/// Where a page begins: at the newest, or next to the lead with this id.
#[derive(Debug, Clone, Copy)]
pub enum From {
    Start,
    After(u64),
    Before(u64),
}

/// Ids of leads, newest first.
#[derive(Debug, Default)]
pub struct Page {
    pub ids: Vec<u64>,
    pub more_after: bool,
    pub more_before: bool,
}

/// The place of a lead among the others: by age, then by number.
type Place = (i64, u64);

impl Leads {
    /// `keeps` leaves out leads that are there and do not show.
    pub fn page(&self, query: &Query, keeps: impl Fn(u64) -> bool, from: From, limit: usize) -> Page {
        let newest = (query.until, u64::MAX);
        let oldest = (query.from, 0);
        let wanted = |serial: &u64| {
            !self.deleted.contains(serial) && self.at(*serial).is_some_and(|lead| keeps(lead.id()))
        };
        let place = |id: u64| {
            let serial = ids::serial(self.seed, id)?;
            Some((self.at(serial)?.created(), serial))
        };
        let mut page = Page::default();
        match from {
            From::Before(id) => {
                // Up from the cursor: the nearest first, turned round at the end.
                let below = place(id).unwrap_or(newest).max(oldest);
                let mut found: Vec<u64> =
                    self.upwards(&query.of, below, newest).filter(wanted).take(limit + 1).collect();
                page.more_before = found.len() > limit;
                found.truncate(limit);
                found.reverse();
                page.more_after = !found.is_empty();
                page.ids = found;
            }
            From::Start | From::After(_) => {
                let above = match from {
                    From::After(id) => place(id).unwrap_or(oldest).min(newest),
                    _ => newest,
                };
                let mut found: Vec<u64> =
                    self.downwards(&query.of, above, oldest).filter(wanted).take(limit + 1).collect();
                page.more_after = found.len() > limit;
                page.more_before = matches!(from, From::After(_));
                found.truncate(limit);
                page.ids = found;
            }
        }
        for serial in &mut page.ids {
            *serial = ids::id(self.seed, *serial);
        }
        page
    }

    /// How many leads a query finds. Those of a form are not looked at one by one.
    pub fn count(&self, query: &Query) -> usize {
        let Of::Form(form) = &query.of else { return self.count_kept(query, |_| true) };
        let (low, high) = ((query.from, 0), (query.until, u64::MAX));
        let (filled, sent) = self.between(&query.of, low, high);
        let deleted = self.deleted.iter().filter(|serial| {
            let lead = self.at(**serial).filter(|lead| !lead.is_test());
            let own = lead.is_some_and(|lead| lead.form_id() == form);
            own && (low..high).contains(&self.place(**serial))
        });
        usize::try_from(filled.end - filled.start).unwrap_or_default() + sent.len() - deleted.count()
    }

    /// How many leads a query finds that are kept.
    pub fn count_kept(&self, query: &Query, keeps: impl Fn(u64) -> bool) -> usize {
        self.downwards(&query.of, (query.until, u64::MAX), (query.from, 0))
            .filter(|serial| !self.deleted.contains(serial))
            .filter(|serial| self.at(*serial).is_some_and(|lead| keeps(lead.id())))
            .count()
    }

    /// How many leads of a form are not too old, without a look at each.
    pub(super) fn young(&self, form_id: &str, now: i64) -> u64 {
        let of = Of::Form(form_id.to_owned());
        let (filled, sent) = self.between(&of, (now - super::KEPT_SECONDS + 1, 0), (i64::MAX, u64::MAX));
        filled.end - filled.start + sent.len() as u64
    }

    /// Serials from just below `above` down to `oldest`.
    fn downwards(&self, of: &Of, above: Place, oldest: Place) -> impl Iterator<Item = u64> {
        let (filled, sent) = self.between(of, oldest, above);
        let mut filled = filled.rev().filter(|serial| self.is_of(of, *serial)).peekable();
        let mut sent = sent.iter().rev().copied().peekable();
        std::iter::from_fn(move || {
            let take_filled = match (filled.peek(), sent.peek()) {
                (Some(a), Some(b)) => self.place(*a) > self.place(*b),
                (a, _) => a.is_some(),
            };
            if take_filled { filled.next() } else { sent.next() }
        })
    }

    /// Serials from just above `below` up to `newest`.
    fn upwards(&self, of: &Of, below: Place, newest: Place) -> impl Iterator<Item = u64> {
        let (filled, sent) = self.between(of, (below.0, below.1.saturating_add(1)), newest);
        let mut filled = filled.filter(|serial| self.is_of(of, *serial)).peekable();
        let mut sent = sent.iter().copied().peekable();
        std::iter::from_fn(move || {
            let take_filled = match (filled.peek(), sent.peek()) {
                (Some(a), Some(b)) => self.place(*a) < self.place(*b),
                (a, _) => a.is_some(),
            };
            if take_filled { filled.next() } else { sent.next() }
        })
    }

    /// Filled and sent leads from `low` (included) to `high` (not included).
    fn between(&self, of: &Of, low: Place, high: Place) -> (std::ops::Range<u64>, &[u64]) {
        let filled = match &self.generated {
            Some(generated) if !matches!(of, Of::Form(form) if *form != generated.form) => {
                // Among those of one second the number decides.
                let index = |place: Place| {
                    let (first, last) =
                        (generated.before(place.0), generated.before(place.0.saturating_add(1)));
                    place.1.clamp(first, last)
                };
                let (start, end) = (index(low), index(high));
                start..end.max(start)
            }
            _ => 0..0,
        };
        let list = match of {
            Of::Form(form) => self.of_form.get(form),
            Of::Ad(ad) => self.of_ad.get(ad),
        };
        let sent = list.map_or(&[][..], |list| {
            let start = list.partition_point(|serial| self.place(*serial) < low);
            let end = list.partition_point(|serial| self.place(*serial) < high);
            list.get(start..end).unwrap_or_default()
        });
        (filled, sent)
    }

    fn is_of(&self, of: &Of, serial: u64) -> bool {
        match of {
            Of::Form(_) => true,
            Of::Ad(ad) => self.at(serial).and_then(|lead: Lead<'_>| lead.ad()) == Some(*ad),
        }
    }

    fn place(&self, serial: u64) -> Place {
        (self.at(serial).map_or(0, |lead| lead.created()), serial)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::*, *};

    fn stored(created: i64, ad: Option<u64>) -> Stored {
        Stored {
            form: "1".into(),
            created,
            ad,
            platform: Platform::Facebook,
            answers: Vec::new(),
            consents: Vec::new(),
            test: false,
        }
    }

    fn walk(leads: &Leads, query: &Query, limit: usize) -> Vec<u64> {
        let mut from = From::Start;
        let mut all = Vec::new();
        loop {
            let page = leads.page(query, |_| true, from, limit);
            all.extend(&page.ids);
            match page.ids.last() {
                Some(last) if page.more_after => from = From::After(*last),
                _ => return all,
            }
        }
    }

    #[test]
    fn filled_and_sent_leads_page_as_one_list_both_ways() {
        let mut leads = Leads::new(3);
        leads.fill(Generated { form: "1".into(), count: 40, first: 1_000, last: 1_010, ads: vec![9] });
        for created in [1_005, 2_000, 999, 1_005] {
            leads.add(stored(created, Some(9)));
        }
        let query = Query { of: Of::Form("1".into()), from: 0, until: i64::MAX };
        let all = walk(&leads, &query, 7);
        assert_eq!(all.len(), 44);
        let created: Vec<i64> = all.iter().map(|id| leads.get(*id).unwrap().created()).collect();
        assert!(created.is_sorted_by(|a, b| a >= b), "{created:?}");
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 44);
        assert_eq!(walk(&leads, &query, 1), all);
        let back = leads.page(&query, |_| true, From::Before(all[10]), 4);
        assert_eq!((back.ids.as_slice(), back.more_before), (&all[6..10], true));
        let some = Query { from: 1_005, until: 1_006, ..query.clone() };
        let some = walk(&leads, &some, 3);
        assert!(some.iter().all(|id| (1_005..=1_006).contains(&leads.get(*id).unwrap().created())));
        assert_eq!(some.len(), created.iter().filter(|at| (1_005..=1_006).contains(*at)).count());
        let of_ad = walk(&leads, &Query { of: Of::Ad(9), ..query.clone() }, 5);
        assert_eq!(of_ad.len(), 32 + 4);
        // A cursor whose lead was deleted still has its place.
        assert!(leads.delete(all[3]));
        let after = leads.page(&query, |_| true, From::After(all[3]), 2);
        assert_eq!(after.ids, all[4..6]);
        assert_eq!(leads.counts("1", 1_000).live, 43);
        for query in [&query, &Query { from: 1_005, until: 1_006, ..query.clone() }] {
            assert_eq!(leads.count(query), leads.count_kept(query, |_| true));
        }
    }
}
