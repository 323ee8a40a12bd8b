//! One job: how it stands, what can be done with it, its runs and what is configured.

use backup_model::{JobName, RunId, Selection};
use backupd_api::Scope;
use egui::{Align, Layout, Ui};

use super::{Own, Sight, contents, history, pause, retention, runs};
use crate::{
    kit::{
        Badge, Button, Mark, Text, Tokens, breadcrumb, table::words as cell, tabs, tokens::space,
        words,
    },
    state::{Act, Deed, Place, ShownJob},
    views::trouble,
};

/// The tab that says what stays.
pub(super) const RETENTION: usize = 3;

pub(super) fn show(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    job: &JobName,
    run: Option<RunId>,
) {
    if breadcrumb(ui, &["Jobs", job.as_str()]) == Some(0) {
        sight.ask(Act::Go(Place::Jobs));
    }
    let jobs = sight.state.jobs();
    let Some(shown) = jobs.iter().find(|shown| shown.job.protection.job == *job) else {
        if sight.state.status().is_some() {
            let muted = Tokens::of(ui).muted;
            ui.add_space(space::M);
            let words = format!("The configuration has no job {job} any more");
            ui.label(Text::Body.rich(words, muted));
        }
        return;
    };
    head(ui, sight, own, shown);
    reasons(ui, shown);
    trouble::refused(ui, sight);
    ui.add_space(space::S);
    tabs(
        ui,
        &["Runs", "History", "Contents", "Schedule and retention"],
        &mut own.tab,
    );
    ui.add_space(space::L);
    match own.tab {
        0 => runs::show(ui, sight, own, job, run),
        1 => history::show(ui, sight, own, job),
        RETENTION => retention::show(ui, sight, own, shown),
        _ => contents::show(ui, sight, shown),
    }
    pause::dialog(ui, sight, own);
}

fn head(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, shown: &ShownJob<'_>) {
    let tokens = Tokens::of(ui);
    let job = &shown.job.protection.job;
    ui.horizontal(|ui| {
        ui.set_min_height(crate::kit::tokens::height::ROW_TALL);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            buttons(ui, sight, own, shown);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = space::M;
                cell(ui, Text::Title, job.as_str(), tokens.text);
                ui.add(Badge::new(Mark::from(shown.state), shown.state.as_str()));
                let good = shown.job.protection.last_good.as_ref();
                let good = good.map_or("no good snapshot yet".to_owned(), |good| {
                    format!("last good {}", sight.when(good.created))
                });
                let next = shown.job.next.map_or(String::new(), |next| {
                    format!(" · next {}", words::moment(next, sight.now, sight.zone))
                });
                cell(ui, Text::Body, &format!("{good}{next}"), tokens.muted);
            });
        });
    });
}

fn buttons(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, shown: &ShownJob<'_>) {
    let job = &shown.job.protection.job;
    let off = sight.off_for(Scope::Run);
    if let Some(running) = shown.job.protection.running.filter(|_| sight.is_live()) {
        if ui.add(Button::danger("Cancel run").off_if(off)).clicked() {
            sight.ask(Deed::Cancel(running.run));
        }
    } else if ui.add(Button::filled("Back up now").off_if(off)).clicked() {
        sight.ask(Deed::BackUp(job.clone()));
    }
    if ui
        .add(Button::outline("Verify").off_if(sight.off_for(Scope::Verify)))
        .clicked()
    {
        sight.ask(Deed::Verify(Selection::Job(job.clone())));
    }
    if shown.job.protection.paused.is_some() {
        if ui.add(Button::outline("Resume").off_if(off)).clicked() {
            sight.ask(Deed::Resume(job.clone()));
        }
    } else if shown.job.schedule.is_some()
        && ui.add(Button::outline("Pause…").off_if(off)).clicked()
    {
        own.pause = Some(pause::Draft::of(job.clone()));
    }
}

/// Why it stands as it does, each reason a line.
fn reasons(ui: &mut Ui, shown: &ShownJob<'_>) {
    let tokens = Tokens::of(ui);
    let reasons = shown.job.protection.reasons.iter();
    for reason in reasons.filter(|_| shown.was.is_none()) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            Mark::from(reason.state()).ui(ui, 14.0, tokens.bg);
            cell(
                ui,
                Text::Body,
                &words::capital(&reason.to_string()),
                tokens.text,
            );
        });
        ui.add_space(space::XS);
    }
}
