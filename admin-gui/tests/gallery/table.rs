//! The table under the keys.

use admin_gui::kit::{
    self,
    table::{Column, DataTable, Rows, Selection, TableOutput, Width},
};
use egui::{Key, Modifiers, Role, Vec2};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::story::{JobRows, TableRows};

type Seen = (Selection<&'static str>, Vec<TableOutput<&'static str>>);

fn jobs() -> Harness<'static, Seen> {
    Harness::builder()
        .with_size(Vec2::new(800.0, 440.0))
        .with_context_setup(kit::apply)
        .build_ui_state(
            |ui, (selection, outputs): &mut Seen| {
                let columns = [
                    Column::new("State", Width::Fixed(97.0)).sortable(),
                    Column::new("Job", Width::Rest(108.0)),
                ];
                let table = DataTable::new("Jobs", &columns).row_height(44.0).multi();
                outputs.push(table.show(ui, &mut JobRows, selection));
            },
            Seen::default(),
        )
}

fn chosen(harness: &Harness<'_, Seen>) -> Vec<&'static str> {
    harness.state().0.chosen().copied().collect()
}

#[test]
fn rows_have_names_and_places() {
    let harness = jobs();
    harness.get_by_role_and_label(Role::Table, "Jobs");
    harness.get_by_role_and_label(Role::ColumnHeader, "State");
    let row = "gitea-db, breached, last good 26 h ago, row 1 of 7";
    let row = harness.get_by_role_and_label(Role::Row, row);
    assert_eq!(row.get_all_by_role(Role::Cell).count(), 2);
}

#[test]
fn keys_walk_choose_and_open() {
    let mut harness = jobs();
    harness.get_by_role(Role::Table).focus();
    harness.run();
    harness.key_press(Key::ArrowDown);
    harness.run();
    assert_eq!(chosen(&harness), ["gitea-db"]);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowDown);
    harness.run();
    assert_eq!(chosen(&harness), ["gitea-db", "webui-uploads"]);
    harness.key_press(Key::End);
    harness.run();
    assert_eq!(chosen(&harness), ["keycloak-db"]);
    harness.key_press(Key::Enter);
    harness.run();
    let opened: Vec<_> = harness
        .state()
        .1
        .iter()
        .filter_map(|out| out.opened)
        .collect();
    assert_eq!(opened, ["keycloak-db"]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    assert_eq!(chosen(&harness).len(), 7);
}

#[test]
fn chosen_rows_are_copied_with_tabs() {
    let mut harness = jobs();
    harness.get_by_label_contains("wiki-db, protected").click();
    harness.run();
    assert_eq!(chosen(&harness), ["wiki-db"]);
    harness.event(egui::Event::Copy);
    harness.step();
    let commands = &harness.output().platform_output.commands;
    let expected = egui::OutputCommand::CopyText("Protected\twiki-db\n".to_owned());
    assert!(commands.contains(&expected), "{commands:?}");
}

#[test]
fn a_head_asks_for_another_order() {
    let mut harness = jobs();
    harness
        .get_by_role_and_label(Role::ColumnHeader, "State")
        .click();
    harness.run();
    let asked: Vec<_> = harness
        .state()
        .1
        .iter()
        .filter_map(|out| out.sort)
        .collect();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].column, asked[0].descending), (0, false));
    let last = harness.state().1.last().expect("a frame");
    assert!((last.widths[0] - 97.0).abs() < 0.1, "{:?}", last.widths);
}

#[test]
fn what_is_not_there_yet_is_said() {
    let harness = Harness::builder()
        .with_context_setup(kit::apply)
        .build_ui(|ui| {
            let columns = [Column::new("Job", Width::Rest(100.0))];
            let table = DataTable::new("Jobs", &columns).loading(true);
            table.show(ui, &mut Nothing, &mut Selection::default());
        });
    harness.get_by_role_and_label(Role::Status, "Loading");
}

/// A table without rows.
struct Nothing;

impl Rows for Nothing {
    type Key = ();

    fn count(&self) -> usize {
        0
    }

    fn key(&self, _row: usize) {}

    fn name(&self, _row: usize) -> String {
        String::new()
    }

    fn cell(&mut self, _ui: &mut egui::Ui, _row: usize, _column: usize) {}

    fn text(&self, _row: usize, _column: usize) -> String {
        String::new()
    }
}

#[test]
fn only_rows_in_sight_are_drawn() {
    let mut selection = Selection::default();
    let harness = Harness::builder()
        .with_size(Vec2::new(600.0, 200.0))
        .with_context_setup(kit::apply)
        .build_ui(move |ui| {
            let columns = [Column::new("Table", Width::Rest(100.0))];
            let table = DataTable::new("Tables", &columns).checks();
            table.show(ui, &mut TableRows, &mut selection);
        });
    let drawn = harness.get_all_by_role(Role::Row).count();
    assert!((4..9).contains(&drawn), "{drawn} of 20");
}
