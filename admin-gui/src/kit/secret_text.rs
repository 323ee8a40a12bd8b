//! A buffer for what is typed and must not stay: it is wiped when it goes, and never grows into
//! another place that would keep a copy.

use std::{fmt, ops::Range};

use egui::{TextBuffer, text::CharIndex};
use secrecy::SecretString;
use zeroize::{Zeroize as _, Zeroizing};

/// Nothing that is typed is longer.
const ROOM: usize = 4096;

/// A secret while it is typed.
pub struct SecretText(Zeroizing<String>);

impl Default for SecretText {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(ROOM)))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}

impl SecretText {
    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the same was typed in both.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// What was typed, which stays in the buffer for another try.
    pub fn secret(&self) -> SecretString {
        SecretString::from(self.0.as_str())
    }

    /// What was typed; the buffer is empty then.
    pub fn take_secret(&mut self) -> SecretString {
        let secret = SecretString::from(self.0.as_str());
        self.0.zeroize();
        secret
    }
}

impl TextBuffer for SecretText {
    fn is_mutable(&self) -> bool {
        true
    }

    fn as_str(&self) -> &str {
        &self.0
    }

    fn insert_text(&mut self, text: &str, at: CharIndex) -> usize {
        let fits = self.0.len() + text.len() <= ROOM;
        if fits {
            self.0.insert_text(text, at)
        } else {
            0
        }
    }

    fn delete_char_range(&mut self, range: Range<CharIndex>) {
        self.0.delete_char_range(range);
    }

    fn clear(&mut self) {
        self.0.zeroize();
    }

    fn replace_with(&mut self, text: &str) {
        self.0.zeroize();
        self.insert_text(text, CharIndex::default());
    }

    /// Whoever takes it gets a copy that nobody wipes, so there is none.
    fn take(&mut self) -> String {
        self.0.zeroize();
        String::new()
    }

    fn type_id(&self) -> std::any::TypeId {
        std::any::TypeId::of::<Self>()
    }
}
