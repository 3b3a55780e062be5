// Writes calendar.jsonl: java.time's reading of ISO dates, times and datetimes (proleptic Gregorian, like the rest of ISO 8601).
//
// How to run (Java 17 or later): java CalendarGolden.java > calendar.jsonl
//
// `date`: days since 1970-01-01. `datetime`: milliseconds since the epoch. `time`: milliseconds of the day.

import java.time.*;
import java.time.format.DateTimeFormatter;

public class CalendarGolden {
    static void line(String kind, String input, long output) {
        System.out.println("{\"kind\":\"" + kind + "\",\"input\":\"" + input + "\",\"output\":" + output + "}");
    }

    public static void main(String[] args) {
        String[] dates = {"1970-01-01", "1969-12-31", "1970-02-28", "1970-03-01", "2000-02-29", "1900-02-28", "1900-03-01", "2018-10-18",
            "2019-12-29", "2019-12-30", "2019-12-31", "2020-01-01", "2024-02-29", "1700-01-01", "1582-10-04", "1582-10-15", "0001-01-01", "0000-01-01", "0000-02-29",
            "4000-12-31", "9999-12-31", "2038-01-19", "2100-02-28", "2400-02-29"};
        for (String s : dates) line("date", s, LocalDate.parse(s).toEpochDay());
        for (LocalDate d = LocalDate.of(1696, 1, 17); d.getYear() < 2420; d = d.plusDays(977)) line("date", d.toString(), d.toEpochDay());
        String[] datetimes = {"2018-10-18T14:53:33.777Z", "2018-10-18T14:53:33.777+00:00", "2018-10-18T14:53:33Z", "1969-12-31T23:59:59.999Z",
            "1970-01-01T00:00:00.000Z", "2018-10-18T14:53:33.7Z", "2018-10-18T14:53:33.777000Z", "2018-10-18T14:53:33.777+05:30",
            "2018-10-18T14:53:33.777-08:00", "1700-01-01T00:00:00.000Z", "4000-12-31T23:59:59.999Z", "2020-12-31T23:59:59.000Z", "2019-12-30T00:00:00.000Z"};
        for (String s : datetimes) {
            long ms = OffsetDateTime.parse(s).toInstant().toEpochMilli();
            line("datetime", s, ms);
            if (s.contains("+00:00") || s.contains("+05:30") || s.contains("-08:00")) line("datetime", s.substring(0, s.length() - 3) + s.substring(s.length() - 2), ms);
        }
        String[] times = {"00:00:00.000", "23:59:59.999", "14:53:33", "14:53:33.7", "01:02:03.045"};
        for (String s : times) {
            long ms = LocalTime.parse(s).toNanoOfDay() / 1_000_000;
            line("time", s, ms);
            line("time", s + "Z", ms);
        }
    }
}
