//! What a restore came to: restored, restored with problems, or not. Warnings never look like
//! success, and what failed has left nothing.

use backup_model::{Code, Failure, RestoreReport, RestoreTarget, RestoredStream};
use egui::{Align, Layout, Margin, Role, Ui, UiBuilder, WidgetInfo};

use super::{Sight, progress, report};
use crate::{
    kit::{
        Button, Finding, Icon, Mark, Text, Tokens, card, command_box, finding,
        table::words as cell,
        tokens::{height, space},
        words,
    },
    state::{Act, Draft, Followed, Place},
    views::{next_step::next_step, page::page},
};

/// So many problems are shown; the report has all.
const PROBLEMS: usize = 8;

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, id: &str) {
    let Some(one) = sight.state.restores().get(id) else {
        return;
    };
    page(ui, |ui| {
        egui::ScrollArea::vertical().show(ui, |ui| {
            head(ui, sight, one);
            ui.add_space(space::L);
            match (&one.end, &one.report) {
                (Some((Ok(()), _)), Some(report)) => restored(ui, report),
                (Some((Err(failure), _)), _) => failed(ui, sight, one, failure),
                _ => unknown(ui, sight, one),
            }
        });
    });
}

/// In a few words, and how good that is.
fn verdict(one: &Followed) -> (Mark, String) {
    let problems = one
        .report
        .as_ref()
        .map_or(0, |report| report.warnings.len());
    match &one.end {
        Some((Ok(()), _)) => match problems {
            0 => (Mark::Ok, "Restored".to_owned()),
            1 => (Mark::Warn, "Restored with 1 problem".to_owned()),
            many => (Mark::Warn, format!("Restored with {many} problems")),
        },
        Some((Err(failure), _)) if failure.code == Code::Interrupted => {
            (Mark::Unknown, "Cancelled".to_owned())
        }
        Some((Err(_), _)) => (Mark::Failed, "Not restored".to_owned()),
        None => (Mark::Unknown, "How it ended is not known".to_owned()),
    }
}

fn head(ui: &mut Ui, sight: &mut Sight<'_>, one: &Followed) {
    let tokens = Tokens::of(ui);
    let (mark, title) = verdict(one);
    ui.horizontal(|ui| {
        ui.set_min_height(36.0);
        ui.spacing_mut().item_spacing.x = space::M;
        mark.ui(ui, 28.0, tokens.bg);
        let shown = ui.label(Text::Hero.rich(&title, tokens.text));
        shown.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &title));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            if ui
                .add(Button::outline("Copy report").icon(Icon::Copy))
                .clicked()
            {
                ui.ctx().copy_text(report::text(one));
            }
            if ui.add(Button::outline("All restores")).clicked() {
                sight.ask(Act::Go(Place::Restores));
            }
        });
    });
    ui.add_space(space::XS);
    let begun = words::both(one.info.began, sight.zone);
    let words = format!("{}, begun {begun} by {}", one.info.object, one.info.actor);
    ui.label(Text::Body.rich(words, tokens.muted));
}

fn restored(ui: &mut Ui, report: &RestoreReport) {
    if !report.warnings.is_empty() {
        problems(ui, &report.warnings);
        ui.add_space(space::L);
    }
    let whole = ui.available_rect_before_wrap();
    let half = (whole.width() - space::L) / 2.0;
    let left = whole.with_max_x(whole.left() + half);
    let right = whole.with_min_x(whole.right() - half);
    let mut left = ui.new_child(UiBuilder::new().max_rect(left));
    checked(&mut left, report);
    let mut right = ui.new_child(UiBuilder::new().max_rect(right));
    next(&mut right, report);
    let used = left.min_rect().union(right.min_rect());
    ui.advance_cursor_after_rect(used);
}

fn problems(ui: &mut Ui, all: &[Failure]) {
    let shown = &all[..all.len().min(PROBLEMS)];
    card::frame(ui).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (at, failure) in shown.iter().enumerate() {
            let sentence = words::capital(&report::whole(failure));
            let more = all.len() - shown.len();
            let last = at + 1 == shown.len();
            let fix = match more {
                0 => String::new(),
                more if last => format!("and {more} more, which the report has"),
                _ => String::new(),
            };
            let told = Finding {
                mark: Mark::Warn,
                name: "Not as it was",
                sentence: &sentence,
                fix: &fix,
                code: failure.code.as_str(),
                action: "",
            };
            finding(ui, &told, last);
        }
    });
}

/// What was compared before anything appeared under its name.
fn checked(ui: &mut Ui, report: &RestoreReport) {
    let tokens = Tokens::of(ui);
    let took = report::took(report);
    card::padded_card(ui, "Where it is", Margin::symmetric(16, 12), |ui| {
        card::section_head(ui, "Where it is", &format!("took {took}"));
        for stream in &report.streams {
            ui.add_space(space::M);
            ui.horizontal(|ui| {
                Mark::Ok.ui(ui, 14.0, tokens.panel);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 2.0;
                    cell(ui, Text::Mono, &report::place(stream), tokens.text);
                    cell(ui, Text::Caption, &compared(stream), tokens.muted);
                });
            });
        }
    });
}

fn compared(stream: &RestoredStream) -> String {
    let read = words::bytes(stream.read_bytes);
    let entries = stream.entries.map_or_else(String::new, |entries| {
        format!(", {}", words::number(entries, "entry", "entries"))
    });
    format!(
        "{}{entries}: {read}, equal to the backup's digests",
        stream.name
    )
}

/// What people do next, in commands: nothing of it is done from here.
fn next(ui: &mut Ui, report: &RestoreReport) {
    let tokens = Tokens::of(ui);
    card::padded_card(ui, "Next steps", Margin::symmetric(16, 12), |ui| {
        card::section_head(ui, "Next steps", "on the server");
        for stream in &report.streams {
            ui.add_space(space::M);
            let (words, command) = match &stream.target {
                RestoreTarget::Database { database, .. } => (
                    "Look at it, before anything is pointed there",
                    format!("psql --dbname {database} --command '\\dt+'"),
                ),
                RestoreTarget::Folder { path } => (
                    "Look at it, then copy what is needed to its place",
                    format!("ls -la {}", words::one_line(&path.to_string_lossy())),
                ),
                _ => continue,
            };
            ui.label(Text::Body.rich(words, tokens.muted));
            ui.add_space(space::XS);
            command_box(ui, &command);
            if let Some(kept) = &stream.kept_as {
                ui.add_space(space::M);
                let words = "What was there is kept. Once nothing of it is needed, and not before:";
                ui.label(Text::Body.rich(words, tokens.muted));
                ui.add_space(space::XS);
                command_box(ui, &thrown_away(stream, kept));
            }
        }
        if let Some(safety) = &report.safety {
            ui.add_space(space::M);
            let words = format!("The job was backed up before it, as {safety}");
            ui.label(Text::Body.rich(words, tokens.muted));
        }
    });
}

/// The command that lets go what was replaced.
fn thrown_away(stream: &RestoredStream, kept: &str) -> String {
    let words = match &stream.target {
        RestoreTarget::Database { .. } => vec!["dropdb", kept],
        _ => vec!["rm", "-r", "--", kept],
    };
    shlex::try_join(words).unwrap_or_default()
}

fn failed(ui: &mut Ui, sight: &mut Sight<'_>, one: &Followed, failure: &Failure) {
    let sentence = words::capital(&report::whole(failure));
    let told = Finding {
        mark: Mark::Failed,
        name: "What went wrong",
        sentence: &sentence,
        fix: next_step(failure.code)
            .unwrap_or("What was begun was removed again. What existed is as it was, unless the cause says otherwise"),
        code: failure.code.as_str(),
        action: "",
    };
    card::frame(ui).show(ui, |ui| finding(ui, &told, true));
    ui.add_space(space::L);
    if !one.parts.is_empty() {
        progress::parts(ui, sight, one);
        ui.add_space(space::L);
    }
    again(ui, sight);
}

/// The daemon does not know it any more.
fn unknown(ui: &mut Ui, sight: &mut Sight<'_>, one: &Followed) {
    let cause = one.lost.as_ref().map(report::whole).unwrap_or_default();
    let sentence = words::capital(&cause);
    let told = Finding {
        mark: Mark::Unknown,
        name: "Not heard",
        sentence: &sentence,
        fix: "The daemon was started anew meanwhile. Its list of restores says whether this one was \
              interrupted; what was half done stands under a name that ends in .partial",
        code: "",
        action: "",
    };
    card::frame(ui).show(ui, |ui| finding(ui, &told, true));
    ui.add_space(space::L);
    again(ui, sight);
}

fn again(ui: &mut Ui, sight: &mut Sight<'_>) {
    ui.horizontal(|ui| {
        ui.set_min_height(height::CONTROL);
        if ui.add(Button::outline("New restore…")).clicked() {
            sight.ask(Act::Draft(Some(Draft::begin(sight.now))));
            sight.ask(Act::Go(Place::Draft));
        }
    });
}
