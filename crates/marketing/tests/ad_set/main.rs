//! The ad set check, from outside.

mod campaign;
mod old_names;
mod properties;
mod reading;
mod rules;
mod support;
mod tables;
