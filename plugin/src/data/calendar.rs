//! ISO 8601 dates, times and datetimes as Salesforce writes them, read into the numbers of Connect's logical types.
//! The calendar is the proleptic Gregorian one, as in `java.time`. Text is read exactly or refused: a digit below the
//! millisecond that is not zero would be lost, a datetime without an offset is not a point in time.

use crate::time::days_from_civil;

/// Why a text was not read. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not of the form that was asked for.
    #[error("not of the form {0}")]
    Form(&'static str),
    /// A month, day, hour, minute, second or offset that does not exist.
    #[error("no such date or time")]
    Range,
    /// Digits below the millisecond.
    #[error("finer than a millisecond")]
    TooFine,
}

const DATE_FORM: &str = "YYYY-MM-DD";
const TIME_FORM: &str = "hh:mm:ss.SSSZ";
const DATETIME_FORM: &str = "YYYY-MM-DDThh:mm:ss.SSSZ";

/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;
/// The widest offset from UTC that ISO 8601 users employ, in hours.
const OFFSET_HOURS_MAX: i64 = 18;

/// Days since 1970-01-01 of `2018-10-18`.
///
/// # Errors
/// `CalendarError` when the text is no such date.
pub fn date_days(text: &str) -> Result<i32, CalendarError> {
    let mut cursor = Cursor { rest: text.as_bytes(), form: DATE_FORM };
    let days = cursor.date()?;
    cursor.end()?;
    i32::try_from(days).map_err(|_| CalendarError::Range)
}

/// Milliseconds since the epoch of `2018-10-18T14:53:33.777Z`; the fraction may be missing, the offset is `Z`, `+0000`
/// or `+00:00`, any hours and minutes.
///
/// # Errors
/// `CalendarError` when the text is no such datetime.
pub fn datetime_ms(text: &str) -> Result<i64, CalendarError> {
    let mut cursor = Cursor { rest: text.as_bytes(), form: DATETIME_FORM };
    let days = cursor.date()?;
    cursor.expect(b'T')?;
    let time_ms = cursor.time()?;
    let offset_ms = cursor.offset()?;
    cursor.end()?;
    Ok(days * DAY_MS + time_ms - offset_ms)
}

/// Milliseconds of the day of `14:53:33.777Z`; fraction and offset may be missing. A time of day has no place, so an
/// offset other than zero is refused.
///
/// # Errors
/// `CalendarError` when the text is no such time.
pub fn time_ms(text: &str) -> Result<i32, CalendarError> {
    let mut cursor = Cursor { rest: text.as_bytes(), form: TIME_FORM };
    let time_ms = cursor.time()?;
    if !cursor.rest.is_empty() && cursor.offset()? != 0 {
        return Err(CalendarError::Range);
    }
    cursor.end()?;
    i32::try_from(time_ms).map_err(|_| CalendarError::Range)
}

/// Year, month and day of a count of days since 1970-01-01 (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
#[must_use]
pub fn civil_from_days(days: i64) -> (i64, u8, u8) {
    // Days from 0000-03-01 to 1970-01-01, and in four hundred years.
    const EPOCH: i64 = 719_468;
    const ERA: i64 = 146_097;
    let days = days + EPOCH;
    let day_of_era = days.rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + days.div_euclid(ERA) * 400 + i64::from(month <= 2);
    // Both are far below 256.
    (year, month as u8, day as u8)
}

/// What is left of a text.
struct Cursor<'a> {
    rest: &'a [u8],
    form: &'static str,
}

impl Cursor<'_> {
    fn error<T>(&self) -> Result<T, CalendarError> {
        Err(CalendarError::Form(self.form))
    }

    fn end(&self) -> Result<(), CalendarError> {
        if self.rest.is_empty() { Ok(()) } else { self.error() }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), CalendarError> {
        if self.take(byte) { Ok(()) } else { self.error() }
    }

    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Result<i64, CalendarError> {
        let Some((digits, rest)) = self.rest.split_at_checked(count) else { return self.error() };
        if !digits.iter().all(u8::is_ascii_digit) {
            return self.error();
        }
        self.rest = rest;
        Ok(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    fn date(&mut self) -> Result<i64, CalendarError> {
        let year = self.digits(4)?;
        self.expect(b'-')?;
        let month = self.digits(2)?;
        self.expect(b'-')?;
        let day = self.digits(2)?;
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return Err(CalendarError::Range);
        }
        Ok(days_from_civil(year, month, day))
    }

    fn time(&mut self) -> Result<i64, CalendarError> {
        let hour = self.digits(2)?;
        self.expect(b':')?;
        let minute = self.digits(2)?;
        self.expect(b':')?;
        let second = self.digits(2)?;
        if hour > 23 || minute > 59 || second > 59 {
            return Err(CalendarError::Range);
        }
        let fraction_ms = if self.take(b'.') { self.fraction_ms()? } else { 0 };
        Ok(((hour * 60 + minute) * 60 + second) * 1000 + fraction_ms)
    }

    /// The digits after the point: at least one; from the fourth on they must be zero.
    fn fraction_ms(&mut self) -> Result<i64, CalendarError> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return self.error();
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        if digits.iter().skip(3).any(|&digit| digit != b'0') {
            return Err(CalendarError::TooFine);
        }
        let digit = |position: usize| digits.get(position).map_or(0, |digit| i64::from(digit - b'0'));
        Ok(digit(0) * 100 + digit(1) * 10 + digit(2))
    }

    fn offset(&mut self) -> Result<i64, CalendarError> {
        if self.take(b'Z') {
            return Ok(0);
        }
        let sign = if self.take(b'+') {
            1
        } else if self.take(b'-') {
            -1
        } else {
            return self.error();
        };
        let hours = self.digits(2)?;
        self.take(b':');
        let minutes = self.digits(2)?;
        if hours > OFFSET_HOURS_MAX || minutes > 59 {
            return Err(CalendarError::Range);
        }
        Ok(sign * (hours * 60 + minutes) * 60_000)
    }
}

fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by java.time: tests/golden/CalendarGolden.java.
    const GOLDEN: &str = include_str!("../../../tests/golden/calendar.jsonl");

    #[derive(serde::Deserialize)]
    struct Line<'a> {
        kind: &'a str,
        input: &'a str,
        output: i64,
    }

    #[test]
    fn reads_what_java_reads() {
        for text in GOLDEN.lines() {
            let line: Line<'_> = serde_json::from_str(text).unwrap();
            let read = match line.kind {
                "date" => date_days(line.input).map(i64::from),
                "datetime" => datetime_ms(line.input),
                _ => time_ms(line.input).map(i64::from),
            };
            assert_eq!(read, Ok(line.output), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_exact() {
        let dates = [
            ("", Err(CalendarError::Form(DATE_FORM))),
            ("2018-1-18", Err(CalendarError::Form(DATE_FORM))),
            ("2018-10-18T", Err(CalendarError::Form(DATE_FORM))),
            ("18-10-2018", Err(CalendarError::Form(DATE_FORM))),
            ("２018-10-18", Err(CalendarError::Form(DATE_FORM))),
            ("2018-00-18", Err(CalendarError::Range)),
            ("2018-13-18", Err(CalendarError::Range)),
            ("2018-10-00", Err(CalendarError::Range)),
            ("2018-10-32", Err(CalendarError::Range)),
            ("2018-04-31", Err(CalendarError::Range)),
            ("2019-02-29", Err(CalendarError::Range)),
            ("1900-02-29", Err(CalendarError::Range)),
        ];
        for (text, expected) in dates {
            assert_eq!(date_days(text), expected, "{text}");
        }
        let datetimes = [
            ("2018-10-18", Err(CalendarError::Form(DATETIME_FORM))),
            ("2018-10-18 14:53:33Z", Err(CalendarError::Form(DATETIME_FORM))),
            ("2018-10-18T14:53:33", Err(CalendarError::Form(DATETIME_FORM))),
            ("2018-10-18T14:53Z", Err(CalendarError::Form(DATETIME_FORM))),
            ("2018-10-18T14:53:33.Z", Err(CalendarError::Form(DATETIME_FORM))),
            ("2018-10-18T14:53:33Zx", Err(CalendarError::Form(DATETIME_FORM))),
            ("2018-10-18T14:53:33+00", Err(CalendarError::Form(DATETIME_FORM))),
            ("2018-10-18T24:00:00Z", Err(CalendarError::Range)),
            ("2018-10-18T23:60:00Z", Err(CalendarError::Range)),
            ("2018-10-18T23:59:60Z", Err(CalendarError::Range)),
            ("2018-10-18T23:59:00+19:00", Err(CalendarError::Range)),
            ("2018-10-18T14:53:33.7771Z", Err(CalendarError::TooFine)),
        ];
        for (text, expected) in datetimes {
            assert_eq!(datetime_ms(text), expected, "{text}");
        }
        assert_eq!(time_ms("14:53:33.777+01:00"), Err(CalendarError::Range));
        assert_eq!(time_ms("14:53"), Err(CalendarError::Form(TIME_FORM)));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*|[-0-9T:.Z+]{0,30}") {
            let _ = (date_days(&text), datetime_ms(&text), time_ms(&text));
        }
    }
}
