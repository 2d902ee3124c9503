use adjoin_marketing::permissions;

use super::{Connection, GapKind};
use crate::service::Who;

/// How a permission comes about that a connection lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    pub who: Who,
    pub next_step: String,
}

impl Connection {
    /// Who can see to it that the account grants a permission, and how. Asking again helps against a refusal of the
    /// person's alone: what Meta withheld is the app's to mend, and what nobody asked for the setup's.
    pub fn remedy(&self, permission: &str) -> Remedy {
        let gap = self.state.gaps().iter().find(|gap| match &gap.kind {
            GapKind::PermissionDeclined { permission: missing }
            | GapKind::PermissionMissing { permission: missing } => missing == permission,
            _ => false,
        });
        if let Some(gap) = gap {
            return Remedy { who: gap.who, next_step: gap.next_step.clone() };
        }
        if self.wanted.iter().any(|wanted| wanted == permission) {
            return Remedy {
                who: Who::Account,
                next_step: format!("let the account's user connect again and allow {permission} at Facebook"),
            };
        }
        let cases: Vec<String> = permissions::use_cases()
            .iter()
            .filter(|case| case.scopes().contains(&permission))
            .map(|case| format!("“{}”", case.title))
            .collect();
        let brings = if cases.is_empty() {
            "it is named under Permissions beyond those".to_owned()
        } else {
            format!("the use case {} is ticked", cases.join(" or "))
        };
        Remedy {
            who: Who::Partner,
            next_step: format!(
                "this consent did not ask for it: see at Connectors > Facebook Marketing API > Setup that {brings}, then \
                 let the account connect again"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{AccountId, ConnectionId},
        service::connections::{Assets, Gap, State},
        time::Timestamp,
    };

    #[test]
    fn who_declined_who_withheld_and_what_was_never_asked_for_are_told_apart() {
        let gap = |kind, who, next_step: &str| Gap {
            kind,
            message: String::new(),
            who,
            next_step: next_step.to_owned(),
        };
        let name = |permission: &str| permission.to_owned();
        let now = Timestamp::from_unix(0);
        let connection = Connection {
            id: ConnectionId::new(),
            account_id: AccountId::new(),
            state: State::ConnectedWithGaps {
                gaps: vec![
                    gap(
                        GapKind::PermissionDeclined { permission: name("ads_management") },
                        Who::Account,
                        "ask",
                    ),
                    gap(GapKind::PermissionMissing { permission: name("ads_read") }, Who::Partner, "review"),
                ],
            },
            subject: None,
            token: None,
            wanted: vec![name("ads_management"), name("ads_read")],
            granted: Vec::new(),
            declined: vec![name("ads_management")],
            assets: Assets::default(),
            created_at: now,
            connected_at: None,
            checked_at: None,
            updated_at: now,
        };
        let remedy = |permission| {
            let Remedy { who, next_step } = connection.remedy(permission);
            (who, next_step)
        };
        assert_eq!(remedy("ads_management"), (Who::Account, "ask".to_owned()));
        assert_eq!(remedy("ads_read"), (Who::Partner, "review".to_owned()));
        let (who, next_step) = remedy("leads_retrieval");
        assert!(who == Who::Partner && next_step.contains("the use case “Leads” is ticked"), "{next_step}");
        let (_, next_step) = remedy("catalog_management");
        assert!(next_step.contains("Permissions beyond those"), "{next_step}");
    }
}
