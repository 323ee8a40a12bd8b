//! Text that compresses about as what people and models write does.

use super::random::Random;

/// As many different words there are.
const WORDS: usize = 40_000;

const SYLLABLES: [&str; 40] = [
    "an", "ar", "ba", "be", "ca", "co", "da", "de", "en", "er", "fo", "ga", "ge", "ha", "in", "is",
    "ka", "la", "le", "li", "ma", "me", "mo", "na", "ne", "on", "or", "pa", "re", "ri", "ro", "sa",
    "se", "st", "ta", "ti", "to", "tr", "un", "ä",
];

/// Words, those that come first more often.
#[derive(Debug)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// The words of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 0);
        let word = |number| {
            // The frequent ones are short, as in languages.
            let syllables = 1 + random.place(if number < 100 { 2 } else { 4 });
            (0..syllables)
                .map(|_| SYLLABLES[random.place(SYLLABLES.len())])
                .collect()
        };
        Self((0..WORDS).map(word).collect())
    }

    /// A word.
    pub(super) fn word(&self, random: &mut Random) -> &str {
        // Near to Zipf's law: any doubling of the place is as likely as any other.
        let end = u32::try_from(WORDS).expect("few words");
        &self.0[random.size(1, end) - 1]
    }

    /// Appends sentences until there are `len` bytes more, or a few above.
    pub(super) fn write(&self, random: &mut Random, len: usize, text: &mut String) {
        let end = text.len() + len;
        while text.len() < end {
            let words = 4 + random.place(14);
            for number in 0..words {
                if number > 0 {
                    text.push_str(if random.below(12) == 0 { ", " } else { " " });
                }
                if random.below(8) == 0 {
                    // Names, numbers and code are in no dictionary.
                    text.push_str(&format!("{:06x}", random.below(1 << 24)));
                } else {
                    text.push_str(self.word(random));
                }
                if text.len() >= end {
                    return;
                }
            }
            text.push_str(match random.below(8) {
                0 => "?\n",
                1 => ".\n\n",
                2 => ": ",
                _ => ". ",
            });
        }
    }
}
