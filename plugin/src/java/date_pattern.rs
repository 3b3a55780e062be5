//! The patterns of `java.text.SimpleDateFormat` (locale en-US), taken apart: letters into fields, everything else into text.

/// A pattern that Java refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A letter without a meaning.
    #[error("Illegal pattern character '{0}'")]
    Letter(char),
    /// A quote that is not closed.
    #[error("Unterminated quote")]
    Quote,
    /// More than three `X`.
    #[error("invalid ISO 8601 format: length={0}")]
    Zone(usize),
    /// Longer than `PATTERN_CHARS_MAX`, or a number wider than that.
    #[error("a pattern has at most {PATTERN_CHARS_MAX} characters")]
    TooLong,
}

/// Longest pattern, in characters. Java knows no limit; a longer one is a mistake, and would make long topics and texts.
pub const PATTERN_CHARS_MAX: usize = 256;

/// One field of a date: the letters of `SimpleDateFormat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// `G`
    Era,
    /// `y`
    Year,
    /// `Y`
    WeekYear,
    /// `M` and `L`
    Month,
    /// `d`
    Day,
    /// `k`: 1 to 24
    HourOfDay1,
    /// `H`: 0 to 23
    HourOfDay0,
    /// `m`
    Minute,
    /// `s`
    Second,
    /// `S`
    Millisecond,
    /// `E`
    WeekdayName,
    /// `D`
    DayOfYear,
    /// `F`
    WeekdayInMonth,
    /// `w`
    WeekOfYear,
    /// `W`
    WeekOfMonth,
    /// `a`
    HalfDay,
    /// `h`: 1 to 12
    Hour1,
    /// `K`: 0 to 11
    Hour0,
    /// `z`
    ZoneName,
    /// `Z`
    ZoneOffset,
    /// `u`: 1 for Monday
    WeekdayNumber,
    /// `X`
    ZoneIso,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Text, as it stands.
    Text(String),
    /// A field and how often its letter stands there.
    Field(Letter, usize),
}

/// Takes a pattern apart.
///
/// # Errors
/// `PatternError` where `new SimpleDateFormat(pattern)` throws.
pub fn tokens(pattern: &str) -> Result<Vec<Token>, PatternError> {
    if pattern.chars().nth(PATTERN_CHARS_MAX).is_some() {
        return Err(PatternError::TooLong);
    }
    let (mut tokens, mut text) = (Vec::new(), String::new());
    let mut chars = pattern.chars().peekable();
    let mut quoted = false;
    while let Some(character) = chars.next() {
        if character == '\'' {
            // Two quotes stand for one, within quotes and without.
            if chars.next_if_eq(&'\'').is_some() {
                text.push('\'');
            } else {
                quoted = !quoted;
            }
        } else if quoted || !character.is_ascii_alphabetic() {
            text.push(character);
        } else {
            let letter = letter(character)?;
            let mut count = 1;
            while chars.next_if_eq(&character).is_some() {
                count += 1;
            }
            if letter == Letter::ZoneIso && count > 3 {
                return Err(PatternError::Zone(count));
            }
            if !text.is_empty() {
                tokens.push(Token::Text(std::mem::take(&mut text)));
            }
            tokens.push(Token::Field(letter, count));
        }
    }
    if quoted {
        return Err(PatternError::Quote);
    }
    if !text.is_empty() {
        tokens.push(Token::Text(text));
    }
    Ok(tokens)
}

fn letter(character: char) -> Result<Letter, PatternError> {
    Ok(match character {
        'G' => Letter::Era,
        'y' => Letter::Year,
        'Y' => Letter::WeekYear,
        'M' | 'L' => Letter::Month,
        'd' => Letter::Day,
        'k' => Letter::HourOfDay1,
        'H' => Letter::HourOfDay0,
        'm' => Letter::Minute,
        's' => Letter::Second,
        'S' => Letter::Millisecond,
        'E' => Letter::WeekdayName,
        'D' => Letter::DayOfYear,
        'F' => Letter::WeekdayInMonth,
        'w' => Letter::WeekOfYear,
        'W' => Letter::WeekOfMonth,
        'a' => Letter::HalfDay,
        'h' => Letter::Hour1,
        'K' => Letter::Hour0,
        'z' => Letter::ZoneName,
        'Z' => Letter::ZoneOffset,
        'u' => Letter::WeekdayNumber,
        'X' => Letter::ZoneIso,
        other => return Err(PatternError::Letter(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart_or_refused() {
        let text = |text: &str| Token::Text(text.into());
        let cases = [
            (
                "yyyy-'T'MM''",
                Ok(vec![Token::Field(Letter::Year, 4), text("-T"), Token::Field(Letter::Month, 2), text("'")]),
            ),
            ("'o''clock'", Ok(vec![text("o'clock")])),
            ("", Ok(vec![])),
            ("HHmm", Ok(vec![Token::Field(Letter::HourOfDay0, 2), Token::Field(Letter::Minute, 2)])),
            ("XXX", Ok(vec![Token::Field(Letter::ZoneIso, 3)])),
            ("XXXX", Err(PatternError::Zone(4))),
            ("yyyy-T", Err(PatternError::Letter('T'))),
            ("'a", Err(PatternError::Quote)),
        ];
        for (pattern, expected) in cases {
            assert_eq!(tokens(pattern), expected, "{pattern}");
        }
        assert!(tokens(&"-".repeat(PATTERN_CHARS_MAX)).is_ok());
        assert_eq!(tokens(&"-".repeat(PATTERN_CHARS_MAX + 1)), Err(PatternError::TooLong));
    }
}
