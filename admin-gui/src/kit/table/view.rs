//! Draws the rows that are in sight, and says what somebody did with them.

use egui::{
    Align, Align2, Event, EventFilter, Key, Layout, Modifiers, Rect, Response, Role, Sense, Stroke,
    StrokeKind, Ui, WidgetInfo,
};
use egui_extras::{TableBuilder, TableRow};

use super::{
    column::{Column, Sort},
    keyboard::{Move, moved},
    rows::{CHECK, EDGE, GAP, border_below, inner, tsv},
    selection::{Mode, Reach, Selection},
};
use crate::kit::{
    card, check,
    icons::Icon,
    skeleton,
    tokens::{Tokens, height, line, radius},
    typography::Text,
};

/// What is shown. Only rows in sight are asked for their cells.
pub trait Rows {
    /// What a row is, whatever place it has.
    type Key: Clone + Ord;

    /// How many there are.
    fn count(&self) -> usize;

    /// What stands at a place.
    fn key(&self, row: usize) -> Self::Key;

    /// What a row is called by those who do not see it: `shop-db, breached, last good 26 h ago`. Its
    /// place is added.
    fn name(&self, row: usize) -> String;

    /// Draws a cell.
    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize);

    /// A cell as text, for copying.
    fn text(&self, row: usize, column: usize) -> String;

    /// Whether there is a menu on the other mouse button.
    fn has_menu(&self) -> bool {
        false
    }

    /// Draws the menu of a row.
    fn menu(&mut self, _ui: &mut Ui, _row: usize) {}
}

/// What somebody did.
#[derive(Clone, Debug, PartialEq)]
pub struct TableOutput<K> {
    /// Rows should be sorted so.
    pub sort: Option<Sort>,
    /// A row was opened: Enter or two clicks.
    pub opened: Option<K>,
    /// Other rows are chosen than before.
    pub chosen: bool,
    /// How wide the columns are now, to be given again to the next program start.
    pub widths: Vec<f32>,
}

/// A table.
#[derive(Clone, Debug)]
#[must_use = "nothing is drawn before `show`"]
pub struct DataTable<'a> {
    pub(super) name: &'a str,
    pub(super) columns: &'a [Column<'a>],
    pub(super) row_height: f32,
    sort: Option<Sort>,
    pub(super) mode: Mode,
    pub(super) checks: bool,
    pub(super) framed: bool,
    loading: bool,
    max_height: f32,
    widths: &'a [f32],
}

impl<'a> DataTable<'a> {
    /// A table by its name for those who do not see it, and for egui's memory.
    pub const fn new(name: &'a str, columns: &'a [Column<'a>]) -> Self {
        Self {
            name,
            columns,
            row_height: height::ROW_COMPACT,
            sort: None,
            mode: Mode::Single,
            checks: false,
            framed: true,
            loading: false,
            max_height: f32::INFINITY,
            widths: &[],
        }
    }

    /// How high a row is: one of [`height`].
    pub const fn row_height(mut self, height: f32) -> Self {
        self.row_height = height;
        self
    }

    /// By which column the rows are sorted already.
    pub const fn sorted(mut self, sort: Option<Sort>) -> Self {
        self.sort = sort;
        self
    }

    /// Many rows can be chosen.
    pub const fn multi(mut self) -> Self {
        self.mode = Mode::Multi;
        self
    }

    /// Many rows can be chosen, and each has a check box.
    pub const fn checks(mut self) -> Self {
        self.mode = Mode::Multi;
        self.checks = true;
        self
    }

    /// Without a frame: it fills a pane.
    pub const fn bare(mut self) -> Self {
        self.framed = false;
        self
    }

    /// Nothing is known yet: shows where rows will be.
    pub const fn loading(mut self, loading: bool) -> Self {
        self.loading = loading;
        self
    }

    /// How high all rows together may be before they scroll. Inside a `ScrollArea` this must be
    /// given: there is no end to the room there, and every row would be drawn.
    pub const fn max_height(mut self, height: f32) -> Self {
        self.max_height = height;
        self
    }

    /// How wide the columns were when the program last ended.
    pub const fn widths(mut self, widths: &'a [f32]) -> Self {
        self.widths = widths;
        self
    }

    /// Draws it.
    pub fn show<R: Rows>(
        &self,
        ui: &mut Ui,
        rows: &mut R,
        selection: &mut Selection<R::Key>,
    ) -> TableOutput<R::Key> {
        let frame = if self.framed {
            card::frame(ui)
        } else {
            egui::Frame::new()
        };
        frame
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
                // Edges of columns that can be dragged show under the pointer only.
                ui.visuals_mut().widgets.noninteractive.bg_stroke = Stroke::NONE;
                self.inside(ui, rows, selection)
            })
            .inner
    }

    fn inside<R: Rows>(
        &self,
        ui: &mut Ui,
        rows: &mut R,
        selection: &mut Selection<R::Key>,
    ) -> TableOutput<R::Key> {
        let id = ui.make_persistent_id(("table", self.name));
        let mut output = TableOutput {
            sort: None,
            opened: None,
            chosen: false,
            widths: Vec::new(),
        };
        let before: Vec<R::Key> = selection.chosen().cloned().collect();

        let count = rows.count();
        let room = (ui.available_height() - height::ROW_COMPACT).min(self.max_height);
        let high = (count as f32 * self.row_height).min(room.max(self.row_height));
        let whole = egui::Vec2::new(ui.available_width(), height::ROW_COMPACT + high);
        let rect = Rect::from_min_size(ui.next_widget_position(), whole);
        let focus = ui.interact(rect, id, Sense::click());
        focus.widget_info(|| WidgetInfo::labeled(Role::Table, true, self.name));
        if focus.clicked() {
            focus.request_focus();
        }
        let page = (high / self.row_height).floor() as usize;
        let scroll = self.keys(ui, &focus, page, rows, selection, &mut output);

        let mut builder = TableBuilder::new(ui)
            .id_salt(id)
            .vscroll(true)
            .auto_shrink([false, true])
            .min_scrolled_height(self.row_height)
            .max_scroll_height(room.max(self.row_height))
            .cell_layout(Layout::left_to_right(Align::Center));
        if let Some(row) = scroll {
            builder = builder.scroll_to_row(row, None);
        }
        if self.checks {
            builder = builder.column(egui_extras::Column::exact(EDGE + CHECK + GAP).clip(true));
        }
        for (at, column) in self.columns.iter().enumerate() {
            let (lead, trail) = self.beside(at);
            builder = builder.column(column.wide(lead + trail, self.widths.get(at).copied()));
        }
        let table = builder.header(height::ROW_COMPACT, |mut head| {
            self.heads(&mut head, rows, selection, &mut output);
        });
        table.body(|mut body| {
            if self.loading && count == 0 {
                skeleton::rows(body.ui_mut(), 3, self.row_height);
                return;
            }
            self.body(body, &focus, rows, selection, &mut output);
        });
        if focus.has_focus() && selection.cursor().is_none() {
            let ring = Stroke::new(line::FOCUS, Tokens::of(ui).accent);
            ui.painter()
                .rect_stroke(rect, radius::CARD, ring, StrokeKind::Inside);
        }
        output.chosen = !before.iter().eq(selection.chosen());
        output
    }

    /// Room beside the words of a column.
    pub(super) fn beside(&self, column: usize) -> (f32, f32) {
        let lead = if column == 0 && !self.checks {
            EDGE
        } else {
            0.0
        };
        let last = column + 1 == self.columns.len();
        (lead, if last { EDGE } else { GAP })
    }

    /// Does what the keys ask for; returns the row that must come into sight.
    fn keys<R: Rows>(
        &self,
        ui: &Ui,
        focus: &Response,
        page: usize,
        rows: &R,
        selection: &mut Selection<R::Key>,
        output: &mut TableOutput<R::Key>,
    ) -> Option<usize> {
        if !focus.has_focus() {
            return None;
        }
        let arrows = EventFilter {
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(focus.id, arrows));
        let events = ui.input(|input| input.events.clone());
        if events.is_empty() {
            return None;
        }
        let count = rows.count();
        let at = selection
            .cursor()
            .and_then(|cursor| (0..count).find(|row| rows.key(*row) == *cursor));
        let mut scroll = None;
        for event in events {
            match event {
                Event::Copy => ui.copy_text(tsv(self.columns.len(), rows, selection)),
                Event::Key {
                    key,
                    pressed: true,
                    modifiers,
                    ..
                } => {
                    let step = Move::of_key(key, modifiers);
                    if let Some(to) = step.and_then(|step| moved(at, step, count, page)) {
                        self.go(to, modifiers, rows, selection);
                        scroll = Some(to);
                    } else {
                        self.press(key, modifiers, at, rows, selection, output);
                    }
                }
                _ => {}
            }
        }
        scroll
    }

    fn go<R: Rows>(
        &self,
        to: usize,
        modifiers: Modifiers,
        rows: &R,
        selection: &mut Selection<R::Key>,
    ) {
        let reach = if modifiers.shift {
            Reach::Through
        } else {
            Reach::Only
        };
        // Where rows are ticked one by one, to walk past them must not lose the ticks.
        if self.checks && reach == Reach::Only {
            selection.go(rows.key(to));
        } else {
            selection.pick(to, reach, self.mode, rows.count(), |row| rows.key(row));
        }
    }

    fn press<R: Rows>(
        &self,
        key: Key,
        modifiers: Modifiers,
        at: Option<usize>,
        rows: &R,
        selection: &mut Selection<R::Key>,
        output: &mut TableOutput<R::Key>,
    ) {
        let count = rows.count();
        match (key, at) {
            (Key::Enter, Some(row)) => output.opened = Some(rows.key(row)),
            (Key::Space, Some(row)) => {
                selection.pick(row, Reach::Toggle, self.mode, count, |row| rows.key(row));
            }
            (Key::A, _) if modifiers.command && self.mode == Mode::Multi => {
                selection.clear();
                selection.toggle_all((0..count).map(|row| rows.key(row)));
            }
            _ => {}
        }
    }

    fn heads<R: Rows>(
        &self,
        head: &mut TableRow<'_, '_>,
        rows: &R,
        selection: &mut Selection<R::Key>,
        output: &mut TableOutput<R::Key>,
    ) {
        if self.checks {
            // Counted first: most often that is answer enough, and asks for no keys.
            let all = selection.len() >= rows.count()
                && (0..rows.count()).all(|row| selection.contains(&rows.key(row)));
            head.col(|ui| {
                border_below(ui);
                ui.add_space(EDGE);
                let mut ticked = all && rows.count() > 0;
                let some = !selection.is_empty();
                if check::bare(ui, &mut ticked, some, "All rows").changed() {
                    selection.toggle_all((0..rows.count()).map(|row| rows.key(row)));
                }
            });
        }
        for (at, column) in self.columns.iter().enumerate() {
            let (lead, trail) = self.beside(at);
            head.col(|ui| {
                border_below(ui);
                let place = inner(ui.max_rect(), lead, trail);
                output.widths.push(place.width());
                if self.head(ui, place, at, column) {
                    output.sort = Some(Sort::clicked(self.sort, at));
                }
            });
        }
    }

    /// Draws the head of a column; returns whether it was clicked.
    fn head(&self, ui: &Ui, place: Rect, at: usize, column: &Column<'_>) -> bool {
        let tokens = Tokens::of(ui);
        let id = ui.unique_id().with("head");
        let sense = if column.sortable {
            Sense::click()
        } else {
            Sense::hover()
        };
        let response = ui.interact(place, id, sense);
        let own = self.sort.filter(|sort| sort.column == at);
        let name = match own {
            Some(sort) if sort.descending => format!("{}, sorted downwards", column.head),
            Some(_) => format!("{}, sorted upwards", column.head),
            None => column.head.to_owned(),
        };
        response.widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, &name));
        let strong = own.is_some() || (column.sortable && response.hovered());
        let colour = if strong { tokens.text } else { tokens.muted };
        let (from, anchor) = match column.align {
            Align::Max => (place.right_center(), Align2::RIGHT_CENTER),
            Align::Min | Align::Center => (place.left_center(), Align2::LEFT_CENTER),
        };
        let written =
            Text::Caption.write_within(ui, from, anchor, column.head, colour, place.width());
        if let Some(sort) = own {
            let arrow = if sort.descending {
                Icon::ChevronDown
            } else {
                Icon::ChevronUp
            };
            let x = match column.align {
                Align::Max => written.left() - 8.0,
                Align::Min | Align::Center => written.right() + 8.0,
            };
            arrow.paint(ui.painter(), egui::pos2(x, place.center().y), 10.0, colour);
        }
        if response.has_focus() {
            let ring = Stroke::new(line::FOCUS, tokens.accent);
            ui.painter().rect_stroke(
                place.shrink2(egui::vec2(0.0, 3.0)),
                radius::SMALL,
                ring,
                StrokeKind::Outside,
            );
        }
        response.clicked()
    }
}
