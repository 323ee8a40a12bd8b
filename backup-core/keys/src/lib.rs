//! Keys: make, wrap, unwrap, sign, check.
