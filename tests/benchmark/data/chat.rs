//! The chat application's rows, as COPY takes them: people ask briefly, models answer at length.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    ops::Range,
    path::Path,
};

use super::{random::Random, words::Words};
use crate::error::BenchError;

/// Messages of one chat.
const MESSAGES_IN_CHAT: u64 = 10;
/// Chats of one user.
const CHATS_OF_USER: u64 = 15;
/// Lengths of what people and models write. Together with the other columns they make 1.5
/// million messages 1.3 GB.
const QUESTION_BYTES: Range<u64> = 20..380;
const ANSWER_BYTES: Range<u64> = 200..2_040;
/// 2025-01-01, in seconds.
const FIRST_MESSAGE: u64 = 1_735_689_600;
const MODELS: [&str; 4] = ["llama-3.1-8b", "qwen-2.5-14b", "support", "translator"];

/// Rows of a seed.
#[derive(Debug)]
pub(super) struct Chat {
    seed: u64,
    words: Words,
}

impl Chat {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            words: Words::new(seed),
        }
    }

    /// Writes users, chats or messages to a new file.
    pub(super) fn write(
        &self,
        path: &Path,
        rows: Range<u64>,
        row: impl Fn(&Self, u64, &mut String),
    ) -> Result<(), BenchError> {
        let write = || -> io::Result<()> {
            let mut file = BufWriter::with_capacity(1 << 20, File::create_new(path)?);
            let mut text = String::new();
            for number in rows {
                text.clear();
                row(self, number, &mut text);
                file.write_all(text.as_bytes())?;
            }
            file.flush()
        };
        write().map_err(BenchError::io("write", path))
    }

    /// How many users `messages` have.
    pub(super) fn users(messages: u64) -> u64 {
        Self::chats(messages) / CHATS_OF_USER + 1
    }

    /// How many chats they are in.
    pub(super) fn chats(messages: u64) -> u64 {
        messages / MESSAGES_IN_CHAT + 1
    }

    /// A row of `"user"`.
    pub(super) fn user(&self, number: u64, row: &mut String) {
        let mut random = Random::new(self.seed, number << 2);
        row.push_str(&format!(
            "{number}\tuser{number}@example.org\t{} {}\t{{\"theme\": \"dark\", \"seen\": {}}}\n",
            self.words.word(&mut random),
            self.words.word(&mut random),
            random.below(1 << 32),
        ));
    }

    /// A row of `chat`.
    pub(super) fn chat(&self, number: u64, row: &mut String) {
        let mut random = Random::new(self.seed, (number << 2) | 1);
        let user = (number - 1) / CHATS_OF_USER + 1;
        row.push_str(&format!("{number}\t{user}\t"));
        self.text(&mut random, 30, row);
        row.push_str(&format!(
            "\t{{\"pinned\": {}, \"current\": \"{:016x}\"}}\t{}\n",
            random.below(20) == 0,
            random.next(),
            time(number * MESSAGES_IN_CHAT),
        ));
    }

    /// A row of `message`.
    pub(super) fn message(&self, number: u64, row: &mut String) {
        let mut random = Random::new(self.seed, (number << 2) | 2);
        let asks = number.is_multiple_of(2);
        let lengths = if asks { QUESTION_BYTES } else { ANSWER_BYTES };
        let length = lengths.start + random.below(lengths.end - lengths.start);
        let role = match random.below(50) {
            0 => "system",
            1 => "tool",
            _ if asks => "user",
            _ => "assistant",
        };
        let chat = (number - 1) / MESSAGES_IN_CHAT + 1;
        row.push_str(&format!("{number}\t{chat}\t{role}\t"));
        let length = usize::try_from(length).expect("a message is short");
        self.text(&mut random, length, row);
        row.push_str(&format!(
            "\t{{\"model\": \"{}\", \"parent\": \"{:016x}\", \"usage\": {{\"prompt_tokens\": {}, \
             \"completion_tokens\": {}, \"eval_ms\": {}}}}}\t{}\t\\N\n",
            MODELS[random.place(MODELS.len())],
            random.next(),
            random.below(4000),
            length / 4,
            random.below(30_000),
            time(number),
        ));
    }

    fn text(&self, random: &mut Random, length: usize, row: &mut String) {
        let mut text = String::new();
        self.words.write(random, length, &mut text);
        row.push_str(&text.replace('\n', "\\n"));
    }
}

/// When a message was written: one every 40 seconds.
fn time(message: u64) -> String {
    let seconds = FIRST_MESSAGE + message * 40;
    let days = seconds / 86_400 - FIRST_MESSAGE / 86_400;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    // Years of 12 months of 28 days: dates that exist, and that is enough.
    let (year, month, day) = (2025 + days / 336, days / 28 % 12 + 1, days % 28 + 1);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}+00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_depend_on_the_seed_and_their_number_only() {
        let row = |seed, number| {
            let mut row = String::new();
            Chat::new(seed).message(number, &mut row);
            row
        };
        assert_eq!(row(1, 9), row(1, 9));
        assert_ne!(row(1, 9), row(2, 9));
        let fields = row(1, 9).split('\t').count();
        assert_eq!((fields, row(1, 9).lines().count()), (7, 1));
    }
}
