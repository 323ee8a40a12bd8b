//! The icons by name.

use egui::{Color32, Painter, Pos2, Response, Sense, Ui, Vec2};

use super::{drawings, pen::Pen};
use crate::kit::tokens::line;

/// A picture for a thing or an action. It never stands for a state: those have a [`crate::kit::Mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is a picture of what its name says")]
pub enum Icon {
    Overview,
    Jobs,
    Snapshots,
    Restore,
    Verification,
    Keys,
    Health,
    Audit,
    Settings,
    Server,
    Lock,
    Search,
    Bell,
    Database,
    Folder,
    File,
    Table,
    Hold,
    Clock,
    User,
    Download,
    Print,
    Terminal,
    Copy,
    Filter,
    Link,
    Refresh,
    Cross,
    Tick,
    Plus,
    Minus,
    Arrow,
    ChevronUp,
    ChevronDown,
    ChevronLeft,
    ChevronRight,
    HardwareKey,
    PaperKit,
    Gauge,
    Config,
    More,
    Eye,
}

impl Icon {
    /// All of them, in the order of the list above.
    pub const ALL: &[Self] = &[
        Self::Overview,
        Self::Jobs,
        Self::Snapshots,
        Self::Restore,
        Self::Verification,
        Self::Keys,
        Self::Health,
        Self::Audit,
        Self::Settings,
        Self::Server,
        Self::Lock,
        Self::Search,
        Self::Bell,
        Self::Database,
        Self::Folder,
        Self::File,
        Self::Table,
        Self::Hold,
        Self::Clock,
        Self::User,
        Self::Download,
        Self::Print,
        Self::Terminal,
        Self::Copy,
        Self::Filter,
        Self::Link,
        Self::Refresh,
        Self::Cross,
        Self::Tick,
        Self::Plus,
        Self::Minus,
        Self::Arrow,
        Self::ChevronUp,
        Self::ChevronDown,
        Self::ChevronLeft,
        Self::ChevronRight,
        Self::HardwareKey,
        Self::PaperKit,
        Self::Gauge,
        Self::Config,
        Self::More,
        Self::Eye,
    ];

    /// The usual size.
    pub const SIZE: f32 = 16.0;

    /// Draws it around a point.
    pub fn paint(self, painter: &Painter, centre: Pos2, size: f32, colour: Color32) {
        Pen::new(painter, centre, size, line::ICON, colour).draw(drawings::of(self));
    }

    /// Draws it in the usual size as the next thing of the layout. Whoever uses it has a word
    /// beside it: alone it says nothing to those who do not see it.
    pub fn ui(self, ui: &mut Ui, colour: Color32) -> Response {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(Self::SIZE), Sense::hover());
        self.paint(ui.painter(), rect.center(), Self::SIZE, colour);
        response
    }
}
