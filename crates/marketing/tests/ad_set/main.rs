//! The ad set check, from outside.

mod first_description;
mod properties;
mod reading;
mod rules;
mod support;
mod tables;
