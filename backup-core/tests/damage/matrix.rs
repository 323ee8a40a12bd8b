//! Each kind of object, damaged in each way, then each operation.

use backup_core::codec::compress_frame;
use object_store::{ObjectStoreExt as _, path::Path};

use super::{
    examine::Case,
    pristine::{Pristine, get, keys, put, sealed, store},
    table::{FINE, KINDS, Row, Says::NoEnd},
};

/// The object in all the ways that it can be there and wrong.
async fn changes(pristine: &Pristine, kind: &str, key: &str) -> Vec<(String, Vec<u8>)> {
    let copy = pristine.copy(kind).await;
    let whole = get(&copy, key).await.to_vec();
    let len = whole.len();
    let mut changes = vec![
        ("empty".to_owned(), Vec::new()),
        ("a trailing byte".to_owned(), [&whole[..], b"\n"].concat()),
        ("doubled".to_owned(), whole.repeat(2)),
    ];
    for cut in [1, len / 4, len / 2, len - 17, len - 2, len - 1] {
        changes.push((format!("cut to {cut}"), whole[..cut].to_vec()));
    }
    let step = (len / 40).max(1);
    for (turn, at) in (0..len).step_by(step).chain([len - 1]).enumerate() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (turn % 8);
        changes.push((format!("bit {} of byte {at} flipped", turn % 8), flipped));
    }
    // Others of its kind, from here and from another repository.
    let folder = key.split('/').next().unwrap();
    for other in keys(&pristine.inner, folder).await {
        let found = get(&pristine.inner, &other).await;
        if found != whole {
            changes.push((format!("swapped with {other}"), found.to_vec()));
        }
    }
    let repository = pristine.world.open(&store(&pristine.inner)).await.unwrap();
    let (_, recipient) = repository.current_epoch().unwrap();
    let text = compress_frame(b"well encrypted, of no use\n").unwrap();
    changes.push(("encrypted anew".to_owned(), sealed(&text, &recipient)));
    changes
}

#[tokio::test]
async fn damage_is_seen_where_it_is_promised_and_named() {
    let pristine = Pristine::new().await;
    let stranger = Pristine::new().await;
    let mut cases = 0;
    for kind in &KINDS {
        let (key, snapshots) = pristine.object(kind.name);
        let case = |action: &str, row| Case {
            kind: kind.name,
            action: action.to_owned(),
            key: &key,
            snapshots: &snapshots,
            row,
        };
        let copy = pristine.copy(kind.name).await;
        pristine
            .examine(
                &copy,
                &case(
                    "left alone",
                    match kind.name {
                        "session without an end" => Row {
                            list: NoEnd,
                            storage: NoEnd,
                            data: NoEnd,
                            ..FINE
                        },
                        _ => FINE,
                    },
                ),
            )
            .await;
        copy.delete(&Path::from(key.as_str())).await.unwrap();
        pristine
            .examine(&copy, &case("missing", kind.missing))
            .await;
        cases += 2;
        let mut changes = changes(&pristine, kind.name, &key).await;
        let (other, _) = stranger.object(kind.name);
        let foreign = stranger.copy(kind.name).await;
        changes.push((
            "of another repository".to_owned(),
            get(&foreign, &other).await.to_vec(),
        ));
        for (action, bytes) in changes {
            let copy = pristine.copy(kind.name).await;
            put(&copy, &key, &bytes).await;
            pristine.examine(&copy, &case(&action, kind.changed)).await;
            cases += 1;
        }
    }
    println!(
        "damage matrix: {} kinds, {cases} cases, 5 operations each",
        KINDS.len()
    );
    assert!(cases > 500);
}
