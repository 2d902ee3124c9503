//! The lossy world: webhooks are batched, doubled, reordered and lost, Graph fails and throttles, the tokens are revoked
//! and come back, the partner's endpoint fails a third of the time, and the service is killed again and again. In the end
//! every submission was delivered to every account that has its Page, a receiver that dedupes by event id has each once,
//! and the completeness report says that nothing is missing. Nobody presses a button: time passes, by clocks that are moved
//! whenever the service is down.
//!
//! Small in every run. Whole (10,000 submissions, 50 kills): `ADJOIN_LOSSY_WORLD=whole cargo nextest run -p adjoin lossy
//! --no-capture`. `ADJOIN_LOSSY_SEED` takes another seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use adjoin::store::{FromRow, Result, Row, sql};

use crate::{
    outside::{AccountLead, Dice, Outside, Receiver},
    support::{Database, on_each_database},
};

/// How much is sent and how often the service is killed.
#[derive(Debug, Clone, Copy)]
struct Size {
    submissions: u64,
    kills: u64,
    /// Besides those that the sandbox has anyway.
    pages: usize,
    forms: usize,
}

const SMALL: Size = Size { submissions: 1000, kills: 10, pages: 9, forms: 2 };
const WHOLE: Size = Size { submissions: 10_000, kills: 50, pages: 24, forms: 3 };

/// Who consents, each for an account.
const PEOPLE: [&str; 3] = ["Mara", "Jonas", "Yuki"];
/// What goes wrong all the time.
const WRONG: [(&str, &str); 5] = [
    ("webhook_loss", "20"),
    ("webhook_duplicates", "15"),
    ("webhook_reorder", "50"),
    ("webhook_batch", "40,20"),
    ("failing", "5"),
];
/// The service is away for so many seconds at most after a kill.
const AWAY_MAX: u64 = 20 * 60;
/// The hours that pass after the last submission, one after the other, until nothing is missing. A delivery may fail so
/// often that it waits for a day, and Meta sends a webhook again for 36 hours.
const HOURS: [i64; 12] = [0, 1, 1, 1, 2, 4, 8, 12, 24, 24, 24, 24];

#[test]
fn no_submission_is_lost_in_a_lossy_world() {
    let size = match std::env::var("ADJOIN_LOSSY_WORLD").as_deref() {
        Ok("whole") => WHOLE,
        _ => SMALL,
    };
    let seed = std::env::var("ADJOIN_LOSSY_SEED").map_or(20_261_126, |it| it.parse().unwrap());
    on_each_database(async |database| {
        eprintln!("seed {seed}, {size:?}");
        let mut world = World::start(&database, size, seed).await;
        world.live(size).await;
        world.settle().await;
        world.report().await;
        world.check().await;
    });
}

struct World<'a> {
    database: &'a Database,
    outside: Outside,
    receiver: Receiver,
    dice: Dice,
    began: Instant,
    accounts: Vec<String>,
    /// Which accounts each form's leads go to.
    forms: Vec<(String, Vec<String>)>,
    /// What was submitted, as it has to arrive.
    sent: BTreeSet<AccountLead>,
    kills: u64,
    /// What leads ever waited for.
    waited: BTreeSet<String>,
    /// The rows as they were counted last.
    seen: BTreeMap<String, i64>,
}

impl<'a> World<'a> {
    /// Three people have consented, each for an account of its own, and the webhooks of their Pages are subscribed to.
    async fn start(database: &'a Database, size: Size, seed: u64) -> Self {
        let began = Instant::now();
        let mut outside = Outside::start(database, &[], size.pages, size.forms).await;
        share(&outside);
        outside.set_up().await;
        let receiver = Receiver::start(Dice(seed)).await;
        outside.deliver_to(&receiver).await;
        let mut accounts = Vec::new();
        for person in PEOPLE {
            let account = outside.account(person).await;
            outside.consent(&account, person).await;
            outside.subscribed(&account).await;
            accounts.push(account);
        }
        let forms = forms(&outside, &accounts);
        assert!(forms.len() > size.pages * size.forms);
        for (scenario, value) in WRONG {
            outside.switch(scenario, Some(value)).await;
        }
        Self {
            database,
            outside,
            receiver,
            dice: Dice(!seed),
            began,
            accounts,
            forms,
            sent: BTreeSet::new(),
            kills: 0,
            waited: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }

    async fn live(&mut self, size: Size) {
        for burst in 0..size.kills {
            self.change(burst, size.kills).await;
            let mut left = size.submissions / size.kills;
            while left > 0 {
                let nth = self.dice.below(self.forms.len() as u64);
                let (form, accounts) = &self.forms[usize::try_from(nth).unwrap()];
                let count = left.min(1 + self.dice.below(30));
                for lead in self.outside.submit(form, count).await {
                    self.sent.extend(accounts.iter().map(|account| (account.clone(), lead.clone())));
                }
                left -= count;
            }
            // In the midst of whatever it does: after some more requests to the partner, or after a while.
            let mut requests = self.receiver.requests.subscribe();
            let enough = *requests.borrow_and_update() + 1 + self.dice.below(60);
            let patience = Duration::from_millis(50 + self.dice.below(650));
            let _ = tokio::time::timeout(patience, requests.wait_for(|it| *it >= enough)).await;
            self.look().await;
            self.outside.kill_and_come_back(self.dice.below(AWAY_MAX).cast_signed()).await;
            self.kills += 1;
        }
    }

    /// Throttles early, the tokens in the middle, each until it has kept leads waiting.
    async fn change(&mut self, burst: u64, bursts: u64) {
        let tenth = |nth: u64| bursts * nth / 10;
        if burst == tenth(1) {
            self.outside.switch("leads_throttled", Some("60")).await;
        }
        if burst == tenth(3) {
            self.waited_for("throttle").await;
            self.outside.switch("leads_throttled", None).await;
        }
        if burst == tenth(4) {
            self.outside.switch("dead_tokens", Some("460")).await;
        }
        if burst == tenth(6) {
            self.waited_for("token").await;
            self.outside.switch("dead_tokens", None).await;
            for (account, person) in self.accounts.iter().zip(PEOPLE) {
                self.outside.consent(account, person).await;
            }
        }
    }

    async fn waited_for(&mut self, cause: &str) {
        while !self.waited.contains(&format!("leads parked {cause}")) {
            self.outside.a_second().await;
            self.look().await;
        }
    }

    /// Time passes until nothing is missing. What goes wrong goes on.
    async fn settle(&mut self) {
        for hours in HOURS {
            if hours > 0 {
                self.outside.kill_and_come_back(hours * 3600).await;
                self.kills += 1;
            }
            while self.goes_on().await {}
            if self.is_complete().await {
                return;
            }
        }
    }

    /// Whether something happens within a second.
    async fn goes_on(&mut self) -> bool {
        let before = self.look().await;
        self.outside.a_second().await;
        before != self.look().await
    }

    async fn is_complete(&self) -> bool {
        let arrived = self.receiver.taken().leads.len() == self.sent.len();
        for account in &self.accounts {
            let totals = self.outside.totals(account).await;
            let of_account = self.sent.iter().filter(|(it, _)| it == account).count();
            if totals["at_meta"] != of_account || totals["held"] != of_account || totals["missing"] != 0 {
                return false;
            }
        }
        arrived
    }

    /// How many rows there are in each state.
    async fn look(&mut self) -> BTreeMap<String, i64> {
        let text = "SELECT 'leads ' || status || ' ' || COALESCE(cause, '') AS name, COUNT(*) AS count FROM leads GROUP BY status, cause
             UNION ALL SELECT 'deliveries ' || status, COUNT(*) FROM deliveries GROUP BY status
             UNION ALL SELECT 'attempts', COUNT(*) FROM delivery_attempts
             UNION ALL SELECT 'webhooks to be sorted', COUNT(*) FROM webhooks
             UNION ALL SELECT 'quarantine ' || reason, COUNT(*) FROM quarantine GROUP BY reason
             UNION ALL SELECT 'endpoints ' || status, COUNT(*) FROM endpoints GROUP BY status
             UNION ALL SELECT 'connections ' || status, COUNT(*) FROM connections GROUP BY status
             UNION ALL SELECT 'subscriptions ' || status, COUNT(*) FROM subscriptions GROUP BY status";
        let rows: Vec<Count> = sql(text).all(&self.database.db).await.unwrap();
        let counts: BTreeMap<String, i64> = rows.into_iter().map(|row| (row.name, row.count)).collect();
        self.waited.extend(counts.keys().filter(|name| name.starts_with("leads parked")).cloned());
        if counts != self.seen {
            eprintln!("{:>6} ms, {} kills: {counts:?}", self.began.elapsed().as_millis(), self.kills);
            self.seen.clone_from(&counts);
        }
        counts
    }
}

struct Count {
    name: String,
    count: i64,
}

impl FromRow for Count {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { name: row.get("name")?, count: row.get("count")? })
    }
}

impl World<'_> {
    async fn report(&mut self) {
        self.look().await;
        let webhooks = self.outside.meta.read().unwrap().webhooks.queue.counts();
        eprintln!("{} kills, {} s; webhooks: {webhooks:?}", self.kills, self.began.elapsed().as_secs());
        let text = "SELECT source AS name, COUNT(*) AS count FROM lead_sightings GROUP BY source
             UNION ALL SELECT 'not by webhook', COUNT(*) FROM leads WHERE NOT EXISTS
                 (SELECT 1 FROM lead_sightings s WHERE s.lead_id = leads.id AND s.source = 'webhook')";
        let seen: Vec<Count> = sql(text).all(&self.database.db).await.unwrap();
        let seen: Vec<_> = seen.into_iter().map(|it| (it.name, it.count)).collect();
        let taken = self.receiver.taken();
        eprintln!(
            "{} leads to arrive, {} arrived in {} requests, {} of them failed, {} were there before; sighted: {seen:?}; \
             waited: {:?}",
            self.sent.len(),
            taken.leads.len(),
            taken.requests,
            taken.failed,
            taken.again,
            self.waited,
        );
    }

    async fn check(&self) {
        {
            let taken = self.receiver.taken();
            let lost: Vec<_> = self.sent.iter().filter(|lead| !taken.leads.contains_key(lead)).collect();
            assert!(lost.is_empty(), "{} were not delivered: {lost:?}", lost.len());
            let strange: Vec<_> = taken.leads.keys().filter(|lead| !self.sent.contains(lead)).collect();
            assert!(strange.is_empty(), "nobody submitted {strange:?}");
            let doubled: Vec<_> = taken.leads.iter().filter(|(_, events)| events.len() > 1).collect();
            assert!(doubled.is_empty(), "more than one event for a lead: {doubled:?}");
            assert_eq!(taken.unsigned, 0);
        }
        for account in &self.accounts {
            let totals = self.outside.totals(account).await;
            assert!(self.is_complete().await, "{account}: {totals}");
        }
        assert!(self.waited.contains("leads parked passing"), "Meta never failed");
    }
}

/// Gives the Pages that were filled in to one person each, every fourth to two.
fn share(outside: &Outside) {
    let mut meta = outside.meta.write().unwrap();
    let id =
        |name: &&str| meta.identity.people.values().find(|it| it.name.starts_with(*name)).unwrap().id.clone();
    let people: Vec<String> = PEOPLE.iter().map(id).collect();
    let filled = meta.assets.pages.values_mut().filter(|page| page.name.starts_with("Page "));
    for (nth, page) in filled.enumerate() {
        let tasks = page.users.values().next().unwrap().clone();
        let also = (nth % 4 == 0).then_some(nth + 1);
        page.business_id = None;
        page.users = [nth]
            .into_iter()
            .chain(also)
            .map(|it| (people[it % people.len()].clone(), tasks.clone()))
            .collect();
    }
}

/// The forms of all Pages that somebody of an account has, and those accounts.
fn forms(outside: &Outside, accounts: &[String]) -> Vec<(String, Vec<String>)> {
    let meta = outside.meta.read().unwrap();
    let mut forms = Vec::new();
    for page in meta.assets.pages.values() {
        let has = |name: &str| page.users.keys().any(|id| meta.identity.people[id].name.starts_with(name));
        let accounts: Vec<String> =
            PEOPLE.iter().zip(accounts).filter(|(name, _)| has(name)).map(|(_, id)| id.clone()).collect();
        forms.extend(meta.leads.forms_of(&page.id).map(|form| (form.id.clone(), accounts.clone())));
    }
    forms
}
