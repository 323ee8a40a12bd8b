//! What the restore would do, as the server says: what is made, how much is fetched, and what
//! speaks against it. Nothing has been changed when this is shown.

use backup_model::{Code, Failure, RestorePlan, RestoreStep, RestoreTarget, StreamKind};
use egui::{Align, Layout, Ui};

use super::{Sight, wizard};
use crate::{
    kit::{
        Badge, Button, Emphasis, Empty, Finding, Icon, Mark, Text, Tokens, card, empty, finding,
        skeleton,
        table::words as cell,
        tokens::{height, space},
        words,
    },
    state::{Act, Draft, KeyState, Order},
    views::{next_step::next_step, trouble},
};

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, draft: &Draft) {
    let Some(order) = wizard::order(draft) else {
        return;
    };
    card::title(ui, "Preview", "Nothing has been changed");
    ui.add_space(space::M);
    if sight.state.key().open().is_none() {
        if locked(ui, sight) {
            sight.want_key();
        }
        return;
    }
    let told = sight.state.plan(&order);
    if trouble::instead(ui, sight, &told, "The server cannot say what it would do") {
        return;
    }
    let Some(plan) = told.value else {
        skeleton::rows(ui, 6, height::ROW);
        return;
    };
    ends(ui, sight, plan);
    ui.add_space(space::L);
    figures(ui, plan);
    ui.add_space(space::L);
    findings(ui, sight, plan);
}

/// That a key is needed; says whether somebody wants to open one.
pub(in crate::views) fn locked(ui: &mut Ui, sight: &Sight<'_>) -> bool {
    let opening = *sight.state.key() == KeyState::Opening;
    let nothing = Empty {
        icon: Icon::Lock,
        head: "An administrator's key is needed",
        sentence: "Backups are encrypted, and the server holds no key that opens them",
        action: if opening { "" } else { "Open a key…" },
    };
    empty(ui, &nothing)
}

/// Why the restore cannot begin, as far as is known.
pub(super) fn against(sight: &Sight<'_>, order: &Order) -> Option<String> {
    if sight.state.key().open().is_none() {
        return Some("An administrator's key must be open".to_owned());
    }
    let told = sight.state.plan(order);
    let Some(plan) = told.value else {
        return Some("The server has not said yet what it would do".to_owned());
    };
    if plan.steps.is_empty() {
        return Some("Nothing of what was chosen is in this snapshot".to_owned());
    }
    match obstacles(plan).count() {
        0 => None,
        1 => Some("1 finding blocks this restore".to_owned()),
        count => Some(format!("{count} findings block this restore")),
    }
}

fn obstacles(plan: &RestorePlan) -> impl Iterator<Item = (&RestoreStep, &Failure)> {
    let steps = plan.steps.iter();
    steps.flat_map(|step| step.obstacles.iter().map(move |failure| (step, failure)))
}

/// From where to where.
fn ends(ui: &mut Ui, sight: &Sight<'_>, plan: &RestorePlan) {
    let tokens = Tokens::of(ui);
    card::padded_card(ui, "From and to", egui::Margin::symmetric(16, 12), |ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        let made = words::both(plan.created, sight.zone);
        let from = format!("{} of {made}", plan.snapshot);
        cell(ui, Text::Caption, "From", tokens.muted);
        cell(ui, Text::Name, &from, tokens.text);
        for step in &plan.steps {
            ui.add_space(space::S);
            let (icon, kind, place) = place(step);
            ui.horizontal(|ui| {
                icon.ui(ui, tokens.accent);
                let what = format!("{} to {kind}", step.stream.name);
                ui.label(Text::Caption.rich(what, tokens.muted));
                cell(ui, Text::Mono, &place, tokens.text);
            });
        }
    });
}

fn place(step: &RestoreStep) -> (Icon, &'static str, String) {
    let replaced = step.kept_as.is_some();
    match &step.target {
        RestoreTarget::Database { database, server } => {
            let kind = if replaced {
                "the database"
            } else {
                "a new database"
            };
            (Icon::Database, kind, format!("{database} on {server}"))
        }
        RestoreTarget::Folder { path } => {
            let path = words::one_line(&path.to_string_lossy());
            let kind = if replaced {
                "the place"
            } else {
                "a new folder"
            };
            (Icon::Folder, kind, path)
        }
        _ => (Icon::File, "a new place", String::new()),
    }
}

/// Bytes that are written, before indexes.
fn written(step: &RestoreStep) -> u64 {
    let chosen = step.chosen.map(|chosen| chosen.length_bytes);
    chosen.unwrap_or(step.stream.length_bytes)
}

fn figures(ui: &mut Ui, plan: &RestorePlan) {
    let bytes: u64 = plan.steps.iter().map(written).sum();
    let free = plan.steps.iter().filter_map(|step| step.free_bytes).min();
    let replaced = plan.steps.iter().filter(|step| step.kept_as.is_some());
    let replaced = replaced.count() as u64;
    let made = plan.steps.len() as u64 - replaced;
    let changed = if replaced > 0 {
        "replaced, the old is kept"
    } else {
        "nothing existing"
    };
    let free = free.map_or_else(
        || "free space unknown".to_owned(),
        |free| format!("{} free", words::bytes(free)),
    );
    let figures = [
        ("Create", words::count(made), "in new places".to_owned()),
        ("Change", words::count(replaced), changed.to_owned()),
        ("Delete", "0".to_owned(), "nothing".to_owned()),
        (
            "Fetch",
            words::bytes(plan.fetch_bytes),
            "as it is stored".to_owned(),
        ),
        ("Write", words::bytes(bytes), free),
    ];
    let tokens = Tokens::of(ui);
    card::padded_card(ui, "In numbers", egui::Margin::symmetric(16, 12), |ui| {
        ui.columns(figures.len(), |columns| {
            for (ui, (name, figure, note)) in columns.iter_mut().zip(&figures) {
                ui.spacing_mut().item_spacing.y = 2.0;
                cell(ui, Text::Caption, name, tokens.muted);
                cell(ui, Text::Title, figure, tokens.text);
                cell(ui, Text::Caption, note, tokens.muted);
            }
        });
    });
}

/// What speaks against it first, then what is worth a look, then what is in order.
fn findings(ui: &mut Ui, sight: &mut Sight<'_>, plan: &RestorePlan) {
    let against: Vec<_> = obstacles(plan).collect();
    let blocks = match against.len() {
        0 => None,
        1 => Some("1 blocks".to_owned()),
        count => Some(format!("{count} block")),
    };
    ui.horizontal(|ui| {
        ui.set_min_height(height::CONTROL);
        ui.label(Text::Section.rich("Findings", Tokens::of(ui).text));
        match blocks {
            Some(blocks) => ui.add(Badge::new(Mark::Failed, &blocks)),
            None => ui.add(Badge::tag(Emphasis::Plain, "nothing blocks")),
        };
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let again = Button::outline("Check again").icon(Icon::Refresh);
            if ui.add(again.off_if(sight.off())).clicked() {
                sight.ask(Act::Refresh);
            }
        });
    });
    ui.add_space(space::S);
    let in_order = in_order(plan);
    card::frame(ui).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (step, failure) in against {
            let sentence = words::capital(&failure.to_string());
            let fix = match failure.code {
                Code::TargetNotEmpty if plan.confirm.is_some() => {
                    Some("Remove it on the server, if no restore runs there, then check again")
                }
                Code::TargetNotEmpty => Some("Choose another name for it in the step Target"),
                code => next_step(code),
            };
            let told = Finding {
                mark: Mark::Failed,
                name: &step.stream.name,
                sentence: &sentence,
                fix: fix.unwrap_or("Mend it on the server, then check again"),
                code: failure.code.as_str(),
                action: "",
            };
            finding(ui, &told, false);
        }
        if !plan.left_out.is_empty() {
            let sentence = plan.left_out.join(", ");
            let told = Finding {
                mark: Mark::Warn,
                name: "Left out",
                sentence: &sentence,
                fix: "What has no target, or was not chosen, stays in the backup",
                code: "",
                action: "",
            };
            finding(ui, &told, in_order.is_empty());
        }
        let last = in_order.len().saturating_sub(1);
        for (at, (name, sentence)) in in_order.iter().enumerate() {
            let told = Finding {
                mark: Mark::Ok,
                name,
                sentence,
                fix: "",
                code: "",
                action: "",
            };
            finding(ui, &told, at == last);
        }
    });
}

/// What the server looked at and found in order.
fn in_order(plan: &RestorePlan) -> Vec<(String, String)> {
    let fine = plan.steps.iter().filter(|step| step.obstacles.is_empty());
    let mut all: Vec<_> = fine
        .map(|step| {
            let (_, kind, place) = place(step);
            let name = words::one_line(&step.stream.name);
            let sentence = match &step.kept_as {
                Some(kept) => format!("{place} is replaced, and kept as {kept}"),
                None => format!("{}: {place} is free", words::capital(kind)),
            };
            (name, sentence)
        })
        .collect();
    for step in &plan.steps {
        let Some(facts) = &step.stream.database else {
            continue;
        };
        let version = format!("The snapshot is of PostgreSQL {}", facts.server_version);
        all.push(("PostgreSQL version".to_owned(), version));
        let extensions: Vec<_> = facts
            .extensions
            .iter()
            .map(|extension| format!("{} {}", extension.name, extension.version))
            .collect();
        if !extensions.is_empty() {
            all.push(("Extensions".to_owned(), extensions.join(", ")));
        }
    }
    let files = plan
        .steps
        .iter()
        .filter(|step| step.stream.kind == StreamKind::Files);
    let entries: u64 = files
        .filter_map(|step| {
            let chosen = step.chosen.map(|chosen| chosen.entries);
            chosen.or(step.stream.entries)
        })
        .sum();
    if entries > 0 {
        let sentence = words::number(entries, "file, folder or link", "files, folders and links");
        all.push(("Entries".to_owned(), sentence));
    }
    all
}
