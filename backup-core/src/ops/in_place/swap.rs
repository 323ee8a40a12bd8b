//! The roots of a stream, carried out: all of them are extracted and compared first, each beside
//! its root, and only then does one after another get its name. Between those there is nothing
//! left that could be damaged or run out of space.

use std::sync::Arc;

use backup_model::{
    Event, Failure, Phase, Progress, RestoreReport, RestoreStep, RestoreTarget, RestoredStream,
};
use tokio_util::sync::CancellationToken;

use crate::{
    ops::{
        OpError,
        choose::Chosen,
        plan::RestoreRequest,
        restore::{extract_into, find},
    },
    pipeline::{SnapshotReader, on_thread},
    sink::directory::{ExtractOptions, Extracted, InPlace, Replacement},
};

/// A root that waits for its swap.
struct Ready {
    stream: String,
    target: RestoreTarget,
    replacement: Replacement,
    read_bytes: u64,
    extracted: Extracted,
}

/// Replaces the roots of a stream. What is in place is in the report, also if a later one fails.
pub(in crate::ops) async fn into_place(
    snapshot: SnapshotReader,
    roots: Vec<(RestoreStep, Option<Chosen>)>,
    request: &RestoreRequest,
    report: &mut RestoreReport,
    (progress, cancel): (&Arc<dyn Progress>, &CancellationToken),
) -> Result<(), OpError> {
    let (options, stamp) = (request.extract, request.stamp.clone());
    let (progress, cancel) = (Arc::clone(progress), cancel.clone());
    let (done, result) = on_thread("restore", move || {
        let mut ready = Vec::new();
        for (step, chosen) in roots {
            let root = (step, chosen.as_ref());
            match prepare(&snapshot, root, (options, &stamp), &progress, &cancel) {
                Ok(root) => ready.push(root),
                Err(error) => return (Vec::new(), Err(error)),
            }
        }
        if cancel.is_cancelled() {
            return (Vec::new(), Err(OpError::Cancelled));
        }
        swap_all(ready)
    })
    .await?;
    for (restored, warnings) in done {
        report.streams.push(restored);
        report.warnings.extend(warnings);
    }
    result
}

/// Extracts what was chosen of a root beside it, compared and on disk.
fn prepare(
    snapshot: &SnapshotReader,
    (step, chosen): (RestoreStep, Option<&Chosen>),
    (options, stamp): (ExtractOptions, &str),
    progress: &Arc<dyn Progress>,
    cancel: &CancellationToken,
) -> Result<Ready, OpError> {
    let RestoreTarget::Folder { path } = &step.target else {
        return Err(OpError::unknown_target(&step.target));
    };
    let failed = |source| OpError::directory(path, source);
    let object = step.stream.name.clone();
    progress.event(Event::Began {
        phase: Phase::Restore,
        object: object.clone(),
        total_bytes: step.chosen.map(|chosen| chosen.length_bytes),
    });
    let source = find(snapshot, &step.stream)?;
    let mut replacement = InPlace::new(path, stamp)
        .and_then(|target| target.begin())
        .map_err(failed)?;
    let what = (&source, chosen);
    let extraction = replacement.extraction();
    let extracted = extract_into(extraction, snapshot, what, options, progress, cancel)?;
    let (read_bytes, extracted) = extracted.map_err(failed)?;
    replacement.settle().map_err(failed)?;
    progress.event(Event::Ended {
        object: object.clone(),
    });
    Ok(Ready {
        stream: object,
        target: step.target,
        replacement,
        read_bytes,
        extracted,
    })
}

type Done = Vec<(RestoredStream, Vec<Failure>)>;

fn swap_all(ready: Vec<Ready>) -> (Done, Result<(), OpError>) {
    let mut done = Vec::new();
    for root in ready {
        let swapped = match root.replacement.swap() {
            Ok(swapped) => swapped,
            Err(error) => {
                let error = match &root.target {
                    RestoreTarget::Folder { path } => OpError::directory(path, error),
                    other => OpError::unknown_target(other),
                };
                return (done, Err(error));
            }
        };
        let restored = RestoredStream {
            name: root.stream,
            target: root.target,
            kept_as: swapped.kept_as.map(|path| path.display().to_string()),
            read_bytes: root.read_bytes,
            entries: Some(root.extracted.entries),
        };
        done.push((restored, root.extracted.warnings));
    }
    (done, Ok(()))
}
