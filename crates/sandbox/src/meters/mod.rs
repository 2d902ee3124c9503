//! Rate limits and the usage headers that tell of them.
