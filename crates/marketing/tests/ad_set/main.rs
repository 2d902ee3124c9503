//! The ad set check, from outside.

mod old_names;
mod properties;
mod reading;
mod rules;
mod support;
mod tables;
