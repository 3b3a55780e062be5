// Writes json-converter.jsonl: what Kafka Connect's own JsonConverter (schemas.enable=false) makes of known values.
//
// How to run (Java 17 or later, Maven for the jars):
//   mvn dependency:copy-dependencies -DoutputDirectory=libs     with org.apache.kafka:connect-json:4.3.1 in a pom.xml
//   java -cp "libs/*" JsonGolden.java > json-converter.jsonl
//
// Each line is one case: `kind` names the Rust test's way to build the value, `input` is its argument, `output` is the
// converter's answer as text (absent for a tombstone), `numeric` the answer with decimal.format=NUMERIC.
//
// Before JDK 19, Double.toString and Float.toString do not always give the shortest text. Cases where the running JDK
// does not give the shortest (and, of those, the nearest) are left out, so that every JDK writes the same file.

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.json.JsonConverter;

public class JsonGolden {
    static JsonConverter base64 = converter(Map.of("decimal.format", "BASE64"));
    static JsonConverter numeric = converter(Map.of("decimal.format", "NUMERIC"));
    static JsonConverter keepNull = converter(Map.of("replace.null.with.default", "false"));

    static JsonConverter converter(Map<String, String> more) {
        Map<String, Object> config = new HashMap<>(more);
        config.put("schemas.enable", "false");
        config.put("converter.type", "value");
        JsonConverter converter = new JsonConverter();
        converter.configure(config);
        return converter;
    }

    static String text(JsonConverter c, Schema schema, Object value) {
        byte[] bytes = c.fromConnectData("t", schema, value);
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    /** A JSON string, every character outside printable ASCII escaped. */
    static String quote(String s) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 0x20 || c > 0x7e) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    static void line(String kind, String input, Schema schema, Object value) {
        String output = text(kind.endsWith("keep-null") ? keepNull : base64, schema, value);
        String asNumber = text(numeric, schema, value);
        StringBuilder out = new StringBuilder("{\"kind\":" + quote(kind) + ",\"input\":" + quote(input));
        if (output != null) out.append(",\"output\":").append(quote(output));
        if (asNumber != null && !asNumber.equals(output) && !kind.endsWith("keep-null"))
            out.append(",\"numeric\":").append(quote(asNumber));
        System.out.println(out.append('}'));
    }

    static boolean shortest(String text, BigDecimal exact, java.util.function.Predicate<BigDecimal> roundTrips) {
        int digits = Math.max(2, new BigDecimal(text).stripTrailingZeros().precision());
        if (!exact.round(new MathContext(digits, RoundingMode.HALF_EVEN)).stripTrailingZeros()
                .equals(new BigDecimal(text).stripTrailingZeros())) return false;
        if (digits == 2) return true;
        for (RoundingMode mode : List.of(RoundingMode.DOWN, RoundingMode.UP))
            if (roundTrips.test(exact.round(new MathContext(digits - 1, mode)))) return false;
        return true;
    }

    static void float64(double d) {
        if (!Double.isNaN(d) && !Double.isInfinite(d)
                && !shortest(Double.toString(d), new BigDecimal(d), x -> x.doubleValue() == d)) return;
        line("float64", String.format("%016x", Double.doubleToRawLongBits(d)), Schema.FLOAT64_SCHEMA, d);
    }

    static void float32(float f) {
        if (!Float.isNaN(f) && !Float.isInfinite(f)
                && !shortest(Float.toString(f), new BigDecimal(f), x -> x.floatValue() == f)) return;
        line("float32", String.format("%08x", Float.floatToRawIntBits(f)), Schema.FLOAT32_SCHEMA, f);
    }

    static void numbers() {
        double[] doubles = {0.0, -0.0, 1, -1, 100, 0.1, 0.5, 1.5, 9999999, 9999999.5, 1e7, 12345678.9, 123456789.123, 1e21, 1e22, 1e23,
            0.001, 0.00099, 0.0009765625, 1e-3, 1e-5, 123456.789, Math.PI, Math.E, 1.0 / 3, 2.0 / 3, Double.MAX_VALUE, Double.MIN_NORMAL,
            Double.MIN_VALUE, 9.9e-324, 1.5e-323, 2e-322, 9007199254740991.0, 9007199254740992.0, 9007199254740993.0, 1e15, 1e16, 1e17, 1e18,
            37.7749, -122.4194, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
        for (double d : doubles) float64(d);
        Random random = new Random(42);
        for (int i = 0; i < 150; i++) float64(Double.longBitsToDouble(random.nextLong()));
        for (int i = 0; i < 100; i++) float64(random.nextInt(2_000_000_000) / 100.0);
        for (int i = 0; i < 50; i++) float64(random.nextDouble() * Math.pow(10, random.nextInt(12) - 6));
        float[] floats = {0f, -0f, 1f, 0.1f, 100f, 1e7f, 9999999f, 0.001f, 1e-4f, -2.14748365E9f, 3.4028235e38f, Float.MIN_VALUE,
            Float.MIN_NORMAL, 16777216f, 1.1f, 33333.336f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
        for (float f : floats) float32(f);
        for (int i = 0; i < 100; i++) float32(Float.intBitsToFloat(random.nextInt()));
        for (long n : new long[] {0, -1, 1, Long.MAX_VALUE, Long.MIN_VALUE, 9007199254740993L})
            line("int64", Long.toString(n), Schema.INT64_SCHEMA, n);
        for (int n : new int[] {0, Integer.MAX_VALUE, Integer.MIN_VALUE}) line("int32", Integer.toString(n), Schema.INT32_SCHEMA, n);
        line("int16", "-32768", Schema.INT16_SCHEMA, Short.MIN_VALUE);
        line("int8", "-128", Schema.INT8_SCHEMA, Byte.MIN_VALUE);
        line("boolean", "true", Schema.BOOLEAN_SCHEMA, true);
        line("boolean", "false", Schema.BOOLEAN_SCHEMA, false);
    }

    static void strings() {
        StringBuilder controls = new StringBuilder();
        for (char c = 0; c < 0x20; c++) controls.append(c);
        List<String> texts = List.of("", "plain", "a\"b\\c/d", controls.toString(), "\u007f\u0080\u009f\u00a0", "<script>&'`",
            "\u2028\u2029\ufeff\ufffd\uffff", "\u00e9\u00df\u4e2d\u6587", "\ud83d\ude00", "a\ud83d\ude00b\ud83d\udc69\u200d\ud83d\udcbbc",
            "\ud800\udc00\udbff\udfff", "line\r\nline\ttab\b\f", "end\\");
        for (String s : texts) line("string", s, Schema.STRING_SCHEMA, s);
        for (String hex : List.of("", "00", "01ff", "fbefbe", "deadbeef00"))
            line("bytes", hex, Schema.BYTES_SCHEMA, HexFormat.of().parseHex(hex));
    }

    static void decimals() {
        String[] texts = {"0", "0.00", "1", "-1", "123.45", "1000.00", "-0.01", "127", "128", "255", "256", "-128", "-129", "-255", "-256", "-32768", "32768",
            "0.000001", "0.0000001", "-0.00000012", "1.5E-10", "99999999999999.9999", "9223372036854775807", "9223372036854775808",
            "-9223372036854775808", "-9223372036854775809", "123456789012345678901234567890.123456789", "1E+3", "12E+3", "-5E+20", "0E+3", "0E-7",
            "340282366920938463463374607431768211456"};
        for (String s : texts) {
            BigDecimal d = new BigDecimal(s);
            String input = HexFormat.of().formatHex(d.unscaledValue().toByteArray()) + "," + d.scale() + "," + d.toPlainString();
            line("decimal", input, Decimal.schema(d.scale()), d);
        }
    }

    static Schema wide() {
        return SchemaBuilder.struct().name("io.example.Wide").version(1).doc("wide")
            .field("Id", Schema.STRING_SCHEMA)
            .field("Name", Schema.OPTIONAL_STRING_SCHEMA)
            .field("Active", Schema.OPTIONAL_BOOLEAN_SCHEMA)
            .field("Count", Schema.OPTIONAL_INT32_SCHEMA)
            .field("Small", Schema.OPTIONAL_INT8_SCHEMA)
            .field("Score", Schema.OPTIONAL_FLOAT64_SCHEMA)
            .field("Created", Timestamp.builder().optional().build())
            .field("Birth", Date.builder().optional().build())
            .field("Tm", Time.builder().optional().build())
            .field("Amount", Decimal.builder(2).optional().build())
            .field("Blob", Schema.OPTIONAL_BYTES_SCHEMA)
            .field("D", SchemaBuilder.string().optional().defaultValue("x").build())
            .field("Tags", SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).optional().build())
            .field("Labels", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.OPTIONAL_INT64_SCHEMA).optional().build())
            .field("Pairs", SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.OPTIONAL_STRING_SCHEMA).optional().build())
            .field("Place", SchemaBuilder.struct().optional().name("io.example.Place").field("City \"q\"", Schema.OPTIONAL_STRING_SCHEMA)
                .field("Lat", Schema.OPTIONAL_FLOAT64_SCHEMA).build())
            .build();
    }

    static void records() {
        Schema schema = wide();
        Struct nulls = new Struct(schema).put("Id", "a1");
        Struct full = new Struct(schema).put("Id", "00Q1").put("Name", "B\u00f6b \ud83d\ude00").put("Active", true).put("Count", -3).put("Small", (byte) 5)
            .put("Score", 1.5).put("Created", new java.util.Date(1700000000123L)).put("Birth", new java.util.Date(19000L * 86400000L))
            .put("Tm", new java.util.Date(3600001L)).put("Amount", new BigDecimal("123.45")).put("Blob", new byte[] {1, -1}).put("D", "y")
            .put("Tags", Arrays.asList("a", null)).put("Labels", new TreeMap<>(Map.of("k", 9L)))
            .put("Pairs", new TreeMap<>(Map.of(7, "seven")))
            .put("Place", new Struct(schema.field("Place").schema()).put("City \"q\"", "Z"));
        line("wide", "full", schema, full);
        line("wide", "nulls", schema, nulls);
        line("wide keep-null", "nulls", schema, nulls);
        line("null", "schemaless", null, null);
        line("null", "optional", Schema.OPTIONAL_STRING_SCHEMA, null);
        Map<Object, Object> map = new LinkedHashMap<>();
        map.put("b", 1);
        map.put("a", Arrays.asList(1L, 2.0, "x", null, true));
        line("schemaless", "map", null, map);
        map.put(3, new byte[] {0});
        line("schemaless", "pairs", null, map);
    }

    public static void main(String[] args) {
        numbers();
        strings();
        decimals();
        records();
    }
}
