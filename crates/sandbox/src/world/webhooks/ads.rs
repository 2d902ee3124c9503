//! What happens to ad objects, as the webhooks of their ad account tell it. Source: ads-webhooks.

use serde_json::{Value, json};

use super::{Alert, Event};
use crate::world::{
    World,
    objects::{ObjectKind, Status},
};

impl World {
    /// Sets the status of an object, and tells whom it concerns which effective statuses changed with it.
    pub fn set_status(&mut self, id: u64, status: Status) {
        let now = self.clock.unix();
        let Some(account) = self.objects.get(id).map(|object| object.account) else { return };
        if !self.webhooks.account_is_watched(account) {
            self.objects.set_status(id, status, now);
            return;
        }
        let before = self.effective_statuses(id);
        self.objects.set_status(id, status, now);
        let after = self.effective_statuses(id);
        for (old, new) in before.iter().zip(&after) {
            if old.1 == new.1 {
                continue;
            }
            let Some(kind) = self.objects.get(old.0).and_then(|object| level(object.kind)) else { continue };
            let object_id = self.id_value(old.0);
            let value = json!({
                "object_id": object_id,
                "object_type": kind,
                "changed_fields": ["effective_status"],
            });
            self.raise(&Event::of_account(account, "effective_status", value));
        }
    }

    /// An alert comes true for an object.
    pub fn raise_alert(&mut self, alert: &Alert, id: u64, kind: &str, current: Option<String>) {
        let [subscription, account, object] = [alert.id, alert.account, id].map(|id| self.id_value(id));
        let mut value = json!({
            "subscription_id": subscription,
            "account_id": account,
            "object_id": object,
            "object_type": kind,
        });
        if let Some(field) = &alert.field {
            value["field"] = field.as_str().into();
            value["current_value"] = current.into();
        }
        let event = Event::of_account(alert.account, "subscriptions", value);
        self.raise(&Event { app: Some(alert.app.clone()), ..event });
    }

    /// The object and all below it, with what is in force for each.
    fn effective_statuses(&self, id: u64) -> Vec<(u64, &'static str)> {
        let below = [ObjectKind::AdSet, ObjectKind::Ad]
            .into_iter()
            .flat_map(|kind| self.objects.children(id, kind).ids.iter().copied());
        std::iter::once(id)
            .chain(below)
            .filter_map(|id| Some((id, self.objects.effective_status(self.objects.get(id)?))))
            .collect()
    }

    /// An id as Meta writes it now and then: as a number or as a string.
    pub fn id_value(&mut self, id: u64) -> Value {
        if self.draw().is_multiple_of(2) { id.into() } else { id.to_string().into() }
    }
}

/// `campaign`, `adset` or `ad`.
pub fn level(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::Campaign => Some("campaign"),
        ObjectKind::AdSet => Some("adset"),
        ObjectKind::Ad => Some("ad"),
        ObjectKind::AdCreative | ObjectKind::AdVideo => None,
    }
}
