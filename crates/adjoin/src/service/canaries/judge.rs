//! What is said of a canary by how far its lead has come here.

use super::{Failure, Step, Way};
use crate::{
    service::{Who, leads},
    store::canaries::Lead,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Wait,
    Passed,
    Failed(Failure),
}

/// `over`: it was waited for long enough.
pub fn judge(lead: Option<&Lead>, over: bool) -> Verdict {
    let failed = |step, message: &str, who, next_step: &str| {
        Verdict::Failed(Failure { step, message: message.to_owned(), who, next_step: next_step.to_owned() })
    };
    let Some(lead) = lead.filter(|lead| lead.announced_at.is_some()) else {
        return match (over, lead.is_some()) {
            (false, _) => Verdict::Wait,
            (true, seen) => failed(
                Step::Webhook,
                if seen {
                    "the test lead was found by a sweep, and no webhook of Meta's named it"
                } else {
                    "no webhook of Meta's named the test lead"
                },
                Who::Partner,
                "look at the subscription of the Page and that of the app: at Lead forms in the console, or GET \
                 /v1/accounts/{account_id}/subscriptions and /v1/app-subscriptions; where both are active, look whether Meta \
                 reaches /webhooks/facebook, and at what its testing tool for Lead Ads says of this app",
            ),
        };
    };
    if lead.hydrated_at.is_none() {
        return match &lead.state.0 {
            _ if !over => Verdict::Wait,
            leads::State::Parked { message, who, next_step, .. } => {
                failed(Step::Read, message, *who, next_step)
            }
            leads::State::Gone { .. } => failed(
                Step::Read,
                "Meta named the test lead and then did not show it",
                Who::Account,
                "somebody may have deleted it meanwhile: send another canary",
            ),
            _ => failed(
                Step::Read,
                "the test lead was named and not read from Meta in time",
                Who::Partner,
                "look at the log: the service may be behind with reading leads",
            ),
        };
    }
    if !lead.is_test {
        return failed(
            Step::Read,
            "the test lead was read, and Meta did not say that it is one",
            Who::Partner,
            "tell those who receive leads that this one is a test; send another canary",
        );
    }
    match (lead.endpoints > 0 && lead.delivered_at.is_none(), over) {
        (false, _) => Verdict::Passed,
        (true, false) => Verdict::Wait,
        (true, true) => failed(
            Step::Deliver,
            "no endpoint that wants test leads took it",
            Who::Partner,
            "look at the deliveries of the endpoint and at what it answers",
        ),
    }
}

impl Way {
    /// Takes note of how far the lead has come.
    pub(super) fn follow(&mut self, lead: &Lead) {
        self.announced_at = lead.announced_at;
        self.read_at = lead.hydrated_at;
        self.delivered_at = lead.delivered_at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::Json, time::Timestamp};

    #[test]
    fn a_canary_is_lost_at_the_step_that_it_did_not_reach() {
        let at = Some(Timestamp::from_unix(1_795_514_400));
        let swept = Lead {
            state: Json(leads::State::Seen),
            is_test: true,
            announced_at: None,
            hydrated_at: None,
            delivered_at: None,
            endpoints: 0,
        };
        let announced = Lead { announced_at: at, ..swept.clone() };
        let read = Lead { hydrated_at: at, state: Json(leads::State::Hydrated), ..announced.clone() };
        let wanted = Lead { endpoints: 1, ..read.clone() };
        let unmarked = Lead { is_test: false, ..read.clone() };
        let lost = |lead: Option<&Lead>| match judge(lead, true) {
            Verdict::Failed(failure) => Some(failure.step),
            _ => None,
        };
        assert_eq!(lost(None), Some(Step::Webhook));
        assert_eq!(lost(Some(&swept)), Some(Step::Webhook));
        assert_eq!(lost(Some(&announced)), Some(Step::Read));
        assert_eq!(lost(Some(&unmarked)), Some(Step::Read));
        assert_eq!(lost(Some(&wanted)), Some(Step::Deliver));
        for lead in [None, Some(&swept), Some(&announced), Some(&wanted)] {
            assert_eq!(judge(lead, false), Verdict::Wait);
        }
        assert_eq!(judge(Some(&read), false), Verdict::Passed);
        assert_eq!(judge(Some(&Lead { delivered_at: at, ..wanted }), false), Verdict::Passed);
    }
}
