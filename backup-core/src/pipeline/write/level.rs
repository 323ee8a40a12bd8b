//! The zstd level of blocks: fast when compression holds the backup up, stronger when it has time.
//!
//! A pure controller: it is told how each block went, and says how the next one is compressed. It
//! owns no thread, queue or clock. What it must tell apart is *blocks that wait for workers*, when
//! a lower level helps, from *workers that wait to hand on* what they compressed: then the queue
//! before them is full too, but the store is slow, and a stronger level leaves less to upload.

use std::time::Duration;

const LOWEST: i32 = 1;
/// Higher levels need more memory for each worker than the process has to spare.
const HIGHEST: i32 = 7;
const FIRST: i32 = 3;

/// Blocks of one mind, for each worker, before the level goes down. More than one, as with each
/// step those that the others are at work on still tell of the level before.
const DOWN_AFTER: u32 = 2;
/// The same before it goes up. Each step down doubles it, so that a level that proved too high is
/// tried again ever more rarely.
const UP_AFTER: u32 = 8;
const UP_AFTER_MAX: u32 = 512;

/// How the level is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelMode {
    /// Always this one, so that the same input gives the same bytes.
    Fixed(i32),
    /// By how busy the pipeline is.
    Adaptive,
}

/// How one block went.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// The time of a core that its compression took.
    pub cpu: Duration,
    /// The time that it took by the clock.
    pub wall: Duration,
    /// How long its worker had waited until the block before was taken off its hands.
    pub held: Duration,
    /// Blocks left in the queue when this one was taken out of it.
    pub waiting: usize,
    /// Blocks that the queue has room for.
    pub capacity: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Lower,
    Stay,
    Higher,
}

impl Observation {
    fn wish(&self) -> Wish {
        let contended = self.wall > self.cpu + self.cpu / 4;
        let held_up = self.held > self.wall / 4;
        let backlog = self.waiting > 0 && self.waiting >= self.capacity.div_ceil(2);
        if contended || (backlog && !held_up) {
            Wish::Lower
        } else if held_up || self.waiting == 0 {
            Wish::Higher
        } else {
            Wish::Stay
        }
    }
}

/// Chooses the level of each block.
#[derive(Debug)]
pub struct LevelControl {
    mode: LevelMode,
    workers: u32,
    level: i32,
    wish: Wish,
    /// How many blocks in a row had this wish.
    agreed: u32,
    up_after: u32,
}

impl LevelControl {
    /// For this many workers, which all tell it about their blocks.
    pub fn new(mode: LevelMode, workers: u32) -> Self {
        Self {
            level: match mode {
                LevelMode::Fixed(level) => level,
                LevelMode::Adaptive => FIRST,
            },
            mode,
            workers: workers.max(1),
            wish: Wish::Stay,
            agreed: 0,
            up_after: UP_AFTER,
        }
    }

    /// The level now, for the first blocks.
    pub fn level(&self) -> i32 {
        self.level
    }

    /// The level of the next block, after one that went like this.
    pub fn next(&mut self, block: &Observation) -> i32 {
        if self.mode != LevelMode::Adaptive {
            return self.level;
        }
        let wish = block.wish();
        self.agreed = if wish == self.wish {
            self.agreed + 1
        } else {
            1
        };
        self.wish = wish;
        match wish {
            Wish::Lower if self.agreed >= DOWN_AFTER * self.workers => {
                if self.level > LOWEST {
                    self.level -= 1;
                    self.up_after = (self.up_after * 2).min(UP_AFTER_MAX);
                }
                self.agreed = 0;
            }
            Wish::Higher if self.agreed >= self.up_after * self.workers => {
                self.level = (self.level + 1).min(HIGHEST);
                self.agreed = 0;
            }
            Wish::Lower | Wish::Stay | Wish::Higher => {}
        }
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of 10 ms on an idle machine, out of an empty queue.
    const IDLE: Observation = Observation {
        cpu: Duration::from_millis(10),
        wall: Duration::from_millis(10),
        held: Duration::ZERO,
        waiting: 0,
        capacity: 8,
    };
    const BACKLOG: Observation = Observation { waiting: 6, ..IDLE };
    const CONTENDED: Observation = Observation {
        wall: Duration::from_millis(15),
        ..IDLE
    };
    /// The store is slow: the queue is full because the workers wait for it.
    const SLOW_STORE: Observation = Observation {
        waiting: 8,
        held: Duration::from_millis(200),
        ..IDLE
    };
    const BUSY: Observation = Observation { waiting: 2, ..IDLE };

    fn control() -> LevelControl {
        LevelControl::new(LevelMode::Adaptive, 2)
    }

    /// The levels that so many blocks of a kind lead through.
    fn levels(control: &mut LevelControl, block: &Observation, count: usize) -> Vec<i32> {
        let mut levels: Vec<i32> = (0..count).map(|_| control.next(block)).collect();
        levels.dedup();
        levels
    }

    #[test]
    fn it_begins_at_3_and_stays_while_all_is_well() {
        assert_eq!(control().level(), 3);
        assert_eq!(levels(&mut control(), &BUSY, 1000), [3]);
    }

    #[test]
    fn a_source_that_shares_the_cores_gets_them() {
        assert_eq!(levels(&mut control(), &CONTENDED, 1000), [3, 2, 1]);
        let mut control = control();
        // Idle for moments, as when the source reads from disk.
        for _ in 0..100 {
            levels(&mut control, &CONTENDED, 8);
            levels(&mut control, &IDLE, 8);
            assert!(control.level() <= 3);
        }
        assert_eq!(control.level(), 1);
    }

    #[test]
    fn blocks_that_wait_for_workers_are_a_reason_to_hurry() {
        assert_eq!(levels(&mut control(), &BACKLOG, 1000), [3, 2, 1]);
    }

    #[test]
    fn workers_that_wait_for_the_store_or_for_work_have_time() {
        assert_eq!(levels(&mut control(), &SLOW_STORE, 1000), [3, 4, 5, 6, 7]);
        assert_eq!(levels(&mut control(), &IDLE, 1000), [3, 4, 5, 6, 7]);
    }

    #[test]
    fn one_odd_block_changes_nothing() {
        let mut control = control();
        for _ in 0..100 {
            control.next(&CONTENDED);
            assert_eq!(levels(&mut control, &BUSY, 10), [3]);
        }
    }

    #[test]
    fn a_level_that_proved_too_high_is_tried_ever_more_rarely() {
        let mut control = control();
        // Level 4 is more than the workers can do; 3 leaves them idle.
        let mut steps = 0;
        for _ in 0..10_000 {
            let before = control.level();
            let block = if before > 3 { BACKLOG } else { IDLE };
            steps += u32::from(control.next(&block) != before);
        }
        assert!((2..50).contains(&steps), "{steps} steps");
    }

    #[test]
    fn a_fixed_level_is_fixed() {
        let mut control = LevelControl::new(LevelMode::Fixed(5), 2);
        for block in [IDLE, BACKLOG, CONTENDED, SLOW_STORE] {
            assert_eq!(levels(&mut control, &block, 100), [5]);
        }
    }
}
