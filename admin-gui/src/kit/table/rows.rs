//! The rows in sight: their looks, their names, their clicks.

use egui::{
    Align, CornerRadius, Layout, Modifiers, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, WidgetInfo,
};
use egui_extras::{TableBody, TableRow};

use super::{
    selection::{Reach, Selection},
    view::{DataTable, Rows, TableOutput},
};
use crate::kit::{
    check,
    tokens::{Tokens, line, mix, radius, space},
};

/// Between two columns, and from the edge to the first and from the last.
pub(super) const GAP: f32 = space::M;
pub(super) const EDGE: f32 = 14.0;
/// The column of check boxes.
pub(super) const CHECK: f32 = 18.0;

/// How the row looks now.
struct Look {
    selected: bool,
    /// The keyboard stands on it, and the table has the focus.
    focused: bool,
    last: bool,
}

impl DataTable<'_> {
    pub(super) fn body<R: Rows>(
        &self,
        mut body: TableBody<'_>,
        focus: &Response,
        rows: &mut R,
        selection: &mut Selection<R::Key>,
        output: &mut TableOutput<R::Key>,
    ) {
        let whole = body.max_rect();
        // A row is one thing across all its cells; egui's table only knows the cells.
        let builder = UiBuilder::new()
            .max_rect(whole)
            .accessibility_parent(focus.id)
            .accessibility_role(Role::RowGroup);
        let across = body.ui_mut().new_child(builder);
        let count = rows.count();
        body.rows(self.row_height, count, |mut row| {
            let at = row.index();
            let key = rows.key(at);
            let look = Look {
                selected: selection.contains(&key),
                focused: focus.has_focus() && selection.cursor() == Some(&key),
                last: at + 1 == count,
            };
            let mut response = None;
            if self.checks {
                row.col(|ui| {
                    let own = self.row(ui, &across, whole, at, rows, &look);
                    ui.add_space(EDGE);
                    let mut ticked = look.selected;
                    if check::bare(ui, &mut ticked, false, &rows.name(at)).changed() {
                        selection.pick(at, Reach::Toggle, self.mode, count, |row| rows.key(row));
                    }
                    response = Some(own);
                });
            }
            self.cells(&mut row, &across, whole, rows, &look, &mut response);
            let Some(response) = response else { return };
            if response.clicked() {
                focus.request_focus();
                let reach = reach(across.input(|input| input.modifiers));
                selection.pick(at, reach, self.mode, count, |row| rows.key(row));
            }
            if response.double_clicked() {
                output.opened = Some(key);
            }
            if rows.has_menu() {
                response.context_menu(|ui| {
                    ui.reset_style();
                    ui.spacing_mut().item_spacing.y = 0.0;
                    rows.menu(ui, at);
                });
            }
        });
    }

    /// The look and the name of a row; drawn before its cells.
    fn row<R: Rows>(
        &self,
        cell: &Ui,
        across: &Ui,
        whole: Rect,
        at: usize,
        rows: &R,
        look: &Look,
    ) -> Response {
        let tokens = Tokens::of(cell);
        let rect = Rect::from_x_y_ranges(whole.x_range(), cell.max_rect().y_range());
        let id = across.unique_id().with(at);
        let response = across.interact(rect, id, Sense::click());
        let place = format!("{}, row {} of {}", rows.name(at), at + 1, rows.count());
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, look.selected, &place));

        let fill = match (look.selected, response.hovered()) {
            (true, true) => Some(mix(tokens.selected(), tokens.accent, 0.06)),
            (true, false) => Some(tokens.selected()),
            (false, true) => Some(tokens.row_alt),
            (false, false) => None,
        };
        let round = if look.last && self.framed {
            let radius = radius::CARD - 1;
            CornerRadius {
                sw: radius,
                se: radius,
                ..CornerRadius::ZERO
            }
        } else {
            CornerRadius::ZERO
        };
        let painter = across.painter();
        if let Some(fill) = fill {
            painter.rect_filled(rect, round, fill);
        }
        if !look.last {
            below(across, rect, tokens);
        }
        if look.focused {
            let ring = Stroke::new(line::FOCUS, tokens.accent);
            painter.rect_stroke(rect, round, ring, StrokeKind::Inside);
        }
        response
    }

    fn cells<R: Rows>(
        &self,
        row: &mut TableRow<'_, '_>,
        across: &Ui,
        whole: Rect,
        rows: &mut R,
        look: &Look,
        response: &mut Option<Response>,
    ) {
        let at = row.index();
        for (place, column) in self.columns.iter().enumerate() {
            let (lead, trail) = self.beside(place);
            row.col(|ui| {
                let own = response
                    .get_or_insert_with(|| self.row(ui, across, whole, at, rows, look))
                    .id;
                let layout = match column.align {
                    Align::Max => Layout::right_to_left(Align::Center),
                    Align::Min | Align::Center => Layout::left_to_right(Align::Center),
                };
                let builder = UiBuilder::new()
                    .max_rect(inner(ui.max_rect(), lead, trail))
                    .layout(layout)
                    .accessibility_parent(own)
                    .accessibility_role(Role::Cell);
                ui.scope_builder(builder, |ui| {
                    // The table's own distances and lines are not those of its cells.
                    ui.reset_style();
                    rows.cell(ui, at, place);
                });
            });
        }
    }
}

const fn reach(modifiers: Modifiers) -> Reach {
    match (modifiers.shift, modifiers.command) {
        (true, _) => Reach::Through,
        (false, true) => Reach::Toggle,
        (false, false) => Reach::Only,
    }
}

/// A cell without the room beside its words.
pub(super) fn inner(cell: Rect, lead: f32, trail: f32) -> Rect {
    let (left, right) = (cell.left() + lead, cell.right() - trail);
    Rect::from_x_y_ranges(left..=right.max(left), cell.y_range())
}

fn below(ui: &Ui, rect: Rect, tokens: &Tokens) {
    let foot = Rect::from_x_y_ranges(rect.x_range(), rect.bottom() - line::BORDER..=rect.bottom());
    ui.painter().rect_filled(foot, 0, tokens.border);
}

/// The line below the head of a column.
pub(super) fn border_below(ui: &Ui) {
    below(ui, ui.max_rect(), Tokens::of(ui));
}

/// The chosen rows as text, a line each, with tabs between cells; with none chosen the row on which
/// the keyboard stands.
pub fn tsv<R: Rows>(columns: usize, rows: &R, selection: &Selection<R::Key>) -> String {
    let mut out = String::new();
    for row in 0..rows.count() {
        let key = rows.key(row);
        let wanted = if selection.is_empty() {
            selection.cursor() == Some(&key)
        } else {
            selection.contains(&key)
        };
        if !wanted {
            continue;
        }
        let cells =
            (0..columns).map(|column| rows.text(row, column).replace(['\t', '\n', '\r'], " "));
        out.push_str(&cells.collect::<Vec<_>>().join("\t"));
        out.push('\n');
    }
    out
}
