//! What is measured on: bytes of known kinds, the same in every run.

/// As many different words are drawn from.
const WORDS: usize = 4096;
/// Bytes of noise that make one word: its length, then its letters.
const WORD_NOISE: usize = 11;

/// Text that compresses about as a chat does: the first words come more often.
pub(crate) fn text(len: usize) -> Vec<u8> {
    let letters = noise(WORDS * WORD_NOISE);
    let draws = noise(len);
    let mut text = Vec::with_capacity(len + WORD_NOISE);
    let (draws, _) = draws.as_chunks::<2>();
    for draw in draws {
        let share = u64::from(u16::from_le_bytes(*draw));
        // Squared, so that half of all draws fall into the first quarter of the words.
        let number = usize::try_from((share * share * WORDS as u64) >> 32).expect("below WORDS");
        let word = &letters[number * WORD_NOISE..][..WORD_NOISE];
        let length = 2 + usize::from(word[0]) % (WORD_NOISE - 2);
        text.extend(word[1..=length].iter().map(|letter| b'a' + letter % 26));
        text.push(b' ');
        if text.len() >= len {
            break;
        }
    }
    text.truncate(len);
    text
}

/// Bytes without structure.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}
