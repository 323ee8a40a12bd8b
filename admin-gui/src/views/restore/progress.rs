//! A restore that runs on the server: how far it is, what it does, how fast, and what it warns of.

use backup_model::Phase as Work;
use backupd_api::Scope;
use egui::{Align, Layout, Margin, Ui, UiBuilder, Vec2};
use jiff::{SignedDuration, Timestamp};

use super::{Own, Sight};
use crate::{
    kit::{
        Button, Curve, Dialog, Icon, Mark, Phase, Plot, Progress, Text, Tokens, card,
        dialog::Answer,
        phase, plot,
        plot::{Point, Unit, Value},
        progress::{Segment, segmented_bar},
        skeleton,
        table::words as cell,
        tokens::{height, space},
        words,
    },
    state::{Deed, Followed},
    views::{page::page, trouble},
};

/// So much must be known before a time is guessed.
const GUESS: SignedDuration = SignedDuration::from_secs(10);
const WARNINGS: f32 = 300.0;
const RATE: f32 = 140.0;

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, id: &str) {
    page(ui, |ui| {
        let Some(one) = sight.state.restores().get(id) else {
            skeleton::rows(ui, 6, height::ROW);
            return;
        };
        head(ui, sight, own, one);
        ui.add_space(space::L);
        summary(ui, sight, one);
        ui.add_space(space::M);
        parts(ui, sight, one);
        ui.add_space(space::M);
        below(ui, sight, own, one);
        trouble::refused(ui, sight);
    });
    stop(ui, sight, own);
}

fn head(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own, one: &Followed) {
    let tokens = Tokens::of(ui);
    let asked = sight
        .state
        .doing()
        .contains(&Deed::Stop(one.info.id.clone()));
    ui.horizontal(|ui| {
        ui.set_min_height(height::CONTROL);
        let title = format!("Restoring {}", one.info.object);
        cell(ui, Text::Title, &title, tokens.text);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let off = asked.then_some("It was asked to stop");
            let off = sight.off_for(Scope::Restore).or(off);
            if ui.add(Button::danger("Cancel…").off_if(off)).clicked() {
                own.stop = Some(one.info.id.clone());
            }
        });
    });
}

/// How much of all is done.
fn share(one: &Followed) -> Option<f32> {
    let (done, total) = one.bytes();
    // An estimate can be too small: only the end is all of it.
    total.map(|total| (done as f32 / total as f32).min(0.99))
}

fn summary(ui: &mut Ui, sight: &Sight<'_>, one: &Followed) {
    let tokens = Tokens::of(ui);
    card::padded_card(ui, "How far it is", Margin::symmetric(16, 14), |ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        ui.horizontal(|ui| {
            let figure = share(one).map_or_else(|| "Under way".to_owned(), words::percent);
            ui.label(Text::Title.rich(figure, tokens.text));
            ui.label(Text::Body.rich(now(one), tokens.text));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(left) = left(sight, one) {
                    ui.label(Text::Body.rich(left, tokens.muted));
                }
            });
        });
        segmented_bar(ui, "Restored", &segments(one));
        ui.horizontal(|ui| {
            Icon::Server.ui(ui, tokens.muted);
            let words = "Runs on the server — you can close this window";
            ui.label(Text::Caption.rich(words, tokens.muted));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let begun = words::moment(one.info.began, sight.now, sight.zone);
                let words = format!("started {begun} by {}", one.info.actor);
                ui.label(Text::Caption.rich(words, tokens.muted));
            });
        });
    });
}

/// What it does at this moment.
fn now(one: &Followed) -> String {
    let mut open = one.parts.iter().rev().filter(|part| part.ended.is_none());
    open.next().map_or_else(
        || "Preparing".to_owned(),
        |part| format!("{} {}", work(part.phase), part.object),
    )
}

const fn work(phase: Work) -> &'static str {
    match phase {
        Work::Prepare => "Preparing",
        Work::Verify => "Comparing",
        Work::Restore => "Restoring",
        Work::Store => "Storing",
        Work::Delete => "Deleting",
        Work::Finish => "Finishing",
        _ => "Working on",
    }
}

/// How long it may still take, once enough is known.
fn left(sight: &Sight<'_>, one: &Followed) -> Option<String> {
    let (first, _) = one.done.first()?;
    if sight.now.duration_since(*first) < GUESS {
        return None;
    }
    let (done, total) = one.bytes();
    let rate = one.rate().filter(|rate| *rate > 0)?;
    let secs = i64::try_from(total?.saturating_sub(done) / rate).ok()?;
    let left = words::took(SignedDuration::from_secs(secs.max(1)));
    Some(format!("About {left} left"))
}

fn segments(one: &Followed) -> Vec<Segment> {
    let parts = one.parts.iter().map(|part| {
        let total = part.total_bytes.unwrap_or(0).max(1) as f32;
        let done = match part.ended {
            Some(_) => 1.0,
            None => (part.done_bytes as f32 / total).min(1.0),
        };
        Segment {
            weight: total,
            done,
        }
    });
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() {
        return vec![Segment {
            weight: 1.0,
            done: 0.0,
        }];
    }
    parts
}

/// Each stream with where it stands.
pub(super) fn parts(ui: &mut Ui, sight: &Sight<'_>, one: &Followed) {
    let cut = one.end.as_ref().is_some_and(|(end, _)| end.is_err());
    card::padded_card(ui, "What is done", Margin::ZERO, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let count = one.parts.len();
        for (at, part) in one.parts.iter().enumerate() {
            let total = part.total_bytes;
            let progress = match part.ended {
                Some(_) if cut && total.is_some_and(|total| part.done_bytes < total) => {
                    Progress::Ended(Mark::Failed)
                }
                Some(_) => Progress::Done,
                None => Progress::Running(
                    total.map(|total| (part.done_bytes as f32 / total.max(1) as f32).min(1.0)),
                ),
            };
            let amount = match (total, part.ended) {
                (Some(total), None) => words::bytes_of(part.done_bytes, total),
                _ if part.done_bytes > 0 => words::bytes(part.done_bytes),
                _ => String::new(),
            };
            let until = part.ended.unwrap_or(sight.now);
            let shown = Phase {
                name: &format!("{} {}", work(part.phase), part.object),
                progress,
                amount: &amount,
                time: &words::took(until.duration_since(part.begun)),
            };
            phase(ui, &shown, at + 1 == count);
        }
        if count == 0 {
            let shown = Phase {
                name: "Reading what is in the snapshot",
                progress: Progress::Running(None),
                amount: "",
                time: &words::took(sight.now.duration_since(one.info.began)),
            };
            phase(ui, &shown, true);
        }
    });
}

/// How fast it is, and what it warned of.
fn below(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own, one: &Followed) {
    let whole = ui.available_rect_before_wrap();
    let left = whole.with_max_x(whole.right() - WARNINGS - space::M);
    let right = whole.with_min_x(whole.right() - WARNINGS);
    let mut left = ui.new_child(UiBuilder::new().max_rect(left));
    rate(&mut left, sight, own, one);
    let mut right = ui.new_child(UiBuilder::new().max_rect(right));
    warnings(&mut right, sight, one);
    let used = left.min_rect().union(right.min_rect());
    ui.advance_cursor_after_rect(used);
}

fn rate(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own, one: &Followed) {
    card::padded_card(ui, "Rate", Margin::symmetric(14, 12), |ui| {
        let now = one.rate().map(|rate| format!("{}/s", words::bytes(rate)));
        let now = now.unwrap_or_else(|| "not known yet".to_owned());
        card::section_head(ui, "Rate", &now);
        ui.add_space(space::S);
        let curve = own
            .rate
            .get((one.info.id.clone(), one.done.last().copied()), || {
                rates(&one.done)
            });
        let shown = Plot {
            name: "Rate over time",
            says: &format!("now {now}"),
            unit: Unit::Rate,
            curve,
            quiet: !sight.is_live(),
        };
        if plot(ui, RATE, sight.zone, &shown).is_none() {
            ui.allocate_space(Vec2::new(0.0, RATE));
        }
    });
}

/// The mean rate between each two times.
fn rates(done: &[(Timestamp, u64)]) -> Curve {
    let points = done.windows(2).filter_map(|pair| {
        let [(before, had), (at, has)] = [pair[0], pair[1]];
        let secs = at.duration_since(before).as_secs_f64();
        let bytes = has.saturating_sub(had) as f64;
        (secs > 0.0).then(|| Point {
            at,
            value: Value::Amount(bytes / secs),
        })
    });
    Curve {
        points: points.collect(),
        ..Curve::default()
    }
}

/// What went wrong without stopping it.
pub(super) fn warnings(ui: &mut Ui, sight: &Sight<'_>, one: &Followed) {
    let tokens = Tokens::of(ui);
    card::padded_card(ui, "Warnings", Margin::symmetric(14, 12), |ui| {
        card::section_head(ui, "Warnings", &words::count(one.warned));
        ui.add_space(space::S);
        if one.warnings.is_empty() {
            ui.label(Text::Body.rich("None so far", tokens.muted));
        }
        egui::ScrollArea::vertical()
            .max_height(RATE)
            .show(ui, |ui| {
                for (at, failure) in &one.warnings {
                    ui.horizontal(|ui| {
                        Mark::Warn.ui(ui, 14.0, tokens.panel);
                        ui.vertical(|ui| {
                            let words = words::one_line(&failure.to_string());
                            ui.label(Text::Body.rich(words, tokens.text));
                            let at = words::moment(*at, sight.now, sight.zone);
                            let note = format!("{at} · {}", failure.code);
                            ui.label(Text::Caption.rich(note, tokens.muted));
                        });
                    });
                    ui.add_space(space::S);
                }
            });
    });
}

/// Whether to stop it.
fn stop(ui: &Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let Some(id) = own.stop.clone() else {
        return;
    };
    let dialog = Dialog::new(
        "Cancel this restore?",
        "Go on restoring",
        "Cancel the restore",
    )
    .danger()
    .off_if(sight.off_for(Scope::Restore));
    let answer = dialog.show(ui.ctx(), |ui| {
        let muted = Tokens::of(ui).muted;
        let words = "What was made so far is removed again. What existed before stays as it is";
        ui.label(Text::Body.rich(words, muted));
    });
    match answer {
        None => {}
        Some(Answer::Safe) => own.stop = None,
        Some(Answer::Act) => {
            own.stop = None;
            sight.ask(Deed::Stop(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_time_between() {
        let at = |secs| Timestamp::from_second(secs).unwrap();
        let curve = rates(&[(at(0), 0), (at(2), 100), (at(2), 120), (at(6), 120)]);
        let known: Vec<_> = curve.points.iter().map(|it| (it.at, it.value)).collect();
        assert_eq!(
            known,
            [(at(2), Value::Amount(50.0)), (at(6), Value::Amount(0.0))]
        );
    }
}
