//! Colours, distances and heights: the only place where they are decided.
//!
//! Every word that is written in one of these colours has a contrast of at least 4.5 on each of the
//! three surfaces, outlines that one must see at least 3; a test computes both. The states differ
//! in lightness too, so that they can be told apart without seeing red or green.

use egui::{Color32, Theme, Ui};

/// Distances between things.
pub mod space {
    /// Between a mark and its word.
    pub const XS: f32 = 4.0;
    /// Between neighbours.
    pub const S: f32 = 8.0;
    /// Between groups inside a card.
    pub const M: f32 = 12.0;
    /// Between cards.
    pub const L: f32 = 16.0;
    /// Between sections, and from the edge of the window.
    pub const XL: f32 = 24.0;
    /// Around what stands alone.
    pub const XXL: f32 = 32.0;
}

/// Heights of what repeats.
pub mod height {
    /// Buttons, fields, the least that can be hit.
    pub const CONTROL: f32 = 28.0;
    /// A row of one line in a long list; the head of a table.
    pub const ROW_COMPACT: f32 = 28.0;
    /// A row of one line.
    pub const ROW: f32 = 36.0;
    /// A row of two lines.
    pub const ROW_TALL: f32 = 44.0;
    /// A badge.
    pub const BADGE: f32 = 20.0;
    /// A chip.
    pub const CHIP: f32 = 24.0;
    /// The bar at the top.
    pub const TOP_BAR: f32 = 48.0;
    /// The strip with the command that does the same.
    pub const COMMAND: f32 = 32.0;
    /// The bar at the bottom.
    pub const STATUS_BAR: f32 = 28.0;
}

/// Roundness of corners.
pub mod radius {
    /// Buttons, fields, badges.
    pub const CONTROL: u8 = 6;
    /// Cards, tables, toasts.
    pub const CARD: u8 = 8;
    /// Check boxes, keys, cells of a calendar.
    pub const SMALL: u8 = 4;
}

/// Widths of lines, and how long a change may take.
pub mod line {
    /// A border.
    pub const BORDER: f32 = 1.0;
    /// The stroke of an icon.
    pub const ICON: f32 = 1.5;
    /// Around what has the focus.
    pub const FOCUS: f32 = 2.0;
    /// The longest that a change is animated, in seconds.
    pub const ANIMATION_SECS: f32 = 0.12;
}

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Behind everything.
    pub bg: Color32,
    /// Cards, tables, fields.
    pub panel: Color32,
    /// A hovered row, a selected screen, what is switched off.
    pub row_alt: Color32,
    /// Words.
    pub text: Color32,
    /// Words that explain.
    pub muted: Color32,
    /// What can be done, and what has the focus.
    pub accent: Color32,
    /// Words on the accent.
    pub on_accent: Color32,
    /// Lines between things.
    pub border: Color32,
    /// Outlines of fields and boxes.
    pub control: Color32,
    /// The empty part of a bar.
    pub track: Color32,
    /// Good.
    pub ok: Color32,
    /// Good, for many small marks of it.
    pub ok_soft: Color32,
    /// Somebody should look.
    pub warn: Color32,
    /// Broken.
    pub failed: Color32,
    /// Under way.
    pub running: Color32,
    /// Nobody can say.
    pub unknown: Color32,
    /// Under a dialog.
    pub scrim: Color32,
    /// Under what floats.
    pub shadow: Color32,
}

#[expect(
    clippy::disallowed_methods,
    reason = "here is where colours are decided"
)]
const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

/// By day.
pub static LIGHT: Tokens = Tokens {
    bg: rgb(0xF6_F7F9),
    panel: rgb(0xFF_FFFF),
    row_alt: rgb(0xEE_F1F5),
    text: rgb(0x1A_1F26),
    muted: rgb(0x55_606E),
    accent: rgb(0x24_57C5),
    on_accent: rgb(0xFF_FFFF),
    border: rgb(0xD5_DAE1),
    control: rgb(0x7F_8896),
    track: rgb(0xE3_E7ED),
    ok: rgb(0x0B_7A53),
    ok_soft: rgb(0x55_9F82),
    warn: rgb(0x8F_6200),
    failed: rgb(0x7D_0A24),
    running: rgb(0x1C_4AA8),
    unknown: rgb(0x64_6C79),
    scrim: Color32::from_black_alpha(80),
    shadow: Color32::from_black_alpha(36),
};

/// By night.
pub static DARK: Tokens = Tokens {
    bg: rgb(0x14_171C),
    panel: rgb(0x1B_2027),
    row_alt: rgb(0x24_2A33),
    text: rgb(0xE7_EBF0),
    muted: rgb(0xA3_AEBB),
    accent: rgb(0x8A_B4FF),
    on_accent: rgb(0x14_171C),
    border: rgb(0x37_404C),
    control: rgb(0x76_8292),
    track: rgb(0x2E_3641),
    ok: rgb(0x5F_E0AE),
    ok_soft: rgb(0x3C_8F74),
    warn: rgb(0xF3_CC4A),
    failed: rgb(0xFA_6E66),
    running: rgb(0x66_A3F0),
    unknown: rgb(0x94_9CA9),
    scrim: Color32::from_black_alpha(140),
    shadow: Color32::from_black_alpha(110),
};

impl Tokens {
    /// Those of the theme that is shown.
    pub fn of(ui: &Ui) -> &'static Self {
        Self::of_theme(ui.ctx().theme())
    }

    /// Those of a theme.
    pub const fn of_theme(theme: Theme) -> &'static Self {
        match theme {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }

    /// The fill behind a word in this colour, mixed once and opaque: a colour that let the surface
    /// through would lose its contrast on a selected row.
    pub fn tint(&self, colour: Color32) -> Color32 {
        mix(self.panel, colour, 0.12)
    }

    /// The fill of what is selected.
    pub fn selected(&self) -> Color32 {
        self.tint(self.accent)
    }

    /// A filled button under the pointer.
    pub fn accent_hover(&self) -> Color32 {
        mix(self.accent, self.text, 0.16)
    }
}

/// So much of `over` on `under`, opaque.
pub fn mix(under: Color32, over: Color32, amount: f32) -> Color32 {
    under.lerp_to_gamma(over, amount)
}

/// How far two colours stand apart: 1 for none, 21 for black on white (WCAG 2).
pub fn contrast(one: Color32, other: Color32) -> f32 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: Color32) -> f32 {
    let [r, g, b, _] = egui::Rgba::from(colour).to_array();
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(t: &Tokens) -> [(&'static str, Color32); 8] {
        [
            ("text", t.text),
            ("muted", t.muted),
            ("accent", t.accent),
            ("ok", t.ok),
            ("warn", t.warn),
            ("failed", t.failed),
            ("running", t.running),
            ("unknown", t.unknown),
        ]
    }

    #[test]
    fn words_can_be_read_on_every_surface() {
        for (theme, t) in [("light", &LIGHT), ("dark", &DARK)] {
            for (name, colour) in words(t) {
                for surface in [t.bg, t.panel, t.row_alt] {
                    let found = contrast(colour, surface);
                    assert!(found >= 4.5, "{theme} {name} on {surface:?}: {found:.2}");
                }
            }
            assert!(contrast(t.on_accent, t.accent) >= 4.5, "{theme}");
            assert!(contrast(t.on_accent, t.accent_hover()) >= 4.5, "{theme}");
            assert!(contrast(t.text, t.selected()) >= 4.5, "{theme}");
            assert!(contrast(t.muted, t.selected()) >= 4.5, "{theme}");
        }
    }

    #[test]
    fn outlines_can_be_seen() {
        for (theme, t) in [("light", &LIGHT), ("dark", &DARK)] {
            for surface in [t.bg, t.panel] {
                assert!(contrast(t.control, surface) >= 3.0, "{theme}");
                assert!(contrast(t.ok_soft, surface) >= 2.9, "{theme}");
            }
        }
    }

    #[test]
    fn a_badge_can_be_read_and_hides_what_is_under_it() {
        for (theme, t) in [("light", &LIGHT), ("dark", &DARK)] {
            for (name, colour) in words(t) {
                let tint = t.tint(colour);
                assert!(tint.is_opaque());
                let found = contrast(colour, tint);
                assert!(found >= 4.5, "{theme} {name} on its tint: {found:.2}");
            }
        }
        assert_eq!(LIGHT.tint(LIGHT.failed), rgb(0xEF_E2E5));
    }

    #[test]
    fn black_on_white_is_twenty_one() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 0.01);
        assert!((contrast(LIGHT.text, LIGHT.text) - 1.0).abs() < 0.01);
    }
}
