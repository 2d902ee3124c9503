//! The lossy world: webhooks are batched, doubled, reordered and lost, Graph fails and throttles, the token is revoked and
//! comes back, the partner's endpoint fails a third of the time, and the service is killed again and again. In the end
//! every submission was delivered, and a receiver that dedupes by event id has each once.
//!
//! Small in every run. Whole (10,000 submissions, 50 kills): `ADJOIN_LOSSY_WORLD=whole cargo nextest run -p adjoin lossy`.

use std::{collections::BTreeSet, time::Duration};

use reqwest::Method;

use crate::{
    outside::{Outside, Receiver},
    support::{Database, on_each_database},
};

/// How much is sent and how often the service is killed.
#[derive(Clone, Copy)]
struct Size {
    submissions: usize,
    kills: usize,
    pages: usize,
    forms: usize,
}

const SMALL: Size = Size { submissions: 1000, kills: 10, pages: 6, forms: 2 };
const WHOLE: Size = Size { submissions: 10_000, kills: 50, pages: 20, forms: 3 };

/// The world ends by then, whatever is missing.
const LONGEST: Duration = Duration::from_mins(20);
/// A kill comes after so much progress, or when there was none for this long.
const PATIENCE: Duration = Duration::from_millis(700);
/// What goes wrong all the time.
const WRONG: [&str; 5] =
    ["webhook_loss=20", "webhook_duplicates=15", "webhook_reorder=50", "webhook_batch=40,20", "failing=5"];

#[test]
fn no_submission_is_lost_in_a_lossy_world() {
    let size = match std::env::var("ADJOIN_LOSSY_WORLD").as_deref() {
        Ok("whole") => WHOLE,
        _ => SMALL,
    };
    on_each_database(async |database| {
        tokio::time::timeout(LONGEST, live(&database, size)).await.expect("it comes to an end");
    });
}

/// Numbers that follow from a fixed seed: a run that failed fails again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }
}

async fn live(database: &Database, size: Size) {
    let receiver = Receiver::start().await;
    let mut world = Outside::start(database, &WRONG, size.pages, size.forms).await;
    world.set_up().await;
    world.deliver_to(&receiver).await;
    world.consent().await;
    world.subscribed().await;
    let forms = world.forms().await;
    assert!(forms.len() >= size.pages * size.forms, "{} forms", forms.len());
    let mut dice = Dice(20_261_126);
    let mut sent = BTreeSet::new();
    for burst in 0..size.kills {
        change_the_world(&world, burst, size.kills).await;
        let mut left = size.submissions / size.kills;
        while left > 0 {
            let form = &forms[dice.below(forms.len())];
            let count = left.min(1 + dice.below(30));
            sent.extend(world.submit(form, count).await);
            left -= count;
        }
        // Killed in the midst of whatever it does.
        let mut requests = receiver.requests.subscribe();
        let enough = *requests.borrow_and_update() + 1 + dice.below(60) as u64;
        let _ = tokio::time::timeout(PATIENCE, requests.wait_for(|it| *it >= enough)).await;
        world.kill();
        world.start_service().await;
    }
    assert_eq!(sent.len(), size.submissions);
    settle(&world, &receiver, &sent).await;
}

/// What goes wrong when: throttles early, the token in the middle.
async fn change_the_world(world: &Outside, burst: usize, bursts: usize) {
    let tenth = |nth: usize| bursts * nth / 10;
    if burst == tenth(1) {
        world.switch("leads_throttled", Some("20")).await;
    }
    if burst == tenth(3) {
        world.switch("leads_throttled", None).await;
    }
    if burst == tenth(4) {
        world.switch("dead_tokens", Some("460")).await;
    }
    if burst == tenth(6) {
        world.switch("dead_tokens", None).await;
        world.consent().await;
    }
}

/// The world is kind again, and what waits is tried at once instead of at its time. Then nothing may be missing.
async fn settle(world: &Outside, receiver: &Receiver, sent: &BTreeSet<String>) {
    world.switch("failing", None).await;
    let account = &world.account;
    let mut after = 0;
    while receiver.leads() != sent.len() || world.missing().await != 0 {
        world.api(Method::POST, &format!("/v1/accounts/{account}/forms/sweep"), None).await;
        world.api(Method::POST, &format!("/v1/accounts/{account}/leads/retry"), None).await;
        for endpoint in world.api(Method::GET, "/v1/endpoints", None).await["data"].as_array().unwrap() {
            let path = format!("/v1/endpoints/{}/recover", endpoint["id"].as_str().unwrap());
            world.api(Method::POST, &path, None).await;
        }
        // Until something happens, or a second has gone.
        let path = format!("/v1/events?after={after}&limit=100&wait=1");
        let events = world.api(Method::GET, &path, None).await;
        after = events["data"].as_array().unwrap().last().map_or(after, |it| it["seq"].as_i64().unwrap());
    }
    let lost: Vec<_> = sent.iter().filter(|lead| !receiver.has(lead)).collect();
    assert!(lost.is_empty(), "not delivered: {lost:?}");
    assert_eq!(receiver.doubled(), Vec::<String>::new(), "more than one event for a lead");
    assert_eq!(receiver.unsigned(), 0);
}
