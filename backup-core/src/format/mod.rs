//! What is stored, as types: pure bytes to bytes, by `doc/format.md`.
