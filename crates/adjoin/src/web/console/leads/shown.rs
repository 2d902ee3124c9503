//! Which leads the inbox shows: one word in the address for what the service filters by.

use std::str::FromStr;

use crate::service::leads::{Cause, Filter, Status};

/// Which leads a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    #[default]
    All,
    /// About to be read from Meta.
    Waiting,
    /// Not read yet for a cause: for this one, or for any.
    Parked(Option<Cause>),
    /// Meta does not have them any more.
    Gone,
    /// Read, and not taken by an endpoint yet.
    Undelivered,
    Delivered,
    Erased,
    /// Kept for as long as the account wanted.
    Expired,
}

impl Shown {
    pub const ALL: [Self; 12] = [
        Self::All,
        Self::Waiting,
        Self::Parked(None),
        Self::Parked(Some(Cause::Token)),
        Self::Parked(Some(Cause::Access)),
        Self::Parked(Some(Cause::Throttle)),
        Self::Parked(Some(Cause::Passing)),
        Self::Gone,
        Self::Undelivered,
        Self::Delivered,
        Self::Erased,
        Self::Expired,
    ];

    /// As it stands in the address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Waiting => "waiting",
            Self::Parked(None) => "parked",
            Self::Parked(Some(Cause::Token)) => "parked_token",
            Self::Parked(Some(Cause::Access)) => "parked_access",
            Self::Parked(Some(Cause::Throttle)) => "parked_throttle",
            Self::Parked(Some(Cause::Passing)) => "parked_passing",
            Self::Gone => "gone",
            Self::Undelivered => "undelivered",
            Self::Delivered => "delivered",
            Self::Erased => "erased",
            Self::Expired => "expired",
        }
    }

    pub fn filter(self, form_id: &str) -> Filter {
        let filter =
            Filter { form_id: Some(form_id.to_owned()).filter(|it| !it.is_empty()), ..Filter::default() };
        match self {
            Self::All => filter,
            Self::Waiting => Filter { status: Some(Status::Seen), ..filter },
            Self::Parked(cause) => Filter { status: Some(Status::Parked), cause, ..filter },
            Self::Gone => Filter { status: Some(Status::Gone), ..filter },
            Self::Undelivered => Filter { status: Some(Status::Hydrated), delivered: Some(false), ..filter },
            Self::Delivered => Filter { delivered: Some(true), ..filter },
            Self::Erased => Filter { status: Some(Status::Erased), ..filter },
            Self::Expired => Filter { status: Some(Status::Expired), ..filter },
        }
    }
}

impl FromStr for Shown {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_has_a_word_of_its_own() {
        for shown in Shown::ALL {
            assert_eq!(shown.as_str().parse(), Ok(shown));
        }
        assert_eq!("nothing".parse::<Shown>(), Err(()));
    }
}
