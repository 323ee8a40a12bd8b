//! Tables without borders: columns two spaces apart, numbers to the right.

#![cfg_attr(not(test), expect(dead_code, reason = "for the commands that list"))]

use comfy_table::{CellAlignment, ContentArrangement, presets};

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Renders rows under a header. Never wraps: a line of the table is a line of output.
pub(crate) fn table<const N: usize>(
    columns: [(&str, Align); N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(columns.map(|(title, _)| title));
    for row in rows {
        table.add_row(row);
    }
    for (column, (_, align)) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        column.set_cell_alignment(match align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        });
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_without_borders() {
        let rows = [("webui", "16.0 MiB"), ("w", "1.0 GiB")];
        let shown = table(
            [("JOB", Align::Left), ("SIZE", Align::Right)],
            rows.map(|(job, size)| [job.to_owned(), size.to_owned()]),
        );
        assert_eq!(shown, "JOB        SIZE\nwebui  16.0 MiB\nw       1.0 GiB");
    }
}
