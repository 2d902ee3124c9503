//! Creating an ad set for a connection, with the rules shown beside the fields they are about.

mod choices;
mod draft;
pub mod form;
