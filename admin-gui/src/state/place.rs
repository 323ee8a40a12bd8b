//! Where in the window somebody is.

use backup_model::{JobName, RunId, SnapshotName};

use crate::kit::Icon;

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Whether all is protected.
    Overview,
    /// This machine, which is being set up.
    SetUp,
    /// All jobs.
    Jobs,
    /// One job, and a run of it that is open.
    Job(JobName, Option<RunId>),
    /// What can be restored.
    Snapshots,
    /// What is in a snapshot, or what differs in it from an earlier one.
    Contents(SnapshotName, Option<SnapshotName>),
    /// The restores that there were, and that run.
    Restores,
    /// A restore that is being drafted.
    Draft,
    /// A restore that has begun, by its task.
    Restoring(String),
    /// What was found to be good, and how deep somebody looked.
    Verification,
    /// Who can read backups, and who can write them.
    Keys,
    /// The house around the jobs.
    Health,
    /// Who did what.
    Audit,
    /// Of this window.
    Settings,
}

/// An entry of the rail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Whether all is protected.
    Overview,
    /// All jobs, or one.
    Jobs,
    /// What can be restored.
    Snapshots,
    /// What was restored, and is to be.
    Restore,
    /// What was found to be good, and how deep somebody looked.
    Verification,
    /// Who can read backups, and who can write them.
    Keys,
    /// The house around the jobs.
    Health,
    /// Who did what.
    Audit,
    /// Of this window.
    Settings,
}

impl Screen {
    /// From top to bottom; [`Self::Settings`] stands apart.
    pub const RAIL: [Self; 8] = [
        Self::Overview,
        Self::Jobs,
        Self::Snapshots,
        Self::Restore,
        Self::Verification,
        Self::Keys,
        Self::Health,
        Self::Audit,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Jobs => "Jobs",
            Self::Snapshots => "Snapshots",
            Self::Restore => "Restore",
            Self::Verification => "Verification",
            Self::Keys => "Keys",
            Self::Health => "Health",
            Self::Audit => "Audit log",
            Self::Settings => "Settings",
        }
    }

    /// What stands before its name.
    pub const fn icon(self) -> Icon {
        match self {
            Self::Overview => Icon::Overview,
            Self::Jobs => Icon::Jobs,
            Self::Snapshots => Icon::Snapshots,
            Self::Restore => Icon::Restore,
            Self::Verification => Icon::Verification,
            Self::Keys => Icon::Keys,
            Self::Health => Icon::Health,
            Self::Audit => Icon::Audit,
            Self::Settings => Icon::Settings,
        }
    }

    /// Where somebody gets to who chooses it.
    pub const fn place(self) -> Place {
        match self {
            Self::Overview => Place::Overview,
            Self::Jobs => Place::Jobs,
            Self::Snapshots => Place::Snapshots,
            Self::Restore => Place::Restores,
            Self::Verification => Place::Verification,
            Self::Keys => Place::Keys,
            Self::Health => Place::Health,
            Self::Audit => Place::Audit,
            Self::Settings => Place::Settings,
        }
    }
}

impl Place {
    /// The entry of the rail that leads here.
    pub const fn screen(&self) -> Screen {
        match self {
            Self::Overview | Self::SetUp => Screen::Overview,
            Self::Jobs | Self::Job(..) => Screen::Jobs,
            Self::Snapshots | Self::Contents(..) => Screen::Snapshots,
            Self::Restores | Self::Draft | Self::Restoring(_) => Screen::Restore,
            Self::Verification => Screen::Verification,
            Self::Keys => Screen::Keys,
            Self::Health => Screen::Health,
            Self::Audit => Screen::Audit,
            Self::Settings => Screen::Settings,
        }
    }

    /// Where Escape leads.
    pub const fn above(&self) -> Option<Self> {
        match self {
            Self::SetUp => Some(Self::Overview),
            Self::Job(..) => Some(Self::Jobs),
            Self::Contents(..) => Some(Self::Snapshots),
            Self::Draft | Self::Restoring(_) => Some(Self::Restores),
            _ => None,
        }
    }
}
