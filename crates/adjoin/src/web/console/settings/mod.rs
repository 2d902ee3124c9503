//! Settings of the whole service.

pub mod api_keys;
pub mod general;
