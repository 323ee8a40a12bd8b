//! How the windows look: colours, type, icons, and every part that a screen is put together from.
//!
//! Nothing here knows what is shown. A part takes plain words and numbers, draws itself, and hands
//! back what somebody did with it. Colours, heights and distances are decided in [`tokens`] and
//! nowhere else, and each part has a role and a name for those who do not see it.

pub mod badge;
pub mod banner;
pub mod button;
pub mod calendar;
pub mod card;
pub mod check;
pub mod command_line;
pub mod day_strip;
pub mod dialog;
pub mod empty;
pub mod error_card;
pub mod facts;
pub mod field;
pub mod finding;
pub mod fonts;
pub mod icons;
pub mod menu;
pub mod plot;
pub mod progress;
pub mod qr;
pub mod rail;
pub mod rpo_bar;
pub mod secret;
mod secret_text;
pub mod select;
pub mod shapes;
pub mod skeleton;
pub mod sparkline;
pub mod steps;
pub mod table;
pub mod tabs;
pub mod theme;
pub mod toast;
pub mod tokens;
pub mod typography;
pub mod words;

pub use badge::{Badge, Emphasis};
pub use banner::{Banner, banner};
pub use button::{Button, IconButton};
pub use command_line::{command_box, command_line};
pub use day_strip::{Day, DayStrip};
pub use dialog::{Answer, Dialog};
pub use empty::{Empty, empty};
pub use error_card::{ErrorAnswer, ErrorCard};
pub use facts::facts;
pub use field::Field;
pub use finding::{Finding, Phase, Progress, finding, phase};
pub use icons::Icon;
pub use plot::{Curve, Plot, plot};
pub use qr::qr;
pub use rail::rail_item;
pub use rpo_bar::RpoBar;
pub use secret::{SecretField, secret_line};
pub use secret_text::SecretText;
pub use select::select;
pub use shapes::Mark;
pub use sparkline::{Sparkline, sparkline};
pub use steps::{Stage, Step, steps, steps_foot, steps_rail};
pub use tabs::{breadcrumb, tabs};
pub use theme::apply;
pub use toast::{Toast, toasts};
pub use tokens::Tokens;
pub use typography::Text;
