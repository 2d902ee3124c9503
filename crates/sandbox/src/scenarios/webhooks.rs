use std::time::Duration;

use super::{Scenario, Scenarios};
use crate::world::webhooks::{Batching, MAX_CHANGES};

/// What the scenarios do to webhooks.
#[derive(Debug, Clone, Copy)]
pub struct WebhookFaults {
    pub off: bool,
    /// Percent.
    pub loss: u32,
    /// Percent.
    pub duplicates: u32,
    /// Changes are held back by up to this long.
    pub reorder: Duration,
    pub batching: Batching,
    pub bad_signature: bool,
}

impl Scenarios {
    pub fn webhook_faults(&self) -> WebhookFaults {
        let mut faults = WebhookFaults {
            off: self.on.contains_key("webhooks_off"),
            loss: 0,
            duplicates: 0,
            reorder: Duration::ZERO,
            batching: Batching { max: MAX_CHANGES, linger: Duration::ZERO },
            bad_signature: self.on.contains_key("bad_signature"),
        };
        for scenario in self.on.values() {
            match scenario {
                Scenario::WebhookLoss(percent) => faults.loss = *percent,
                Scenario::WebhookDuplicates(percent) => faults.duplicates = *percent,
                Scenario::WebhookReorder(at_most) => faults.reorder = *at_most,
                Scenario::WebhookBatch { max, linger } => {
                    faults.batching = Batching { max: *max, linger: *linger };
                }
                _ => {}
            }
        }
        faults
    }
}
