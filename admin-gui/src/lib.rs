//! The windows of backupd: what stands between an administrator and the daemon's API.
//!
//! Things go one way round: [`link`] hears from a daemon and gives events; [`state`] changes by
//! events alone; [`views`] draw it and give commands; the [`app`] hands those to the link. What
//! everything is drawn with is the [`kit`].

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between pixels and numbers of things, always small"
)]

pub mod app;
mod clock;
pub mod kit;
pub mod link;
pub mod servers;
pub mod state;
mod switchboard;
pub mod views;
