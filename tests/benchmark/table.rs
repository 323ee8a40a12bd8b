//! What was measured, and how it is printed: per measure first what everybody is compared with,
//! then everybody, with medians, ranges and ratios.

use std::{fmt, time::Duration};

use comfy_table::{CellAlignment, Table as Grid, presets::ASCII_MARKDOWN};

use crate::program::Measured;

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    measures: Vec<Measure>,
    notes: Vec<String>,
}

/// One thing that several do.
#[derive(Debug)]
struct Measure {
    what: String,
    /// The first is what the others are compared with.
    sides: Vec<Side>,
}

/// One who does it.
#[derive(Debug)]
pub(crate) struct Side {
    name: String,
    walls: Vec<Duration>,
    peak: u64,
    /// Bytes stored, one a run, and of how many.
    added: Vec<u64>,
    of: u64,
}

impl Table {
    /// The figures of one who does something. Who is named first is compared with.
    pub(crate) fn side(&mut self, what: &str, name: &str) -> &mut Side {
        let measure = place(
            &mut self.measures,
            |measure| measure.what == what,
            || Measure {
                what: what.to_owned(),
                sides: Vec::new(),
            },
        );
        place(
            &mut measure.sides,
            |side| side.name == name,
            || Side {
                name: name.to_owned(),
                walls: Vec::new(),
                peak: 0,
                added: Vec::new(),
                of: 0,
            },
        )
    }

    /// What a reader must know to understand the figures.
    pub(crate) fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// The most memory that somebody took anywhere.
    pub(crate) fn peak_of(&self, name: &str) -> u64 {
        let sides = self.measures.iter().flat_map(|measure| &measure.sides);
        sides
            .filter(|side| side.name == name)
            .map(|side| side.peak)
            .max()
            .unwrap_or_default()
    }
}

/// The first that fits, or a new one at the end.
fn place<T>(all: &mut Vec<T>, fits: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let at = all.iter().position(fits).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    });
    &mut all[at]
}

impl Side {
    /// One run.
    pub(crate) fn add(&mut self, measured: Measured) {
        self.walls.push(measured.wall);
        self.peak = self.peak.max(measured.peak);
    }

    /// What one run stored, of how many bytes.
    pub(crate) fn added(&mut self, bytes: u64, of: u64) {
        self.added.push(bytes);
        self.of = of;
    }

    fn row(&self, what: &str, reference: f64) -> [String; 8] {
        let mut walls: Vec<f64> = self.walls.iter().map(Duration::as_secs_f64).collect();
        let middle = median(&mut walls);
        let (least, most) = (walls[0], walls[walls.len() - 1]);
        let mut added: Vec<f64> = self.added.iter().map(|bytes| *bytes as f64).collect();
        let stored = if added.is_empty() {
            String::new()
        } else {
            let bytes = median(&mut added);
            format!(
                "{:.1} MB ({:.1} %)",
                bytes / 1e6,
                100.0 * bytes / self.of as f64
            )
        };
        [
            what.to_owned(),
            self.name.clone(),
            self.walls.len().to_string(),
            format!("{middle:.2} s"),
            format!("{least:.2}\u{2013}{most:.2}"),
            format!("{:.2}", middle / reference),
            stored,
            format!("{:.0} MiB", self.peak as f64 / f64::from(1 << 20)),
        ]
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        let mut grid = Grid::new();
        grid.load_style(ASCII_MARKDOWN).set_header([
            "what",
            "who",
            "runs",
            "median",
            "range",
            "ratio",
            "stored",
            "peak memory",
        ]);
        for column in 2..8 {
            if let Some(column) = grid.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for measure in &self.measures {
            let mut walls: Vec<f64> = measure
                .sides
                .first()
                .map(|side| side.walls.iter().map(Duration::as_secs_f64).collect())
                .unwrap_or_default();
            let reference = median(&mut walls);
            for side in &measure.sides {
                grid.add_row(side.row(&measure.what, reference));
            }
        }
        writeln!(f, "\n{grid}")
    }
}

/// The middle one; of an even number, between the middle two. Sorts them.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count.is_multiple_of(2) => f64::midpoint(values[half - 1], values[half]),
        _ => values[half],
    }
}

/// Bytes as people read them.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&mut [4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&mut []).is_nan());
    }

    #[test]
    fn sides_are_compared_with_the_first() {
        let mut table = Table::default();
        let seconds = |wall| Measured {
            wall: Duration::from_secs(wall),
            peak: 5 << 20,
        };
        table.side("a", "reference").add(seconds(2));
        let side = table.side("a", "us");
        side.add(seconds(3));
        side.added(1_000_000, 4_000_000);
        table.side("a", "us").add(seconds(5));
        let text = table.to_string();
        let cells: Vec<&str> = text
            .lines()
            .find(|line| line.contains("| us "))
            .unwrap()
            .split('|')
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        let expected = [
            "a",
            "us",
            "2",
            "4.00 s",
            "3.00\u{2013}5.00",
            "2.00",
            "1.0 MB (25.0 %)",
            "5 MiB",
        ];
        assert_eq!(cells, expected);
        assert_eq!(table.peak_of("us"), 5 << 20);
    }
}
