//! One record, for people (`text`) and for programs (`json`). Keys and values are shown as they are: JSON keeps its
//! spelling, so that no digit of a large number is lost.

use std::fmt::{self, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::embedded::LogRecord;

/// Columns that fields may fill.
const COLUMNS: usize = 110;
/// Characters of one field.
const FIELD_CHARS_MAX: usize = 60;
const INDENT: &str = "    ";

const DIM: &str = "2";
const BOLD: &str = "1";
const CYAN: &str = "36";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const MAGENTA: &str = "35";

/// The fields of a JSON object, in order, each value as it is written.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// A record over a few lines: when, where, key; then the fields of its value that are not null.
pub(super) fn text(record: &LogRecord, colours: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let mut out = format!(
        "{}  {}{}  {}",
        paint(DIM, &time(record.timestamp_ms)),
        paint(BOLD, &record.topic),
        paint(DIM, &format!("@{}", record.offset)),
        paint(CYAN, &bytes_text(record.key.as_deref())),
    );
    for header in &record.headers {
        // Writing to a String cannot fail.
        let _ =
            write!(out, "\n{INDENT}{} {}", paint(DIM, &printable(&header.key)), bytes_text(header.value.as_deref()));
    }
    let fields = record.value.as_deref().and_then(|value| serde_json::from_slice::<Fields>(value).ok());
    let Some(Fields(fields)) = fields else {
        let _ = write!(out, "\n{INDENT}{}", bytes_text(record.value.as_deref()));
        return out;
    };
    let mut column = COLUMNS;
    let mut nulls = 0;
    for (name, value) in &fields {
        let value = value.get();
        if value == "null" {
            nulls += 1;
            continue;
        }
        let (name, value) = (printable(name), cut(&printable(value)));
        let width = name.chars().count() + 1 + value.chars().count();
        if column + 2 + width > COLUMNS {
            let _ = write!(out, "\n{INDENT}");
            column = INDENT.len();
        } else {
            out.push_str("  ");
            column += 2;
        }
        column += width;
        let _ = write!(out, "{} {}", paint(DIM, &name), paint(colour(&value), &value));
    }
    if nulls > 0 {
        let _ = write!(out, "\n{INDENT}{}", paint(DIM, &format!("and {nulls} null")));
    }
    out
}

fn colour(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'"') => GREEN,
        Some(b'0'..=b'9' | b'-') => YELLOW,
        Some(b't' | b'f') => MAGENTA,
        _ => "0",
    }
}

/// A record as one line of JSON. Key, value and header values are texts, so that a program gets the very bytes that are
/// in the log; bytes that are no text come as base64 under another name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: i64,
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
    headers: Vec<HeaderLine<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeaderLine<'a> {
    key: &'a str,
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

/// Bytes as text, or else as base64.
fn text_or_base64(bytes: Option<&[u8]>) -> (Option<&str>, Option<String>) {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => (None, None),
        Some((_, Ok(text))) => (Some(text), None),
        Some((bytes, Err(_))) => (None, Some(STANDARD.encode(bytes))),
    }
}

/// See `Line`.
pub(super) fn json(record: &LogRecord) -> String {
    let (key, key_base64) = text_or_base64(record.key.as_deref());
    let (value, value_base64) = text_or_base64(record.value.as_deref());
    let headers = record.headers.iter().map(|header| {
        let (value, value_base64) = text_or_base64(header.value.as_deref());
        HeaderLine { key: &header.key, value, value_base64 }
    });
    let line = Line {
        topic: &record.topic,
        // The embedded log has one for each topic.
        partition: 0,
        offset: record.offset,
        timestamp: record.timestamp_ms,
        key,
        key_base64,
        value,
        value_base64,
        headers: headers.collect(),
    };
    // Texts and numbers: there is nothing that could fail.
    serde_json::to_string(&line).unwrap_or_default()
}

fn bytes_text(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "null".to_owned(),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => printable(text),
            Err(_) => format!("{} bytes", bytes.len()),
        },
    }
}

/// A text that cannot move the cursor or recolour the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= FIELD_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(FIELD_CHARS_MAX).chain(['…']).collect()
}

/// Milliseconds since the epoch as `2024-05-01 10:00:00.123`, UTC (Hinnant's `civil_from_days`).
fn time(ms: i64) -> String {
    const DAY_MS: i64 = 86_400_000;
    let (days, ms) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Columns as wide as what is in them.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Header;

    fn record(key: Option<&[u8]>, value: Option<&[u8]>) -> LogRecord {
        LogRecord {
            topic: "Account".to_owned(),
            offset: 12,
            timestamp_ms: 1_714_557_600_123,
            key: key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: vec![],
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        // From `date -u -d @…`.
        for (ms, shown) in [
            (0, "1970-01-01 00:00:00.000"),
            (1_714_557_600_123, "2024-05-01 10:00:00.123"),
            (1_709_164_799_999, "2024-02-28 23:59:59.999"),
            (1_709_164_800_000, "2024-02-29 00:00:00.000"),
            (4_107_542_400_000, "2100-03-01 00:00:00.000"),
            (-1, "1969-12-31 23:59:59.999"),
        ] {
            assert_eq!(time(ms), shown);
        }
    }

    #[test]
    fn a_record_reads_well() {
        let value = br#"{"Id":"001","AnnualRevenue":12345678901234567.89,"Fax":null,"Site":null,"Active":true}"#;
        assert_eq!(
            text(&record(Some(br#"{"Id":"001"}"#), Some(value)), false),
            "2024-05-01 10:00:00.123  Account@12  {\"Id\":\"001\"}\n    Id \"001\"  AnnualRevenue 12345678901234567.89  \
             Active true\n    and 2 null"
        );
        assert!(text(&record(None, None), false).ends_with("null\n    null"));
        assert!(text(&record(None, Some(b"\xff\xfe")), false).ends_with("2 bytes"));
        assert!(text(&record(None, Some(b"plain")), false).ends_with("plain"));
        let wide = format!("{{{}}}", (0..40).map(|n| format!("\"field{n}\":{n}")).collect::<Vec<_>>().join(","));
        let shown = text(&record(None, Some(wide.as_bytes())), false);
        assert!(shown.lines().all(|line| line.chars().count() <= COLUMNS), "{shown}");
        let evil = text(&record(Some(b"\x1b[2J"), Some(b"{\"a\x1b\":1}")), false);
        assert!(!evil.contains('\x1b'), "{evil:?}");
        assert!(text(&record(None, Some(value)), true).contains("\x1b[32m\"001\"\x1b[0m"));
    }

    #[test]
    fn a_line_of_json_loses_nothing() {
        let mut full = record(Some(b"k"), Some(b"{\"n\":12345678901234567890.123,\n\"s\":null}"));
        full.headers = vec![
            Header { key: "h".to_owned(), value: Some(b"v".to_vec()) },
            Header { key: "h".to_owned(), value: None },
            Header { key: "b".to_owned(), value: Some(vec![0xff]) },
        ];
        assert_eq!(
            json(&full),
            r#"{"topic":"Account","partition":0,"offset":12,"timestamp":1714557600123,"key":"k","value":"{\"n\":12345678901234567890.123,\n\"s\":null}","headers":[{"key":"h","value":"v"},{"key":"h","value":null},{"key":"b","value":null,"valueBase64":"/w=="}]}"#
        );
        assert_eq!(
            json(&record(None, Some(b"\xff"))),
            r#"{"topic":"Account","partition":0,"offset":12,"timestamp":1714557600123,"key":null,"value":null,"valueBase64":"/w==","headers":[]}"#
        );
    }
}
