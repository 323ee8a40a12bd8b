//! Whether the log is as it was written: each entry names the one before, and snapshots name
//! entries.

use egui::Ui;

use super::Sight;
use crate::kit::{
    Badge, Mark,
    card::frame,
    finding::{Finding, finding},
    tokens::space,
    words,
};

/// So many faults are told; the command line tells all.
const TOLD: usize = 4;

/// What came of checking it, in a badge.
pub(super) fn badge(ui: &mut Ui, sight: &Sight<'_>) {
    let view = sight.state.audit_check();
    let (mark, said) = match (view.value, view.failure) {
        (_, Some(_)) => (Mark::Unknown, "Not verified".to_owned()),
        (None, None) if sight.is_live() => (Mark::Unknown, "Verifying…".to_owned()),
        (None, None) => return,
        (Some(check), None) => match (check.faults.len(), check.last) {
            (0, Some(last)) => {
                let said = format!("Verified to entry {}", words::count(last));
                (Mark::Ok, said)
            }
            (0, None) => return,
            (1, _) => (Mark::Failed, "1 fault".to_owned()),
            (faults, _) => (Mark::Failed, format!("{faults} faults")),
        },
    };
    if sight.is_live() {
        ui.add(Badge::new(mark, &said));
    } else {
        let said = format!("Unknown, was {}", said.to_lowercase());
        ui.add(Badge::new(Mark::Unknown, &said));
    }
}

/// Everything that is not as it was written, or why that is not known.
pub(super) fn faults(ui: &mut Ui, sight: &Sight<'_>) {
    let view = sight.state.audit_check();
    if let Some(failure) = view.failure {
        super::trouble(ui, "Not verified", failure);
        return;
    }
    let faults = view.value.map_or(&[][..], |check| &check.faults);
    if faults.is_empty() {
        return;
    }
    let told = faults.len().min(TOLD);
    let rest = faults.len() - told;
    frame(ui).show(ui, |ui| {
        for (at, fault) in faults[..told].iter().enumerate() {
            let place = match (&fault.file, fault.line) {
                (Some(file), Some(line)) => format!("{file}, line {line}"),
                (Some(file), None) => file.clone(),
                (None, _) => String::new(),
            };
            let fault = Finding {
                mark: Mark::Failed,
                name: "Not as written",
                sentence: &fault.what,
                fix: &place,
                code: "",
                action: "",
            };
            finding(ui, &fault, at + 1 == told && rest == 0);
        }
        if rest > 0 {
            let more = Finding {
                mark: Mark::Failed,
                name: "Not as written",
                sentence: &format!("{rest} more: backupctl audit verify"),
                fix: "",
                code: "",
                action: "",
            };
            finding(ui, &more, true);
        }
    });
    ui.add_space(space::M);
}
