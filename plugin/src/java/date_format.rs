//! `java.text.SimpleDateFormat` in UTC and the locale en-US: instants into text. The calendar is Java's
//! `GregorianCalendar`: Julian before 15 October 1582, weeks that begin on Sunday, the first one with at least one day.
//! Reading is in `date_parse`.

use std::fmt::Write as _;

use super::date_pattern::{Letter, PatternError, Token, tokens};
use crate::time::days_from_civil;

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// The day on which the Gregorian calendar begins, 15 October 1582, in days since the epoch.
const CUTOVER_DAY: i64 = -141_427;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFormat {
    pub(super) tokens: Vec<Token>,
}

/// A date of Java's calendar. `year` counts through: 0 is 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: i64,
    pub(super) day: i64,
}

impl DateFormat {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// `PatternError` where Java refuses the pattern.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        tokens(pattern).map(|tokens| Self { tokens })
    }

    /// The text of an instant, in milliseconds since the epoch.
    #[must_use]
    pub fn format(&self, ms: i64) -> String {
        let moment = Moment::new(ms);
        let mut out = String::new();
        for token in &self.tokens {
            match token {
                Token::Text(text) => out.push_str(text),
                Token::Field(letter, count) => moment.push(&mut out, *letter, *count),
            }
        }
        out
    }
}

/// An instant, taken apart.
struct Moment {
    days: i64,
    date: Date,
    ms_of_day: i64,
}

impl Moment {
    fn new(ms: i64) -> Self {
        let days = ms.div_euclid(DAY_MS);
        Self { days, date: date_of_day(days), ms_of_day: ms.rem_euclid(DAY_MS) }
    }

    /// 0 for Sunday.
    fn weekday(&self) -> i64 {
        weekday(self.days)
    }

    fn day_of_year(&self) -> i64 {
        self.days - day_of_date(self.date.year, 1, 1) + 1
    }

    /// Days of the month that have passed; fewer than its number says in the month in which the calendar changed.
    fn days_of_month(&self) -> i64 {
        self.days - day_of_date(self.date.year, self.date.month, 1)
    }

    /// The year to which the week belongs, and the week's number in it.
    fn week(&self) -> (i64, i64) {
        let year = self.date.year;
        if self.days >= first_week(year + 1) {
            return (year + 1, 1);
        }
        (year, (self.days - first_week(year)) / 7 + 1)
    }

    fn push(&self, out: &mut String, letter: Letter, count: usize) {
        let hour = self.ms_of_day / 3_600_000;
        let number = match letter {
            Letter::Era => return out.push_str(if self.date.year > 0 { "AD" } else { "BC" }),
            Letter::Year => {
                let year = if self.date.year > 0 { self.date.year } else { 1 - self.date.year };
                return push_year(out, year, count);
            }
            Letter::WeekYear => return push_year(out, self.week().0, count),
            Letter::Month if count >= 3 => return push_name(out, MONTHS[index(self.date.month - 1)], count),
            Letter::Month => self.date.month,
            Letter::Day => self.date.day,
            Letter::HourOfDay1 if hour == 0 => 24,
            Letter::HourOfDay1 | Letter::HourOfDay0 => hour,
            Letter::Minute => self.ms_of_day / 60_000 % 60,
            Letter::Second => self.ms_of_day / 1_000 % 60,
            Letter::Millisecond => self.ms_of_day % 1_000,
            Letter::WeekdayName => return push_name(out, WEEKDAYS[index(self.weekday())], count),
            Letter::WeekdayNumber => (self.weekday() + 6) % 7 + 1,
            Letter::DayOfYear => self.day_of_year(),
            Letter::WeekdayInMonth => self.days_of_month() / 7 + 1,
            Letter::WeekOfYear => self.week().1,
            Letter::WeekOfMonth => {
                let past = self.days_of_month();
                (past + weekday(self.days - past)) / 7 + 1
            }
            Letter::HalfDay => return out.push_str(if hour < 12 { "AM" } else { "PM" }),
            Letter::Hour1 => (hour + 11) % 12 + 1,
            Letter::Hour0 => hour % 12,
            Letter::ZoneName => {
                return out.push_str(if count >= 4 { "Coordinated Universal Time" } else { "UTC" });
            }
            Letter::ZoneOffset => return out.push_str("+0000"),
            Letter::ZoneIso => return out.push('Z'),
        };
        push_number(out, number, count);
    }
}

fn push_year(out: &mut String, year: i64, count: usize) {
    // Two letters stand for the last two digits, any other number of letters for all of them.
    push_number(out, if count == 2 { year % 100 } else { year }, count);
}

fn push_name(out: &mut String, name: &str, count: usize) {
    out.push_str(if count >= 4 { name } else { &name[..3] });
}

fn push_number(out: &mut String, number: i64, count: usize) {
    let sign = if number < 0 { "-" } else { "" };
    write!(out, "{sign}{:0count$}", number.unsigned_abs()).expect("a String takes every write");
}

/// A small number that is never negative.
fn index(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// 0 for Sunday.
pub(super) fn weekday(days: i64) -> i64 {
    // The epoch was a Thursday.
    (days + 4).rem_euclid(7)
}

/// The day on which a year's first week begins: the Sunday on or before 1 January.
pub(super) fn first_week(year: i64) -> i64 {
    let new_year = day_of_date(year, 1, 1);
    new_year - weekday(new_year)
}

/// Days since the epoch of a date. Month and day may lie outside their ranges, as in a lenient calendar.
pub(super) fn day_of_date(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let gregorian = days_from_civil(year, month, 1) + day - 1;
    if gregorian >= CUTOVER_DAY { gregorian } else { julian_day(year, month) + day - 1 }
}

/// Days since the epoch of the first of a month in the Julian calendar.
fn julian_day(year: i64, month: i64) -> i64 {
    /// Days from 1 March of the year 0 to the epoch, Julian.
    const EPOCH_DAYS: i64 = 719_470;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year.div_euclid(4) + (153 * month + 2) / 5 - EPOCH_DAYS
}

/// The date of a day, in days since the epoch.
pub(super) fn date_of_day(days: i64) -> Date {
    /// Days of a Gregorian cycle of 400 years, and of a Julian one of 4.
    const GREGORIAN_CYCLE: i64 = 146_097;
    const JULIAN_CYCLE: i64 = 1_461;
    // Counted from a 1 March, so that the leap day is the last of its year.
    let (years, day_of_year) = if days >= CUTOVER_DAY {
        let days = days + 719_468;
        let (cycle, day) = (days.div_euclid(GREGORIAN_CYCLE), days.rem_euclid(GREGORIAN_CYCLE));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        (cycle * 400 + year, day - (365 * year + year / 4 - year / 100))
    } else {
        let days = days + 719_470;
        let (cycle, day) = (days.div_euclid(JULIAN_CYCLE), days.rem_euclid(JULIAN_CYCLE));
        let year = (day - day / 1_460) / 365;
        (cycle * 4 + year, day - 365 * year)
    };
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (years, month + 3) } else { (years + 1, month - 9) };
    Date { year, month, day }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Many more, made by a JVM in the test run: tests/transforms.
    #[test]
    fn formats_as_java_does() {
        let cases = [
            ("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", 1_539_874_413_777, "2018-10-18T14:53:33.777Z"),
            ("yyMMdd", -1, "691231"),
            ("EEE, d MMMM yyyy hh:mm a z", 0, "Thu, 1 January 1970 12:00 AM UTC"),
            ("YYYY-ww", 1_609_372_800_000, "2021-01"),
            ("G yyyy", -62_198_755_200_000, "BC 0002"),
        ];
        for (pattern, ms, expected) in cases {
            assert_eq!(DateFormat::compile(pattern).unwrap().format(ms), expected, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn dates_and_days_are_inverse(days in -2_000_000_i64..2_000_000) {
            let date = date_of_day(days);
            prop_assert_eq!(day_of_date(date.year, date.month, date.day), days);
            prop_assert!((1..=12).contains(&date.month) && (1..=31).contains(&date.day));
        }
    }
}
