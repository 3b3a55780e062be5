//! Reading with `java.text.SimpleDateFormat` (UTC, locale en-US, lenient as Java's is): `13` is a month, what follows the
//! pattern is ignored, of fields that contradict each other the later one counts.
//!
//! Not read, and refused where Java would read them: `W` and `F` (weeks of a month), names of time zones other than
//! UTC's, GMT's and those of the United States, digits that are not ASCII.

use super::{
    date_format::{DAY_MS, DateFormat, MONTHS, WEEKDAYS, date_of_day, day_of_date, first_week, weekday},
    date_pattern::{Letter, Token},
};

/// Years before now from which two-digit years count.
const CENTURY_YEARS_BACK: i64 = 80;
/// Names of zones, and their offsets in hours.
const ZONES: [(&str, i64); 10] = [
    ("Coordinated Universal Time", 0),
    ("UTC", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

impl DateFormat {
    /// The instant that `text` stands for, in milliseconds since the epoch; `None` where Java throws. `now_ms` is needed
    /// for two-digit years, which lie within 80 years before and 20 years after now.
    #[must_use]
    pub fn parse(&self, text: &str, now_ms: i64) -> Option<i64> {
        let mut reader = Reader { text, at: 0, fields: Fields::default(), stamp: 0, century: Century::new(now_ms) };
        for (position, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Text(expected) => {
                    text.get(reader.at..)?.starts_with(expected.as_str()).then_some(())?;
                    reader.at += expected.len();
                }
                Token::Field(letter, count) => {
                    let exact = matches!(self.tokens.get(position + 1), Some(Token::Field(..)));
                    reader.field(*letter, *count, exact)?;
                }
            }
        }
        // Java reports a text as unreadable when nothing of it was used.
        if reader.at == 0 { None } else { reader.fields.instant(reader.century) }
    }
}

/// Where the hundred years of two-digit years begin.
#[derive(Clone, Copy)]
struct Century {
    start_ms: i64,
    start_year: i64,
}

impl Century {
    fn new(now_ms: i64) -> Self {
        let date = date_of_day(now_ms.div_euclid(DAY_MS));
        let start_year = date.year - CENTURY_YEARS_BACK;
        let start = day_of_date(start_year, date.month, date.day);
        Self { start_ms: start * DAY_MS + now_ms.rem_euclid(DAY_MS), start_year }
    }
}

/// A field's value and when it was set: of fields that contradict each other the latest counts.
type Set = Option<(i64, u32)>;

#[derive(Default)]
struct Fields {
    era_bc: bool,
    year: Set,
    week_year: Set,
    month: Set,
    day: Set,
    day_of_year: Set,
    week: Set,
    /// 0 for Sunday.
    weekday: Set,
    hour_of_day: Set,
    hour: Set,
    half_day: Set,
    minute: Set,
    second: Set,
    ms: Set,
    offset_ms: i64,
    /// The two digits are those of the century's first year: which century depends on the rest.
    ambiguous_year: bool,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    fields: Fields,
    stamp: u32,
    century: Century,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn set(&mut self, value: i64) -> Set {
        self.stamp += 1;
        Some((value, self.stamp))
    }

    fn field(&mut self, letter: Letter, count: usize, exact: bool) -> Option<()> {
        // Where a number follows at once, the letters say where this one ends, blanks before it included.
        let end = exact.then_some(self.at + count);
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if self.rest().is_empty() {
            return None;
        }
        match letter {
            Letter::Era => {
                let eras = [("AD", 0), ("BC", 1)];
                self.fields.era_bc = self.name(eras.into_iter())? == 1;
            }
            Letter::Year => {
                let year = self.year(count, end)?;
                self.fields.year = self.set(year);
            }
            Letter::WeekYear => {
                let year = self.year(count, end)?;
                self.fields.week_year = self.set(year);
            }
            Letter::Month => {
                let month = if count <= 2 {
                    self.number(end)?
                } else {
                    self.name(MONTHS.iter().zip(1..).flat_map(|(name, n)| [(*name, n), (&name[..3], n)]))?
                };
                self.fields.month = self.set(month);
            }
            Letter::WeekdayName => {
                let day = self.name(WEEKDAYS.iter().zip(0..).flat_map(|(name, n)| [(*name, n), (&name[..3], n)]))?;
                self.fields.weekday = self.set(day);
            }
            Letter::WeekdayNumber => {
                let day = self.number(end)?;
                self.fields.weekday = self.set(day.rem_euclid(7));
            }
            Letter::HalfDay => {
                let half = self.name([("AM", 0), ("PM", 1)].into_iter())?;
                self.fields.half_day = self.set(half);
            }
            Letter::ZoneName | Letter::ZoneOffset => self.fields.offset_ms = self.zone()?,
            Letter::ZoneIso => self.fields.offset_ms = self.iso_zone(count)?,
            Letter::WeekOfMonth | Letter::WeekdayInMonth => return None,
            numeric => {
                let number = self.number(end)?;
                self.number_field(numeric, number);
            }
        }
        Some(())
    }

    fn number_field(&mut self, letter: Letter, number: i64) {
        let number = match letter {
            Letter::HourOfDay1 if number == 24 => 0,
            Letter::Hour1 if number == 12 => 0,
            _ => number,
        };
        let set = self.set(number);
        let fields = &mut self.fields;
        match letter {
            Letter::Day => fields.day = set,
            Letter::DayOfYear => fields.day_of_year = set,
            Letter::WeekOfYear => fields.week = set,
            Letter::HourOfDay0 | Letter::HourOfDay1 => fields.hour_of_day = set,
            Letter::Hour0 | Letter::Hour1 => fields.hour = set,
            Letter::Minute => fields.minute = set,
            Letter::Second => fields.second = set,
            _ => fields.ms = set,
        }
    }

    /// A whole number, a minus before it allowed, up to `end`; a text that is shorter than that cannot be read.
    fn number(&mut self, end: Option<usize>) -> Option<i64> {
        let part = match end {
            None => self.rest(),
            Some(end) => self.text.get(self.at..end)?,
        };
        let negative = part.starts_with('-');
        let digits = &part[usize::from(negative)..];
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return None;
        }
        let number = digits[..length].parse::<i64>().unwrap_or(i64::MAX);
        self.at += length + usize::from(negative);
        // Java takes the low 32 bits of a long.
        let number = i64::from(if negative { number.wrapping_neg() } else { number } as i32);
        Some(number)
    }

    fn year(&mut self, count: usize, end: Option<usize>) -> Option<i64> {
        let start = self.at;
        let number = self.number(end)?;
        let digits = &self.text[start..self.at];
        if count > 2 || digits.len() != 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(number);
        }
        let ambiguous = self.century.start_year.rem_euclid(100);
        self.fields.ambiguous_year = number == ambiguous;
        Some(number + self.century.start_year.div_euclid(100) * 100 + if number < ambiguous { 100 } else { 0 })
    }

    /// The longest of the names that stands here, in upper or lower case.
    fn name<'n>(&mut self, names: impl Iterator<Item = (&'n str, i64)>) -> Option<i64> {
        let rest = self.rest();
        let found = names
            .filter(|(name, _)| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
            .max_by_key(|(name, _)| name.len());
        let (name, number) = found?;
        self.at += name.len();
        Some(number)
    }

    /// `z` and `Z`: `+0100`, `GMT`, `GMT+1:00` or a name; the offset in milliseconds.
    fn zone(&mut self) -> Option<i64> {
        if self.rest().starts_with(['+', '-']) {
            return self.offset(0, false);
        }
        if self.rest().get(..3).is_some_and(|start| start.eq_ignore_ascii_case("GMT")) {
            self.at += 3;
            return if self.rest().starts_with(['+', '-']) { self.offset(0, true) } else { Some(0) };
        }
        self.name(ZONES.into_iter()).map(|hours| hours * 3_600_000)
    }

    /// `X`: `Z`, `+01`, `+0100` or `+01:00`.
    fn iso_zone(&mut self, count: usize) -> Option<i64> {
        if self.rest().starts_with('Z') {
            self.at += 1;
            return Some(0);
        }
        if self.rest().starts_with(['+', '-']) { self.offset(count, count == 3) } else { None }
    }

    /// A sign, hours and minutes. `count` is that of the letter `X`, 0 for others; one `X` has no minutes.
    fn offset(&mut self, count: usize, colon: bool) -> Option<i64> {
        let bytes = self.rest().as_bytes();
        let digit = |at: usize| bytes.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i64::from(byte - b'0'));
        let sign = if bytes.first() == Some(&b'-') { -1 } else { 1 };
        let mut hours = digit(1)?;
        let mut at = 2;
        match digit(at) {
            Some(more) => {
                hours = hours * 10 + more;
                at += 1;
            }
            // Java looks at the next character before it decides, so there must be one.
            None if count > 0 || !colon || bytes.len() <= at => return None,
            None => {}
        }
        let mut minutes = 0;
        if count != 1 {
            if colon {
                (bytes.get(at) == Some(&b':')).then_some(())?;
                at += 1;
            }
            minutes = digit(at)? * 10 + digit(at + 1)?;
            at += 2;
        }
        if hours > 23 || minutes > 59 {
            return None;
        }
        self.at += at;
        Some(sign * (hours * 60 + minutes) * 60_000)
    }
}

impl Fields {
    fn instant(&self, century: Century) -> Option<i64> {
        let year = self.year.map_or(1970, |(year, _)| year);
        let ms = self.at(year)?;
        if self.ambiguous_year && ms < century.start_ms { self.at(year + 100) } else { Some(ms) }
    }

    fn at(&self, year: i64) -> Option<i64> {
        let value = |set: Set| set.map_or(0, |(value, _)| value);
        let year = if self.era_bc { 1 - year } else { year };
        let days = self.days(year);
        let hours = match (self.hour_of_day, self.hour, self.half_day) {
            (Some((hour, at)), Some((_, hour_at)), Some((_, half_at))) if at > hour_at.max(half_at) => hour,
            (_, Some((hour, _)), Some((half, _))) => hour + 12 * half,
            (Some((hour, _)), ..) => hour,
            (None, hour, half) => value(hour) + 12 * value(half),
        };
        let of_day = ((hours * 60 + value(self.minute)) * 60 + value(self.second)) * 1_000 + value(self.ms);
        days.checked_mul(DAY_MS)?.checked_add(of_day)?.checked_sub(self.offset_ms)
    }

    fn days(&self, year: i64) -> i64 {
        let stamp = |set: Set| set.map_or(0, |(_, stamp)| stamp);
        let week_date = stamp(self.week_year) > stamp(self.year);
        let week_stamp =
            if self.week.is_some() && self.weekday.is_some() { stamp(self.week).max(stamp(self.weekday)) } else { 0 };
        let latest = stamp(self.day).max(stamp(self.day_of_year)).max(week_stamp);
        if let (true, Some((week_year, _))) = (week_date, self.week_year) {
            let week = self.week.map_or(1, |(week, _)| week);
            let day = self.weekday.map_or(0, |(day, _)| day);
            return first_week(week_year) + (week - 1) * 7 + day;
        }
        if let (Some((day, _)), true) = (self.day_of_year, latest > 0 && latest == stamp(self.day_of_year)) {
            return day_of_date(year, 1, 1) + day - 1;
        }
        // Without any day, a week alone decides, with its first day.
        let week_alone = latest == 0 && self.week.is_some() && stamp(self.week) > stamp(self.month);
        if let (Some((week, _)), true) = (self.week, week_alone || (latest > 0 && latest == week_stamp)) {
            let day = self.weekday.map_or(0, |(day, _)| day);
            return first_week(year) + (week - 1) * 7 + day;
        }
        let month = self.month.map_or(1, |(month, _)| month);
        if let (Some((day, weekday_stamp)), 0) = (self.weekday, latest)
            && weekday_stamp > 0
        {
            // A name of a day alone: the first such day of the month.
            let first = day_of_date(year, month, 1);
            return first + (day - weekday(first)).rem_euclid(7);
        }
        day_of_date(year, month, self.day.map_or(1, |(day, _)| day))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: i64 = 1_795_000_000_000;

    /// Many more, made by a JVM in the test run: tests/transforms.
    #[test]
    fn reads_as_java_does() {
        let cases = [
            ("yyyy-MM-dd", "2018-10-18 and more", Some(1_539_820_800_000)),
            ("yyyy-MM-dd", "2018-13-01", Some(1_546_300_800_000)),
            ("yyyyMMdd", "2018101", Some(1_538_352_000_000)),
            ("yyyy-MM-dd'T'HH:mm:ssXXX", "2018-10-18T14:53:33+02:00", Some(1_539_867_213_000)),
            ("EEE, d MMM yy", "Thu, 18 october 18", Some(1_539_820_800_000)),
            ("yyyy-MM-dd", "", None),
            ("yyyy-MM-dd", "2018/10/18", None),
            ("hh a", "12 am", Some(0)),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(DateFormat::compile(pattern).unwrap().parse(text, NOW_MS), expected, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(pattern in "[GyYMdkHmsSEDFwWahKzZuX \\-':.]{0,12}", text in "\\PC{0,20}|[-0-9:.TZ+ ]{0,30}") {
            if let Ok(format) = DateFormat::compile(&pattern) {
                let _ = format.parse(&text, NOW_MS);
            }
        }
    }
}
