//! A password to be set: how long it is, and that nobody guesses it.

use secrecy::{ExposeSecret, SecretString};
use zxcvbn::feedback::{Feedback, Warning};
use zxcvbn::{Score, zxcvbn};

use super::guessable_words::GuessableWords;
use crate::error::{Error, Result};
use crate::text;

/// What is better than a password that was refused.
const ADVICE: &str =
    "three or four words that have nothing to do with each other or with you are better";

/// A password to be set, in Unicode's normalization form C: the same characters make the same
/// password, however a keyboard composes them (NIST SP 800-63B, 3.1.1.2). It is never displayed,
/// logged or stored, and its memory is overwritten when it is dropped.
#[derive(Debug, Clone)]
pub struct NewPassword {
    /// The name of the field that it was typed into.
    field: &'static str,
    text: SecretString,
}

impl NewPassword {
    /// Characters that it has at least.
    pub const MIN_CHARS: usize = 8;
    /// Characters that it has at most, so that nobody can make the service hash a megabyte.
    pub const MAX_CHARS: usize = 256;

    /// Returns a password to be set. Any character may be in it, and none has to be. `field` is the
    /// name of the field it was typed into.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it has fewer than 8 characters or more than 256.
    pub fn new(field: &'static str, text: String) -> Result<Self> {
        let typed = SecretString::from(text);
        let text = SecretString::from(text::composed(typed.expose_secret()).into_owned());
        let must_have =
            |what: String| Err(Error::field(field, format!("must have {what} characters")));
        // One more tells that there are too many: all need not be counted.
        let chars = text.expose_secret().chars().take(Self::MAX_CHARS + 1);
        match chars.count() {
            few if few < Self::MIN_CHARS => must_have(format!("at least {}", Self::MIN_CHARS)),
            many if many > Self::MAX_CHARS => must_have(format!("at most {}", Self::MAX_CHARS)),
            _ => Ok(Self { field, text }),
        }
    }

    /// Verifies that it is not one of the first million that somebody tries who knows the person and
    /// the service.
    ///
    /// # Errors
    /// [`Error::Invalid`] with why it is easy to guess, and what is better.
    pub(super) fn require_hard_to_guess(&self, words: &GuessableWords) -> Result<()> {
        let words = words.as_strs();
        let plain = SecretString::from(text::plain(self.text.expose_secret()));
        let ways = [&self.text, &plain].map(SecretString::expose_secret);
        // It reads 100 characters at most.
        let guessed = ways.iter().find_map(|way| {
            let estimate = zxcvbn(way, &words);
            (estimate.score() < Score::Two).then_some((way, estimate))
        });
        let Some((way, estimate)) = guessed else {
            return Ok(());
        };
        let anybodys = zxcvbn(way, &[]);
        let why = match estimate.guesses() < anybodys.guesses() {
            true => "it is made from your name, your e-mail or the name of this service",
            false => reason(anybodys.feedback().and_then(Feedback::warning)),
        };
        Err(Error::field(
            self.field,
            format!("is too easy to guess: {why}; {ADVICE}"),
        ))
    }

    /// Returns the name of the field that it was typed into.
    pub(super) fn field(&self) -> &'static str {
        self.field
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.expose_secret().as_bytes()
    }
}

/// Returns why anybody's password is easy to guess.
fn reason(warning: Option<Warning>) -> &'static str {
    match warning {
        Some(
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword,
        ) => "many people use it, so it is guessed first",
        Some(Warning::ThisIsSimilarToACommonlyUsedPassword) => {
            "it is close to one that many people use, and such changes are guessed as well"
        }
        Some(
            Warning::StraightRowsOfKeysAreEasyToGuess
            | Warning::ShortKeyboardPatternsAreEasyToGuess,
        ) => "its keys are next to each other on the keyboard",
        Some(
            Warning::RepeatsLikeAaaAreEasyToGuess
            | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess,
        ) => "it repeats itself",
        Some(Warning::SequencesLikeAbcAreEasyToGuess) => "it is a sequence, like abc or 6543",
        Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => {
            "it is mostly a date or a year"
        }
        Some(
            Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
            | Warning::CommonNamesAndSurnamesAreEasyToGuess,
        ) => "it is mostly a name",
        Some(Warning::AWordByItselfIsEasyToGuess) => "it is a single dictionary word",
        None => "it is too easy to predict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<()> {
        let words = GuessableWords::of_service(Some("login.example.org"))
            .with_person("ada.lovelace@analytical.example", Some("Ada King Lovelace"));
        NewPassword::new("password", text.into())?.require_hard_to_guess(&words)
    }

    fn refusal(text: &str) -> String {
        let err = check(text).expect_err(text);
        err.field_errors()[0].message.clone()
    }

    #[test]
    fn common_and_personal_passwords_are_refused() {
        for (text, why) in [
            ("password", "many people use it"),
            ("12345678", "many people use it"),
            ("Password1", "many people"),
            ("p4ssw0rd!", "close to one that many people use"),
            ("qwertyuiop[]", "keyboard"),
            ("aaaaaaaaaaaa", "repeats itself"),
            ("abcdefghijk", "sequence"),
            ("19.10.1815", "date"),
            ("rollcall", "name of this service"),
            ("Rollcall2026", "name of this service"),
            ("login.example.org", "name of this service"),
            ("adalovelace", "your name"),
            ("Ada-Lovelace", "your name"),
            ("lovelace.ada1", "your name"),
            ("ada.lovelace@analytical.example", "your e-mail"),
            ("analytical1", "your e-mail"),
            ("lovelace@analytical", "your e-mail"),
        ] {
            let message = refusal(text);
            assert!(message.contains(why), "{text}: {message}");
            assert!(message.ends_with(ADVICE), "{message}");
        }
    }

    #[test]
    fn any_characters_may_be_in_a_password() {
        for text in [
            "correct horse battery staple",
            " täglich Brot und Käse ",
            "пароль из четырёх слов",
            "🦊🐢🌵🎻🧭🪁🫐🧵",
            "dj38vn2k",
            &"long phrase, ".repeat(19),
        ] {
            check(text).expect(text);
        }
    }

    #[test]
    fn characters_count_and_not_bytes() {
        let new = |text: String| NewPassword::new("password", text);
        assert!(new("ab".repeat(3)).is_err());
        assert!(new("é".repeat(8)).is_ok());
        // Composed of two each.
        assert!(new("e\u{301}".repeat(7)).is_err());
        assert!(new("e\u{301}".repeat(256)).is_ok());
        assert!(new("🦊".repeat(256)).is_ok());
        assert!(new("a".repeat(257)).is_err());
    }

    #[test]
    fn the_check_of_the_worst_text_takes_no_time_that_matters() {
        // Words that match in many ways, beyond the length that is read.
        for text in [
            "4@8({[<369&#!1/|0$5+7%2",
            "aA@4",
            "pass",
            "1990",
            "qweasd",
            "ab1",
        ] {
            let long: String = text.chars().cycle().take(NewPassword::MAX_CHARS).collect();
            let estimate = zxcvbn(&long, &[]);
            assert!(estimate.calculation_time().as_millis() < 2_000, "{text}");
        }
    }
}
