//! The call log, written behind the calls.
