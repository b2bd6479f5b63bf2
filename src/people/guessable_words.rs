//! The words that somebody tries first who knows a person and the service.

/// The name of the service.
const SERVICE: &str = "rollcall";
/// A shorter word says too little to be tried.
const MIN_CHARS: usize = 3;
/// Parts of a text that are combined with each other.
const MAX_PARTS: usize = 4;
/// What stands between two of them.
const SEPARATORS: [&str; 6] = ["", " ", ".", "-", "_", "@"];

/// The words that somebody tries first who knows a person and the service.
#[derive(Debug, Clone, Default)]
pub(super) struct GuessableWords(Vec<String>);

impl GuessableWords {
    /// Returns the name of the service, and the host that it has.
    pub(super) fn of_service(host: Option<&str>) -> Self {
        let mut words = Self::default();
        words.add_text(SERVICE);
        words.add_text(host.unwrap_or_default());
        words
    }

    /// Adds those of a person.
    #[must_use]
    pub(super) fn with_person(mut self, email: &str, full_name: Option<&str>) -> Self {
        self.add_text(email);
        self.add_text(email.rsplit_once('@').map_or("", |(local, _)| local));
        self.add_text(full_name.unwrap_or_default());
        self
    }

    pub(super) fn as_strs(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// Adds a text, its parts, and each two of them in either order.
    fn add_text(&mut self, text: &str) {
        self.add(text);
        text.split_whitespace().for_each(|part| self.add(part));
        let parts = text.split(|c: char| !c.is_alphanumeric());
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        for (number, first) in parts.iter().take(MAX_PARTS).enumerate() {
            self.add(first);
            for (other, second) in parts.iter().take(MAX_PARTS).enumerate() {
                for separator in SEPARATORS.iter().filter(|_| other != number) {
                    self.add(&format!("{first}{separator}{second}"));
                }
            }
        }
    }

    fn add(&mut self, word: &str) {
        if word.chars().count() >= MIN_CHARS {
            self.0.push(word.to_owned());
        }
    }
}
