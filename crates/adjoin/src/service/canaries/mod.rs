//! Canaries: test leads that Adjoin sends through a form, to see that the way from Meta's webhook to the partner's endpoint
//! works before a person's lead needs it.
//!
//! Only for forms for which somebody asked. Meta allows a form one test lead: one that is not ours is left alone, and ours is
//! taken away when the run ends. That we are about to send one is written down before, so that one is known as ours even when
//! the process ends before Meta's answer.

mod judge;
mod run;
mod state;
mod view;

pub use run::step;
pub use state::{Asked, Failure, Ours, Outcome, Run, State, Step, Way};
pub use view::{Canary, Stage, UnderWay, get, run_now, set_daily};
