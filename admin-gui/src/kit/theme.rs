//! Gives egui our fonts and colours, once, for both themes.

use std::collections::BTreeMap;

use egui::{
    Context, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle, Theme,
    Vec2, Visuals, style::ScrollAnimation, style::Selection, style::WidgetVisuals, style::Widgets,
};

use super::{
    dialog, fonts,
    tokens::{Tokens, height, line, radius, space},
    typography::Text,
};

/// Sets fonts and both themes, once. Which of them is shown is egui's `ThemePreference`.
pub fn apply(ctx: &Context) {
    ctx.set_fonts(fonts::definitions());
    ctx.on_begin_pass(
        "focus after a dialog",
        std::sync::Arc::new(|ui| dialog::return_focus(ui.ctx())),
    );
    for theme in [Theme::Light, Theme::Dark] {
        ctx.set_style_of(theme, style(theme));
    }
}

/// Whether changes are animated.
pub fn set_reduced_motion(ctx: &Context, reduced: bool) {
    let secs = if reduced { 0.0 } else { line::ANIMATION_SECS };
    for theme in [Theme::Light, Theme::Dark] {
        let mut style = style(theme);
        style.animation_time = secs;
        if reduced {
            style.scroll_animation = ScrollAnimation::none();
        }
        ctx.set_style_of(theme, style);
    }
}

/// The whole style of a theme.
pub fn style(theme: Theme) -> Style {
    let mut style = Style {
        text_styles: text_styles(),
        visuals: visuals(theme),
        animation_time: line::ANIMATION_SECS,
        ..Style::default()
    };
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::splat(space::S);
    spacing.button_padding = Vec2::new(space::M, space::XS);
    spacing.interact_size = Vec2::splat(height::CONTROL);
    spacing.menu_margin = Margin::same(4);
    spacing.window_margin = Margin::same(16);
    spacing.icon_width = 16.0;
    spacing.icon_spacing = space::S;
    spacing.scroll.bar_width = 8.0;
    spacing.scroll.floating_width = 4.0;
    // It would grey the row that the keyboard stands on.
    spacing.scroll.fade.strength = 0.0;
    spacing.tooltip_width = 360.0;
    style.interaction.tooltip_delay = 0.4;
    style.interaction.selectable_labels = false;
    #[cfg(debug_assertions)]
    {
        style.debug.show_unaligned = false;
    }
    style
}

fn text_styles() -> BTreeMap<TextStyle, FontId> {
    [
        (TextStyle::Small, Text::Caption.font()),
        (TextStyle::Body, Text::Body.font()),
        (TextStyle::Button, Text::Name.font()),
        (TextStyle::Heading, Text::Title.font()),
        (
            TextStyle::Monospace,
            FontId::new(Text::Mono.size().0, FontFamily::Monospace),
        ),
    ]
    .into()
}

fn visuals(theme: Theme) -> Visuals {
    let t = Tokens::of_theme(theme);
    let base = match theme {
        Theme::Light => Visuals::light(),
        Theme::Dark => Visuals::dark(),
    };
    let floating = Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: t.shadow,
    };
    let mut visuals = Visuals {
        weak_text_color: Some(t.muted),
        widgets: widgets(t),
        selection: Selection {
            bg_fill: t.selected(),
            stroke: Stroke::new(line::FOCUS, t.accent),
        },
        hyperlink_color: t.accent,
        faint_bg_color: t.row_alt,
        extreme_bg_color: t.panel,
        code_bg_color: t.row_alt,
        warn_fg_color: t.warn,
        error_fg_color: t.failed,
        window_corner_radius: CornerRadius::same(radius::CARD),
        window_shadow: floating,
        window_fill: t.panel,
        window_stroke: Stroke::new(line::BORDER, t.border),
        menu_corner_radius: CornerRadius::same(radius::CARD),
        panel_fill: t.bg,
        popup_shadow: floating,
        indent_has_left_vline: false,
        ..base
    };
    visuals.text_cursor.stroke = Stroke::new(line::ICON, t.accent);
    visuals
}

/// egui draws what has the focus as it draws what is pressed; the outline of that is the focus ring.
fn widgets(t: &Tokens) -> Widgets {
    let plain = WidgetVisuals {
        bg_fill: t.panel,
        weak_bg_fill: t.panel,
        bg_stroke: Stroke::new(line::BORDER, t.border),
        corner_radius: CornerRadius::same(radius::CONTROL),
        fg_stroke: Stroke::new(line::BORDER, t.text),
        expansion: 0.0,
    };
    let hovered = WidgetVisuals {
        bg_fill: t.row_alt,
        weak_bg_fill: t.row_alt,
        bg_stroke: Stroke::new(line::BORDER, t.control),
        ..plain
    };
    Widgets {
        noninteractive: plain,
        inactive: plain,
        hovered,
        active: WidgetVisuals {
            bg_stroke: Stroke::new(line::FOCUS, t.accent),
            ..hovered
        },
        open: hovered,
    }
}
