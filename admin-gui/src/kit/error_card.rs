//! What could not be shown: what failed, why, what to do.

use egui::{Margin, Ui};

use super::{
    button::Button,
    card::padded_card,
    icons::Icon,
    shapes::Mark,
    tokens::{Tokens, space},
    typography::Text,
};

/// An error, as it is told to people.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCard<'a> {
    /// What did not work.
    pub sentence: &'a str,
    /// Why.
    pub cause: &'a str,
    /// What to do now.
    pub next: &'a str,
    /// Its code.
    pub code: &'a str,
    /// Whether there is more to read.
    pub details: bool,
}

/// What somebody wants done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorAnswer {
    /// To try again.
    Retry,
    /// To read all of it.
    Details,
    /// It was copied; nothing is left to do.
    Copied,
}

impl ErrorCard<'_> {
    /// All of it as text.
    pub fn text(&self) -> String {
        let Self {
            sentence,
            cause,
            next,
            code,
            ..
        } = self;
        format!("{code}\n{sentence}\n{cause}\n{next}\n")
    }

    /// Draws it.
    pub fn show(&self, ui: &mut Ui) -> Option<ErrorAnswer> {
        let tokens = Tokens::of(ui);
        padded_card(ui, self.sentence, Margin::symmetric(18, 16), |ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            ui.horizontal(|ui| {
                Mark::Failed.ui(ui, 18.0, tokens.panel);
                ui.label(Text::Section.rich(self.sentence, tokens.text));
            });
            ui.add_space(space::XS);
            ui.label(Text::Body.rich(self.cause, tokens.text));
            ui.label(Text::Body.rich(self.next, tokens.muted));
            ui.label(Text::Code.rich(self.code, tokens.muted));
            ui.add_space(space::S);
            let mut answer = None;
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                if ui
                    .add(Button::filled("Retry").icon(Icon::Refresh))
                    .clicked()
                {
                    answer = Some(ErrorAnswer::Retry);
                }
                if self.details && ui.add(Button::outline("Details")).clicked() {
                    answer = Some(ErrorAnswer::Details);
                }
                if ui
                    .add(Button::outline("Copy error").icon(Icon::Copy))
                    .clicked()
                {
                    ui.copy_text(self.text());
                    answer = Some(ErrorAnswer::Copied);
                }
            });
            answer
        })
        .inner
    }
}
