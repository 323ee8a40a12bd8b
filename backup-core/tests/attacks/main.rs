//! Attacks on a repository by somebody who may write to its store and knows whom its data is
//! encrypted to; some of them have a writer's key besides. Each is one function and one row of
//! the table in `table.rs`; each is done to a repository of its own, then everybody looks.

#[cfg(test)]
mod data;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod roots;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod stage;
#[cfg(test)]
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod table;
#[cfg(test)]
mod victim;
