//! A consent, from Meta's code to a verified token: what we ask Meta, and what the answers mean. Nothing here touches
//! the database.

mod assets;
mod gaps;
mod redeem;
mod verify;

pub use gaps::{AD_ACCOUNT_PERMISSIONS, PAGE_PERMISSIONS, find as find_gaps, is_of};
pub use redeem::{redeem, refused_exchange};
pub use verify::{Findings, Wanted, verify};

use adjoin_marketing::errors::Class;

use super::{MetaError, Who, connect_sessions::Refusal, meta};

/// Why there is no usable token.
#[derive(Debug)]
pub enum Failed {
    /// Meta, or a check of ours, said no; asking again changes nothing.
    Refused(Refusal),
    /// Meta could not be asked. `unspent`: the code certainly did not reach Meta, so it is still good.
    Unreachable { error: Box<MetaError>, unspent: bool },
}

impl Failed {
    fn check(title: &str, message: impl Into<String>, who: Who, next_step: &str) -> Self {
        Self::Refused(Refusal {
            code: None,
            title: title.to_owned(),
            message: message.into(),
            who,
            next_step: next_step.to_owned(),
        })
    }
}

impl From<adjoin_graph::Error> for Failed {
    fn from(error: adjoin_graph::Error) -> Self {
        let known = error
            .refusal()
            .filter(|_| !error.is_passing())
            .map(|refusal| (refusal.code, meta::known(refusal)));
        match known {
            // A limit that is used up says nothing about token or consent.
            Some((code, known)) if !matches!(known.class, Class::Throttled { .. } | Class::Temporary) => {
                Self::Refused(Refusal {
                    code,
                    title: known.title.clone(),
                    message: known.what.clone(),
                    who: known.who,
                    next_step: known.next_step.clone(),
                })
            }
            _ => {
                Self::Unreachable { error: Box::new(MetaError::explain(&error)), unspent: error.is_unsent() }
            }
        }
    }
}
