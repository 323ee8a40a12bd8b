//! Each task of upkeep on real repositories; and the arithmetic of the rolling verification over
//! random histories.

mod fixture;
mod keeping;
mod probing;
mod rolling;
mod verifying;
