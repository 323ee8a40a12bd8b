//! The letters that come with the program.
//!
//! Inter in three weights and JetBrains Mono, cut down to Latin, Greek and Cyrillic; how they are
//! made stands in `assets/fonts/make`. Digits are equally wide in all of them. No font of the
//! machine is asked, so that a window looks the same everywhere. A name in another script, such as
//! Arabic or Chinese, is shown as boxes, one a character, and nothing fails; copying it still gives
//! the name itself.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.otf");
const MEDIUM: &[u8] = include_bytes!("../../assets/fonts/Inter-Medium.otf");
const SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.otf");
const MONO: &[u8] = include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf");

/// Weight 500: names and buttons.
pub fn medium() -> FontFamily {
    FontFamily::Name("medium".into())
}

/// Weight 600: heads.
pub fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

/// All that the windows write with.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (name, data) in [
        ("regular", REGULAR),
        ("medium", MEDIUM),
        ("semibold", SEMIBOLD),
        ("mono", MONO),
    ] {
        let data = Arc::new(FontData::from_static(data));
        fonts.font_data.insert(name.to_owned(), data);
    }
    // What the mono font lacks, the narrow spaces, comes from Inter.
    for (family, names) in [
        (FontFamily::Proportional, vec!["regular"]),
        (medium(), vec!["medium"]),
        (semibold(), vec!["semibold"]),
        (FontFamily::Monospace, vec!["mono", "regular"]),
    ] {
        let names = names.into_iter().map(str::to_owned).collect();
        fonts.families.insert(family, names);
    }
    fonts
}

#[cfg(test)]
mod tests {
    use egui::{FontId, epaint::text::Fonts, epaint::text::TextOptions};

    use super::*;

    #[test]
    fn digits_are_equally_wide_and_the_signs_we_use_are_there() {
        let mut fonts = Fonts::new(TextOptions::default(), definitions());
        let mut fonts = fonts.with_pixels_per_point(1.0);
        for family in [
            FontFamily::Proportional,
            medium(),
            semibold(),
            FontFamily::Monospace,
        ] {
            let font = FontId::new(13.5, family);
            let wide = fonts.glyph_width(&font, '0');
            for digit in '1'..='9' {
                let own = fonts.glyph_width(&font, digit);
                assert!((own - wide).abs() < 0.001, "{digit} in {font:?}");
            }
            assert!(
                fonts.has_glyphs(&font, "\u{202F}…–·•→×≥“”äőžΩЖ"),
                "{font:?}"
            );
        }
    }
}
