//! Kits are made, written, broken, read, printed and proved.

mod broken;
mod page;
mod proof;
mod round_trip;
mod world;
