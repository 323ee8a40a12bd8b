//! The one table of all screens: rows of one height, as many as there are, with keyboard, selection,
//! sorting and a name for each row.

mod cells;
mod column;
mod keyboard;
mod rows;
mod selection;
mod view;

pub use cells::{lines, mono, words};
pub use column::{Column, Sort, Width};
pub use keyboard::{Move, moved};
pub use rows::tsv;
pub use selection::{Mode, Reach, Selection};
pub use view::{DataTable, Rows, TableOutput};
