//! Idempotency keys of writes.
