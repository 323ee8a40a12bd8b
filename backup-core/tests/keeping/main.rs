//! Forget, hold and prune on real code: what is dead stays dead, what is held stays, what nobody
//! names goes, and whatever is not signed by the right key stops everything.

#[cfg(test)]
mod altered;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod cycle;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod removed;
#[cfg(test)]
mod sixty_days;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
