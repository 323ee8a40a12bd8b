//! What is in a snapshot of the story: a database, and folders with names that nobody would choose.

use std::sync::Arc;

use admin_gui::state::{Answer, Growing, Place, Question, State};
use backup_model::{
    Aspect, Change, Difference, Digest, EntryInfo, EntryKind, SnapshotDetail, SnapshotName, Table,
    TableKind, Tables,
};

use super::{ago, answers, at, hear, live, restores};

pub(crate) fn snapshot() -> SnapshotName {
    "webui-db/41".parse().unwrap()
}

fn entry(path: &str, kind: EntryKind, size_bytes: u64) -> EntryInfo {
    EntryInfo {
        stream: "config".to_owned(),
        path: path.to_owned(),
        path_hex: None,
        kind,
        size_bytes,
        mode: if kind == EntryKind::Directory {
            0o755
        } else {
            0o640
        },
        uid: 1000,
        gid: 1000,
        modified: Some(ago(i64::try_from(size_bytes % 90_000).unwrap())),
        target: (kind == EntryKind::Symlink).then(|| "../secrets/current".to_owned()),
        digest: Digest([3; 32]),
    }
}

fn entries() -> Vec<EntryInfo> {
    let file = |path: &str, size| entry(path, EntryKind::File, size);
    let folder = |path: &str| entry(path, EntryKind::Directory, 0);
    vec![
        folder("srv/webui"),
        folder("srv/webui/config"),
        file("srv/webui/config/config.json", 18_204),
        file("srv/webui/config/mcpo.json", 2_310),
        folder("srv/webui/uploads"),
        file("srv/webui/uploads/report 2026.pdf", 4_301_203),
        file("srv/webui/uploads/two\nlines.txt", 12),
        file("srv/webui/uploads/\u{202e}gnp.exe", 77_001),
        file(
            &format!("srv/webui/uploads/{}.bin", "very-long-name-".repeat(14)),
            901,
        ),
        entry("srv/webui/current", EntryKind::Symlink, 0),
        file("srv/webui/.env", 640),
        file("srv/webui/docker-compose.yml", 1_802),
        file("srv/webui/webui.db-backup", 13_921_280),
    ]
}

fn table(schema: &str, name: &str, rows: Option<u64>, bytes: u64) -> Table {
    Table {
        schema: schema.to_owned(),
        name: name.to_owned(),
        kind: TableKind::Table,
        rows,
        bytes,
    }
}

/// The tables of the story's database, one of them with a name that nobody would choose.
pub(crate) fn tables() -> Tables {
    let list = vec![
        table("public", "chat", Some(41_207), 1_610_612_736),
        Table {
            kind: TableKind::Partitioned,
            ..table("public", "event", None, 0)
        },
        table("public", "event_2026", Some(910_004), 402_653_184),
        table("public", "user", Some(312), 155_648),
        table("stats", "two\nlines", None, 8_192),
    ];
    Tables { total: 5, list }
}

/// The snapshot opened with a key, all of it known.
pub(crate) fn opened() -> State {
    opened_with(Some(&tables()))
}

/// The same with what is known of its database's tables.
pub(crate) fn opened_with(tables: Option<&Tables>) -> State {
    let mut state = at(
        restores::unlocked(live()),
        Place::Contents(snapshot(), None),
    );
    hear_detail(&mut state, tables);
    let mut growing = Growing::default();
    for entry in entries() {
        growing.add(&entry);
    }
    let tree = Answer::Tree(Arc::new(growing.done()));
    hear(&mut state, Question::Tree(snapshot()), tree);
    state
}

/// The same before its files have come.
pub(crate) fn opening() -> State {
    let mut state = at(
        restores::unlocked(live()),
        Place::Contents(snapshot(), None),
    );
    hear_detail(&mut state, Some(&tables()));
    state
}

fn hear_detail(state: &mut State, tables: Option<&Tables>) {
    let all = answers::snapshots();
    let mut good = all.iter().filter_map(|run| run.as_ref().ok());
    let info = good.find(|info| info.snapshot == snapshot()).unwrap();
    let plan = restores::plan(Vec::new());
    let mut streams: Vec<_> = plan.steps.into_iter().map(|step| step.stream).collect();
    for database in streams
        .iter_mut()
        .filter_map(|stream| stream.database.as_mut())
    {
        database.tables = tables.cloned();
    }
    let detail = SnapshotDetail {
        info: info.clone(),
        streams: Some(streams),
    };
    hear(
        state,
        Question::Contents(snapshot()),
        Answer::Contents(detail),
    );
}

/// A million files in one folder.
pub(crate) fn million() -> State {
    let mut state = opening();
    let mut growing = Growing::default();
    for number in 0..1_000_000_u64 {
        growing.add(&entry(
            &format!("srv/{number:07}.eml"),
            EntryKind::File,
            number,
        ));
    }
    let tree = Answer::Tree(Arc::new(growing.done()));
    hear(&mut state, Question::Tree(snapshot()), tree);
    state
}

/// Compared with the snapshot before it.
pub(crate) fn compared() -> State {
    let before: SnapshotName = "webui-db/40".parse().unwrap();
    let mut state = at(opened(), Place::Contents(snapshot(), Some(before.clone())));
    let of = |change, aspects: Vec<Aspect>, path: &str, sizes: [Option<u64>; 2]| {
        let [before, after] = sizes.map(|size| {
            let size = size?;
            Some(Box::new(entry(path, EntryKind::File, size)))
        });
        Difference::Entry {
            change,
            aspects,
            before,
            after,
        }
    };
    let all = vec![
        of(
            Change::Added,
            Vec::new(),
            "srv/webui/uploads/report 2026.pdf",
            [None, Some(4_301_203)],
        ),
        of(
            Change::Changed,
            vec![Aspect::Size, Aspect::Modified],
            "srv/webui/config/config.json",
            [Some(18_003), Some(18_204)],
        ),
        of(
            Change::Removed,
            Vec::new(),
            "srv/webui/uploads/old.pdf",
            [Some(120_000), None],
        ),
    ];
    let question = Question::Differences(before, snapshot());
    hear(&mut state, question, Answer::Differences(Arc::new(all)));
    state
}
