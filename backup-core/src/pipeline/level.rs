//! x
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
/// mode
pub enum LevelMode {
    /// fixed
    Fixed(i32),
    /// adaptive
    Adaptive,
}
pub(super) struct Levels(i32);
pub(super) struct Observation { pub(super) cpu_secs: f64, pub(super) wall_secs: f64, pub(super) waiting: usize, pub(super) workers: usize }
impl Levels {
    pub(super) fn new(mode: LevelMode) -> Self { Self(match mode { LevelMode::Fixed(n) => n, LevelMode::Adaptive => 3 }) }
    pub(super) fn level(&self) -> i32 { self.0 }
    pub(super) fn observe(&mut self, _o: &Observation) {}
}
