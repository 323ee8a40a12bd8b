//! What happens: the only things that change a state.

use backup_model::{Failure, JobName, StatusReport};
use backupd_api::{Numbered, TaskInfo};

use super::{
    Answer, Deed, Draft, Home, Keep, KeySource, Known, OpenKey, Place, Question, ServerAct, Way,
};

/// Something that has happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A daemon has said how everything stands.
    Status(StatusReport),
    /// The daemon does not answer, or no more.
    Lost(Failure),
    /// A question was answered, or could not be.
    Answered(Question, Result<Answer, Failure>),
    /// A deed is begun or done: what came of it, in a few words.
    Done(Deed, Result<String, Failure>),
    /// A restore has begun on the server.
    Begun(TaskInfo),
    /// A restore has said more.
    Said(String, Vec<Numbered>),
    /// A restore is not heard any more, and why.
    Unheard(String, Failure),
    /// A key was opened, could not be, or was closed.
    Key(Result<Option<OpenKey>, Failure>),
    /// These servers are known.
    Known(Vec<Known>),
    /// Where this machine's own daemon is, or would be.
    Home(Home),
    /// This machine was set up, and the window is at its daemon.
    WasSetUp,
    /// Somebody tries to go to another server, or that did not work.
    Way(Way),
    /// Something about the servers did not work, and what.
    ServersFailed(String, Failure),
    /// Somebody at the window wants something that changes nothing elsewhere.
    Act(Act),
}

/// What somebody does in the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Goes somewhere.
    Go(Place),
    /// Goes where Escape leads.
    Up,
    /// Wants everything on the screen anew.
    Refresh,
    /// Wants to know what would stay of a job's snapshots: by the configuration, or by that.
    Try(JobName, Option<Keep>),
    /// Wants the entries of the audit log before those that were read.
    ReadOlder,
    /// Changes what is to be restored, or gives it up.
    Draft(Option<Draft>),
    /// Closes a notice.
    Close(u64),
    /// Has looked at the list of notices.
    SeeNotices,
}

/// What a screen asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// In the window.
    Act(Act),
    /// From the daemon.
    Do(Deed),
    /// An administrator's key is opened.
    OpenKey(KeySource),
    /// The key that is open is closed, and nothing of it kept.
    CloseKey,
    /// Something is done about the servers that the window knows.
    Server(ServerAct),
}

impl From<Act> for Command {
    fn from(act: Act) -> Self {
        Self::Act(act)
    }
}

impl From<ServerAct> for Command {
    fn from(act: ServerAct) -> Self {
        Self::Server(act)
    }
}

impl From<Deed> for Command {
    fn from(deed: Deed) -> Self {
        Self::Do(deed)
    }
}
