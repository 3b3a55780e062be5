//! Dates and times as Salesforce writes them: `YYYY-MM-DDThh:mm:ss.SSSZ` in stream events, `+0000` in REST, an HTTP
//! date in cookies. Implements the value encodings of the describe section of the Salesforce facts page.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn moment(epoch_ms: u64) -> OffsetDateTime {
    let nanos = i128::from(epoch_ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A datetime with milliseconds and `Z`, as stream events carry it.
pub(crate) fn stream_datetime(epoch_ms: u64) -> String {
    let at = moment(epoch_ms);
    let date = date(epoch_ms);
    format!("{date}T{:02}:{:02}:{:02}.{:03}Z", at.hour(), at.minute(), at.second(), at.millisecond())
}

/// The day, `YYYY-MM-DD`, in UTC.
pub(crate) fn date(epoch_ms: u64) -> String {
    let at = moment(epoch_ms);
    format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day())
}

/// The form that `Expires` takes in a cookie, always in GMT.
pub(crate) fn http_date(epoch_ms: u64) -> String {
    let at = moment(epoch_ms);
    let weekday = at.weekday().to_string();
    let month = at.month().to_string();
    let (weekday, month) = (&weekday[..3], &month[..3]);
    let (day, year) = (at.day(), at.year());
    format!("{weekday}, {day:02}-{month}-{year:04} {:02}:{:02}:{:02} GMT", at.hour(), at.minute(), at.second())
}

/// Reads a datetime in any of the forms that the REST API takes; milliseconds since the epoch.
pub(crate) fn parse_datetime(text: &str) -> Option<u64> {
    let mut text = text.to_owned();
    let tail = text.len().checked_sub(5)?;
    if text.is_char_boundary(tail) && matches!(text.as_bytes()[tail], b'+' | b'-') && !text[tail..].contains(':') {
        text.insert(tail + 3, ':');
    }
    let parsed = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    u64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Whether the text is a day, `YYYY-MM-DD`.
pub(crate) fn is_date(text: &str) -> bool {
    text.len() == 10 && parse_datetime(&format!("{text}T00:00:00Z")).is_some()
}

/// Whether the text is a time of day, `hh:mm:ss.SSSZ`.
pub(crate) fn is_time(text: &str) -> bool {
    parse_datetime(&format!("2000-01-01T{text}")).is_some()
}

/// Turns the stored (stream) form of a datetime into the form of REST.
pub(crate) fn rest_datetime(stream: &str) -> String {
    stream.strip_suffix('Z').map_or_else(|| stream.to_owned(), |head| format!("{head}+0000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        // From a captured event: "2018-10-18T14:53:33.777Z".
        let at = 1_539_874_413_777;
        assert_eq!(stream_datetime(at), "2018-10-18T14:53:33.777Z");
        assert_eq!(rest_datetime(&stream_datetime(at)), "2018-10-18T14:53:33.777+0000");
        assert_eq!(http_date(at), "Thu, 18-Oct-2018 14:53:33 GMT");
        for (text, parsed) in [
            ("2018-10-18T14:53:33.777Z", Some(at)),
            ("2018-10-18T14:53:33.777+0000", Some(at)),
            ("2018-10-18T16:53:33.777+02:00", Some(at)),
            ("2018-10-18", None),
            ("", None),
            ("Grüße", None),
        ] {
            assert_eq!(parse_datetime(text), parsed, "{text}");
        }
        for (text, date, time) in [
            ("2024-02-29", true, false),
            ("2023-02-29", false, false),
            ("10:00:00.000Z", false, true),
            ("25:00:00.000Z", false, false),
        ] {
            assert_eq!((is_date(text), is_time(text)), (date, time), "{text}");
        }
    }
}
