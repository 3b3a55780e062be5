//! Time as a value. The core never asks for the time; whoever drives it says what time it is.

/// Milliseconds since the Unix epoch, by the wall clock. For dates, never for timers.
pub type WallMs = i64;

/// An instant, read once and handed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes back; its zero has no meaning. For timers.
    pub monotonic_ms: u64,
    /// The wall clock.
    pub wall_ms: WallMs,
}

impl Now {
    /// The deadline that lies `after_ms` milliseconds ahead.
    #[must_use]
    pub fn deadline(self, after_ms: u64) -> Deadline {
        Deadline(self.monotonic_ms.saturating_add(after_ms))
    }
}

/// A point on the monotonic clock, in its milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub u64);

impl Deadline {
    /// Milliseconds from `now` to this deadline; 0 when it has passed.
    #[must_use]
    pub fn remaining_ms(self, now: Now) -> u64 {
        self.0.saturating_sub(now.monotonic_ms)
    }

    /// Whether it has passed.
    #[must_use]
    pub fn passed(self, now: Now) -> bool {
        self.0 <= now.monotonic_ms
    }
}

/// Reads an HTTP date, `Wed, 21 Oct 2015 07:28:00 GMT`, leniently as RFC 6265, 5.1.1 asks for cookies: dashes and
/// two-digit years are fine, the day's name does not matter. Always UTC.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<WallMs> {
    const MONTHS: &str = "janfebmaraprmayjunjulaugsepoctnovdec";
    let (mut day, mut month, mut year, mut clock) = (None, None, None, None);
    for token in text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':').filter(|token| !token.is_empty()) {
        let number = token.parse::<i64>().ok();
        if clock.is_none() && token.contains(':') {
            let mut parts = token.splitn(3, ':').map(|part| part.parse::<i64>().ok());
            let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
            if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..61).contains(&second) {
                return None;
            }
            clock = Some((hour * 60 + minute) * 60 + second);
        } else if let (None, Some(n @ 1..=31)) = (day, number) {
            day = Some(n);
        } else if let (None, Some(n)) = (year, number) {
            year = Some(match n {
                0..=69 => n + 2_000,
                70..=99 => n + 1_900,
                1_601..=9_999 => n,
                _ => return None,
            });
        } else if month.is_none() && number.is_none() {
            let name = token.get(..3)?.to_ascii_lowercase();
            month = MONTHS.find(&name).filter(|at| at % 3 == 0).and_then(|at| i64::try_from(at / 3 + 1).ok());
        }
    }
    let days = days_from_civil(year?, month?, day?);
    Some((days * 86_400 + clock?) * 1_000)
}

/// `2018-10-18T14:53:33.777Z`.
#[must_use]
pub fn iso(ms: WallMs) -> String {
    let (days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil_from_days(days);
    let (seconds, millis) = (of_day / 1_000, of_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The other way round than `days_from_civil`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    /// A first guess is at most one year too late.
    const DAYS_PER_400_YEARS: i64 = 146_097;
    let mut year = 1970 + days * 400 / DAYS_PER_400_YEARS + 1;
    while days_from_civil(year, 1, 1) > days {
        year -= 1;
    }
    let month = (1..=12).rev().find(|month| days_from_civil(year, *month, 1) <= days).unwrap_or(1);
    (year, month, days - days_from_civil(year, month, 1) + 1)
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Counts in years that begin on 1 March, so that the
/// leap day is the last one of its year.
#[must_use]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH_DAYS: i64 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // Months from March on: 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, (28 or 29) days.
    let days_before_month = (153 * month + 2) / 5;
    year * 365 + leap_days + days_before_month + day - 1 - EPOCH_DAYS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates() {
        let cases = [
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(1_445_412_480_000)),
            ("Thu, 01-Jan-1970 00:00:00 GMT", Some(0)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777_000)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777_000)),
            ("Tue, 29 Feb 2000 23:59:59 GMT", Some(951_868_799_000)),
            ("yesterday", None),
            ("", None),
            ("Wed, 21 Oct 2015", None),
            ("Wed, 21 Oct 2015 25:00:00 GMT", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_http_date(text), expected, "{text}");
        }
    }

    /// By GNU date.
    #[test]
    fn iso_dates() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_539_874_413_777, "2018-10-18T14:53:33.777Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (1_767_225_599_000, "2025-12-31T23:59:59.000Z"),
            (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso(ms), expected);
        }
    }
}
